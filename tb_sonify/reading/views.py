"""The views of runs that are asked for, kept while they are in use."""

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from tb_sonify.reading.cache import Cache
from tb_sonify.reading.catalogue import run_exists
from tb_sonify.reading.curve import Series, read_series
from tb_sonify.reading.detail import Detail, notes_apart, taken_apart
from tb_sonify.reading.hearable import Hearable
from tb_sonify.reading.records import RunRecords
from tb_sonify.reading.scalar_notes import scalar_view
from tb_sonify.reading.store import Scope, Store
from tb_sonify.reading.timeline import Timeline
from tb_sonify.reading.timelines import Timelines
from tb_sonify.reading.view import Alignment, View, laid_on, merged, positions
from tb_sonify.sound import Scale

Kept = TypeVar("Kept", View, Timeline | Detail)

_KEPT_BYTES = 128 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which notes are to be heard.

    Attributes
    ----------
    tag
        A scalar of the run instead of its norms.
    scale
        That of the scalar; `None`: of its own points.
    along
        A run on whose notes this one is laid; `by` says how.
    lead_tag
        The scalar whose notes are those of `along`, if that has no norms.
    together
        So many notes as one.
    rows
        First and last step of a stretch, of the lead if there is one, in which notes are taken
        apart into their rows.
    """

    run: str
    tag: str | None = None
    scale: Scale | None = None
    along: str | None = None
    lead_tag: str | None = None
    by: Alignment = "step"
    together: int = 1
    rows: tuple[float, float] | None = None


class Views:
    """Selected notes of runs, by what was logged so far. Safe to use from many threads."""

    def __init__(self, store: Store, timelines: Timelines) -> None:
        self._store = store
        self._timelines = timelines
        self._views: Cache[Hashable, Any] = Cache(_KEPT_BYTES)

    def get(self, scope: Scope, selection: Selection) -> Hearable:
        """The notes of a selection: a timeline, as it is, where nothing is to be derived.

        Raises
        ------
        LookupError
            If there is no such run or tag.
        ValueError
            If the selection lacks a `lead_tag`, or is too large to be held in memory.
        """
        if selection.along is None:
            source = self._own(scope, selection, selection.rows)
        else:
            lead = self._lead(scope, selection)
            rows = self._rows_along(scope, selection)
            source = self._laid_on(self._own(scope, selection, rows), lead, selection.by)
        if selection.together > 1 and source.notes:
            source = self._merged(source, selection.together)
        return source

    def timeline(self, scope: Scope, run: str) -> Timeline:
        """The norms of a run; raises `LookupError` if there is no such run."""
        timeline = self._timelines.get(scope, run)
        if not timeline.segments:
            self._must_exist(scope, run)
        return timeline

    def detailed(
        self, scope: Scope, run: str, low: float, high: float, *, parts: float = math.inf
    ) -> Timeline | Detail:
        """The norms of a run, by their rows from step `low` to step `high`; see `notes_apart`."""
        timeline = self.timeline(scope, run)
        apart = notes_apart(timeline, low, high, parts=parts)
        if not apart:
            return timeline
        records = RunRecords(self._store, scope, run)
        key = "rows", timeline.state, apart
        rows = int(timeline.first_rows[apart.stop] - timeline.first_rows[apart.start])
        numbers = rows * len(timeline.layers)
        return self._kept(key, numbers, lambda: taken_apart(timeline, records, apart))

    def series(self, scope: Scope, run: str, tag: str) -> Series:
        """A scalar of a run; raises `LookupError` if there is no such run or tag."""
        series = read_series(self._store, scope, run, tag)
        if series is None:
            self._must_exist(scope, run)
            raise LookupError(f"no scalar {tag!r} in run {run!r}")
        return series

    def _must_exist(self, scope: Scope, run: str) -> None:
        if not run_exists(self._store, scope, run):
            raise LookupError(f"no run {run!r}")

    def _own(
        self, scope: Scope, selection: Selection, rows: tuple[float, float] | None
    ) -> Hearable:
        run, tag = selection.run, selection.tag
        norms = self._norms(scope, run, rows)
        if tag is None:
            return norms
        series = self.series(scope, run, tag)
        chosen = selection.scale or Scale.of([series.values])
        key = "scalar", tag, series.digest, norms.state, chosen
        kept = self._store.settings.points_kept
        numbers = len(series.steps) + norms.notes
        return self._kept(
            key, numbers, lambda: scalar_view(tag, series, norms, chosen, points_kept=kept)
        )

    def _lead(self, scope: Scope, selection: Selection) -> Hearable:
        run, tag = selection.along or "", selection.lead_tag
        lead = self._norms(scope, run, selection.rows)
        if not lead.notes:
            if tag is None:
                raise ValueError(
                    f"'lead_tag' must name a scalar of {run!r}, which has no norms to lie along"
                )
            lead = self._own(scope, Selection(run=run, tag=tag), None)
        return lead

    def _norms(self, scope: Scope, run: str, rows: tuple[float, float] | None) -> Hearable:
        return self.timeline(scope, run) if rows is None else self.detailed(scope, run, *rows)

    def _rows_along(self, scope: Scope, selection: Selection) -> tuple[float, float] | None:
        """The stretch of the run itself that lies along that of the lead."""
        lead = self.timeline(scope, selection.along or "")
        own = self.timeline(scope, selection.run)
        if selection.rows is None or not lead.notes or not own.notes:
            return None
        places = np.interp(selection.rows, lead.steps, positions(lead, selection.by))
        low, high = np.interp(places, positions(own, selection.by), own.steps)
        return float(low), float(high)

    def _laid_on(self, source: Hearable, lead: Hearable, by: Alignment) -> Hearable:
        if not source.notes or not lead.notes:
            return source
        key = "laid on", source.state, lead.state, by
        numbers = (source.notes + lead.notes) * len(source.layers)
        return self._kept(key, numbers, lambda: laid_on(source, lead, by))

    def _merged(self, source: Hearable, together: int) -> Hearable:
        key = "merged", source.state, together
        numbers = source.notes * len(source.layers)
        return self._kept(key, numbers, lambda: merged(source, together))

    def _kept(self, key: Hashable, numbers: int, make: Callable[[], Kept]) -> Kept:
        view = self._views.get(key)
        if view is None:
            with self._store.turns.of(numbers):
                # Whoever had the turn before may have been asked for the same.
                view = self._views.get(key) or make()
                _ = view.state  # made once, and in this turn
            self._views.put(key, view, cost=view.nbytes)
        return view
