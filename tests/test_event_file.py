import io
import re
import subprocess
import sys
import textwrap

import pytest
import tensorboardX
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.tensorflow_stub import pywrap_tensorflow
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import (
    CRC_INIT,
    crc_finalize,
    crc_update,
)
from tensorboard.summary.writer.record_writer import RecordWriter
from torch.utils.tensorboard import SummaryWriter

from tb_sonify.integrations.adapter import SonifyAdapter
from tb_sonify.training.event_writer import EventFileWriter, tfrecord
from tb_sonify.training.summary import scalars_event
from tests import recorded
from tests.client import opened_client
from tests.waiting import wait_until


def scalar(step, value=0.0, tag="x"):
    return scalars_event([(tag, value)], step=step, wall_time=1.0)


def run(script, *arguments):
    """Run a script in a process of its own; its standard error, where warnings go."""
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    return result.stderr


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 1000, 100_000])
def test_records_are_those_of_tensorboard(size, monkeypatch):
    own = lambda data: crc_finalize(crc_update(CRC_INIT, data))  # noqa: E731
    monkeypatch.setattr(pywrap_tensorflow, "crc32c", own)  # its own, not that of conftest
    data = bytes(i * 31 % 256 for i in range(size))
    expected = io.BytesIO()
    RecordWriter(expected).write(data)
    assert tfrecord(data) == expected.getvalue()


def test_events_come_back_in_order_after_the_version(tmp_path):
    file = EventFileWriter(tmp_path / "run", filename_suffix=".mine")
    sent = [scalar(step, step / 3) for step in range(1000)]
    for event in sent:
        file.add_event(event)
    file.close()
    version, *received = recorded.events(tmp_path / "run")
    assert version.file_version == "brain.Event:2"
    assert received == sent
    (path,) = (tmp_path / "run").iterdir()
    assert re.fullmatch(r"events\.out\.tfevents\.\d{10}\..+\.\d+\.\d+\.mine", path.name)


def test_files_of_the_same_second_do_not_meet(tmp_path):
    files = [EventFileWriter(tmp_path) for _ in range(3)]
    for step, file in enumerate(files):
        file.add_event(scalar(step))
        file.close()
    assert len(list(tmp_path.iterdir())) == 3
    assert recorded.scalars(tmp_path, "x") == [(0, 0.0), (1, 0.0), (2, 0.0)]


def test_flush_waits_until_events_are_readable(tmp_path):
    file = EventFileWriter(tmp_path)
    for step in range(5):
        file.add_event(scalar(step))
        file.flush()
        assert len(recorded.scalars(tmp_path, "x")) == step + 1
    file.close()


def test_events_are_written_soon_without_being_asked(tmp_path):
    file = EventFileWriter(tmp_path)
    file.add_event(scalar(0))
    assert wait_until(lambda: recorded.scalars(tmp_path, "x"), "it is written") == [(0, 0.0)]
    file.close()


def test_close_can_be_called_again_and_refuses_what_comes_later(tmp_path):
    file = EventFileWriter(tmp_path)
    file.close()
    file.close()
    file.flush()
    with pytest.raises(ValueError, match="is closed"):
        file.add_event(scalar(0))


def test_a_fork_neither_hangs_nor_writes(tmp_path):
    stderr = run(
        """
        import os, sys, warnings
        from tb_sonify.training.event_writer import EventFileWriter
        from tb_sonify.training.summary import scalars_event

        warnings.filterwarnings("ignore", category=DeprecationWarning)  # of fork itself
        file = EventFileWriter(sys.argv[1])
        file.add_event(scalars_event([("x", 0.0)], step=0, wall_time=1.0))
        child = os.fork()
        for step in (1, 2):
            file.add_event(scalars_event([("x", float(child))], step=step, wall_time=1.0))
        file.flush()
        file.close()
        if not child:
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        """,
        tmp_path,
    )
    assert stderr.count("RuntimeWarning") == 1
    assert [step for step, _ in recorded.scalars(tmp_path, "x")] == [0, 1, 2]


def reread(writer, multiplexer):
    """The last step of a loss by the newest file of a run."""
    writer.flush()  # that of tensorboardX does not wait for its queue
    multiplexer.Reload()
    found = "loss" in multiplexer.Runs()["run"]["tensors"]
    return found and multiplexer.Tensors("run", "loss")[-1].step


@pytest.mark.parametrize(
    "kind", [SummaryWriter, tensorboardX.SummaryWriter], ids=lambda of: of.__module__
)
def test_what_another_writer_logs_to_the_run_stays_live(kind, tmp_path):
    theirs = kind(str(tmp_path / "run"))
    theirs.add_scalar("loss", 0.0, 0)
    theirs.flush()
    newest = EventMultiplexer().AddRunsFromDirectory(str(tmp_path))  # by the newest file alone
    newest.Reload()
    ours = SonifyAdapter(theirs)
    with opened_client(tmp_path, "slow") as client:
        for step in range(1, 4):
            theirs.add_scalar("loss", float(step), step)
            ours.add_norms({"a": 1.0}, step)
            (ours.close if step == 3 else ours.flush)()
            wait_until(lambda step=step: reread(theirs, newest) == step, f"step {step} is read")
            client.reload()
            for tag, first in (("loss", 0), ("grad_norm/a", 1)):
                query = {"run": "run", "tag": tag}
                points = client.get("/data/plugin/scalars/scalars", query_string=query).json
                assert [at for _, at, _ in points] == [*range(first, step + 1)]
    theirs.close()


def test_an_event_may_hold_anything(tmp_path):
    file = EventFileWriter(tmp_path)
    file.add_event(Event(graph_def=bytes(5 * 2**20)))
    file.add_event(scalar(1))
    file.close()
    _, graph, last = recorded.events(tmp_path)
    assert len(graph.graph_def) == 5 * 2**20
    assert last.step == 1
