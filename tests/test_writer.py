import gc
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from tensorboard.compat.proto.event_pb2 import SessionLog
from torch import distributed, nn
from torch.testing._internal.distributed.fake_pg import FakeStore
from torch.utils.tensorboard import writer as torch_writer

from tb_sonify import SonifyWriter
from tb_sonify.schema.block import round_norms
from tb_sonify.schema.notes import NO_GRADIENT
from tb_sonify.sound import PRESETS, preset_from_json
from tests import recorded
from tests.hearing import assert_hears
from tests.training import train
from tests.waiting import wait_until


def test_norms_after_backward_are_a_row(writer, model, optimizer, tmp_path):
    expected = []
    for step in range(0, 50, 10):
        expected += [*train(model, optimizer, 1)]
        writer.add_gradient_norms(model, step)
    writer.close()
    steps, norms = recorded.steps_and_norms(tmp_path)
    assert steps == [0, 10, 20, 30, 40]
    np.testing.assert_allclose(norms, expected, rtol=0.004)


def test_a_model_that_grows_is_logged_with_its_new_layer(writer, model, optimizer, tmp_path):
    train(model, optimizer, 1)
    writer.add_gradient_norms(model, 0)
    model.append(nn.Linear(2, 2))
    train(model, torch.optim.SGD(model.parameters()), 1)
    writer.add_gradient_norms(model, 1)
    writer.close()
    block = recorded.all_rows(tmp_path)
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
    block = recorded.all_rows(tmp_path)
    assert block.layers == ("g", "c")
    np.testing.assert_array_equal(block.norms, round_norms(np.full((5, 2), math.sqrt(6))))


def test_any_numbers_can_be_norms(writer, tmp_path):
    writer.add_norms({"a": 0.5, "b": np.float32(2), "c": torch.tensor(3.0), "d": None}, 0)
    writer.add_norms({"a": 0, "b": math.inf, "c": np.array(math.nan), "d": 1e300}, np.int64(5))
    writer.close()
    steps, norms = recorded.steps_and_norms(tmp_path)
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


def test_a_closed_writer_leaves_norms_out_with_one_warning(writer, model, optimizer, tmp_path):
    writer.watch(model, optimizer)
    writer.close()
    writer.close()
    writer.flush()
    train(model, optimizer, 3)
    with pytest.warns(RuntimeWarning, match="this one is closed"):
        writer.add_norms({"a": 1.0}, 3)
    writer.add_norms({"a": 1.0}, 4)  # a second warning would be an error here
    writer.add_gradient_norms(model, 5)
    assert not writer.watch(model).active
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
    for run_of_ours in ("run", "run/both_test"):
        version = recorded.events(tmp_path / run_of_ours)[0]
        assert version.source_metadata.writer == "tb_sonify"


def test_what_patches_the_writer_of_tensorboard_is_told_of_the_directory(tmp_path, monkeypatch):
    told, plain = [], torch_writer.EventFileWriter

    class Patched(plain):  # as W&B does, where it synchronizes TensorBoard
        def __init__(self, logdir, *arguments, **options):
            told.append(("class", logdir))
            super().__init__(logdir, *arguments, **options)

    def init(self, logdir, *arguments, start=plain.__init__, **options):
        told.append(("method", logdir))
        start(self, logdir, *arguments, **options)

    def add_event(self, event, *arguments, add=torch_writer.FileWriter.add_event):  # as ClearML
        told.extend((value.tag, self.get_logdir()) for value in event.summary.value)
        add(self, event, *arguments)

    monkeypatch.setattr(plain, "__init__", init)
    monkeypatch.setattr(torch_writer, "EventFileWriter", Patched)
    monkeypatch.setattr(torch_writer.FileWriter, "add_event", add_event)
    run = str(tmp_path / "run")
    with SonifyWriter(run) as writer:
        writer.add_scalar("loss", 0.5, 0)
    assert told == [("class", run), ("method", run), ("loss", run)]
    assert len(list((tmp_path / "run").iterdir())) == 1

    def failing(*_):
        raise OSError("not logged in")

    monkeypatch.setattr(plain, "__init__", failing)
    with (
        pytest.warns(RuntimeWarning, match="patch of TensorBoard's writer failed: OSError: not"),
        SonifyWriter(run) as writer,
    ):
        writer.add_scalar("loss", 0.25, 1)
    assert recorded.scalars(tmp_path / "run", "loss") == [(0, 0.5), (1, 0.25)]


