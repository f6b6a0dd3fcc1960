"""Timelines from norms that were logged as scalars: of whole runs, and between rows of others."""

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice

import numpy as np

from tb_sonify.contract import Rows, scalar_tag
from tb_sonify.reading.cache import Cache
from tb_sonify.reading.clock import Clock
from tb_sonify.reading.curve import series_of
from tb_sonify.reading.norm_scalars import rows_of_scalars
from tb_sonify.reading.norm_tags import norm_layers
from tb_sonify.reading.rows import part, widened
from tb_sonify.reading.store import Newest, Scope, Store
from tb_sonify.reading.tail import Fill, segments_of
from tb_sonify.reading.timeline import Timeline

_KEPT_BYTES = 64 * 2**20
_MOST_LAYERS = 2_000
_MANY_POINTS = 10_000  # a guess, where TensorBoard keeps all
_NOTHING = Timeline((), (), Clock.of(np.empty((0, 2))))


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
        self._states: Cache[tuple[str, str], _State] = Cache(_KEPT_BYTES)

    def get(self, scope: Scope, run: str) -> Timeline:
        """The timeline of a run, without notes if no scalars of it are norms of layers."""
        layers, newest = newest_norms(self._store, scope, run)
        state = self._states.get((scope.experiment, run))
        if state is None or state.newest != newest:
            points = self._store.settings.points_kept or _MANY_POINTS
            with self._store.turns.of(len(layers) * points):
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
        clock = Clock.of(np.stack([longest.steps, longest.wall_times], axis=1))
        ends = int(rows.steps[0]), int(rows.steps[-1])
        sampled = (ends,) if any(each.sampled(kept) for each in series.values()) else ()
        timeline = Timeline(tuple(segments_of(iter([rows]))), (), clock, sampled)
        _ = timeline.state, timeline.times  # made once, and in this turn
        return timeline


def filler(store: Store, scope: Scope, run: str) -> Fill:
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
        norms = widened(part(rows, start, stop), like.layers)
        return replace(like, first_row=0, steps=rows.steps[start:stop], norms=norms)

    return fill
