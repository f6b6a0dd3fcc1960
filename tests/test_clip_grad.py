"""Our clipping against torch's: the same bits, and the norms of before in the row."""

import math
import warnings

import pytest
import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_ as torch_clip

from tb_sonify import clip_grad_norm_
from tests.reference import assert_norms, layer_norms, norm_of, pre_clip
from tests.training import backward, network, pre_clip_sums, sgd

INF = math.inf


def wide(dtype=torch.float32, scale=1.0):
    """Layers of one piece, of several, and without gradient, and gradients of one dtype."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(50, 100), nn.Linear(100, 300), nn.Linear(3, 3)).to(dtype)
    for parameter in model[:2].parameters():
        parameter.grad = scale * torch.randn_like(parameter)
    return model


@pytest.mark.parametrize("norm_type", [0.5, 1, 2, 3, INF, "inf"])
@pytest.mark.parametrize("foreach", [None, True, False])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("max_norm", [0.5, 1e9])
def test_gradients_and_total_are_torchs_to_the_bit(
    writer, tmp_path, norm_type, foreach, dtype, max_norm
):
    ours, theirs = wide(dtype), wide(dtype)
    optimizer = sgd(ours)
    writer.watch(ours, optimizer, norm_type=float(norm_type))
    expected = layer_norms(ours, float(norm_type))
    arguments = (max_norm, norm_type, False, foreach)
    total = clip_grad_norm_(ours.parameters(), *arguments)
    of_torch = torch_clip(theirs.parameters(), *arguments)
    assert torch.equal(total, of_torch)
    assert total.dtype == of_torch.dtype
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert mine.grad is other.grad is None or torch.equal(mine.grad, other.grad)
    optimizer.step()
    writer.close()
    assert_norms(tmp_path, {0: expected})
    assert pre_clip(tmp_path) == {True}


@pytest.mark.parametrize("scale", [1e-30, 1e-20, 1e25])
def test_norms_that_float32_cannot_square_are_still_true(writer, tmp_path, scale):
    model = wide(scale=scale)
    optimizer = sgd(model)
    writer.watch(model, optimizer)
    expected = layer_norms(model)
    clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    writer.close()
    assert_norms(tmp_path, {0: expected})


@pytest.mark.parametrize("value", [math.nan, INF])
def test_a_total_that_is_not_finite_is_refused_where_torch_refuses_it(writer, value):
    model = wide()
    writer.watch(model, sgd(model))
    model[0].bias.grad[0] = value
    before = model[1].bias.grad.clone()
    with pytest.raises(RuntimeError, match=r"total norm of order 2.0 .* non-finite"):
        clip_grad_norm_(model.parameters(), 1.0, error_if_nonfinite=True)
    assert torch.equal(model[1].bias.grad, before)
    assert not clip_grad_norm_(model.parameters(), 1.0).isfinite()


def warnings_of(clip):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clip((p for p in ()), 1.0)
    return [str(each.message) for each in caught]


def test_without_a_watch_it_is_torchs_own_and_keeps_nothing(writer):
    model = network()
    watch = writer.watch(model)
    backward(model)
    clip_grad_norm_(model.parameters(), 1.0)
    assert pre_clip_sums()
    watch.remove()
    assert not pre_clip_sums()
    clip_grad_norm_(model.parameters(), 1.0)
    assert not pre_clip_sums()
    assert clip_grad_norm_([], 1.0) == 0.0
    ours, theirs = (warnings_of(clip) for clip in (clip_grad_norm_, torch_clip))
    assert ours == theirs  # "empty generator", from torch 2.8 on


def test_sparse_gradients_are_clipped_where_torch_can(writer, tmp_path):
    ours, theirs = (nn.Embedding(50, 2, sparse=True) for _ in range(2))
    optimizer = torch.optim.SparseAdam(ours.parameters())
    writer.watch(ours, optimizer)
    for model in (ours, theirs):
        (model(torch.tensor([3, 3, 7])) * torch.tensor([1.0, -2.0])).sum().backward()
    expected = norm_of([ours.weight.grad.to_dense()])
    try:
        total = torch_clip(theirs.parameters(), 0.1)
    except NotImplementedError:  # before torch 2.6 or so
        return
    assert torch.equal(clip_grad_norm_(ours.parameters(), 0.1), total)
    assert torch.equal(ours.weight.grad.to_dense(), theirs.weight.grad.to_dense())
    optimizer.step()
    writer.close()
    assert_norms(tmp_path, {0: {"Embedding": expected}})
