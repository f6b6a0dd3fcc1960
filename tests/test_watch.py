import copy
import gc
import io
import math
import pickle
import threading
import warnings
import weakref

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.optimizer import _global_optimizer_pre_hooks

from tb_sonify import SonifyWriter
from tb_sonify.schema.block import round_norms
from tb_sonify.schema.notes import NO_GRADIENT
from tb_sonify.sound import VERSIONS
from tests import recorded
from tests.reference import norm_of
from tests.training import backward, network, train
from tests.waiting import wait_until

LAYERS = ("0", "2")


def step_often(optimizer, times):
    for _ in range(times):
        optimizer.step()


def test_every_optimizer_step_is_one_row(writer, model, optimizer, tmp_path):
    writer.watch(model, optimizer)
    expected = train(model, optimizer, 150)
    writer.close()
    steps, norms = recorded.steps_and_norms(tmp_path)
    assert steps == list(range(150))
    scalars = [recorded.scalars(tmp_path, f"grad_norm/{layer}") for layer in LAYERS]
    exact = np.array([[value for _, value in layer] for layer in scalars]).T
    np.testing.assert_allclose(exact, expected, rtol=1e-5)
    np.testing.assert_array_equal(norms, round_norms(exact))
    assert {block.layers for block in recorded.rows(tmp_path)} == {LAYERS}
    assert len(recorded.values(tmp_path, "sonify/smooth")) == 2


def test_steps_count_from_first_step_and_may_be_thinned(writer, model, optimizer, tmp_path):
    writer.watch(model, optimizer, first_step=1000, every=3)
    expected = train(model, optimizer, 10)
    writer.close()
    steps, norms = recorded.steps_and_norms(tmp_path)
    assert steps == [1000, 1003, 1006, 1009]
    np.testing.assert_allclose(norms, expected[::3], rtol=0.004)


def test_what_is_watched_can_be_chosen(writer, model, optimizer, tmp_path):
    writer.watch(model, optimizer, granularity="parameter", exclude="*.bias", norm_type=math.inf)
    train(model, optimizer, 3)
    writer.close()
    block = recorded.all_rows(tmp_path)
    assert block.layers == ("0.weight", "2.weight")
    assert block.options == {
        "norm_type": "inf",
        "granularity": "parameter",
        "include": None,
        "exclude": "*.bias",
        "pre_clip": False,
        "preset_versions": dict(VERSIONS),
    }
    last = [model[0].weight.grad.abs().max().item(), model[2].weight.grad.abs().max().item()]
    np.testing.assert_allclose(block.norms[-1], last, rtol=0.004)


def test_without_an_optimizer_every_one_that_trains_the_model_counts(writer, model, tmp_path):
    writer.watch(model)
    other = nn.Linear(4, 2)
    train(nn.Sequential(other), torch.optim.Adam(other.parameters()), 5)
    expected = train(model, torch.optim.SGD(model.parameters(), lr=0.01), 4)
    expected = [*expected, *train(model, torch.optim.Adam(model.parameters()), 3)]
    writer.close()
    steps, norms = recorded.steps_and_norms(tmp_path)
    assert steps == list(range(7))
    np.testing.assert_allclose(norms, expected, rtol=0.004)
    assert not _global_optimizer_pre_hooks


def test_a_watch_ends_when_it_is_removed(writer, model, optimizer, tmp_path):
    with writer.watch(model, optimizer) as first:
        train(model, optimizer, 3)
    first.remove()
    train(model, optimizer, 5)
    writer.watch(model, optimizer, first_step=3)
    train(model, optimizer, 2)
    writer.close()
    assert recorded.steps_and_norms(tmp_path)[0] == [0, 1, 2, 3, 4]


def test_remove_and_close_leave_no_hook(writer, model, optimizer):
    writer.watch(model, optimizer).remove()
    assert not optimizer._optimizer_step_pre_hooks
    writer.watch(model)
    writer.close()
    assert not optimizer._optimizer_step_pre_hooks
    assert not _global_optimizer_pre_hooks


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"optimizer": "sgd"}, TypeError, "must be a torch optimizer, got str"),
        ({"optimizer": (1, 2)}, TypeError, "got tuple.*leave it out"),
        ({"every": 0}, ValueError, "every must be at least 1, got 0"),
        ({"first_step": -1}, ValueError, "first_step must be at least 0"),
        ({"step": 7}, TypeError, "step must be callable without arguments, got 7"),
        ({"norm_type": 0}, ValueError, "norm_type must be above 0"),
    ],
)
def test_a_mistake_in_watch_is_said_at_once_and_leaves_no_hook(
    writer, model, optimizer, arguments, error, message
):
    with pytest.raises(error, match=message):
        writer.watch(model, **arguments)
    assert not _global_optimizer_pre_hooks
    writer.watch(model, optimizer)


