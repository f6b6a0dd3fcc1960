"""What makes a row: accumulation, closures, gradients that are missing."""

import pytest
import torch
from torch import nn

from tests import recorded
from tests.reference import assert_norms, layer_norms


def loss_of(model):
    return model(torch.randn(3, 4)).square().sum()


@pytest.mark.parametrize("set_to_none", [True, False])
@pytest.mark.parametrize("every", [1, 4])
def test_several_backward_passes_make_one_row_of_their_sum(
    writer, model, tmp_path, set_to_none, every
):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    writer.watch(model, optimizer, every=every, first_step=20)
    expected = {}
    for step in range(20, 40):
        optimizer.zero_grad(set_to_none=set_to_none)
        for _ in range(3):
            (loss_of(model) / 3).backward()
        if (step - 20) % every == 0:
            expected[step] = layer_norms(model)
        optimizer.step()
    writer.close()
    assert_norms(tmp_path, expected)


def test_a_gradient_that_stays_at_zero_is_zero_and_one_that_is_gone_is_none(
    writer, model, tmp_path
):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    writer.watch(model, optimizer)
    loss_of(model).backward()
    expected = {}
    for step, set_to_none in enumerate([False, True]):
        optimizer.zero_grad(set_to_none=set_to_none)
        expected[step] = layer_norms(model)
        optimizer.step()
    assert set(expected[0].values()) == {0.0}
    writer.close()
    assert_norms(tmp_path, expected)


@pytest.mark.parametrize("by_name", [True, False])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (torch.optim.LBFGS, {"max_iter": 5}),
        (torch.optim.LBFGS, {"max_iter": 5, "line_search_fn": "strong_wolfe"}),
        (torch.optim.SGD, {"lr": 0.01}),
        (torch.optim.Adam, {"fused": True}),
    ],
)
def test_a_step_with_a_closure_is_one_row_of_its_first_gradients(
    writer, model, tmp_path, kind, options, by_name
):
    optimizer = kind(model.parameters(), **options)
    writer.watch(model, optimizer)
    calls = []

    def closure():
        optimizer.zero_grad()
        loss = loss_of(model)
        loss.backward()
        calls.append(layer_norms(model))
        return loss

    expected = {}
    for step in range(5):
        calls.clear()
        loss = optimizer.step(closure=closure) if by_name else optimizer.step(closure)
        assert torch.is_tensor(loss)
        expected[step] = calls[0]
    assert (len(calls) > 1) == (kind is torch.optim.LBFGS)
    writer.close()
    assert_norms(tmp_path, expected)


def test_an_error_in_a_closure_is_the_users_own_and_no_step(writer, model, tmp_path):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    writer.watch(model, optimizer)

    def closure():
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        optimizer.step(closure)
    loss_of(model).backward()
    expected = {0: layer_norms(model)}
    optimizer.step()
    writer.close()
    assert_norms(tmp_path, expected)


def steps_of_rows(writer, model, tmp_path, numbers, *, every=1, **options):
    """The steps of rows where `step` gives these numbers, one for each optimizer step."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    numbers = iter(numbers)
    writer.watch(model, optimizer, every=every, step=lambda: next(numbers), **options)
    for _ in range(9):
        loss_of(model).backward()
        optimizer.step()
    writer.close()
    return recorded.steps_and_norms(tmp_path)[0]


@pytest.mark.parametrize(
    ("numbers", "every", "expected"),
    [
        ([512] * 4 + [1024] * 4 + [1536], 1, [512, 513, 514, 515, 1024, 1025, 1026, 1027, 1536]),
        ([64, 64, 128, 128, 192, 192, 256, 256, 320], 3, [64, 129, 256]),  # the count is thinned
        ([5, 6, 7, 2, 3, 4, 4, 9, torch.tensor(10)], 1, [5, 6, 7, 2, 3, 4, 5, 9, 10]),  # restarted
    ],
)
def test_steps_can_be_numbered_by_what_the_loss_is_logged_at(
    writer, model, tmp_path, numbers, every, expected
):
    assert steps_of_rows(writer, model, tmp_path, numbers, every=every) == expected


@pytest.mark.parametrize(
    ("numbers", "expected", "message"),
    [
        ([40, 50, 0.5], [40, 50, *range(51, 58)], r"from 51 on.*must be an integer, got 0.5"),
        ([40, 50], [40, 50, *range(51, 58)], "from 51 on.*StopIteration"),
        ([-1], range(9), "from 0 on.*must be at least 0"),
        ([0, 0, 0, 1, 1, 1, 2, 2, 2], range(9), "got 1 after 0 where rows are at step 2"),
    ],
)
def test_numbers_that_are_no_steps_are_counted_on_with_one_warning(
    writer, model, tmp_path, numbers, expected, message
):
    with pytest.warns(RuntimeWarning, match=message) as caught:
        steps = steps_of_rows(writer, model, tmp_path, numbers)
    assert len(caught) == 1
    assert steps == list(expected)


def test_a_frozen_model_has_rows_without_norms(writer, model, tmp_path):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    model.requires_grad_(False)
    writer.watch(model, optimizer)
    for _ in range(3):
        optimizer.step()
    writer.close()
    assert_norms(tmp_path, {0: {}, 1: {}, 2: {}})


def test_five_thousand_layers_are_logged(writer, tmp_path):
    model = nn.ModuleList(nn.Linear(1, 1, bias=False) for _ in range(5000))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    writer.watch(model, optimizer)
    for step in range(2):
        for i, layer in enumerate(model):
            layer.weight.grad = torch.full((1, 1), float(i + step))
        optimizer.step()
    writer.close()
    steps, norms = recorded.steps_and_norms(tmp_path)
    assert steps == [0, 1]
    assert norms.shape == (2, 5000)
    assert recorded.scalars(tmp_path, "grad_norm/4999") == [(0, 4999.0), (1, 5000.0)]
