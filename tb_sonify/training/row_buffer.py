"""Rows on their way from the device to the recorder, a batch at a time."""

import atexit
import threading
import time
from _thread import start_new_thread
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol
from weakref import WeakSet, finalize

import numpy as np
import torch
from numpy.typing import NDArray
from tensorboard.compat.proto.event_pb2 import Event
from torch import Tensor

from tb_sonify.schema.metadata import MEAN_HEADROOM_TAG
from tb_sonify.sound import Preset
from tb_sonify.training.event_writer import EventSink
from tb_sonify.training.grad_norms import LayerNorms
from tb_sonify.training.recorder import Alarms, Recorder
from tb_sonify.training.run_log import NOT_LOGGED, RowBatch, RowSchema, joint_options
from tb_sonify.training.sharding import ShardReducer
from tb_sonify.training.summary import StripLog
from tb_sonify.training.warn import ForkGuard, warn

_MAX_ROWS = 64
_MAX_SECONDS = 1.0


class _Row(NamedTuple):
    schema: RowSchema
    step: int
    wall_time: float
    norms: Tensor


class OpenRow(Protocol):
    """A row to which more may be added, until its step is over."""

    step: int
    wall_time: float  # seconds since the epoch

    def take(self) -> tuple[RowSchema, Tensor]:
        """What was added since the last time, with its schema."""


class Buffer(Protocol):
    """Numbers on their way to the recorder."""

    def flush(self, *, is_last: bool = False) -> None:
        """Give all of them on, but those of a step that goes on; a GPU is waited for."""

    def flush_from_recorder(self) -> None:
        """Give on those on the host, in the recorder's thread; never asks a GPU."""


class RowBuffer:
    """Keeps rows where they were computed until there are 64, or the first is a second old.

    Only training's own thread asks a GPU for anything: any other would break the capture of a
    CUDA graph. So a batch goes on with the first row that comes after its copy is there.

    Parameters
    ----------
    put
        Takes each batch.
    """

    def __init__(self, put: Callable[[RowBatch], None]) -> None:
        self._put = put
        self._process = ForkGuard()
        self._lock = threading.Lock()
        self._rows: list[_Row] = []
        self._copied: deque[tuple[RowBatch, list[torch.cuda.Event]]] = deque()
        self._since = self._latest = -_MAX_SECONDS
        self._open: list[OpenRow] = []

    def open(self, row: OpenRow) -> None:
        """Take a row that is not complete, until `close`, `end_step` or `flush`."""
        self._open.append(row)

    def close(self, row: OpenRow) -> None:
        """Add an open row."""
        if row in self._open:  # else another thread has just flushed it
            self._open.remove(row)
            schema, norms = row.take()
            self.add(schema, row.step, norms, row.wall_time)

    def end_step(self) -> None:
        """Add all open rows."""
        for row in list(self._open):
            self._close_guarded(row)

    def _close_guarded(self, row: OpenRow) -> None:
        try:
            self.close(row)
        except Exception as error:  # noqa: BLE001 - whatever this is, others go on
            warn(f"a row is left out: {type(error).__name__}: {error}")

    def add(
        self, schema: RowSchema, step: int, norms: Tensor, wall_time: float | None = None
    ) -> None:
        """Take one row: shape ``(layers,)``, on any device. Does not wait for it."""
        if not self._process.accepts():
            return
        now = time.monotonic()
        with self._lock:
            if not self._rows:
                self._since = now
            elif schema.ranks:
                self._start_copy()
            self._rows.append(_Row(schema, step, wall_time or time.time(), norms))
            # The next row after a pause may be as far off as the one before.
            late, self._latest = now - self._latest >= _MAX_SECONDS, now
            # The other processes may be waiting for what belongs to their rows.
            if (
                schema.ranks
                or late
                or len(self._rows) >= _MAX_ROWS
                or now - self._since >= _MAX_SECONDS
            ):
                self._start_copy()
            elif self._copied:
                self._put_copied()

    def flush(self, *, is_last: bool = False) -> None:
        """Give all rows to the recorder; a GPU is waited for.

        Parameters
        ----------
        is_last
            Open rows, too: no step goes on any more.
        """
        if self._process.in_owner():
            if is_last:
                self.end_step()
            with self._lock:
                self._start_copy()
                self._put_copied(wait=True)

    def flush_from_recorder(self) -> None:
        """Give rows on the host to the recorder, in its own thread; never asks a GPU (see class).

        Training may not add a row for a long time.
        """
        if not self._lock.acquire(blocking=False):
            return  # training is adding one, and may be waiting for this very thread
        try:
            if not self._copied and not any(row.norms.is_cuda for row in self._rows):
                self._start_copy()
        finally:
            self._lock.release()

    def _start_copy(self) -> None:
        rows, self._rows = self._rows, []
        if rows:
            schema, norms, copies = _to_host(rows)
            steps = np.array([row.step for row in rows], np.int64)
            wall_times = np.array([row.wall_time for row in rows])
            self._copied.append((RowBatch(schema, steps, wall_times, norms), copies))
        self._put_copied()

    def _put_copied(self, *, wait: bool = False) -> None:
        while self._copied:
            batch, copies = self._copied[0]
            if not wait and not all(copy.query() for copy in copies):
                break
            for copy in copies:
                copy.synchronize()
            self._copied.popleft()
            self._put(batch)


