"""Rows on their way from the device to the recorder, a batch at a time."""

import atexit
import threading
import time
from _thread import start_new_thread
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple
from weakref import WeakSet, finalize

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tb_sonify.schema.notes import NO_GRADIENT
from tb_sonify.sound import Preset
from tb_sonify.training.event_writer import EventSink
from tb_sonify.training.grad_norms import LayerNorms
from tb_sonify.training.recorder import Recorder
from tb_sonify.training.run_log import RowBatch, RowSchema, joint_options
from tb_sonify.training.sharding import ShardReducer
from tb_sonify.training.warn import ForkGuard

_ROWS = 64


_SECONDS = 1.0


class _Row(NamedTuple):
    source: RowSchema
    step: int
    wall_time: float
    norms: Tensor


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
        self._home = ForkGuard()
        self._lock = threading.Lock()
        self._rows: list[_Row] = []
        self._copied: deque[tuple[RowBatch, list[torch.cuda.Event]]] = deque()
        self._since = self._latest = -_SECONDS

    def add(self, source: RowSchema, step: int, norms: Tensor) -> None:
        """Take one row: shape ``(layers,)``, on any device. Does not wait for it."""
        if not self._home.accepts():
            return
        now = time.monotonic()
        with self._lock:
            if not self._rows:
                self._since = now
            elif source.ranks:
                self._hand_on()
            self._rows.append(_Row(source, step, time.time(), norms))
            # The next row after a pause may be as far off as the one before.
            late, self._latest = now - self._latest >= _SECONDS, now
            # The other processes may be waiting for what belongs to their rows.
            if source.ranks or late or len(self._rows) >= _ROWS or now - self._since >= _SECONDS:
                self._hand_on()
            elif self._copied:
                self._put_copied()

    def hand_on(self) -> None:
        """Give what there is to the recorder; a GPU is waited for."""
        if self._home.in_owner():
            with self._lock:
                self._hand_on()
                self._put_copied(wait=True)

    def hand_on_meanwhile(self) -> None:
        """The same in a thread other than training's, which may not add a row for a long time."""
        if not self._lock.acquire(blocking=False):
            return  # training is adding one, and may be waiting for this very thread
        try:
            if not self._copied and not any(row.norms.is_cuda for row in self._rows):
                self._hand_on()
        finally:
            self._lock.release()

    def _hand_on(self) -> None:
        rows, self._rows = self._rows, []
        if rows:
            source, norms, copies = _to_host(rows)
            steps = np.array([row.step for row in rows], np.int64)
            wall_times = np.array([row.wall_time for row in rows])
            self._copied.append((RowBatch(source, steps, wall_times, norms), copies))
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
        places.setdefault((id(row.source), row.norms.device), []).append(i)
    sources = [rows[of[0]].source for of in places.values()]
    copied: list[torch.cuda.Event] = []
    parts = [_copy([rows[i].norms for i in of], copied) for of in places.values()]
    if len(parts) == 1:
        return sources[0], parts[0].numpy, copied
    joint = joint_schema(sources)
    return joint, partial(_spread, joint, sources, list(places.values()), parts), copied


def _spread(
    joint: RowSchema,
    sources: Sequence[RowSchema],
    places: Sequence[list[int]],
    parts: Sequence[Tensor],
) -> NDArray[np.float32]:
    """Rows of several sources in the columns of all their layers."""
    columns = {layer: i for i, layer in enumerate(joint.layers)}
    norms = np.full((sum(map(len, places)), len(columns)), NO_GRADIENT, np.float32)
    for source, rows, part in zip(sources, places, parts, strict=True):
        norms[np.ix_(rows, [columns[layer] for layer in source.layers])] = part.numpy()
    return norms


@torch.no_grad()
def _copy(rows: list[Tensor], copied: list[torch.cuda.Event]) -> Tensor:
    """Rows as a table on the host; where it is not there at once, an event tells when it is."""
    norms = torch.stack(rows)
    if norms.device.type != "cuda":
        return norms.cpu()
    with torch.cuda.device(norms.device):
        pinned = torch.empty(norms.shape, dtype=norms.dtype, pin_memory=True)
        pinned.copy_(norms, non_blocking=True)
        copied.append(torch.cuda.Event())
        copied[-1].record()
    return pinned


def joint_schema(sources: Sequence[RowSchema]) -> RowSchema:
    """A source of the layers of all of them."""
    options: Mapping[str, Any] = {}
    for source in sources:
        options = joint_options(options, source.options)
    layers = dict.fromkeys(layer for source in sources for layer in source.layers)
    return RowSchema(tuple(layers), options)


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
    ) -> None:
        self._gathering: ShardReducer | None = None
        self.collector = RowBuffer(self._put)
        self._recorder = (
            Recorder(
                files[0],
                session=session,
                presets=presets,
                scalar_every=scalar_every,
                fetch=self.collector.hand_on_meanwhile,
            )
            if files
            else None
        )
        self._files = files
        self._home = ForkGuard()
        self._lock = threading.Lock()
        self.closed = False
        _open.add(self)
        finalize(owner, _close_later, self).atexit = False

    def takes(self, norms: LayerNorms) -> bool:
        """Whether these norms are needed in this process."""
        return self._recorder is not None or (norms.shards is not None and 0 in norms.shards.ranks)

    def flush(self) -> None:
        """Wait until all rows taken so far are in the event file."""
        if not self.closed and self._home.in_owner():
            self.collector.hand_on()
            if self._gathering is not None and self._recorder is not None:
                self._gathering.wait()
            if self._recorder is not None:
                self._recorder.flush()

    def close(self) -> None:
        """Write all there is and close the files; can be called again."""
        with self._lock:
            if not self.closed:
                self.collector.hand_on()
                self.closed = True
                if self._gathering is not None and self._home.in_owner():
                    self._gathering.close()
                if self._recorder is not None:
                    self._recorder.close()
            while self._files:
                self._files.pop().close()

    def _put(self, batch: RowBatch) -> None:
        if batch.source.ranks and self._gathering is None:
            self._gathering = ShardReducer(batch.source.ranks, self._record)
        if self._gathering is not None:
            self._gathering.put(batch)
        else:
            self._record(batch)

    def _record(self, batch: RowBatch) -> None:
        if self._recorder is not None:
            self._recorder.put(batch)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to close."""
        return self.closed and not self._files


def _close_later(recording: WriterResources) -> None:
    # Garbage is collected wherever Python happens to be, where waiting could deadlock.
    if not recording.idle:
        start_new_thread(recording.close, ())


@atexit.register
def _close_all() -> None:
    for recording in list(_open):
        recording.close()
