"""Norms as plain scalars, ever more rarely, so that a long run does not drown in them."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from tensorboard.compat.proto.event_pb2 import Event

from tb_sonify.contract import NO_GRADIENT, scalar_tag
from tb_sonify.training.summaries import scalars_event

_POINTS = 1000  # as many as TensorBoard shows


class Scalars:
    """Emits the norms of every row at first, and of half as many after each 1,000 points.

    Parameters
    ----------
    every
        Of every so many rows instead, throughout.
    emit
        Takes one event per row, which holds all layers that have a gradient.
    """

    def __init__(self, every: int | None, emit: Callable[[Event], None]) -> None:
        if every is not None and every < 1:
            raise ValueError(f"scalar_every must be at least 1, got {every!r}")
        self._fixed = every is not None
        self._stride = every or 1
        self._points = 0
        self._row = 0
        self._emit = emit

    def add(
        self,
        layers: Sequence[str],
        steps: NDArray[np.int64],
        wall_times: NDArray[np.float64],
        norms: NDArray[np.float32],
    ) -> None:
        """Take the next rows, shapes ``(rows,)`` and ``(rows, layers)``."""
        tags = [scalar_tag(layer) for layer in layers]
        for row in range(len(steps)):
            if (self._row + row) % self._stride == 0:
                values = zip(tags, norms[row].tolist(), strict=True)
                present = [(tag, norm) for tag, norm in values if norm != NO_GRADIENT]
                step, wall_time = int(steps[row]), float(wall_times[row])
                if present:
                    self._emit(scalars_event(present, step=step, wall_time=wall_time))
                self._count()
        self._row += len(steps)

    def _count(self) -> None:
        self._points += 1
        if self._points % _POINTS == 0 and not self._fixed:
            self._stride *= 2