def _to_host(
    rows: list[_Row],
) -> tuple[RowSchema, Callable[[], NDArray[Any]], list[torch.cuda.Event]]:
    """Start the copy of rows to the host: the norms, to be read when all of the events are."""
    places: dict[object, list[int]] = {}
    for i, row in enumerate(rows):
        places.setdefault((id(row.schema), row.norms.device), []).append(i)
    schemas = [rows[of[0]].schema for of in places.values()]
    copied: list[torch.cuda.Event] = []
    parts = [_copy([rows[i].norms for i in of], copied) for of in places.values()]
    if len(parts) == 1:
        return schemas[0], parts[0].numpy, copied
    joint = joint_schema(schemas)
    return joint, partial(_align_columns, joint, schemas, list(places.values()), parts), copied


def _align_columns(
    joint: RowSchema,
    schemas: Sequence[RowSchema],
    places: Sequence[list[int]],
    parts: Sequence[Tensor],
) -> NDArray[np.float32]:
    """Rows of several schemas in the columns of all their quantities and layers."""
    columns = {column: i for i, column in enumerate(joint.columns)}
    norms = np.full((sum(map(len, places)), len(columns)), NOT_LOGGED, np.float32)
    for schema, rows, part in zip(schemas, places, parts, strict=True):
        norms[np.ix_(rows, [columns[column] for column in schema.columns])] = part.numpy()
    return norms


@torch.no_grad()
def _copy(rows: list[Tensor], copied: list[torch.cuda.Event]) -> Tensor:
    """Rows as a table on the host; where it is not there at once, an event tells when it is."""
    norms = torch.stack(rows)
    if norms.device.type != "cuda":
        return norms.cpu()
    with torch.cuda.device(norms.device):
        pinned = torch.empty(norms.shape, dtype=norms.dtype, pin_memory=True, device="cpu")
        pinned.copy_(norms, non_blocking=True)
        copied.append(torch.cuda.Event())
        copied[-1].record()
    return pinned


def joint_schema(schemas: Sequence[RowSchema]) -> RowSchema:
    """A schema of the quantities and layers of all of them."""
    options: Mapping[str, Any] = {}
    for schema in schemas:
        options = joint_options(options, schema.options)
    layers = dict.fromkeys(layer for schema in schemas for layer in schema.layers)
    quantities = dict.fromkeys(each for schema in schemas for each in schema.quantities)
    return RowSchema(tuple(layers), options, quantities=tuple(quantities))


_open: "WeakSet[WriterResources]" = WeakSet()


class WriterResources:
    """Row buffer, shard reducer, recorder and event files of a writer.

    They end with `close`, at the interpreter's exit, or once `owner` is garbage.

    Parameters
    ----------
    files
        The event file of the run first; those that the owner opens later come after it. Empty
        where another process writes: then there is no recorder, and shards are all that counts.
    """

    def __init__(
        self,
        owner: object,
        files: list[EventSink],
        *,
        session: float,
        presets: Sequence[Preset],
        scalar_every: int | None,
        alarms: Alarms | None = None,
    ) -> None:
        self._reducer: ShardReducer | None = None
        self.buffer = RowBuffer(self._put)
        self._buffers: list[Buffer] = [self.buffer]
        self._recorder = (
            Recorder(
                files[0],
                session=session,
                presets=presets,
                scalar_every=scalar_every,
                fetch=self._fetch,
                alarms=alarms,
            )
            if files
            else None
        )
        self.strips = StripLog(self._log_strips)
        self.add_buffer(self.strips)
        self._alarms = alarms
        self._files = files
        self._process = ForkGuard()
        self._lock = threading.Lock()
        self.closed = False
        _open.add(self)
        finalize(owner, _close_later, self).atexit = False

    def add_buffer(self, buffer: "Buffer") -> None:
        """Flush a buffer of other numbers with that of rows."""
        self._buffers.append(buffer)

    def takes(self, norms: LayerNorms) -> bool:
        """Whether these norms are needed in this process."""
        return self._recorder is not None or (norms.shards is not None and 0 in norms.shards.ranks)

    def flush(self) -> None:
        """Wait until all rows taken so far are in the event file."""
        if not self.closed and self._process.in_owner():
            self._flush_buffers()
            if self._reducer is not None and self._recorder is not None:
                self._reducer.wait()
            if self._recorder is not None:
                self._recorder.flush()

    def close(self) -> None:
        """Write all there is and close the files; can be called again."""
        with self._lock:
            if not self.closed:
                self._flush_buffers(is_last=True)
                self.closed = True
                if self._reducer is not None and self._process.in_owner():
                    self._reducer.close()
                if self._recorder is not None:
                    self._recorder.close()
            while self._files:
                self._files.pop().close()

    def _flush_buffers(self, *, is_last: bool = False) -> None:
        for buffer in self._buffers:
            buffer.flush(is_last=is_last)

    def _fetch(self) -> None:
        for buffer in self._buffers:
            buffer.flush_from_recorder()

    def _put(self, batch: RowBatch) -> None:
        if batch.schema.ranks and self._reducer is None:
            self._reducer = ShardReducer(batch.schema.ranks, self._record)
        if self._reducer is not None:
            self._reducer.put(batch)
        else:
            self._record(batch)

    def _log_strips(self, events: Iterable[Event]) -> None:
        """Write strips, and have their headroom judged; nothing where another process writes."""
        for event in events if self._files and not self.closed else ():
            self._files[0].add_event(event)
            for value in event.summary.value:
                if self._alarms is not None and value.tag == MEAN_HEADROOM_TAG:
                    self._alarms.add_loss(value.tag, event.step, value.simple_value)

    def _record(self, batch: RowBatch) -> None:
        if self._recorder is not None:
            self._recorder.put(batch)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to close."""
        return self.closed and not self._files


def _close_later(resources: WriterResources) -> None:
    # Garbage is collected wherever Python happens to be, where waiting could deadlock.
    if not resources.idle:
        start_new_thread(resources.close, ())


@atexit.register
def _close_all() -> None:
    for resources in list(_open):
        resources.close()
