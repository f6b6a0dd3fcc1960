"""Rows on their way from the device to the recorder, a batch at a time."""

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tb_sonify.contract import NO_GRADIENT
from tb_sonify.training.batch import Batch, Source, joint_source
from tb_sonify.training.process import Home

_ROWS = 64
_SECONDS = 1.0


class _Row(NamedTuple):
    source: Source
    step: int
    wall_time: float
    norms: Tensor


class Collector:
    """Keeps rows where they were computed until there are 64, or the first is a second old.

    Parameters
    ----------
    put
        Takes each batch.
    """

    def __init__(self, put: Callable[[Batch], None]) -> None:
        self._put = put
        self._home = Home()
        self._lock = threading.Lock()
        self._rows: list[_Row] = []
        self._since = self._latest = -_SECONDS

    def add(self, source: Source, step: int, norms: Tensor) -> None:
        """Take one row: shape ``(layers,)``, on any device. Does not wait for it."""
        if not self._home.takes_data():
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

    def hand_on(self) -> None:
        """Give what there is to the recorder."""
        if self._home.is_here():
            with self._lock:
                self._hand_on()

    def hand_on_meanwhile(self) -> None:
        """The same in a thread other than training's, which may not add a row for a long time."""
        if not self._lock.acquire(blocking=False):
            return  # training is adding one, and may be waiting for this very thread
        try:
            # On a GPU, only training knows whether it is capturing a graph just now.
            if not any(row.norms.is_cuda for row in self._rows):
                self._hand_on()
        finally:
            self._lock.release()

    def _hand_on(self) -> None:
        rows, self._rows = self._rows, []
        if rows:
            source, norms = _to_host(rows)
            steps = np.array([row.step for row in rows], np.int64)
            self._put(Batch(source, steps, np.array([row.wall_time for row in rows]), norms))


def _to_host(rows: list[_Row]) -> tuple[Source, Callable[[], NDArray[Any]]]:
    """Start the copy of rows to the host; calling the result waits for it."""
    places: dict[object, list[int]] = {}
    for i, row in enumerate(rows):
        places.setdefault((id(row.source), row.norms.device), []).append(i)
    sources = [rows[of[0]].source for of in places.values()]
    copies = [_copied([rows[i].norms for i in of]) for of in places.values()]
    if len(copies) == 1:
        return sources[0], copies[0]
    joint = joint_source(sources)
    return joint, partial(_spread, joint, sources, list(places.values()), copies)


def _spread(
    joint: Source,
    sources: Sequence[Source],
    places: Sequence[list[int]],
    copies: Sequence[Callable[[], NDArray[Any]]],
) -> NDArray[np.float32]:
    """Rows of several sources in the columns of all their layers."""
    columns = {layer: i for i, layer in enumerate(joint.layers)}
    norms = np.full((sum(map(len, places)), len(columns)), NO_GRADIENT, np.float32)
    for source, rows, copy in zip(sources, places, copies, strict=True):
        norms[np.ix_(rows, [columns[layer] for layer in source.layers])] = copy()
    return norms


@torch.no_grad()
def _copied(rows: list[Tensor]) -> Callable[[], NDArray[Any]]:
    norms = torch.stack(rows)
    if norms.device.type != "cuda":
        array: NDArray[Any] = norms.cpu().numpy()
        return lambda: array
    with torch.cuda.device(norms.device):
        pinned = torch.empty(norms.shape, dtype=norms.dtype, pin_memory=True)
        pinned.copy_(norms, non_blocking=True)
        copied = torch.cuda.Event(blocking=True)  # its waiter sleeps instead of spinning
        copied.record()
    return partial(_once, copied, pinned)


def _once(copied: torch.cuda.Event, pinned: Tensor) -> NDArray[Any]:
    copied.synchronize()
    array: NDArray[Any] = pinned.numpy()
    return array
