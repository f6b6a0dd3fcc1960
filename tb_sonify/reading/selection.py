"""The views of runs that are asked for, kept while they are in use."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from tb_sonify.reading.cache import LruCache
from tb_sonify.reading.run_reader import RunReader, read_rows
from tb_sonify.reading.runs import run_exists
from tb_sonify.reading.scalars import Series, read_series
from tb_sonify.reading.store import Scope, Store
from tb_sonify.reading.timeline import (
    EVERY,
    Hearable,
    Timeline,
    digest_histories,
    digest_notes,
    digest_state,
    notes_between,
)
from tb_sonify.reading.timeline_builder import Timelines
from tb_sonify.schema.notes import (
    EMPTY,
    NO_GRADIENT,
    Notes,
    aggregate,
    align_layers,
    concatenate_notes,
    shared_zeros,
)
from tb_sonify.schema.segments import NOTES_PER_SEGMENT
from tb_sonify.sound import Scale, StreamPreset

_MAX_OVERLAPPING = 4_000_000  # held at a time


def overlapping_notes(
    edges: NDArray[np.float64], new_edges: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which notes each new note touches.

    Parameters
    ----------
    edges, new_edges
        Where each note begins and, at the end, where the last one ends, never decreasing: shapes
        ``(notes + 1,)`` and ``(new notes + 1,)``. A last note holds its end, so that it may be
        one of a single row.

    Returns
    -------
    starts, stops
        First note and the one after the last, shape ``(new notes,)``; a new note without any has
        a start that is not below its stop.
    """
    notes = len(edges) - 1
    edges, new_edges = _closed(edges), _closed(new_edges)
    within = np.searchsorted(edges, new_edges[:-1], "right") - 1
    starts = np.maximum(within, 0)
    stops = np.searchsorted(edges[:-1], new_edges[1:], "left")
    # A new note of no length still stands for where it is.
    stops = np.where((within >= 0) & (within < notes), np.maximum(stops, within + 1), stops)
    # A note of no length lies on an edge: the new one that begins there takes it.
    before = np.append(np.searchsorted(edges, new_edges[:1], "left"), stops[:-1])
    starts = np.minimum(starts, before)
    return starts, stops


