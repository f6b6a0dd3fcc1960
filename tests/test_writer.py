import copy
import gc
import io
import math
import pickle
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import torch
from tensorboard.compat.proto.event_pb2 import SessionLog
from torch import nn
from torch.optim.optimizer import _global_optimizer_pre_hooks

from tb_sonify import SonifyWriter
from tb_sonify.contract import NO_GRADIENT, round_norms
from tests import recorded

LAYERS = ("0", "2")


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))


@pytest.fixture
def optimizer(model):
    return torch.optim.SGD(model.parameters(), lr=0.01)


@pytest.fixture
def writer(tmp_path):
    with SonifyWriter(str(tmp_path)) as writer:
        yield writer


def train(model, optimizer, steps):
    """Train, and give the norms of each step, computed one layer at a time in float64."""
    norms = []
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(3, 4)).square().sum().backward()
        norms.append([reference(layer) for layer in model if list(layer.parameters())])
        optimizer.step()
    return np.array(norms)


def step_often(optimizer, times):
    for _ in range(times):
        optimizer.step()


def reference(layer):
    values = torch.cat([p.grad.double().flatten() for p in layer.parameters()])
    return values.norm().item()


def rows(directory):
    """Steps and norms of all rows."""
    blocks = recorded.rows(directory)
    return (
        [step for block in blocks for step in block.steps],
        np.concatenate([block.norms for block in blocks]),
    )


def run(script, *arguments):
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


TRAINING = """
    import resource, sys, torch
    from torch import nn
    from tb_sonify import SonifyWriter

    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    writer = SonifyWriter(sys.argv[1])
    writer.watch(model, optimizer)

    def train(steps):
        for step in range(steps):
            optimizer.zero_grad()
            model(torch.randn(3, 4)).square().sum().backward()
            optimizer.step()
            writer.add_scalar("loss", 1.0, step)
"""


def test_every_optimizer_step_is_one_row(writer, model, optimizer, tmp_path):
    writer.watch(model, optimizer)
    expected = train(model, optimizer, 150)
    writer.close()
    steps, norms = rows(tmp_path)
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
    steps, norms = rows(tmp_path)
    assert steps == [1000, 1003, 1006, 1009]
    np.testing.assert_allclose(norms, expected[::3], rtol=0.004)


def test_what_is_watched_can_be_chosen(writer, model, optimizer, tmp_path):
    writer.watch(model, optimizer, granularity="parameter", exclude="*.bias", norm_type=math.inf)
    train(model, optimizer, 3)
    writer.close()
    (block,) = recorded.rows(tmp_path)
    assert block.layers == ("0.weight", "2.weight")
    assert block.options == {
        "norm_type": "inf",
        "granularity": "parameter",
        "include": None,
        "exclude": "*.bias",
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
    steps, norms = rows(tmp_path)
    assert steps == list(range(7))
    np.testing.assert_allclose(norms, expected, rtol=0.004)
    assert not _global_optimizer_pre_hooks


def test_one_watch_at_a_time_until_it_is_removed(writer, model, optimizer, tmp_path):
    with writer.watch(model, optimizer) as first:
        with pytest.raises(RuntimeError, match=r"call remove\(\)"):
            writer.watch(model)
        train(model, optimizer, 3)
    first.remove()
    train(model, optimizer, 5)
    writer.watch(model, optimizer, first_step=3)
    train(model, optimizer, 2)
    writer.close()
    assert rows(tmp_path)[0] == [0, 1, 2, 3, 4]


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
        (
            {"optimizer": torch.optim.SGD([torch.zeros(1)])},
            ValueError,
            "holds none of theirs: 0, 2",
        ),
        ({"optimizer": "sgd"}, TypeError, "must be a torch optimizer, got str"),
        ({"every": 0}, ValueError, "every must be at least 1, got 0"),
        ({"first_step": -1}, ValueError, "first_step must be at least 0"),
        ({"norm_type": 0}, ValueError, "norm_type must be above 0"),
        ({"include": "conv*"}, ValueError, "include='conv"),
    ],
)
def test_a_mistake_in_watch_is_said_at_once_and_leaves_no_hook(
    writer, model, optimizer, arguments, error, message
):
    with pytest.raises(error, match=message):
        writer.watch(model, **arguments)
    assert not _global_optimizer_pre_hooks
    writer.watch(model, optimizer)


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
    assert rows(tmp_path)[0] == [0]


