"""What each layer did within a stretch of a run, in a few numbers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb_sonify.contract import NO_GRADIENT
from tb_sonify.reading.detail import Detail
from tb_sonify.reading.hearable import Hearable
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


def summarize_layers(source: Hearable, notes: range) -> LayerSummary:
    """The numbers of each layer within some notes of a run."""
    layers = len(source.layers)
    none = np.full(layers, NO_GRADIENT, np.float32)
    if not notes:
        zeros = np.zeros(layers, np.uint32)
        return LayerSummary(none, none, none, zeros, zeros, np.full(layers, np.nan))
    table = source.table(notes.start, len(notes))
    known = table.median >= 0
    some = known.any(axis=0)
    # Where nothing is known, all are taken, because numpy warns of the median of nothing.
    medians = np.where(known | ~some, table.median, np.nan)
    steps = source.steps[notes.start + table.max.argmax(axis=0)]
    return LayerSummary(
        min=np.nanmin(medians, axis=0),
        median=np.nanmedian(medians, axis=0),
        max=table.max.max(axis=0),
        nan=table.nan.sum(axis=0, dtype=np.uint32),
        inf=table.inf.sum(axis=0, dtype=np.uint32),
        step_of_max=np.where(some, steps, np.nan),
    )


def most_rows(source: Timeline | Detail, notes: range) -> int:
    """Most rows that one of some notes sums up; 1 where there are none."""
    sizes = np.diff(source.first_rows[notes.start : notes.stop + 1])
    return int(sizes.max(initial=1))
