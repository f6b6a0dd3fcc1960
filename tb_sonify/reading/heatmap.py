"""The heat-map of a run: the largest norm of each layer in columns of equal step width."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb_sonify.contract import NO_GRADIENT
from tb_sonify.reading.cache import Cache
from tb_sonify.reading.detail import Detail
from tb_sonify.reading.regroup import touching
from tb_sonify.reading.timeline import Timeline
from tb_sonify.sound import Notes

_KEPT_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Loudest:
    """The largest norm of each of some notes.

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
    def of(cls, notes: Notes) -> "Loudest":
        """The largest norms of notes."""
        positive = notes.max > 0
        low = float(notes.max.min(where=positive, initial=np.inf))
        norms = np.where(notes.inf > 0, np.float32(np.inf), notes.max)
        norms[notes.nan > 0] = np.nan
        some = np.isfinite(low)
        norms = np.pad(norms, ((0, 1), (0, 0)), constant_values=NO_GRADIENT)
        return cls(norms, low if some else None, float(notes.max.max()) if some else None)


class Heatmaps:
    """Heat-maps of timelines. Safe to use from many threads."""

    def __init__(self) -> None:
        self._kept: Cache[bytes, Loudest] = Cache(_KEPT_BYTES)

    def kept(self, timeline: Timeline) -> Loudest | None:
        """The largest norms of a timeline, if they are known already."""
        return self._kept.get(timeline.state)

    def loudest(self, timeline: Timeline) -> Loudest:
        """The largest norms of a timeline that has notes."""
        found = self.kept(timeline)
        if found is None:
            found = Loudest.of(timeline.table(0, timeline.notes))
            self._kept.put(timeline.state, found, cost=found.norms.nbytes)
        return found

    def columns(
        self, source: Timeline | Detail, low: float, high: float, columns: int
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
        if not source.notes:
            return np.empty((columns, 0), np.float32)
        starts, stops = touching(source.steps.astype(np.float64), edges)
        some = starts < stops
        largest = np.full((columns, len(source.layers)), NO_GRADIENT, np.float32)
        if some.any():
            first, end = int(starts[some].min()), int(stops[some].max())
            norms = self._norms(source, first, end)
            # Each start and its stop; what lies between a stop and the next start is passed over.
            ends = np.stack([starts[some], stops[some]], axis=1) - first
            largest[some] = np.maximum.reduceat(norms, ends.ravel(), axis=0)[::2]
        for first, last in source.missing:
            largest[(edges[:-1] >= first) & (edges[1:] <= last + 1)] = NO_GRADIENT
        return largest

    def _norms(self, source: Timeline | Detail, first: int, end: int) -> NDArray[np.float32]:
        """The largest norms of notes from `first` to before `end`, and one row more."""
        if isinstance(source, Timeline):
            return self.loudest(source).norms[first : end + 1]
        return Loudest.of(source.table(first, end - first)).norms
