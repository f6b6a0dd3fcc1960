"""Timelines from norms that were logged as scalars: of whole runs, and between rows of others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from tb_sonify.reading import limits
from tb_sonify.reading.cache import LruCache
from tb_sonify.reading.scalars import Series, series_of
from tb_sonify.reading.store import Newest, Scope, Store
from tb_sonify.reading.timeline import (
    StepTimes,
    Timeline,
    segments_of_rows,
    timeline_of_segments,
)
from tb_sonify.schema.block import round_norms
from tb_sonify.schema.metadata import SCALARS, VERSIONS_OPTION, scalar_tag
from tb_sonify.schema.norm_tags import natural_sort_key, norm_layers
from tb_sonify.schema.notes import NO_GRADIENT, align_layers
from tb_sonify.schema.records import Rows
from tb_sonify.sound import VERSIONS

_MANY_POINTS = 10_000  # a guess, where TensorBoard keeps all
_OPTIONS = {VERSIONS_OPTION: VERSIONS}  # no clips were logged, of no earlier presets

# Rows for the steps from one to another, both included, with the layers of a template.
FillGap = Callable[[int, int, Rows], Rows | None]


@dataclass(frozen=True)
class _Built:
    newest: dict[str, Newest]  # of each scalar that the timeline was built from
    timeline: Timeline


def newest_norms(store: Store, scope: Scope, run: str) -> tuple[dict[str, str], dict[str, Newest]]:
    """The scalars of a run that are norms: the layer of each, and its last step and wall time."""
    newest = store.newest(scope, run)
    layers = dict(
        islice(norm_layers(newest, store.settings.norm_globs).items(), limits.MAX_NORM_LAYERS)
    )
    return layers, {tag: newest[tag] for tag in layers}


class ScalarTimelines:
    """Cached timelines of norms that are scalars, by run; not safe for many threads at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._built: LruCache[tuple[str, str], _Built] = LruCache(
            limits.SCALAR_TIMELINE_CACHE_BYTES
        )

    def get(self, scope: Scope, run: str) -> Timeline:
        """The timeline of a run, without notes if no scalars of it are norms of layers."""
        layers, newest = newest_norms(self._store, scope, run)
        built = self._built.get((scope.experiment, run))
        if built is None or built.newest != newest:
            points = self._store.settings.points_kept or _MANY_POINTS
            with self._store.work.slot(len(layers) * points):
                built = _Built(newest, self._timeline(scope, run, layers))
                _ = built.timeline.version  # computed once, and in this slot
            self._built.put((scope.experiment, run), built, cost=built.timeline.nbytes)
        return built.timeline

    def _timeline(self, scope: Scope, run: str, layers: dict[str, str]) -> Timeline:
        found = self._store.points_of_tags(scope, run, list(layers))
        series = {layers[tag]: series_of(points) for tag, points in found.items() if len(points)}
        if not series:
            return timeline_of_segments((), step_times=StepTimes.from_points(np.empty((0, 2))))
        kept = self._store.settings.points_kept
        rows = rows_of_scalars(series, points_kept=kept)
        longest = max(series.values(), key=lambda each: len(each.steps))
        clock = StepTimes.from_points(np.stack([longest.steps, longest.wall_times], axis=1))
        ends = int(rows.steps[0]), int(rows.steps[-1])
        sampled = (ends,) if any(each.sampled(kept) for each in series.values()) else ()
        return timeline_of_segments(segments_of_rows([rows]), step_times=clock, sampled=sampled)


def gap_filler(store: Store, scope: Scope, run: str, quantity: str) -> FillGap:
    """A function that makes rows for gaps from the scalars of a run's layers, read when needed."""

    @lru_cache(maxsize=1)
    def known(layers: tuple[str, ...]) -> Rows | None:
        if quantity not in SCALARS:
            return None
        tags = {scalar_tag(layer, quantity): layer for layer in layers}
        found = store.points_of_tags(scope, run, list(tags))
        series = {
            layer: series_of(found[tag]) for tag, layer in tags.items() if len(found.get(tag, ()))
        }
        if not series:
            return None
        return rows_of_scalars(series, points_kept=store.settings.points_kept)

    def fill(first: int, last: int, template: Rows) -> Rows | None:
        rows = known(template.layers)
        if rows is None:
            return None
        start, stop = np.searchsorted(rows.steps, (first, last + 1)).tolist()
        if start == stop:
            return None
        norms = align_layers(rows.norms[start:stop], rows.layers, template.layers)
        return replace(template, first_row=0, steps=rows.steps[start:stop], norms=norms)

    return fill


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
    steps = steps[:: max(-(-len(steps) * len(layers) // limits.MAX_NORM_VALUES), 1)]
    norms = np.full((len(steps), len(layers)), NO_GRADIENT, np.float64)
    for layer, name in enumerate(layers):
        points = series[name]
        rows = np.searchsorted(steps, points.steps, "right") - 1
        with np.errstate(invalid="ignore"):  # the largest of a NaN and others is the NaN
            np.maximum.at(norms[:, layer], rows, np.abs(points.values))
        if points.sampled(points_kept):
            norms[rows[0] : rows[-1], layer] = _hold_last(norms[rows[0] : rows[-1], layer])
    return Rows(0.0, 0, layers, steps.astype(np.int64), round_norms(norms), _OPTIONS)


def _hold_last(norms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Norms with the last known one in place of each that is unknown; the first is known."""
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