def test_what_is_no_model_is_said_with_what_to_do(writer, model, optimizer):
    with pytest.raises(TypeError, match=r"torch.nn.Module, got tuple: call watch once for each"):
        writer.watch((model, network()), optimizer)


def test_model_and_optimizer_can_be_copied_and_saved_while_watched(writer, model, optimizer):
    writer.watch(model, optimizer)
    train(model, optimizer, 3)
    for original in (model, optimizer):
        for twin in (copy.deepcopy(original), pickle.loads(pickle.dumps(original))):
            assert type(twin) is type(original)
            assert not getattr(twin, "_optimizer_step_pre_hooks", None)
        buffer = io.BytesIO()
        torch.save(original, buffer)
        buffer.seek(0)
        torch.load(buffer, weights_only=False)
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    train(model, optimizer, 3)


def test_a_hook_that_fails_stops_watching_with_one_warning(writer, optimizer, tmp_path):
    model = nn.Linear(4, 2, device="meta")  # its norms can never be had
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    writer.watch(model, optimizer)
    model(torch.empty(3, 4, device="meta")).sum().backward()
    with pytest.warns(RuntimeWarning, match="stops watching, training goes on") as caught:
        step_often(optimizer, 200)
    assert len(caught) == 1
    writer.add_norms({"a": 1.0}, 0)
    writer.close()
    assert recorded.steps_and_norms(tmp_path)[0] == [0]


def test_nan_and_infinity_and_frozen_layers_are_told_apart(writer, model, optimizer, tmp_path):
    model[0].requires_grad_(False)
    writer.watch(model, optimizer)
    train_last = [1.0, math.nan, math.inf, 0.0]
    for value in train_last:
        for parameter in model[2].parameters():
            parameter.grad = torch.zeros_like(parameter)
        model[2].bias.grad[0] = value
        optimizer.step()
    writer.close()
    _, norms = recorded.steps_and_norms(tmp_path)
    np.testing.assert_array_equal(norms[:, 0], [NO_GRADIENT] * 4)
    np.testing.assert_array_equal(norms[:, 1], train_last)


def cell(logdir, cells, writers, *, model=None, optimizer=None):
    """A cell of a notebook, which keeps what it gives, and binds its names anew."""
    model = model or network()
    cells["model"], cells["optimizer"] = model, optimizer or torch.optim.Adam(model.parameters())
    cells["writer"] = SonifyWriter(str(logdir))
    writers.append(weakref.ref(cells["writer"]))
    cells.setdefault("out", []).append(cells["writer"].watch(cells["model"], optimizer))
    for _ in range(3):
        backward(cells["model"])
        cells["optimizer"].step()
    return weakref.ref(cells["model"])


def test_a_cell_of_a_notebook_that_is_run_again_leaves_nothing_behind(tmp_path):
    cells, writers = {}, []
    models = [cell(tmp_path / str(number), cells, writers) for number in range(5)]
    gc.collect()
    assert [model() is None for model in models] == [True] * 4 + [False]
    assert [writer() is None for writer in writers] == [True] * 4 + [False]
    assert [watch.active for watch in cells["out"]] == [False] * 4 + [True]
    wait_until(
        lambda: all(recorded.tags(tmp_path / str(number)) for number in range(4)),
        "what writers that were left had taken must be written",
    )
    wait_until(
        lambda: sum(each.name.startswith("tb_sonify") for each in threading.enumerate()) <= 2,
        "their threads must end",
    )
    cells["writer"].close()
    for number in range(5):
        assert recorded.steps_and_norms(tmp_path / str(number))[0] == [0, 1, 2]
    cells.clear()
    gc.collect()
    model = network()
    with SonifyWriter(str(tmp_path / "last")) as writer:
        writer.watch(model)
    assert not _global_optimizer_pre_hooks


@pytest.mark.parametrize("of_optimizer", [True, False])
def test_a_writer_that_is_made_anew_for_a_model_takes_the_place_of_the_last(tmp_path, of_optimizer):
    model = network()
    optimizer = torch.optim.Adam(model.parameters())
    cells, writers = {}, []
    for number in range(2):
        given = {"optimizer": optimizer} if of_optimizer else {}
        cells.pop("optimizer", None)
        cell(tmp_path / str(number), cells, writers, model=model, **given)
    assert writers[0]() is None
    with SonifyWriter(str(tmp_path / "beside")) as beside:  # both are referred to
        beside.watch(model)
        backward(model)
        cells["optimizer"].step()
    cells["writer"].close()
    wait_until(
        lambda: "sonify/end" in recorded.tags(tmp_path / "0"), "the writer that was left must end"
    )
    for number, steps in (("0", [0, 1, 2]), ("1", [0, 1, 2, 3]), ("beside", [0])):
        assert recorded.steps_and_norms(tmp_path / number)[0] == steps