def test_norms_after_backward_are_a_row(writer, model, optimizer, tmp_path):
    expected = []
    for step in range(0, 50, 10):
        expected += [*train(model, optimizer, 1)]
        writer.add_gradient_norms(model, step)
    writer.close()
    steps, norms = rows(tmp_path)
    assert steps == [0, 10, 20, 30, 40]
    np.testing.assert_allclose(norms, expected, rtol=0.004)


def test_a_model_that_grows_is_logged_with_its_new_layer(writer, model, optimizer, tmp_path):
    train(model, optimizer, 1)
    writer.add_gradient_norms(model, 0)
    model.append(nn.Linear(2, 2))
    train(model, torch.optim.SGD(model.parameters()), 1)
    writer.add_gradient_norms(model, 1)
    writer.close()
    (block,) = recorded.rows(tmp_path)
    assert block.layers == ("0", "2", "3")
    assert block.norms[0, 2] == NO_GRADIENT
    assert block.norms[1, 2] > 0


def test_two_models_of_one_step_share_its_row(writer, tmp_path):
    generator, critic = nn.ModuleDict({"g": nn.Linear(2, 2)}), nn.ModuleDict({"c": nn.Linear(2, 2)})
    for step in range(5):
        for model in (generator, critic):
            for parameter in model.parameters():
                parameter.grad = torch.ones_like(parameter)
            writer.add_gradient_norms(model, step)
    writer.close()
    (block,) = recorded.rows(tmp_path)
    assert block.layers == ("g", "c")
    np.testing.assert_array_equal(block.norms, round_norms(np.full((5, 2), math.sqrt(6))))


def test_any_numbers_can_be_norms(writer, tmp_path):
    writer.add_norms({"a": 0.5, "b": np.float32(2), "c": torch.tensor(3.0), "d": None}, 0)
    writer.add_norms({"a": 0, "b": math.inf, "c": np.array(math.nan), "d": 1e300}, np.int64(5))
    writer.close()
    steps, norms = rows(tmp_path)
    assert steps == [0, 5]
    expected = [[0.5, 2, 3, NO_GRADIENT], [0, math.inf, math.nan, math.inf]]
    np.testing.assert_array_equal(norms, expected)
    assert recorded.scalars(tmp_path, "grad_norm/d") == [(5, math.inf)]


@pytest.mark.parametrize(
    ("norms", "step", "error", "message"),
    [
        ({"fc": -0.5}, 0, ValueError, "layer 'fc' must be at least 0, got -0.5"),
        ({"fc": "0.5"}, 0, TypeError, "layer 'fc' must be a number or None, got '0.5'"),
        ({"fc": torch.ones(2)}, 0, TypeError, "layer 'fc' must be a number"),
        ({3: 0.5}, 0, TypeError, "name of a layer must be text, got 3"),
        ({}, 0, ValueError, "at least one layer"),
        ({"fc": 0.5}, 0.5, TypeError, "global_step must be an integer, got 0.5"),
        ({"fc": 0.5}, None, TypeError, "global_step must be an integer, got None"),
        ({"fc": 0.5}, -1, ValueError, "global_step must be at least 0"),
    ],
)
def test_what_is_no_norm_is_refused_by_name(writer, norms, step, error, message):
    with pytest.raises(error, match=message):
        writer.add_norms(norms, step)


def test_a_closed_writer_takes_no_norms_but_scalars_as_the_base_class(writer, model, tmp_path):
    writer.close()
    writer.close()
    writer.flush()
    for log in (
        lambda: writer.add_norms({"a": 1.0}, 0),
        lambda: writer.add_gradient_norms(model, 0),
        lambda: writer.watch(model),
    ):
        with pytest.raises(RuntimeError, match="this one is closed"):
            log()
    writer.add_scalar("late", 0.5, 1)
    writer.close()
    assert recorded.scalars(tmp_path, "late") == [(1, 0.5)]


def test_all_that_a_summary_writer_logs_is_in_one_file(tmp_path):
    with SonifyWriter(tmp_path / "run", filename_suffix=".s") as writer:
        writer.add_scalar("loss", 0.25, 3)
        writer.add_text("note", "hello", 3)
        writer.add_histogram("weights", torch.randn(10), 3)
        writer.add_scalars("both", {"train": 1.0, "test": 2.0}, 3)
        writer.add_norms({"a": 1.0}, 3)
    assert len(list((tmp_path / "run").glob("*.s"))) == 1
    assert recorded.tags(tmp_path / "run") >= {"loss", "note/text_summary", "weights"}
    assert recorded.scalars(tmp_path / "run" / "both_test", "both") == [(3, 2.0)]


