"""Mixed precision with a real GradScaler, on the CPU."""

import pytest
import torch
from torch import nn
from torch.amp import GradScaler

from tb_sonify import clip_grad_norm_
from tests.reference import assert_norms, layer_norms, pre_clip

OPTIMIZERS = [
    (torch.optim.SGD, {"fused": True}),
    (torch.optim.AdamW, {"fused": True}),
    (torch.optim.SGD, {"fused": False}),
    (torch.optim.AdamW, {}),
]


def model_and_optimizer(kind, options):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    return model, kind(model.parameters(), lr=0.01, **options)


def backward(model, scaler, overflow=False):
    """A backward pass whose scaled gradients overflow or not; gives the true norms."""
    loss = model(torch.randn(3, 4)).square().sum()
    model.zero_grad()
    loss.backward(retain_graph=True)
    norms = layer_norms(model)
    model.zero_grad()
    scaler.scale(loss).backward()
    if overflow:
        model[2].weight.grad[0, 0] = float("inf")
    return norms


@pytest.mark.parametrize(("kind", "options"), OPTIMIZERS)
@pytest.mark.parametrize("norm_type", [2.0, 1.0, 3.0, float("inf")])
def test_norms_are_unscaled(writer, tmp_path, kind, options, norm_type):
    model, optimizer = model_and_optimizer(kind, options)
    scaler = GradScaler("cpu", init_scale=1024.0, growth_interval=3)
    writer.watch(model, optimizer, norm_type=norm_type)
    expected = {}
    for step in range(10):
        loss = model(torch.randn(3, 4)).square().sum()
        optimizer.zero_grad()
        loss.backward(retain_graph=True)
        expected[step] = layer_norms(model, norm_type)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
    assert scaler.get_scale() > 1024
    writer.close()
    assert_norms(tmp_path, expected)


@pytest.mark.parametrize(("kind", "options"), OPTIMIZERS)
@pytest.mark.parametrize("named", [True, False])
def test_a_step_that_is_left_out_counts_but_is_no_row(writer, tmp_path, kind, options, named):
    model, optimizer = model_and_optimizer(kind, options)
    scaler = GradScaler("cpu", init_scale=1024.0)
    writer.watch(model, optimizer if named else None, first_step=100)
    expected = {}
    for step in range(100, 120):
        overflow = step in (100, 101, 107)
        norms = backward(model, scaler, overflow)
        if not overflow:
            expected[step] = norms
        scaler.step(optimizer)
        scaler.update()
    writer.close()
    assert_norms(tmp_path, expected)


@pytest.mark.parametrize(("kind", "options"), OPTIMIZERS)
def test_clipping_between_unscale_and_step_leaves_norms_before_it(writer, tmp_path, kind, options):
    model, optimizer = model_and_optimizer(kind, options)
    scaler = GradScaler("cpu", init_scale=1024.0)
    writer.watch(model, optimizer)
    expected = {}
    for step in range(10):
        norms = backward(model, scaler, overflow := step == 4)
        if not overflow:
            expected[step] = norms
        scaler.unscale_(optimizer)
        clip_grad_norm_(model.parameters(), 0.01)
        scaler.step(optimizer)
        scaler.update()
    writer.close()
    assert_norms(tmp_path, expected)
    assert pre_clip(tmp_path) == {True}


@pytest.mark.parametrize(("kind", "options"), OPTIMIZERS)
def test_two_optimizers_of_which_one_is_left_out_keep_their_steps(writer, tmp_path, kind, options):
    models, optimizers = zip(*(model_and_optimizer(kind, options) for _ in range(2)), strict=True)
    scaler = GradScaler("cpu", init_scale=1024.0)
    writer.watch(models[0], optimizers[0], prefix="a")
    writer.watch(models[1], optimizers[1], prefix="b")
    expected = {}
    for step in range(10):
        expected[step] = {}
        for name, model in zip("ab", models, strict=True):
            norms = backward(model, scaler, overflow=(step, name) == (3, "a"))
            if (step, name) != (3, "a"):
                expected[step] |= {f"{name}.{layer}": norm for layer, norm in norms.items()}
        for optimizer in optimizers:
            scaler.step(optimizer)
        scaler.update()
    writer.close()
    assert_norms(tmp_path, expected)


def test_a_scaler_that_is_disabled_changes_nothing(writer, tmp_path):
    model, optimizer = model_and_optimizer(torch.optim.SGD, {})
    scaler = GradScaler("cpu", enabled=False)
    writer.watch(model, optimizer)
    expected = {}
    for step in range(5):
        optimizer.zero_grad()
        scaler.scale(model(torch.randn(3, 4)).square().sum()).backward()
        expected[step] = layer_norms(model)
        scaler.step(optimizer)
        scaler.update()
    writer.close()
    assert_norms(tmp_path, expected)


def test_half_precision_under_autocast_is_as_exact(writer, tmp_path):
    model, optimizer = model_and_optimizer(torch.optim.SGD, {})
    model.to(torch.bfloat16)
    writer.watch(model, optimizer)
    model(torch.randn(3, 4, dtype=torch.bfloat16)).square().sum().backward()
    expected = layer_norms(model)
    clip_grad_norm_(model.parameters(), 1e-3)
    optimizer.step()
    writer.close()
    assert_norms(tmp_path, {0: expected})


def test_the_scaler_is_as_it_was_once_nothing_is_watched(writer):
    torchs = GradScaler.step
    model, optimizer = model_and_optimizer(torch.optim.SGD, {})
    first, second = writer.watch(model, optimizer), writer.watch(model, optimizer, prefix="twice")
    assert GradScaler.step is not torchs
    first.remove()
    first.remove()
    assert GradScaler.step is not torchs
    second.remove()
    assert GradScaler.step is torchs


def test_an_optimizer_of_nothing_that_is_watched_is_left_alone(writer, tmp_path):
    model, optimizer = model_and_optimizer(torch.optim.SGD, {})
    other, of_other = model_and_optimizer(torch.optim.SGD, {"fused": True})
    scaler = GradScaler("cpu", init_scale=1024.0)
    writer.watch(model, optimizer)
    expected = {}
    for step in range(4):
        expected[step] = backward(model, scaler)
        backward(other, scaler, overflow=step == 2)
        scaler.step(of_other)
        scaler.step(optimizer)
        scaler.update()
    writer.close()
    assert_norms(tmp_path, expected)