def test_a_relative_directory_stays_where_it_was_when_the_process_goes_elsewhere(
    tmp_path, monkeypatch
):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "first")
    with SonifyWriter("runs/a") as writer:
        monkeypatch.chdir(tmp_path / "second")
        writer.add_norms({"a": 1.0}, 0)
        writer.add_scalars("both", {"train": 1.0}, 0)
        writer.add_hparams({"lr": 0.1}, {"score": 1.0}, run_name="tried")
    assert recorded.steps_and_norms(tmp_path / "first" / "runs" / "a")[0] == [0]
    for run, tag in (("both_train", "both"), ("tried", "score")):
        assert tag in recorded.tags(tmp_path / "first" / "runs" / "a" / run)
    assert not list((tmp_path / "second").iterdir())


@pytest.mark.parametrize(
    ("environment", "writes"),
    [
        ({"RANK": "1", "WORLD_SIZE": "2"}, False),  # torchrun
        ({"RANK": "0", "WORLD_SIZE": "2"}, True),
        ({"RANK": "8"}, True),  # of a low-rank adapter
        ({"RANK": "1", "WORLD_SIZE": "1"}, True),  # what is left of a job
        ({"RANK": "1", "WORLD_SIZE": "?"}, True),
        ({"RANK": "one", "WORLD_SIZE": "2"}, True),
        ({"LOCAL_RANK": "1", "SLURM_PROCID": "3", "OMPI_COMM_WORLD_RANK": "2"}, True),
        ({"WORLD_SIZE": "4", "LOCAL_RANK": "2"}, True),
    ],
    ids=str,
)
def test_a_process_is_one_of_several_only_where_a_launcher_says_so(
    environment, writes, tmp_path, monkeypatch
):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with SonifyWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", 1.0, 0)
    assert bool(list(tmp_path.iterdir())) == writes


def test_a_writer_that_is_made_before_the_process_group_has_no_rows_beside_those_of_rank_0(
    writer, model, optimizer, tmp_path
):
    # A process group of torch's own tests, whose other process is not there.
    distributed.init_process_group("fake", rank=1, world_size=2, store=FakeStore())
    try:
        with pytest.warns(RuntimeWarning, match="rank 0 alone logs norms, this is rank 1"):
            assert not writer.watch(model, optimizer).active
        train(model, optimizer, 3)
        writer.add_scalar("loss", 0.5, 0)
    finally:
        distributed.destroy_process_group()
    writer.watch(model, optimizer)
    train(model, optimizer, 2)
    writer.close()
    assert recorded.steps_and_norms(tmp_path)[0] == [0, 1]
    assert recorded.scalars(tmp_path, "loss") == [(0, 0.5)]


def test_presets_choose_the_clips(tmp_path):
    for presets in ((), ("classic", "smooth", "classic")):
        with SonifyWriter(tmp_path / str(len(presets)), presets=presets) as writer:
            writer.add_norms({"a": 1.0}, 0)
    assert recorded.tags(tmp_path / "0") == {
        "grad_norm/a",
        "sonify/rows",
        "sonify/segments",
        "sonify/end",
    }
    assert recorded.tags(tmp_path / "3") >= {"sonify/classic", "sonify/smooth"}
    assert len(recorded.values(tmp_path / "3", "sonify/classic")) == 1


