"""The views of runs that are asked for, kept while they are in use."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from tb_sonify.reading.cache import Cache
from tb_sonify.reading.catalogue import run_exists
from tb_sonify.reading.curve import Series, read_series
from tb_sonify.reading.hearable import Hearable
from tb_sonify.reading.scalar_notes import scalar_view
from tb_sonify.reading.store import Scope, Store
from tb_sonify.reading.timeline import Timeline
from tb_sonify.reading.timelines import Timelines
from tb_sonify.reading.view import Alignment, View, laid_on, merged
from tb_sonify.sound import Scale

_KEPT_BYTES = 256 * 2**20


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
    """

    run: str
    tag: str | None = None
    scale: Scale | None = None
    along: str | None = None
    lead_tag: str | None = None
    by: Alignment = "step"
    together: int = 1


class Views:
    """Selected notes of runs, by what was logged so far. Safe to use from many threads."""

    def __init__(self, store: Store, timelines: Timelines) -> None:
        self._store = store
        self._timelines = timelines
        self._views: Cache[Hashable, View] = Cache(_KEPT_BYTES)

    def get(self, scope: Scope, selection: Selection) -> Hearable:
        """The notes of a selection: a timeline, as it is, where nothing is to be derived.

        Raises
        ------
        LookupError
            If there is no such run or tag.
        ValueError
            If the selection lacks a `lead_tag`, or is too large to be held in memory.
        """
        source = self._own(scope, selection.run, selection.tag, selection.scale)
        if selection.along is not None:
            lead = self._lead(scope, selection.along, selection.lead_tag)
            source = self._laid_on(source, lead, selection.by)
        if selection.together > 1 and source.notes:
            source = self._merged(source, selection.together)
        return source

    def timeline(self, scope: Scope, run: str) -> Timeline:
        """The norms of a run; raises `LookupError` if there is no such run."""
        timeline = self._timelines.get(scope, run)
        if not timeline.segments:
            self._must_exist(scope, run)
        return timeline

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

    def _own(self, scope: Scope, run: str, tag: str | None, scale: Scale | None) -> Hearable:
        timeline = self.timeline(scope, run)
        if tag is None:
            return timeline
        series = self.series(scope, run, tag)
        chosen = scale or Scale.of([series.values])
        key = "scalar", tag, series.digest, timeline.state, chosen
        return self._kept(key, lambda: scalar_view(tag, series, timeline, chosen))

    def _lead(self, scope: Scope, run: str, tag: str | None) -> Hearable:
        lead: Hearable = self.timeline(scope, run)
        if not lead.notes:
            if tag is None:
                raise ValueError(
                    f"'lead_tag' must name a scalar of {run!r}, which has no norms to lie along"
                )
            lead = self._own(scope, run, tag, None)
        return lead

    def _laid_on(self, source: Hearable, lead: Hearable, by: Alignment) -> Hearable:
        if not source.notes or not lead.notes:
            return source
        key = "laid on", source.state, lead.state, by
        return self._kept(key, lambda: laid_on(source, lead, by))

    def _merged(self, source: Hearable, together: int) -> Hearable:
        key = "merged", source.state, together
        return self._kept(key, lambda: merged(source, together))

    def _kept(self, key: Hashable, make: Callable[[], View]) -> View:
        view = self._views.get(key)
        if view is None:
            view = make()
            self._views.put(key, view, cost=view.nbytes)
        return view