def test_presets_choose_the_clips(tmp_path):
    for presets in ((), ("classic", "smooth", "classic")):
        with SonifyWriter(tmp_path / str(len(presets)), presets=presets) as writer:
            writer.add_norms({"a": 1.0}, 0)
    assert recorded.tags(tmp_path / "0") == {"grad_norm/a", "sonify/rows", "sonify/segments"}
    assert recorded.tags(tmp_path / "3") >= {"sonify/classic", "sonify/smooth"}
    assert len(recorded.values(tmp_path / "3", "sonify/classic")) == 1


@pytest.mark.parametrize("presets", [("smooth", "loud"), "smooth"])
def test_an_unknown_preset_is_an_error_that_lists_the_known(tmp_path, presets):
    with pytest.raises(ValueError, match=r"'smooth', .*'classic'"):
        SonifyWriter(str(tmp_path / "run"), presets=presets)
    assert not (tmp_path / "run").exists()


def test_purge_step_tells_tensorboard_where_the_run_starts_again(tmp_path):
    SonifyWriter(str(tmp_path), purge_step=70).close()
    _, version, start = recorded.events(tmp_path)
    assert (version.step, version.file_version) == (70, "brain.Event:2")
    assert (start.step, start.session_log.status) == (70, SessionLog.START)


def test_a_run_can_be_resumed_in_its_directory(tmp_path, model, optimizer):
    for first_step in (0, 6):
        with SonifyWriter(str(tmp_path)) as writer:
            writer.watch(model, optimizer, first_step=first_step)
            train(model, optimizer, 10)
    before, after = recorded.rows(tmp_path)
    assert before.session < after.session
    assert (before.first_row, after.first_row) == (0, 0)
    assert before.steps.tolist() == list(range(10))
    assert after.steps.tolist() == list(range(6, 16))


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
    _, norms = rows(tmp_path)
    np.testing.assert_array_equal(norms[:, 0], [NO_GRADIENT] * 4)
    np.testing.assert_array_equal(norms[:, 1], train_last)


def test_a_writer_that_is_dropped_still_writes_its_rows(tmp_path):
    writer = SonifyWriter(str(tmp_path))
    for step in range(10):
        writer.add_norms({"a": 1.0}, step)
    del writer
    gc.collect()
    deadline = time.monotonic() + 20
    while "sonify/segments" not in recorded.tags(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert rows(tmp_path)[0] == list(range(10))


@pytest.mark.parametrize("end", ["", "sys.exit(0)", "raise ValueError('mine')"])
def test_rows_are_written_when_the_interpreter_ends(tmp_path, end):
    result = run(TRAINING + f"\n    train(130)\n    {end}\n", tmp_path)
    assert ("mine" in result.stderr) == ("mine" in end), result.stderr
    assert "Exception ignored" not in result.stderr
    assert rows(tmp_path)[0] == list(range(130))
    assert [segment.rows for segment in recorded.segments(tmp_path)] == [100, 30]
    assert len(recorded.scalars(tmp_path, "loss")) == 130


def test_training_goes_on_when_the_disk_is_full(tmp_path):
    limit = "resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))"
    result = run(TRAINING + f"\n    {limit}\n    train(2000)\n    writer.close()\n", tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("Warning") == 1
    steps = [step for step, _ in recorded.scalars(tmp_path, "loss")]
    assert 0 < len(steps) < 2000
    assert steps == list(range(len(steps)))


def test_a_fork_trains_on_without_logging(tmp_path):
    script = """
    import os, warnings
    warnings.filterwarnings("ignore", category=DeprecationWarning)  # of fork itself
    train(5)
    child = os.fork()
    train(100)
    writer.flush()
    writer.close()
    if child:
        assert os.waitpid(child, 0)[1] == 0
    """
    result = run(TRAINING + script, tmp_path)
    assert result.returncode == 0, result.stderr
    assert rows(tmp_path)[0] == list(range(105))


def test_without_torch_the_package_imports_and_the_writer_says_what_to_install():
    result = run(
        """
        import sys
        sys.modules["torch"] = None
        import tb_sonify
        assert "SonifyWriter" in dir(tb_sonify) and tb_sonify.__version__
        try:
            tb_sonify.SonifyWriter
        except ImportError as error:
            assert 'pip install "tb-sonify[torch]"' in str(error), error
        else:
            raise AssertionError
        """
    )
    assert result.returncode == 0, result.stderr