@pytest.mark.parametrize("presets", [("smooth", "loud"), "smooth"])
def test_an_unknown_preset_is_an_error_that_lists_the_known(tmp_path, presets):
    with pytest.raises(ValueError, match=r"'smooth', .*'classic'"):
        SonifyWriter(str(tmp_path / "run"), presets=presets)
    assert not (tmp_path / "run").exists()


def test_purge_step_tells_tensorboard_where_the_run_starts_again(tmp_path):
    SonifyWriter(str(tmp_path), purge_step=70).close()
    _, version, *starts = recorded.events(tmp_path)
    assert (version.step, version.file_version) == (70, "brain.Event:2")
    for start in starts:
        assert (start.step, start.session_log.status) == (70, SessionLog.START)


def test_both_loaders_leave_out_what_a_run_that_starts_again_replaces(tmp_path, open_client):
    for first_step, purge_step in ((0, None), (40, 40)):
        with SonifyWriter(str(tmp_path / "run"), purge_step=purge_step) as writer:
            for step in range(first_step, first_step + 50):
                writer.add_norms({"a": 1.0 + first_step}, step)
                writer.add_scalar("loss", first_step, step)
                if step == 39:
                    writer.flush()  # so that a block begins where the run starts again
    client = open_client(tmp_path)
    norms = round_norms(np.repeat([1.0, 41.0], [40, 50])[:, None].astype(np.float32))
    coverage = assert_hears(client, "run", norms, np.arange(90), logged=0)
    assert coverage.header["missing"] == []
    points = client.get("/data/plugin/scalars/scalars", query_string={"run": "run", "tag": "loss"})
    assert [value for _, _, value in points.json] == [0.0] * 40 + [40.0] * 50


def test_a_run_can_be_resumed_in_its_directory(tmp_path, model, optimizer):
    for first_step in (0, 6):
        with SonifyWriter(str(tmp_path)) as writer:
            writer.watch(model, optimizer, first_step=first_step)
            train(model, optimizer, 10)
    sessions = {}
    for block in recorded.rows(tmp_path):
        steps = sessions.setdefault(block.session, [])
        assert block.first_row == len(steps)
        steps += block.steps.tolist()
    assert list(sessions) == sorted(sessions)
    assert list(sessions.values()) == [list(range(10)), list(range(6, 16))]


def test_a_writer_that_is_dropped_still_writes_its_rows(tmp_path):
    writer = SonifyWriter(str(tmp_path))
    for step in range(10):
        writer.add_norms({"a": 1.0}, step)
    del writer
    gc.collect()
    wait_until(lambda: "sonify/segments" in recorded.tags(tmp_path), "what was logged is written")
    assert recorded.steps_and_norms(tmp_path)[0] == list(range(10))


def test_a_preset_of_ones_own_is_heard_and_kept_with_the_norms(tmp_path):
    mine = replace(PRESETS["smooth"], name="mine", title="Mine: slow", note_frames=2_400)
    with SonifyWriter(str(tmp_path), presets=["single", mine]) as writer:
        for step in range(120):
            writer.add_norms({"a": 1.0, "b": 0.5, "c": 0.1 + step}, step)
    stored = [*recorded.rows(tmp_path), *recorded.segments(tmp_path)]
    for block in stored:
        (preset,) = block.options["presets"]
        assert preset_from_json(preset) == mine
    assert len(stored) >= 3
    assert len(recorded.values(tmp_path, "sonify/single")) == 2
    clips = [recorded.pcm(value) for _, value in recorded.values(tmp_path, "sonify/mine")]
    assert [len(clip) for clip in clips] == [100 * 2_400 + 96, 20 * 2_400 + 96]


@pytest.mark.parametrize("presets", [[replace(PRESETS["smooth"], level=0.01)], PRESETS["smooth"]])
def test_presets_that_cannot_be_told_apart_are_refused(tmp_path, presets):
    with pytest.raises(ValueError, match="preset"):
        SonifyWriter(str(tmp_path), presets=presets)
