"""Disks that are full, directories that are deleted, clocks that are set back."""

import time

import pytest

from tb_sonify.training.event_writer import EventFileWriter
from tests import recorded
from tests.test_event_file import run, scalar


def test_a_directory_that_is_deleted_is_made_anew_with_one_warning(tmp_path):
    stderr = run(
        """
        import shutil, sys, time
        from tb_sonify.training.event_writer import EventFileWriter
        from tb_sonify.training.summary import scalars_event

        file = EventFileWriter(sys.argv[1], retry_seconds=0.2)
        for step in range(30):
            if step in (10, 20):
                shutil.rmtree(sys.argv[1])
            file.add_event(scalars_event([("x", 0.0)], step=step, wall_time=1.0))
            file.flush()
            time.sleep(0.1)
        file.close()
        """,
        tmp_path / "run",
    )
    assert stderr.count("RuntimeWarning") == 1
    assert "FileNotFoundError" in stderr
    steps = [step for step, _ in recorded.scalars(tmp_path / "run", "x")]
    assert steps == list(range(30))[-len(steps) :]
    assert 5 <= len(steps) <= 10  # fewer are lost where the pauses take longer


def test_a_directory_that_cannot_be_made_yet_is_used_once_it_can(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.warns(RuntimeWarning, match="training goes on"):
        file = EventFileWriter(tmp_path / "file" / "run", retry_seconds=0.2)
    file.add_event(scalar(0))
    file.flush()
    (tmp_path / "file").unlink()
    time.sleep(0.3)
    file.add_event(scalar(1))
    file.close()
    assert recorded.scalars(tmp_path / "file" / "run", "x") == [(1, 0.0)]


def test_files_are_read_in_the_order_of_their_writing_where_the_clock_is_set_back(
    tmp_path, monkeypatch
):
    clock = iter([3000.0, 3000.0, 1000.0, 1000.0])
    file = EventFileWriter(tmp_path, retry_seconds=0.0)
    monkeypatch.setattr(time, "time", lambda: next(clock))
    file.add_event(scalar(0))
    file.flush()
    (first,) = tmp_path.iterdir()
    first.rename(tmp_path / f"{first.name}.kept")  # so that another one is begun
    file.add_event(scalar(1))
    with pytest.warns(RuntimeWarning, match="FileNotFoundError"):
        file.flush()
    file.add_event(scalar(2))
    file.close()
    assert recorded.scalars(tmp_path, "x") == [(0, 0.0), (2, 0.0)]


def test_a_full_disk_gives_one_warning_and_leaves_what_was_written_readable(tmp_path):
    stderr = run(
        """
        import resource, sys
        from tb_sonify.training.event_writer import EventFileWriter
        from tb_sonify.training.summary import scalars_event

        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        file = EventFileWriter(sys.argv[1])
        for step in range(20_000):
            file.add_event(scalars_event([("x", 0.0)], step=step, wall_time=1.0))
            if step % 500 == 0:
                file.flush()
        file.close()
        """,
        tmp_path,
    )
    assert stderr.count("RuntimeWarning") == 1
    assert "training goes on" in stderr
    steps = [step for step, _ in recorded.scalars(tmp_path, "x")]
    assert steps == list(range(len(steps)))
    assert len(steps) > 1000


def test_after_a_full_disk_a_new_file_takes_over_as_soon_as_there_is_room(tmp_path):
    stderr = run(
        """
        import resource, sys, time
        from tb_sonify.training.event_writer import EventFileWriter
        from tb_sonify.training.summary import scalars_event

        def add(step):
            file.add_event(scalars_event([("x", 0.0)], step=step, wall_time=1.0))
            file.flush()

        file = EventFileWriter(sys.argv[1], retry_seconds=0.2)
        for full in (True, False, True, False):  # as often as it happens
            resource.setrlimit(resource.RLIMIT_FSIZE, (300 if full else 10**9, -1))
            for step in range(20):
                add(step)
            time.sleep(0.4)
            add(100 if full else 200)
        file.close()
        """,
        tmp_path,
    )
    assert stderr.count("RuntimeWarning") == 1
    steps = [step for step, _ in recorded.scalars(tmp_path, "x")]
    assert steps.count(200) == 2
    assert len(list(tmp_path.iterdir())) <= 4


def test_what_cannot_be_written_is_not_kept_in_memory(tmp_path):
    run(
        """
        import resource, sys, warnings
        from tensorboard.compat.proto.event_pb2 import Event
        from tb_sonify.training.event_writer import EventFileWriter

        def peak():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

        warnings.simplefilter("ignore")
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        file = EventFileWriter(sys.argv[1])
        event = Event(graph_def=bytes(2**20))
        file.add_event(event)
        file.flush()
        before = peak()
        for _ in range(1000):
            file.add_event(event)
        assert peak() - before < 200 * 2**20, (before, peak())
        file.close()
        """,
        tmp_path,
    )


def test_a_disk_that_fills_up_does_not_stop_us_where_warnings_are_errors(tmp_path):
    stderr = run(
        """
        import resource, sys, warnings
        from tb_sonify.training.event_writer import EventFileWriter
        from tb_sonify.training.summary import scalars_event

        warnings.simplefilter("error")
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        file = EventFileWriter(sys.argv[1])
        for step in range(1000):
            file.add_event(scalars_event([("x", 0.0)], step=step, wall_time=1.0))
            file.flush()
        file.close()
        """,
        tmp_path,
    )
    assert stderr.count("training goes on") == 1
    assert "Traceback" not in stderr
