"""Log directories that are URLs, as of a bucket, read and written by TensorBoard's file systems."""

import time
import warnings
from types import SimpleNamespace

import fsspec
import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat import tf
from tensorboard.compat.proto.event_pb2 import Event

from tb_sonify import SonifyWriter
from tb_sonify.schema.block import round_norms
from tb_sonify.training.event_writer import EventFileWriter
from tb_sonify.training.summary import scalars_event
from tests.client import opened_client
from tests.hearing import assert_hears
from tests.training import network


class Bucket(MemoryFileSystem):
    """A file system that is like a bucket: its objects are written whole, and it may be away."""

    protocol = "bucket"
    store, pseudo_dirs = {}, [""]
    written = []  # noqa: RUF012 - sizes
    away = False

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(path.replace("bucket://", "memory://"))

    def _open(self, path, mode="rb", **options):
        if self.away:
            raise ConnectionError("no route to the bucket")
        if "a" in mode:
            raise NotImplementedError("objects cannot grow")
        file = super()._open(path, mode, **options)
        if "w" in mode:
            commit = file.close
            file.close = lambda: (self.written.append(len(file.getvalue())), commit())
        return file


@pytest.fixture
def bucket():
    fsspec.register_implementation("bucket", Bucket, clobber=True)
    Bucket.store.clear()
    Bucket.written.clear()
    Bucket.away = False
    return fsspec.filesystem("bucket")


def norms_of(first_step, steps):
    return round_norms((1.0 + first_step + np.arange(steps)).astype(np.float32)[:, None])


@pytest.mark.parametrize(
    "where", ["memory://remote", "file://{directory}", "simplecache::memory://cached", "bucket://a"]
)
@pytest.mark.usefixtures("bucket")
def test_a_run_at_a_url_is_logged_goes_on_and_is_heard(where, tmp_path):
    url = where.format(directory=tmp_path)
    for first_step, steps, purge_step in ((0, 150, None), (120, 50, 120)):
        with SonifyWriter(f"{url}/run", purge_step=purge_step) as writer:
            for step in range(first_step, first_step + steps):
                writer.add_norms({"a": 1.0 + step}, step)
                writer.add_scalar("loss", float(step), step)
    with opened_client(url, "slow") as client:
        coverage = assert_hears(client, "run", norms_of(0, 170), np.arange(170), logged=None)
        assert coverage.header["missing"] == []
        loss = client.get(
            "/data/plugin/scalars/scalars", query_string={"run": "run", "tag": "loss"}
        )
        assert [value for _, _, value in loss.json] == list(range(170))


@pytest.mark.training  # imports the trainers
@pytest.mark.usefixtures("bucket")
def test_trainers_log_to_urls():
    from tb_sonify.integrations import accelerate, huggingface

    tracker = accelerate.SonifyTracker("run", "bucket://trackers")
    tracker.log({"loss": 0.5}, step=3)
    tracker.finish()
    assert [event.step for event in events_at("bucket://trackers/run")] == [3]
    for trial in (None, "7"):
        callback = huggingface.SonifyCallback("bucket://trials/run")
        state = SimpleNamespace(global_step=0, trial_name=trial)
        callback.on_train_begin(None, state, None, model=network())
        callback.on_train_end(None, state, None)
    found = set(tf.io.gfile.glob("bucket://trials/run/**"))
    assert len([path for path in found if "tfevents" in path]) == 2
    assert len([path for path in found if "/run/7/" in path]) == 1


def events_at(url):
    return [
        event
        for path in sorted(tf.io.gfile.glob(f"{url}/*"))
        for event in map(Event.FromString, RawEventFileLoader(path).Load())
        if not event.file_version
    ]


def test_a_long_run_in_a_bucket_is_not_written_anew_as_a_whole(bucket):
    file = EventFileWriter("bucket://long/run", flush_secs=0.1)
    for _ in range(24):
        file.add_event(Event(graph_def=bytes(2**19)))
        time.sleep(0.02)
    file.close()
    assert len(events_at("bucket://long/run")) == 24
    sizes = [each["size"] for each in bucket.ls("bucket://long/run", detail=True)]
    assert len(sizes) >= 2
    assert max(sizes) < 8 * 2**20
    assert sum(sizes) <= sum(Bucket.written) < 5 * sum(sizes)


def test_between_two_flushes_a_bucket_is_left_alone(bucket):
    file = EventFileWriter("bucket://quiet/run", flush_secs=60)
    file.flush()
    (before,) = bucket.ls("bucket://quiet/run")
    for step in range(3):
        file.add_event(scalars_event([("x", 0.0)], step=step, wall_time=1.0))
        time.sleep(1.1)
    (after,) = bucket.ls("bucket://quiet/run")
    assert after == before
    file.close()
    assert [event.step for event in events_at("bucket://quiet/run")] == [0, 1, 2]


@pytest.mark.usefixtures("bucket")
def test_a_bucket_that_is_away_for_a_while_costs_one_warning_and_no_event():
    file = EventFileWriter("bucket://away/run", flush_secs=0.1, retry_seconds=0.2)
    file.flush()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for step in range(30):
            Bucket.away = 5 <= step < 15 or 20 <= step < 25
            file.add_event(scalars_event([("x", 0.0)], step=step, wall_time=1.0))
            file.flush()
            time.sleep(0.05)
        file.close()
    assert len(caught) == 1
    assert "ConnectionError: no route to the bucket; training goes on" in str(caught[0].message)
    assert [event.step for event in events_at("bucket://away/run")] == list(range(30))


def test_what_a_bucket_does_not_take_is_not_kept_in_memory(bucket):
    file = EventFileWriter("bucket://never/run", flush_secs=0.1, retry_seconds=60)
    file.flush()
    Bucket.away = True
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(100):
            file.add_event(Event(graph_def=bytes(2**20)))
        file.flush()
        Bucket.away = False
        file.close()
    assert len(caught) == 1
    assert bucket.du("bucket://never/run") < 80 * 2**20


def test_a_file_system_that_there_is_not_is_said_at_once():
    with pytest.raises(ValueError, match="nowhere"):
        SonifyWriter("nowhere://bucket/run")
