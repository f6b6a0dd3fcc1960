"""Norms as plain scalars, ever more rarely, so that a long run does not drown in them."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from tensorboard.compat.proto.event_pb2 import Event

from tb_sonify.contract import NO_GRADIENT, scalar_tag
from tb_sonify.training.summaries import scalars_event
from tb_sonify.training.thinning import thinned

_POINTS = 1000  # as many as TensorBoard shows


class Scalars:
    """Emits the norms of the first 1,000 rows, and of ever fewer as a run grows.

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
        self._every = every
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
            if not self._takes(self._row + row):
                continue
            values = zip(tags, norms[row].tolist(), strict=True)
            present = [(tag, norm) for tag, norm in values if norm != NO_GRADIENT]
            if present:
                step, wall_time = int(steps[row]), float(wall_times[row])
                self._emit(scalars_event(present, step=step, wall_time=wall_time))
        self._row += len(steps)

    def _takes(self, row: int) -> bool:
        return thinned(row, _POINTS) if self._every is None else row % self._every == 0
