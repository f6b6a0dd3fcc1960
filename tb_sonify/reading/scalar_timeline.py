"""Timelines from norms that were logged as scalars: of whole runs, and between rows of others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from tb_sonify.reading.cache import LruCache
from tb_sonify.reading.norm_tags import natural_sort_key, norm_layers
from tb_sonify.reading.scalars import Series, series_of
from tb_sonify.reading.store import Newest, Scope, Store
from tb_sonify.reading.timeline import (
    StepTimes,
    Timeline,
    segments_of_rows,
)
from tb_sonify.schema.block import round_norms
from tb_sonify.schema.metadata import scalar_tag
from tb_sonify.schema.notes import NO_GRADIENT, align_layers
from tb_sonify.schema.records import Rows

Ranges = list[tuple[int, int]]  # first and last step of each


# From what else is known of the steps between two, both included: rows like some next to them.
Fill = Callable[[int, int, Rows], Rows | None]


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
            return 0.0, natural_sort_key(name)
        at = np.searchsorted(series[name].steps, shared[0])
        return float(series[name].wall_times[at]), natural_sort_key(name)

    return tuple(sorted(series, key=key))


_KEPT_BYTES = 64 * 2**20


_MOST_LAYERS = 2_000


_MANY_POINTS = 10_000  # a guess, where TensorBoard keeps all


_NOTHING = Timeline((), (), StepTimes.of(np.empty((0, 2))))


@dataclass(frozen=True)
class _State:
    newest: dict[str, Newest]  # of each scalar that it was made from
    timeline: Timeline


def newest_norms(store: Store, scope: Scope, run: str) -> tuple[dict[str, str], dict[str, Newest]]:
    """The scalars of a run that are norms: the layer of each, and how far it has got."""
    newest = store.newest(scope, run)
    layers = dict(islice(norm_layers(newest, store.settings.norm_globs).items(), _MOST_LAYERS))
    return layers, {tag: newest[tag] for tag in layers}


class ScalarTimelines:
    """Such timelines by run, made anew where a scalar has gone on. Not for many threads at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._states: LruCache[tuple[str, str], _State] = LruCache(_KEPT_BYTES)

    def get(self, scope: Scope, run: str) -> Timeline:
        """The timeline of a run, without notes if no scalars of it are norms of layers."""
        layers, newest = newest_norms(self._store, scope, run)
        state = self._states.get((scope.experiment, run))
        if state is None or state.newest != newest:
            points = self._store.settings.points_kept or _MANY_POINTS
            with self._store.work.slot(len(layers) * points):
                state = _State(newest, self._timeline(scope, run, layers))
                _ = state.timeline.state  # made once, and in this turn
            self._states.put((scope.experiment, run), state, cost=state.timeline.nbytes)
        return state.timeline

    def _timeline(self, scope: Scope, run: str, layers: dict[str, str]) -> Timeline:
        found = self._store.points_of_tags(scope, run, list(layers))
        series = {layers[tag]: series_of(points) for tag, points in found.items() if len(points)}
        if not series:
            return _NOTHING
        kept = self._store.settings.points_kept
        rows = rows_of_scalars(series, points_kept=kept)
        longest = max(series.values(), key=lambda each: len(each.steps))
        clock = StepTimes.of(np.stack([longest.steps, longest.wall_times], axis=1))
        ends = int(rows.steps[0]), int(rows.steps[-1])
        sampled = (ends,) if any(each.sampled(kept) for each in series.values()) else ()
        timeline = Timeline(tuple(segments_of_rows(iter([rows]))), (), clock, sampled)
        _ = timeline.state, timeline.times  # made once, and in this turn
        return timeline


def gap_filler(store: Store, scope: Scope, run: str) -> Fill:
    """Fills gaps between the rows of a run from the scalars of its layers, read when needed."""

    @lru_cache(maxsize=1)
    def known(layers: tuple[str, ...]) -> Rows | None:
        found = store.points_of_tags(scope, run, [scalar_tag(layer) for layer in layers])
        series = {
            layer: series_of(found[scalar_tag(layer)])
            for layer in layers
            if len(found.get(scalar_tag(layer), ()))
        }
        if not series:
            return None
        return rows_of_scalars(series, points_kept=store.settings.points_kept)

    def fill(first: int, last: int, like: Rows) -> Rows | None:
        rows = known(like.layers)
        if rows is None:
            return None
        start, stop = np.searchsorted(rows.steps, (first, last + 1)).tolist()
        if start == stop:
            return None
        norms = align_layers(rows.norms[start:stop], rows.layers, like.layers)
        return replace(like, first_row=0, steps=rows.steps[start:stop], norms=norms)

    return fill
