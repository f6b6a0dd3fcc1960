"""Where events end up: a local file that grows, or an object of a bucket, written as a whole."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from tensorboard.compat import tf

_OBJECT_BYTES = 4 * 2**20


class Storage(Protocol):
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


def new_storage(path: str, start: bytes) -> Storage:
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
