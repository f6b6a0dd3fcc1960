"""Event files that grow: what was added to the runs of a log directory since the last time."""

import logging
import os
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tensorboard.backend.event_processing.io_wrapper import IsTensorFlowEventsFile
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.util import tensor_util

from tb_sonify.reading.logdir import directories
from tb_sonify.schema.metadata import END_TAG, ROWS_TAG, split_session
from tb_sonify.schema.notes import NO_GRADIENT
from tb_sonify.schema.quantities import GRADIENT, UPDATE
from tb_sonify.schema.records import Rows
from tb_sonify.training.event_writer import masked_crc32c

_HEADER = struct.Struct("<QI")  # length of a record, and its checksum
_FOOTER = struct.Struct("<I")
_PART_BYTES = 16 * 2**20  # read at once
_NUMBERS = (1, 2, 3, 9, 19)  # float, double, int32, int64, half in TensorFlow's DataType
_WALK_SHARE = 0.02  # of the time may be spent on looking for new directories
_logger = logging.getLogger(__name__)


class Point(NamedTuple):  # there may be thousands a second
    """A scalar at a step."""

    tag: str
    step: int
    value: float


@dataclass(frozen=True)
class Block:
    """Rows of a run: int64 `steps`, ``(rows,)``, and norms by quantity, ``(rows, layers)``."""

    session: float
    layers: tuple[str, ...]
    steps: NDArray[np.int64]
    norms: dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class End:
    """The writer of rows was closed."""


@dataclass(frozen=True)
class NewFile:
    """What follows is of an event file that was not there before."""


Record = Point | Block | End | NewFile


class _GrowingFile:
    """The events of a file that were written since the last time; its end may be incomplete."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._read = 0
        self._is_damaged = False

    def events(self) -> Iterator[Event]:
        while not self._is_damaged and (part := self._next_part()):
            for data in part:
                yield Event.FromString(data)

    def _next_part(self) -> list[bytes]:
        with open(self._path, "rb") as file:  # noqa: PTH123 - text that is no UTF-8 may be in it
            file.seek(self._read)
            data = file.read(_PART_BYTES)
            found, end = self._records(data)
            if not found and len(data) == _PART_BYTES:  # one that is larger
                data += file.read()
                found, end = self._records(data)
        self._read += end
        return found

    def _records(self, data: bytes) -> tuple[list[bytes], int]:
        found, at = [], 0
        while at + _HEADER.size <= len(data):
            size, checksum = _HEADER.unpack_from(data, at)
            if masked_crc32c(data[at : at + 8]) != checksum:
                self._damage()
                break
            start, stop = at + _HEADER.size, at + _HEADER.size + size
            if stop + _FOOTER.size > len(data):
                break
            if masked_crc32c(data[start:stop]) != _FOOTER.unpack_from(data, stop)[0]:
                self._damage()
                break
            found.append(data[start:stop])
            at = stop + _FOOTER.size
        return found, at

    def _damage(self) -> None:
        self._is_damaged = True
        _logger.warning("%s is damaged: what comes after is not read", self._path)


class GrowingRun:
    """What is written to the event files of one directory."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._files: dict[str, _GrowingFile] = {}
        self._sizes: dict[str, int] = {}
        self._modified = 0.0
        self._written = time.monotonic()

    @property
    def idle(self) -> float:
        """Seconds since something was written, up to the last look.

        Of what was written before the first look, the time of the file tells. Later, no clock is
        asked that may jump, be that of another machine, or go on while this one sleeps.
        """
        return time.monotonic() - self._written

    def records(self) -> Iterator[Record]:
        """What is new, in the order in which it was written.

        Raises
        ------
        FileNotFoundError
            If the directory is gone.
        """
        with os.scandir(self._directory) as entries:
            files = [entry for entry in entries if IsTensorFlowEventsFile(entry.name)]
        before = self._sizes
        self._sizes = {entry.name: entry.stat().st_size for entry in files}
        modified = max((entry.stat().st_mtime for entry in files), default=self._modified)
        if self._sizes != before or modified != self._modified:
            seen = bool(before) and self._sizes != before
            age = 0.0 if seen else max(time.time() - modified, 0.0)
            self._written, self._modified = time.monotonic() - age, modified
        for entry in sorted(files, key=lambda each: each.name):
            grown = self._sizes[entry.name] - before.get(entry.name, 0)
            if not grown:
                continue
            if grown < 0:  # written anew
                del self._files[entry.name]
            if entry.name not in self._files:
                self._files[entry.name] = _GrowingFile(entry.path)
                yield NewFile()
            file = self._files[entry.name]
            for event in file.events():
                step = event.step
                for value in event.summary.value:
                    if value.HasField("simple_value"):
                        yield Point(value.tag, step, value.simple_value)
                    elif (record := _record_of(value, step)) is not None:
                        yield record


def _record_of(value: Summary.Value, step: int) -> Record | None:
    tag, _ = split_session(value.tag)
    try:
        if tag == ROWS_TAG:
            return _block(value.tensor.string_val[0])
        if tag == END_TAG:
            return End()
        if value.HasField("tensor") and value.tensor.dtype in _NUMBERS:
            number = tensor_util.make_ndarray(value.tensor)
            if number.size == 1:
                return Point(tag, step, float(number.reshape(())))
    except (ValueError, TypeError, IndexError) as error:
        _logger.warning("skipped what cannot be read of %r at step %d: %s", tag, step, error)
    return None


def _block(data: bytes) -> Block:
    gradient, update = Rows.decode(data, GRADIENT), Rows.decode(data, UPDATE)
    norms = {GRADIENT: gradient.norms}
    if (update.norms != NO_GRADIENT).any():
        norms[UPDATE] = update.norms
    return Block(gradient.session, gradient.layers, gradient.steps, norms)


class GrowingDirectories:
    """Directories that are followed, each a run, from when they are added.

    Attributes
    ----------
    runs
        By name.
    """

    def __init__(self) -> None:
        self.runs: dict[str, GrowingRun] = {}

    def add(self, name: str, directory: str) -> None:
        """Follow a directory, which may not be there yet."""
        self.runs[name] = GrowingRun(directory)

    def look(self) -> tuple[list[str], list[str]]:
        """Names of new runs, and of gone ones, since the last time."""
        return [], []


class GrowingLogdir(GrowingDirectories):
    """The runs of a log directory, which may not be there yet."""

    def __init__(self, logdir: Path) -> None:
        super().__init__()
        self._logdir = logdir
        self._next_walk = 0.0

    def look(self) -> tuple[list[str], list[str]]:
        """Look for directories with event files; gives the names of new runs, and of gone ones."""
        start = time.monotonic()
        if start < self._next_walk:
            return [], []
        found = {os.path.relpath(each, self._logdir): each for each in directories(self._logdir)}
        new, gone = sorted(found.keys() - self.runs.keys()), sorted(self.runs.keys() - found.keys())
        for name in gone:
            del self.runs[name]
        for name in new:
            self.add(name, found[name])
        now = time.monotonic()
        self._next_walk = now + max(1.0, (now - start) / _WALK_SHARE)
        return new, gone
