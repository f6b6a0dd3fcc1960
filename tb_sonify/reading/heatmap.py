"""The heat-map of a run: the largest norm of each layer in columns of equal step width."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb_sonify.reading.selection import overlapping_notes
from tb_sonify.reading.timeline import Timeline
from tb_sonify.schema.notes import NO_GRADIENT, Notes, chunks_of

_COPIES = 8  # that others make of a part, where here is one


Extremes = tuple[float | None, float | None]


def extremes(timeline: Timeline) -> Extremes:
    """Smallest positive and largest finite norm of a run that has notes; `None` without any."""
    low, high = np.inf, -np.inf
    for part in timeline.tables(0, timeline.notes):
        low = min(low, float(part.max.min(where=part.max > 0, initial=np.inf)))
        high = max(high, float(part.max.max(initial=-np.inf)))
    return (low, high) if low < np.inf else (None, None)


def heatmap(source: Timeline, low: float, high: float, columns: int) -> NDArray[np.float32]:
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
    starts, stops = overlapping_notes(source.steps.astype(np.float64), edges)
    some = starts < stops
    if some.any():
        first, end = int(starts[some].min()), int(stops[some].max())
        # Each start and its stop; what lies between a stop and the next start is passed over.
        ends = np.stack([starts[some], stops[some]], axis=1).ravel() - first
        for part in chunks_of(len(source.layers), (end - first) // _COPIES):
            none = np.full((1, len(source.layers[part])), NO_GRADIENT, np.float32)
            tables = source.tables(first, end - first, part)
            norms = np.concatenate([*map(largest_norms, tables), none])
            largest[some, part] = np.maximum.reduceat(norms, ends, axis=0)[::2]
    for first, last in source.missing:
        largest[(edges[:-1] >= first) & (edges[1:] <= last + 1)] = NO_GRADIENT
    return largest


def largest_norms(notes: Notes) -> NDArray[np.float32]:
    """The largest norm of each note; NaN, or else infinity, where a row is."""
    norms = notes.max
    for counts, value in ((notes.inf, np.inf), (notes.nan, np.nan)):
        if any(counts.strides):  # otherwise there are none
            norms = np.where(counts > 0, np.float32(value), norms)
    return norms


@dataclass(frozen=True)
class LayerSummary:
    """A few numbers of each layer, shape ``(layers,)``.

    Attributes
    ----------
    min, median
        Over the medians of notes, so over the finite norms where a note is one row;
        `NO_GRADIENT` where there are none.
    max
        Largest finite norm of all rows; `NO_GRADIENT` where there is none.
    nan, inf
        How many rows are NaN, infinite.
    step_of_max
        First step of the first note that has the largest norm; NaN where there is none.
    """

    min: NDArray[np.float32]
    median: NDArray[np.float32]
    max: NDArray[np.float32]
    nan: NDArray[np.uint32]
    inf: NDArray[np.uint32]
    step_of_max: NDArray[np.float64]


def summarize_layers(source: Timeline, notes: range) -> LayerSummary:
    """The numbers of each layer within some notes of a run, a few layers at a time."""
    parts = [_summarize(source, notes, part) for part in chunks_of(len(source.layers), len(notes))]
    fields = zip(*(vars(part).values() for part in parts), strict=True)
    return LayerSummary(*(np.concatenate(each) for each in fields))


def _summarize(source: Timeline, notes: range, part: slice) -> LayerSummary:
    layers = len(source.layers[part])
    if not notes:
        none = np.full(layers, NO_GRADIENT, np.float32)
        zeros = np.zeros(layers, np.uint32)
        return LayerSummary(none, none, none, zeros, zeros, np.full(layers, np.nan))
    table = source.table(notes.start, len(notes), part)
    medians = np.where(table.median >= 0, table.median, np.float32(np.inf)).T.copy()
    medians.sort(axis=1)  # those that are known come first
    known = np.count_nonzero(np.isfinite(medians), axis=1)
    some = known > 0
    places = np.stack([np.maximum(known - 1, 0) // 2, known // 2], axis=1)
    middle = np.take_along_axis(medians, places, axis=1).mean(axis=1, dtype=np.float64)
    steps = source.steps[notes.start + table.max.argmax(axis=0)]
    return LayerSummary(
        min=np.where(some, medians[:, 0], np.float32(NO_GRADIENT)),
        median=np.where(some, middle.astype(np.float32), np.float32(NO_GRADIENT)),
        max=table.max.max(axis=0),
        nan=table.nan.sum(axis=0, dtype=np.uint32),
        inf=table.inf.sum(axis=0, dtype=np.uint32),
        step_of_max=np.where(some, steps, np.nan),
    )


def most_rows(source: Timeline, notes: range) -> int:
    """Most rows that one of some notes sums up; 1 where there are none."""
    sizes = np.diff(source.first_rows[notes.start : notes.stop + 1])
    return int(sizes.max(initial=1))