def test_a_container_that_is_made_for_a_watch_alone_is_watched_as_long_as_its_layers(
    writer, tmp_path
):
    encoder, decoder = network(), network()
    writer.watch(nn.ModuleDict({"encoder": encoder, "decoder": decoder}))
    optimizer = torch.optim.SGD([*encoder.parameters(), *decoder.parameters()], lr=0.01)
    gc.collect()
    for _ in range(3):
        backward(encoder)
        backward(decoder)
        optimizer.step()
    writer.close()
    block = recorded.all_rows(tmp_path)
    assert block.layers == ("encoder.0", "encoder.2", "decoder.0", "decoder.2")
    assert block.steps.tolist() == [0, 1, 2]
    assert (block.norms > 0).all()


def masters(model):
    """Copies in another precision, which an optimizer steps in place of the model's parameters."""
    return [p.detach().double().requires_grad_(True) for p in model.parameters()]


@pytest.mark.parametrize("steps", [3, 120])
@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("master weights", "no optimizer that steps holds their parameters.*add_gradient_norms"),
        ("another optimizer", r"another optimizer than the one that was given.*watch\(model\)"),
        ("frozen", "all of their parameters are frozen"),
        ("zeroed too early", r"no gradient of them then.*step\(\) before zero_grad\(\)"),
    ],
)
def test_where_nothing_is_ever_heard_one_warning_says_why(writer, model, case, message, steps):
    given = torch.optim.SGD(model.parameters(), lr=0.01) if case == "another optimizer" else None
    held = masters(model) if case == "master weights" else model.parameters()
    optimizer = torch.optim.SGD(held, lr=0.01)
    writer.watch(model, given)
    model.requires_grad_(case != "frozen")

    def train_unheard():
        for _ in range(steps):
            if case != "frozen":
                model(torch.randn(3, 4)).square().sum().backward()
            if case in ("master weights", "zeroed too early"):
                model.zero_grad()
            optimizer.step()
        writer.close()

    with pytest.warns(RuntimeWarning, match=rf"no gradient norm.*{message}") as caught:
        train_unheard()
    assert len(caught) == 1


def test_an_optimizer_that_is_replaced_while_training_is_said(writer, model, tmp_path):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    writer.watch(model, optimizer)
    train(model, optimizer, 20)
    other = nn.Linear(4, 2)
    train(nn.Sequential(other), torch.optim.SGD(other.parameters(), lr=0.01), 120)
    with pytest.warns(RuntimeWarning, match="another optimizer than the one") as caught:
        train(model, torch.optim.SGD(model.parameters(), lr=0.01), 120)
    writer.close()
    assert len(caught) == 1
    assert recorded.steps_and_norms(tmp_path)[0] == list(range(20))


def test_a_model_that_is_trained_before_is_no_reason_for_a_warning(writer, model, tmp_path):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    writer.watch(model, optimizer)
    teacher = nn.Sequential(nn.Linear(4, 30), nn.Linear(30, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(teacher, torch.optim.SGD(teacher.parameters(), lr=0.01), 120)
        train(model, optimizer, 5)
        writer.close()
    assert recorded.steps_and_norms(tmp_path)[0] == list(range(5))


def test_gradients_are_read_where_megatron_keeps_them(writer, model, optimizer, tmp_path):
    writer.watch(model, optimizer)
    expected = []
    for _ in range(5):
        model.zero_grad()
        model(torch.randn(3, 4)).square().sum().backward()
        for p in model.parameters():
            p.main_grad, p.grad = p.grad.double(), None
        expected.append([norm_of([p.main_grad for p in model[i].parameters()]) for i in (0, 2)])
        optimizer.step()
    writer.close()
    scalars = [recorded.scalars(tmp_path, f"grad_norm/{layer}") for layer in LAYERS]
    exact = np.array([[value for _, value in layer] for layer in scalars]).T
    np.testing.assert_allclose(exact, expected, rtol=1e-5)


def test_more_layers_than_can_be_read_are_said_at_once(writer):
    model = nn.ModuleList(nn.Linear(1, 1) for _ in range(5001))
    writer.watch(model)
    with pytest.warns(RuntimeWarning, match=r"at most 10,000 layers, got 15,003.*exclude="):
        writer.watch(model, granularity="parameter", prefix="parameters")
