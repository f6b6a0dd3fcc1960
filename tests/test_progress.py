"""What a data server that is back has to have read before it is believed."""

import gc
import threading
import time

import pytest
from tensorboard.data.provider import Run, ScalarDatum

from tb_sonify.plugin.data_server import Progress
from tb_sonify.reading.work import DaemonThreads


@pytest.fixture
def progress():
    """Of two runs; of one of them 100 steps were read."""
    progress = Progress()
    progress.note("list_runs", [Run(name, name, 0.0) for name in ("adam", "sgd")])
    points = [ScalarDatum(step=step, wall_time=0.0, value=1.0) for step in (0, 100)]
    progress.note("read_scalars", {"adam": {"loss": points}})
    return progress


def test_every_run_must_be_there_and_have_got_as_far_as_before(progress):
    assert not progress.is_regained({})
    assert not progress.is_regained({"adam": 100})
    assert not progress.is_regained({"adam": 99, "sgd": 0})
    assert progress.is_regained({"adam": 100, "sgd": 0})
    assert progress.is_regained({"adam": 300, "sgd": 0, "new": 7})


def test_what_does_not_come_is_taken_for_deleted_after_a_while(progress, monkeypatch):
    monkeypatch.setattr("tb_sonify.reading.limits.SETTLED_SECONDS", 0.3)
    progress.restart()
    for step in range(0, 100, 25):  # it goes on to read
        assert not progress.is_regained({"adam": step})
        time.sleep(0.15)
    for step in range(100, 500, 100):  # one of them grows, the other does not come
        settled = progress.is_regained({"adam": step})
        time.sleep(0.15)
    assert settled
    assert progress.runs == ["adam"]


def test_threads_end_with_those_who_have_them_work():
    threads = DaemonThreads(3, "of a test")
    assert list(threads.map(str, range(50))) == [str(number) for number in range(50)]
    with pytest.raises(ZeroDivisionError):
        threads.submit(lambda: 1 / 0).result()
    working = [each for each in threading.enumerate() if each.name == "of a test"]
    assert 1 <= len(working) <= 3
    assert all(each.daemon for each in working)
    del threads
    gc.collect()
    for each in working:
        each.join(5)
        assert not each.is_alive()
