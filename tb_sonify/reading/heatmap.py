"""The heat-map of a run: the largest norm of each layer in columns of equal step width."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb_sonify.contract import NO_GRADIENT
from tb_sonify.reading.cache import Cache
from tb_sonify.reading.regroup import touching
from tb_sonify.reading.timeline import Timeline

_KEPT_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Loudest:
    """The largest norm of each note of a run.

    Attributes
    ----------
    norms
        NaN where a row is, else infinity where a row is, else the largest; `NO_GRADIENT` where
        there is none. Shape ``(notes + 1, layers)``: the last row has none.
    low, high
        Smallest positive and largest finite norm; `None` where there are none.
    """

    norms: NDArray[np.float32]
    low: float | None
    high: float | None

    @classmethod
    def of(cls, timeline: Timeline) -> "Loudest":
        """The largest norms of all notes."""
        notes = timeline.table(0, timeline.notes)
        positive = notes.max[notes.max > 0]
        norms = np.where(notes.inf > 0, np.float32(np.inf), notes.max)
        norms[notes.nan > 0] = np.nan
        return cls(
            norms=np.pad(norms, ((0, 1), (0, 0)), constant_values=NO_GRADIENT),
            low=float(positive.min()) if len(positive) else None,
            high=float(positive.max()) if len(positive) else None,
        )


class Heatmaps:
    """Heat-maps of timelines. Safe to use from many threads."""

    def __init__(self) -> None:
        self._kept: Cache[bytes, Loudest] = Cache(_KEPT_BYTES)

    def loudest(self, timeline: Timeline) -> Loudest:
        """The largest norms of a timeline that has notes."""
        found = self._kept.get(timeline.state)
        if found is None:
            found = Loudest.of(timeline)
            self._kept.put(timeline.state, found, cost=1_000 + found.norms.nbytes)
        return found

    def columns(
        self, timeline: Timeline, low: float, high: float, columns: int
    ) -> NDArray[np.float32]:
        """The largest norm of all notes that a column touches.

        Parameters
        ----------
        low, high
            Steps at the left edge of the first column and at the right edge of the last.

        Returns
        -------
        norms
            As in `Loudest`, shape ``(columns, layers)``.
        """
        edges = np.linspace(low, high, columns + 1)
        if not timeline.notes:
            return np.empty((columns, 0), np.float32)
        starts, stops = touching(timeline.steps.astype(np.float64), edges)
        norms = self.loudest(timeline).norms
        # Each start and its stop; what lies between a stop and the next start is passed over.
        ends = np.stack([starts, np.maximum(stops, starts + 1)], axis=1).clip(max=len(norms) - 1)
        largest = np.maximum.reduceat(norms, ends.ravel(), axis=0)[::2]
        largest[starts >= stops] = NO_GRADIENT
        for first, last in timeline.missing:
            largest[(edges[:-1] >= first) & (edges[1:] <= last + 1)] = NO_GRADIENT
        return np.asarray(largest)
