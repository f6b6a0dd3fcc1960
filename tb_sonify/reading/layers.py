"""What each layer did within a stretch of a run, in a few numbers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb_sonify.contract import NO_GRADIENT
from tb_sonify.reading.detail import Detail
from tb_sonify.reading.parts import parts_of
from tb_sonify.reading.timeline import Timeline


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


def summarize_layers(source: Timeline | Detail, notes: range) -> LayerSummary:
    """The numbers of each layer within some notes of a run, a few layers at a time."""
    parts = [_summarize(source, notes, part) for part in parts_of(len(source.layers), len(notes))]
    fields = zip(*(vars(part).values() for part in parts), strict=True)
    return LayerSummary(*(np.concatenate(each) for each in fields))


def _summarize(source: Timeline | Detail, notes: range, part: slice) -> LayerSummary:
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


def most_rows(source: Timeline | Detail, notes: range) -> int:
    """Most rows that one of some notes sums up; 1 where there are none."""
    sizes = np.diff(source.first_rows[notes.start : notes.stop + 1])
    return int(sizes.max(initial=1))
