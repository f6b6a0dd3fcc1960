"""Event sinks: the event file, which a thread writes, and what takes events in its place."""

import itertools
import math
import os
import re
import socket
import struct
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import google_crc32c
from tensorboard.compat import tf
from tensorboard.compat.proto.event_pb2 import Event, SourceMetadata

from tb_sonify.training.warn import ForkGuard, WarnOnce

_PENDING_BYTES = 64 * 2**20  # who adds more waits until the file system has taken some
_PROMPT_BYTES = 2**20  # from here on, events are written at once
_RETRY_SECONDS = 10.0
_OBJECT_BYTES = 4 * 2**20
_MASK_DELTA = 0xA282EAD8
IDLE_SECONDS = 1.0

# TensorBoard's own writers count from 0: two files of the same second must not meet.
_numbers = itertools.count(1000)


class EventSink(Protocol):
    """What takes the events of a run."""

    def get_logdir(self) -> str:
        """The directory of the run; empty if it has none."""

    def add_event(self, event: Event) -> None:
        """Take an event."""

    def flush(self) -> None:
        """Wait until all events taken so far are written."""

    def close(self) -> None:
        """Write what is left; can be called again."""


class BackgroundThread(ABC):
    """A daemon thread with a queue that can be flushed and closed.

    A fork of the process has no such thread: there, nothing is waited for. A subclass calls
    `_start` at the end of its constructor, takes work under the lock of `_changed`, and returns
    from `_run` once `_closing` is set and all is done.
    """

    def __init__(self, name: str) -> None:
        self._process = ForkGuard()
        self._changed = threading.Condition()
        self._flushes_wanted = self._flushes_done = 0
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"tb_sonify {name}", daemon=True)

    def flush(self) -> None:
        """Wait until all work taken so far is done."""
        if not self._process.in_owner():
            return
        with self._changed:
            self._flushes_wanted += 1
            wanted = self._flushes_wanted
            self._changed.notify_all()
            self._wait_for(lambda: self._flushes_done >= wanted)

    def close(self) -> None:
        """Do the rest of the work and end the thread; can be called again."""
        if not self._process.in_owner():
            return
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join()

    @abstractmethod
    def _run(self) -> None:
        """What the thread does."""

    def _start(self) -> None:
        self._thread.start()

    def _wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait with the lock, unless the thread has died."""
        while self._thread.is_alive() and not self._changed.wait_for(condition, timeout=1.0):
            pass

    @property
    def _flush_is_wanted(self) -> bool:
        return self._flushes_wanted > self._flushes_done

    def _flushed(self, wanted: int) -> None:
        with self._changed:
            self._flushes_done = wanted
            self._changed.notify_all()


class EventFileWriter(BackgroundThread):
    """Writes events to a new event file in `logdir`, in a thread of its own.

    If the file system refuses to write, there is one warning. After that, events are thrown
    away until a new file can be written, which is tried every `retry_seconds`: nothing behind
    the damaged end of the first could be read. Of a bucket, the last few megabytes are kept.

    Parameters
    ----------
    logdir
        A directory, or a URL for one of TensorBoard's file systems, such as ``s3://``.
    beside
        Another writer of this process writes event files in `logdir`, too. TensorBoard's slow
        loader goes on to the newest file of a directory for good: that has to be the other's.
    flush_secs
        How often an object of a bucket is written again.
    """

    def __init__(
        self,
        logdir: str,
        *,
        beside: bool = False,
        flush_secs: float = 120.0,
        filename_suffix: str = "",
        retry_seconds: float = _RETRY_SECONDS,
    ) -> None:
        super().__init__("events")
        # The directory that it is now: a training may change that of the process.
        self._logdir = str(logdir) if "://" in str(logdir) else str(Path(logdir).absolute())
        self._beside = beside
        self._flush_secs = flush_secs
        self._suffix = filename_suffix
        self._retry_seconds = retry_seconds
        self._file: EventStorage | None = None
        self._created = 0  # when the last file was, in seconds since the epoch
        self._warn = WarnOnce()
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
        if not self._process.accepts():
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
                self._file = new_storage(self._new_path(), tfrecord(_version_event()))
            self._file.add(b"".join(map(tfrecord, events)))
            due = store or self._file.full or time.monotonic() - self._stored_at > self._flush_secs
            if due and not waiting:
                self._store(self._file)
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(error)

    def _store(self, file: "EventStorage") -> None:
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
        self._warn(
            f"cannot write to {self._logdir}: {type(error).__name__}: {error}; training goes "
            f"on, and what it logs is lost until that is possible"
        )
        if self._file is not None and not self._file.keeps:
            self._file = None
        self._retry_at = time.monotonic() + self._retry_seconds

    def _new_path(self) -> str:
        # Files are read in the order of their names, also where the clock was set back.
        newest = _newest_of_others(self._logdir) if self._beside else math.inf
        self._created = max(self._created, int(min(time.time(), newest - 1)))
        number = next(_numbers)
        name = f"events.out.tfevents.{self._created:010d}.{socket.gethostname()}.{os.getpid()}"
        # No Path: the directory may be a URL.
        return os.path.join(self._logdir, f"{name}.{number}{self._suffix}")  # noqa: PTH118


def _newest_of_others(logdir: str) -> float:
    """When the newest event file that is not of this module was made, seconds since the epoch."""
    made = re.compile(rf"events\.out\.tfevents\.(\d+)\.(?!.*\.{os.getpid()}\.\d{{4}})")
    times = [int(found[1]) for name in tf.io.gfile.listdir(logdir) if (found := made.match(name))]
    return max(times, default=math.inf)


def _version_event() -> bytes:
    return Event(
        wall_time=time.time(),
        file_version="brain.Event:2",
        source_metadata=SourceMetadata(writer="tb_sonify"),
    ).SerializeToString()


class NullSink:
    """Takes no event, where another process writes to `logdir`."""

    def __init__(self, logdir: str) -> None:
        self._logdir = logdir

    def get_logdir(self) -> str:
        return self._logdir

    def add_event(self, event: Event) -> None: ...

    def flush(self) -> None: ...

    def close(self) -> None: ...


class DeferredSink:
    """Keeps events until it is opened, and then writes them to an event file."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: list[Event] = []
        self._file: EventFileWriter | None = None

    def open(self, logdir: str, *, beside: bool = False) -> None:
        """Write to a new file in `logdir`, first of all what was kept; `beside` as there."""
        tf.io.gfile.makedirs(logdir)  # else the script would run to its end for nothing
        file = EventFileWriter(logdir, beside=beside)
        with self._lock:
            kept, self._kept = self._kept, []
            for event in kept:
                file.add_event(event)
            self._file = file

    def get_logdir(self) -> str:
        return "" if self._file is None else self._file.get_logdir()

    def add_event(self, event: Event) -> None:
        with self._lock:
            if self._file is None:
                self._kept.append(event)
                return
        self._file.add_event(event)

    def flush(self) -> None:
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


