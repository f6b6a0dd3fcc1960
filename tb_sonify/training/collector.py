"""Rows on their way from the device to the recorder, a batch at a time."""

import threading
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tb_sonify.training.batch import Batch, Source
from tb_sonify.training.process import Home

_ROWS = 64
_SECONDS = 1.0


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
        self._rows: list[Tensor] = []
        self._steps: list[int] = []
        self._wall_times: list[float] = []
        self._source = Source(())
        self._since = 0.0

    def add(self, source: Source, step: int, norms: Tensor) -> None:
        """Take one row: float32, shape ``(layers,)``, on any device. Does not wait for it."""
        if not self._home.takes_data():
            return
        now = time.monotonic()
        with self._lock:
            if self._rows and (source is not self._source or norms.device != self._rows[0].device):
                self._hand_on()
            if not self._rows:
                self._source, self._since = source, now
            self._rows.append(norms)
            self._steps.append(step)
            self._wall_times.append(time.time())
            if len(self._rows) >= _ROWS or now - self._since >= _SECONDS:
                self._hand_on()

    def hand_on(self) -> None:
        """Give what there is to the recorder."""
        if self._home.is_here():
            with self._lock:
                self._hand_on()

    def _hand_on(self) -> None:
        rows, self._rows = self._rows, []
        steps, self._steps = self._steps, []
        wall_times, self._wall_times = self._wall_times, []
        if rows:
            norms = _to_host(rows)
            self._put(Batch(self._source, np.array(steps, np.int64), np.array(wall_times), norms))


@torch.no_grad()
def _to_host(rows: list[Tensor]) -> Callable[[], NDArray[np.float32]]:
    """Start the copy of rows to the host; calling the result waits for it."""
    norms = torch.stack(rows)
    if norms.device.type != "cuda":
        array: NDArray[np.float32] = norms.cpu().numpy()
        return lambda: array
    with torch.cuda.device(norms.device):
        pinned = torch.empty(norms.shape, dtype=norms.dtype, pin_memory=True)
        pinned.copy_(norms, non_blocking=True)
        copied = torch.cuda.Event(blocking=True)  # its waiter sleeps instead of spinning
        copied.record()
    return partial(_once, copied, pinned)


def _once(copied: torch.cuda.Event, pinned: Tensor) -> NDArray[np.float32]:
    copied.synchronize()
    array: NDArray[np.float32] = pinned.numpy()
    return array
