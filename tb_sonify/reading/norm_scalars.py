"""Rows of norms that were logged as scalars, by tb_sonify or by anybody else."""

from collections.abc import Mapping
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from tb_sonify.contract import NO_GRADIENT, Rows, round_norms
from tb_sonify.reading.curve import Series
from tb_sonify.reading.norm_tags import natural

_MOST_VALUES = 8_000_000


def rows_of_scalars(series: Mapping[str, Series], *, points_kept: int) -> Rows:
    """A row for each step at which any layer has a point.

    Parameters
    ----------
    series
        The points of each layer, by name.
    points_kept
        How many points TensorBoard keeps of a scalar; 0: all. Of a layer with so many, others
        may be lacking: between two of its points, the first holds on. Of all others, a step
        without a point is one without a gradient.

    Returns
    -------
    rows
        Layers are in the order in which they were written, which is that of depth where a loop
        goes through a model; else in natural order. A value below zero, which no norm is, counts
        by its size.
    """
    layers = _in_order(series)
    steps = reduce(np.union1d, (each.steps for each in series.values()), np.empty(0))
    # Where layers share no steps, so many rows would be a table without an end.
    steps = steps[:: max(-(-len(steps) * len(layers) // _MOST_VALUES), 1)]
    norms = np.full((len(steps), len(layers)), NO_GRADIENT, np.float64)
    for layer, name in enumerate(layers):
        points = series[name]
        rows = np.searchsorted(steps, points.steps, "right") - 1
        with np.errstate(invalid="ignore"):  # the largest of a NaN and others is the NaN
            np.maximum.at(norms[:, layer], rows, np.abs(points.values))
        if points.sampled(points_kept):
            norms[rows[0] : rows[-1], layer] = _held(norms[rows[0] : rows[-1], layer])
    return Rows(0.0, 0, layers, steps.astype(np.int64), round_norms(norms), {})


def _held(norms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Norms, the first of which is known, with the one before in place of each that is not."""
    known = np.where(norms == NO_GRADIENT, 0, np.arange(len(norms)))
    return norms[np.maximum.accumulate(known)]


def _in_order(series: Mapping[str, Series]) -> tuple[str, ...]:
    shared = reduce(np.intersect1d, (each.steps for each in series.values()))

    def key(name: str) -> tuple[float, list[tuple[int, str]]]:
        if not len(shared):
            return 0.0, natural(name)
        at = np.searchsorted(series[name].steps, shared[0])
        return float(series[name].wall_times[at]), natural(name)

    return tuple(sorted(series, key=key))
