"""The heat-map of a run: the largest norm of each layer in columns of equal step width."""

import numpy as np
from numpy.typing import NDArray

from tb_sonify.contract import NO_GRADIENT
from tb_sonify.reading.detail import Detail
from tb_sonify.reading.parts import parts_of
from tb_sonify.reading.regroup import touching
from tb_sonify.reading.timeline import Timeline
from tb_sonify.sound import Notes

_COPIES = 8  # that others make of a part, where here is one

Extremes = tuple[float | None, float | None]


def extremes(timeline: Timeline) -> Extremes:
    """Smallest positive and largest finite norm of a run that has notes; `None` without any."""
    low, high = np.inf, -np.inf
    for part in timeline.tables(0, timeline.notes):
        low = min(low, float(part.max.min(where=part.max > 0, initial=np.inf)))
        high = max(high, float(part.max.max(initial=-np.inf)))
    return (low, high) if low < np.inf else (None, None)


def heatmap(
    source: Timeline | Detail, low: float, high: float, columns: int
) -> NDArray[np.float32]:
    """The largest norm of all notes that a column touches.

    Parameters
    ----------
    low, high
        Steps at the left edge of the first column and at the right edge of the last.

    Returns
    -------
    norms
        NaN where a row is, else infinity where a row is, else the largest; `NO_GRADIENT` where
        there is none. Shape ``(columns, layers)``.
    """
    edges = np.linspace(low, high, columns + 1)
    largest = np.full((columns, len(source.layers)), NO_GRADIENT, np.float32)
    if not source.notes:
        return largest
    starts, stops = touching(source.steps.astype(np.float64), edges)
    some = starts < stops
    if some.any():
        first, end = int(starts[some].min()), int(stops[some].max())
        # Each start and its stop; what lies between a stop and the next start is passed over.
        ends = np.stack([starts[some], stops[some]], axis=1).ravel() - first
        for part in parts_of(len(source.layers), (end - first) // _COPIES):
            none = np.full((1, len(source.layers[part])), NO_GRADIENT, np.float32)
            tables = source.tables(first, end - first, part)
            norms = np.concatenate([*map(_loudest, tables), none])
            largest[some, part] = np.maximum.reduceat(norms, ends, axis=0)[::2]
    for first, last in source.missing:
        largest[(edges[:-1] >= first) & (edges[1:] <= last + 1)] = NO_GRADIENT
    return largest


def _loudest(notes: Notes) -> NDArray[np.float32]:
    """The largest norm of each note; NaN, or else infinity, where a row is."""
    norms = notes.max
    for counts, value in ((notes.inf, np.inf), (notes.nan, np.nan)):
        if any(counts.strides):  # otherwise there are none
            norms = np.where(counts > 0, np.float32(value), norms)
    return norms