class EventStorage(Protocol):
    """One event file."""

    @property
    def full(self) -> bool:
        """Whether the next events belong into another file."""

    @property
    def keeps(self) -> bool:
        """Whether nothing of it is lost where it cannot be written now."""

    def add(self, data: bytes) -> None:
        """Add to the end of the file."""

    def store(self) -> None:
        """Have all that was added survive this process."""


def new_storage(path: str, start: bytes) -> EventStorage:
    """A file at a path or, by one of TensorBoard's file systems, at a URL; `start` comes first."""
    path = path.removeprefix("file://")
    return StoredObject(path, start) if "://" in path else LocalFile(path, start)


class LocalFile:
    """A file that survives this process with every addition.

    It is opened for each of them, so that one that was deleted meanwhile is missed.
    """

    full = False
    keeps = False  # nothing that follows on half a record can be read

    def __init__(self, path: str, start: bytes) -> None:
        self._path = Path(path)
        self._start = start

    def add(self, data: bytes) -> None:
        if self._start:
            self._begin()
        if data:
            with self._path.open("r+b") as file:
                file.seek(0, os.SEEK_END)
                file.write(data)

    def _begin(self) -> None:
        try:
            self._path.write_bytes(self._start)
        except OSError:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
            raise
        self._start = b""

    def store(self) -> None: ...


class StoredObject:
    """An object of a bucket, which cannot grow: it is kept here, and written again as a whole.

    Once it is so large that this costs too much, another one goes on.
    """

    keeps = True

    def __init__(self, url: str, start: bytes) -> None:
        self._url = url
        self._data = bytearray(start)

    @property
    def full(self) -> bool:
        return len(self._data) > _OBJECT_BYTES

    def add(self, data: bytes) -> None:
        self._data += data

    def store(self) -> None:
        with tf.io.gfile.GFile(self._url, "wb") as file:
            file.write(bytes(self._data))


def tfrecord(data: bytes) -> bytes:
    """One record: length (uint64), its checksum, the data, its checksum; little-endian."""
    length = struct.pack("<Q", len(data))
    return b"".join(
        (
            length,
            struct.pack("<I", masked_crc32c(length)),
            data,
            struct.pack("<I", masked_crc32c(data)),
        )
    )


def masked_crc32c(data: bytes) -> int:
    """The checksum of a record of an event file, and of its length."""
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF
