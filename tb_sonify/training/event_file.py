"""The event file: written in the background, and never in the way of training."""

import itertools
import math
import os
import socket
import time

from tensorboard.compat import tf
from tensorboard.compat.proto.event_pb2 import Event, SourceMetadata

from tb_sonify.training.background import IDLE_SECONDS, Background
from tb_sonify.training.storage import Storage, new_storage
from tb_sonify.training.tfrecord import record
from tb_sonify.training.warn import warn

_PENDING_BYTES = 64 * 2**20  # who adds more waits until the file system has taken some
_PROMPT_BYTES = 2**20  # from here on, events are written at once
_RETRY_SECONDS = 10.0

# TensorBoard's own writers count from 0: two files of the same second must not meet.
_numbers = itertools.count(1000)


class EventFile(Background):
    """Takes events at any speed, and writes them to a new event file in `logdir`.

    If the file system refuses to write, there is one warning. After that, events are thrown
    away until a new file can be written, which is tried every `retry_seconds`: nothing behind
    the damaged end of the first could be read. Of a bucket, the last few megabytes are kept.

    Parameters
    ----------
    logdir
        A directory, or a URL for one of TensorBoard's file systems, such as ``s3://``.
    flush_secs
        How often an object of a bucket is written again.
    """

    def __init__(
        self,
        logdir: str,
        *,
        flush_secs: float = 120.0,
        filename_suffix: str = "",
        retry_seconds: float = _RETRY_SECONDS,
    ) -> None:
        super().__init__("events")
        self._logdir = str(logdir)
        self._flush_secs = flush_secs
        self._suffix = filename_suffix
        self._retry_seconds = retry_seconds
        self._file: Storage | None = None
        self._created = 0  # when the last file was, in seconds since the epoch
        self._warned = False
        self._retry_at = self._stored_at = -math.inf
        self._require_directory()

        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._start()

    def get_logdir(self) -> str:
        """The directory that the file is in."""
        return self._logdir

    def add_event(self, event: Event) -> None:
        """Take an event, to be written within a second."""
        if not self._home.takes_data():
            return
        data = event.SerializeToString()
        with self._changed:
            if self._pending_bytes > _PENDING_BYTES:
                self._wait_for(lambda: self._pending_bytes <= _PENDING_BYTES or self._closing)
            if self._closing:
                raise ValueError(f"the event file in {self._logdir!r} is closed")
            self._pending.append(data)
            self._pending_bytes += len(data)
            if self._pending_bytes > _PROMPT_BYTES:
                self._changed.notify_all()

    def _run(self) -> None:
        closing = False
        while not closing:
            with self._changed:
                self._changed.wait_for(self._is_urgent, timeout=IDLE_SECONDS)
                pending, self._pending, self._pending_bytes = self._pending, [], 0
                closing, wanted = self._closing, self._flushes_wanted
                self._changed.notify_all()
            self._write(pending, store=closing or wanted > self._flushes_done)
            self._flushed(wanted)
        self._end_file()

    def _is_urgent(self) -> bool:
        return self._flush_is_wanted or self._closing or self._pending_bytes > _PROMPT_BYTES

    def _require_directory(self) -> None:
        try:
            tf.io.gfile.makedirs(self._logdir)
        except (ImportError, ValueError):
            raise  # no such file system
        except Exception as error:  # noqa: BLE001 - remote file systems have their own
            self._fail(error)

    def _write(self, events: list[bytes], *, store: bool) -> None:
        waiting = time.monotonic() < self._retry_at
        if waiting and (self._file is None or self._file.full):
            return
        try:
            if self._file is None:
                tf.io.gfile.makedirs(self._logdir)  # it may have been deleted
                self._file = new_storage(self._new_path(), record(_version_event()))
            self._file.add(b"".join(map(record, events)))
            due = store or self._file.full or time.monotonic() - self._stored_at > self._flush_secs
            if due and not waiting:
                self._store(self._file)
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(error)

    def _store(self, file: Storage) -> None:
        file.store()
        self._stored_at = time.monotonic()
        if file.full:
            self._file = None

    def _end_file(self) -> None:
        if self._file is not None:
            try:
                self._file.store()
            except Exception as error:  # noqa: BLE001 - as above
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        if not self._warned:
            self._warned = True
            warn(
                f"cannot write to {self._logdir}: {type(error).__name__}: {error}; training goes "
                f"on, and what it logs is lost until that is possible"
            )
        if self._file is not None and not self._file.keeps:
            self._file = None
        self._retry_at = time.monotonic() + self._retry_seconds

    def _new_path(self) -> str:
        # Files are read in the order of their names, also where the clock was set back.
        self._created = max(self._created, int(time.time()))
        number = next(_numbers)
        name = f"events.out.tfevents.{self._created:010d}.{socket.gethostname()}.{os.getpid()}"
        # No Path: the directory may be a URL.
        return os.path.join(self._logdir, f"{name}.{number}{self._suffix}")  # noqa: PTH118


def _version_event() -> bytes:
    return Event(
        wall_time=time.time(),
        file_version="brain.Event:2",
        source_metadata=SourceMetadata(writer="tb_sonify"),
    ).SerializeToString()