def resample(notes: Notes, starts: NDArray[np.intp], stops: NDArray[np.intp]) -> Notes:
    """The notes from each start to before its stop as one; silence where there are none.

    As in `Notes.merged`, no maximum and no count is lost.

    Returns
    -------
    notes
        As many as there are starts.
    """
    layers = notes.layers
    source = {name: _with_silence(name, table) for name, table in vars(notes).items()}
    merged = {name: np.repeat(table[-1:], len(starts), axis=0) for name, table in source.items()}
    sizes = stops - starts
    widths = np.exp2(np.ceil(np.log2(np.maximum(sizes, 1)))).astype(int)
    # Groups that are filled up to the same width with silence are merged together.
    for width in np.unique(widths[sizes > 0]).tolist():
        (groups,) = np.nonzero((widths == width) & (sizes > 0))
        together = max(_MAX_OVERLAPPING // (width * max(layers, 1)), 1)
        for first in range(0, len(groups), together):
            some = groups[first : first + together]
            members = starts[some, None] + np.arange(width)
            members = np.where(members < stops[some, None], members, len(notes)).ravel()
            part = Notes(**{name: table[members] for name, table in source.items()}).merged(width)
            for name, table in merged.items():
                table[some] = getattr(part, name)
    return Notes(**merged)


def _closed(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.append(edges[:-1], np.nextafter(edges[-1:], np.inf))


def _with_silence(name: str, table: NDArray[Any]) -> NDArray[Any]:
    return np.pad(table, ((0, 1), (0, 0)), constant_values=EMPTY[name])


Alignment = Literal["step", "time", "fraction"]


_MOST_VALUES = 20_000_000  # notes times layers; a third of a gigabyte


@dataclass(frozen=True, eq=False)
class View:
    """Notes in segments of 100; the attributes are those of `Hearable`.

    Attributes
    ----------
    heard
        All the notes.
    """

    layers: tuple[str, ...]
    heard: Notes
    steps: NDArray[Any]
    times: NDArray[np.float64]
    settled: int
    rows_per_note: tuple[int, int]
    missing: tuple[tuple[int, int], ...]
    sampled: tuple[tuple[int, int], ...]
    scale: Scale | None
    own_presets: tuple[StreamPreset, ...]

    @property
    def notes(self) -> int:
        """How many notes there are."""
        return len(self.heard)

    @property
    def first_notes(self) -> tuple[int, ...]:
        """Number of the first note of each segment and, at the end, the number of notes."""
        return (*range(0, self.notes, NOTES_PER_SEGMENT), self.notes)

    @cached_property
    def histories(self) -> tuple[bytes, ...]:
        """For each segment and for the end, what stands for all that is heard before it."""
        digests = (
            digest_notes(self.heard[first : first + NOTES_PER_SEGMENT])
            for first in self.first_notes[:-1]
        )
        return digest_histories(self.layers, digests)

    @cached_property
    def state(self) -> bytes:
        """What stands for all that is known here."""
        return digest_state(self)

    @property
    def nbytes(self) -> int:
        """About how much memory it takes."""
        return 4_096 + 4 * self.heard.median.nbytes + self.steps.nbytes + self.times.nbytes

    def table(self, first_note: int, notes: int) -> Notes:
        """The numbers of `notes` notes from `first_note`, all of which there must be."""
        return self.heard[first_note : first_note + notes]


def merge_notes(source: Hearable, together: int) -> View:
    """Every `together` notes as one."""
    starts = np.arange(0, source.notes, together)
    edges = np.append(starts, source.notes)
    notes = resample(_all_notes(source), starts, edges[1:])
    fewest, most = source.rows_per_note
    return View(
        layers=source.layers,
        heard=notes,
        steps=source.steps[edges],
        times=source.times[edges],
        settled=len(notes) if _is_settled(source) else source.settled // together,
        rows_per_note=(fewest * together, most * together),
        missing=source.missing,
        sampled=source.sampled,
        scale=source.scale,
        own_presets=source.own_presets,
    )


def align_to(source: Hearable, lead: Hearable, by: Alignment) -> View:
    """A run on the notes of another one, the lead, so that both have the same sample frames.

    A note stands for what the run did between two edges of the lead's notes; it is silent where
    that is before the run or after it.
    """
    _must_fit(lead.notes, source.layers)
    own, edges = positions(source, by), positions(lead, by)
    return View(
        layers=source.layers,
        heard=resample(_all_notes(source), *overlapping_notes(own, edges)),
        steps=edges if by == "step" else np.interp(edges, own, source.steps),
        times=np.interp(edges, own, source.times),
        settled=_settled_on(source, lead, by),
        rows_per_note=lead.rows_per_note,
        missing=source.missing,
        sampled=source.sampled,
        scale=source.scale,
        own_presets=lead.own_presets,
    )


def positions(source: Hearable, by: Alignment) -> NDArray[np.float64]:
    """Where the edges of notes are for alignment: shape ``(notes + 1,)``, never decreasing."""
    if by == "time":
        return np.asarray(source.times - source.times[0])
    steps = source.steps.astype(np.float64)
    if by == "step":
        return steps
    return np.asarray((steps - steps[0]) / max(steps[-1] - steps[0], 1))


def _settled_on(source: Hearable, lead: Hearable, by: Alignment) -> int:
    """How many of the lead's notes will stay as they are, of the run that is laid on them."""
    if by == "fraction" and not (_is_settled(source) and _is_settled(lead)):
        return 0
    if _is_settled(source):
        return lead.settled
    end = positions(source, by)[source.settled]
    return min(int(np.searchsorted(positions(lead, by)[1:], end, "right")), lead.settled)


def _is_settled(source: Hearable) -> bool:
    return source.settled == source.notes


def _all_notes(source: Hearable) -> Notes:
    _must_fit(source.notes, source.layers)
    return source.table(0, source.notes)


def _must_fit(notes: int, layers: tuple[str, ...]) -> None:
    if notes * len(layers) > _MOST_VALUES:
        raise ValueError(
            f"notes times layers of a run that is heard in another way must be at most "
            f"{_MOST_VALUES:,}, got {notes:,} notes of {len(layers):,} layers"
        )


MOST_ROWS = 10_000


MOST_VALUES = 4_000_000  # rows times layers


@dataclass(frozen=True, eq=False)
class Detail:
    """A timeline with some of its notes taken apart; the other attributes are those of `Hearable`.

    Attributes
    ----------
    whole
        The timeline.
    apart
        Which of its notes are rows here.
    row_steps, rows
        Step and norms of each of those rows.
    """

    whole: Timeline
    apart: range
    row_steps: NDArray[np.int64]
    rows: Notes
    scale = None

    @property
    def layers(self) -> tuple[str, ...]:
        """Those of the whole."""
        return self.whole.layers

    @property
    def notes(self) -> int:
        """How many notes there are."""
        return self.whole.notes + self._more

    @cached_property
    def first_notes(self) -> tuple[int, ...]:
        """Number of the first note of each segment and, at the end, the number of notes."""
        before, after = self._kept_edges
        start, end = self.apart.start, self.apart.start + len(self.rows)
        within = range(start, end, NOTES_PER_SEGMENT)
        return tuple(sorted({*before, *within, end, *(first + self._more for first in after)}))

    @property
    def settled(self) -> int:
        """How many notes will stay; rows that are not in a segment yet are not among them."""
        settled = self.whole.settled
        if settled >= self.apart.stop:
            return settled + self._more
        return min(settled, self.apart.start)

    @property
    def rows_per_note(self) -> tuple[int, int]:
        """Fewest and most rows that a full note sums up."""
        return 1, self.whole.rows_per_note[1]

    @cached_property
    def histories(self) -> tuple[bytes, ...]:
        """For each segment and for the end, what stands for all that is heard before it."""
        before, after = self._kept_edges
        kept = [each.digest for each in self.whole.segments]
        changed = [
            digest_notes(self.table(first, end - first))
            for first, end in pairwise(self.first_notes)
            if first >= before[-1] and end <= after[0] + self._more
        ]
        digests = [*kept[: len(before) - 1], *changed, *kept[len(kept) + 1 - len(after) :]]
        return digest_histories(self.layers, digests)

    @cached_property
    def state(self) -> bytes:
        """What stands for all that is known here."""
        return digest_state(self)

    @cached_property
    def steps(self) -> NDArray[np.int64]:
        """First step of each note and, at the end, the last step of all."""
        steps = self.whole.steps
        return np.concatenate([steps[: self.apart.start], self.row_steps, steps[self.apart.stop :]])

    @cached_property
    def first_rows(self) -> NDArray[np.int64]:
        """Number of the first row of each note and, at the end, the number of rows."""
        known, start = self.whole.first_rows, self.apart.start
        rows = known[start] + np.arange(len(self.rows))
        return np.concatenate([known[:start], rows, known[self.apart.stop :]])

    @cached_property
    def times(self) -> NDArray[np.float64]:
        """Wall time of each of `steps`, in seconds since the epoch."""
        return self.whole.clock.at(self.steps)

    @property
    def missing(self) -> tuple[tuple[int, int], ...]:
        """Those of the whole."""
        return self.whole.missing

    @property
    def sampled(self) -> tuple[tuple[int, int], ...]:
        """Those of the whole."""
        return self.whole.sampled

    @property
    def own_presets(self) -> tuple[StreamPreset, ...]:
        """Those of the whole."""
        return self.whole.own_presets

    @property
    def nbytes(self) -> int:
        """About how much memory it takes, beside the whole."""
        # Of rows, the median and the maximum are one array.
        rows = self.rows.nbytes - self.rows.max.nbytes
        return 4_096 + rows + 16 * self.notes + 64 * len(self.first_notes)

    def table(self, first_note: int, notes: int, layers: slice = EVERY) -> Notes:
        """The numbers of `notes` notes from `first_note`, all of which there must be."""
        return concatenate_notes(self.tables(first_note, notes, layers))

    def tables(self, first_note: int, notes: int, layers: slice = EVERY) -> list[Notes]:
        """The same in parts that follow on each other."""
        start, end = self.apart.start, self.apart.start + len(self.rows)
        stop = first_note + notes
        parts = [self.rows[max(first_note - start, 0) : max(stop - start, 0), layers]]
        if first_note < start:
            parts[:0] = self.whole.tables(first_note, min(stop, start) - first_note, layers)
        if stop > end:
            low = max(first_note, end)
            parts += self.whole.tables(low - self._more, stop - low, layers)
        return parts

    @property
    def _more(self) -> int:
        return len(self.rows) - len(self.apart)

    @property
    def _kept_edges(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Edges of the whole's segments up to where notes are taken apart, and from there on."""
        edges = self.whole.first_notes
        return (
            edges[: bisect_right(edges, self.apart.start)],
            edges[bisect_left(edges, self.apart.stop) :],
        )


def expandable_notes(
    timeline: Timeline, low: float, high: float, *, parts: float = math.inf
) -> range:
    """Which notes have steps from `low` to `high`, and are to be taken apart.

    None are where that would be too many rows. Notes at the ends that are no larger than one of
    so many `parts` of the stretch are left.
    """
    notes = notes_between(timeline, low, high)
    sizes = np.diff(timeline.first_rows[notes.start : notes.stop + 1])
    several = np.flatnonzero(sizes > max(1, sizes.sum() / parts))
    if not len(several):
        return range(0)
    rows = int(sizes[several[0] : several[-1] + 1].sum())
    if rows > MOST_ROWS or rows * len(timeline.layers) > MOST_VALUES:
        return range(0)
    return range(notes.start + int(several[0]), notes.start + int(several[-1]) + 1)


def expand_rows(timeline: Timeline, records: RunReader, apart: range) -> Timeline | Detail:
    """A timeline with each row of some notes as a note; as it is, where those cannot be read."""
    first_step, last_step = timeline.steps[apart.start], timeline.steps[apart.stop]
    last = apart.stop == timeline.notes
    found = read_rows(records, timeline.layers, int(first_step), int(last_step) - (not last))
    first_rows = timeline.first_rows[apart.start : apart.stop + 1]
    first_rows = first_rows - first_rows[0]
    if found is None or len(found.steps) != first_rows[-1]:
        return timeline
    if (found.steps[first_rows[:-1]] != timeline.steps[apart.start : apart.stop]).any():
        return timeline
    return Detail(
        timeline,
        apart,
        found.steps,
        _notes(align_layers(found.norms, found.layers, timeline.layers)),
    )


def _notes(norms: NDArray[np.float32]) -> Notes:
    """Each row as a note, as `aggregate` makes it, in a quarter of the memory."""
    finite = np.isfinite(norms) & (norms >= 0)
    known = np.where(finite, norms, np.float32(NO_GRADIENT))
    nan, inf = (found(norms).astype(np.uint32) for found in (np.isnan, np.isposinf))
    return Notes(known, known, shared_zeros(nan), shared_zeros(inf))


def notes_from_scalar(
    tag: str, series: Series, norms: Hearable, scale: Scale, *, points_kept: int
) -> View:
    """A scalar as the norms, on a scale, of one layer of its name.

    It lies on the notes of the run's `norms`: each stands for the points from its first step up
    to the next note's, and one without points for the last point before. In a run without norms,
    every point is a note.
    """
    points = aggregate(scale(series.values)[:, None], rows_per_note=1)
    if not norms.notes:
        count = len(series.steps)
        return View(
            layers=(tag,),
            heard=points,
            steps=_with_end(series.steps),
            times=_with_end(series.wall_times),
            settled=count // NOTES_PER_SEGMENT * NOTES_PER_SEGMENT,
            rows_per_note=(1, 1),
            missing=(),
            sampled=series.sampled(points_kept),
            scale=scale,
            own_presets=(),
        )
    return View(
        layers=(tag,),
        heard=_held(points, *points_of_notes(series, norms)),
        steps=norms.steps,
        times=norms.times,
        settled=norms.settled,
        rows_per_note=norms.rows_per_note,
        missing=norms.missing,
        sampled=series.sampled(points_kept),
        scale=scale,
        own_presets=norms.own_presets,
    )


def points_of_notes(series: Series, norms: Hearable) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First point of each note, and the one after its last; the last note has all that follow."""
    starts = np.searchsorted(series.steps, norms.steps[:-1])
    return starts, np.append(starts[1:], len(series.steps))


def _held(points: Notes, starts: NDArray[np.intp], stops: NDArray[np.intp]) -> Notes:
    # Before the first point, a start of -1 would be the last point; an empty group is silent.
    held = np.where(starts < stops, starts, np.maximum(stops - 1, 0))
    return resample(points, held, stops)


def _with_end(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.append(values, values[-1:])


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


class Selections:
    """Selected notes of runs, by what was logged so far. Safe to use from many threads."""

    def __init__(self, store: Store, timelines: Timelines) -> None:
        self._store = store
        self._timelines = timelines
        self._views: LruCache[Hashable, Any] = LruCache(_KEPT_BYTES)

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
        apart = expandable_notes(timeline, low, high, parts=parts)
        if not apart:
            return timeline
        records = RunReader(self._store, scope, run)
        key = "rows", timeline.state, apart
        rows = int(timeline.first_rows[apart.stop] - timeline.first_rows[apart.start])
        numbers = rows * len(timeline.layers)
        return self._kept(key, numbers, lambda: expand_rows(timeline, records, apart))

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
        chosen = selection.scale or Scale.fit([series.values])
        key = "scalar", tag, series.digest, norms.state, chosen
        kept = self._store.settings.points_kept
        numbers = len(series.steps) + norms.notes
        return self._kept(
            key, numbers, lambda: notes_from_scalar(tag, series, norms, chosen, points_kept=kept)
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
        return self._kept(key, numbers, lambda: align_to(source, lead, by))

    def _merged(self, source: Hearable, together: int) -> Hearable:
        key = "merge_notes", source.state, together
        numbers = source.notes * len(source.layers)
        return self._kept(key, numbers, lambda: merge_notes(source, together))

    def _kept(self, key: Hashable, numbers: int, make: Callable[[], Kept]) -> Kept:
        view = self._views.get(key)
        if view is None:
            with self._store.work.slot(numbers):
                # Whoever had the turn before may have been asked for the same.
                view = self._views.get(key) or make()
                _ = view.state  # made once, and in this turn
            self._views.put(key, view, cost=view.nbytes)
        return view
