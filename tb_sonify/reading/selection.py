"""Selections: the notes of a run as stored, expanded into rows, of a scalar, aligned or merged."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tb_sonify.reading import limits
from tb_sonify.reading.cache import LruCache
from tb_sonify.reading.run_reader import RunReader, read_rows
from tb_sonify.reading.runs import missing_quantity, run_exists
from tb_sonify.reading.scalars import Series, on_steps_of, read_series
from tb_sonify.reading.store import Scope, Store
from tb_sonify.reading.timeline import (
    NoteChunk,
    Timeline,
    chunks_of_notes,
    notes_between,
    timeline_of_notes,
)
from tb_sonify.reading.timeline_builder import Timelines
from tb_sonify.schema.notes import (
    EMPTY,
    NO_GRADIENT,
    Notes,
    aggregate,
    align_layers,
    shared_zeros,
)
from tb_sonify.schema.quantities import GRADIENT
from tb_sonify.sound import Scale

Alignment = Literal["step", "time", "fraction"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a request selects of a run.

    Attributes
    ----------
    quantity
        Of which the norms are.
    tag
        A scalar of the run instead of its norms.
    beside
        A second one, as another layer: the validation loss of a training loss.
    scale
        That of the scalars; `None`: of their own points.
    along
        The reference run, to whose notes this run is aligned, as `by` says.
    lead_tag
        A scalar of the reference run, whose points are its notes where it has no norms.
    together
        So many notes are merged into one.
    rows
        First and last step, of the reference run if there is one, between which notes are expanded
        into their rows.
    """

    run: str
    quantity: str = GRADIENT
    tag: str | None = None
    beside: str | None = None
    scale: Scale | None = None
    along: str | None = None
    lead_tag: str | None = None
    by: Alignment = "step"
    together: int = 1
    rows: tuple[float, float] | None = None


class Selections:
    """Timelines of selections, of what is logged so far, cached; safe to use from many threads.

    Attributes
    ----------
    timelines
        Those that selections are made from.
    """

    def __init__(self, store: Store, timelines: Timelines) -> None:
        self._store = store
        self.timelines = timelines
        self._derived: LruCache[Hashable, Timeline] = LruCache(limits.SELECTION_CACHE_BYTES)

    def get(self, scope: Scope, selection: Selection) -> Timeline:
        """The notes of a selection: the run's own timeline where nothing is to be derived.

        Raises
        ------
        LookupError
            If there is no such run or tag, or the run has no such quantity.
        ValueError
            If the selection lacks a `lead_tag`, or is too large to be held in memory.
        """
        if selection.along is None:
            timeline = self._unaligned(scope, selection, selection.rows)
        else:
            reference = self._reference(scope, selection)
            rows = self._rows_to_expand(scope, selection)
            timeline = self._unaligned(scope, selection, rows)
            timeline = self._aligned(timeline, reference, selection.by)
        if selection.together > 1 and timeline.notes:
            timeline = self._merged(timeline, selection.together)
        return timeline

    def timeline(self, scope: Scope, run: str, quantity: str = GRADIENT) -> Timeline:
        """The norms of a run; raises `LookupError` if there is no such run, or quantity in it.

        A run without gradient norms has a timeline without notes.
        """
        timeline = self.timelines.get(scope, run, quantity)
        if not timeline.notes:
            self._must_exist(scope, run)
            if quantity != GRADIENT:
                raise LookupError(missing_quantity(self._store, scope, run, quantity))
        return timeline

    def detailed(
        self,
        scope: Scope,
        run: str,
        low: float,
        high: float,
        *,
        pixels: float = math.inf,
        quantity: str = GRADIENT,
    ) -> Timeline:
        """The norms of a run, expanded into rows between two steps; see `expandable_notes`."""
        timeline = self.timeline(scope, run, quantity)
        notes = expandable_notes(timeline, low, high, pixels=pixels)
        if not notes:
            return timeline
        reader = RunReader(self._store, scope, run, quantity)
        rows = int(timeline.first_rows[notes.stop] - timeline.first_rows[notes.start])
        return self._derive(
            ("rows", timeline.version, notes),
            rows * len(timeline.layers),
            lambda: expand_rows(timeline, reader, notes),
        )

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

    def _norms(
        self, scope: Scope, run: str, quantity: str, rows: tuple[float, float] | None
    ) -> Timeline:
        if rows is None:
            return self.timeline(scope, run, quantity)
        return self.detailed(scope, run, *rows, quantity=quantity)

    def _unaligned(
        self, scope: Scope, selection: Selection, rows: tuple[float, float] | None
    ) -> Timeline:
        """The norms of the selected run, or its scalar, on its own notes."""
        run, tag = selection.run, selection.tag
        norms = self._norms(scope, run, selection.quantity if tag is None else GRADIENT, rows)
        if tag is None:
            return norms
        tags = (tag,) if selection.beside in (None, tag) else (tag, selection.beside)
        series = {each: self.series(scope, run, each) for each in tags}
        series = {each: on_steps_of(series[tag], other) for each, other in series.items()}
        scale = selection.scale or Scale.fit([each.values for each in series.values()])
        kept = self._store.settings.points_kept
        return self._derive(
            ("scalar", tags, *(each.digest for each in series.values()), norms.version, scale),
            sum(len(each.steps) for each in series.values()) + norms.notes * len(tags),
            lambda: notes_from_scalars(series, norms, scale, points_kept=kept),
        )

    def _reference(self, scope: Scope, selection: Selection) -> Timeline:
        run, tag = selection.along or "", selection.lead_tag
        reference = self._norms(scope, run, self._quantity_along(scope, selection), selection.rows)
        if not reference.notes:
            if tag is None:
                raise ValueError(
                    f"'lead_tag' must name a scalar of {run!r}, which has no norms to lie along"
                )
            reference = self._unaligned(scope, Selection(run=run, tag=tag), None)
        return reference

    def _quantity_along(self, scope: Scope, selection: Selection) -> str:
        """The quantity of the selection if the reference run has it: all lie on the same notes."""
        known = self._store.quantities(scope, selection.along or "")
        return selection.quantity if selection.quantity in known else GRADIENT

    def _rows_to_expand(self, scope: Scope, selection: Selection) -> tuple[float, float] | None:
        """The steps of the selected run that lie along `rows` of the reference run."""
        if selection.rows is None:
            return None
        along = self._quantity_along(scope, selection)
        reference = self.timeline(scope, selection.along or "", along)
        quantity = selection.quantity if selection.tag is None else GRADIENT
        own = self.timeline(scope, selection.run, quantity)
        if not reference.notes or not own.notes:
            return None
        places = np.interp(selection.rows, reference.steps, positions(reference, selection.by))
        low, high = np.interp(places, positions(own, selection.by), own.steps)
        return float(low), float(high)

    def _aligned(self, timeline: Timeline, reference: Timeline, by: Alignment) -> Timeline:
        if not timeline.notes or not reference.notes:
            return timeline
        _check_size(reference.notes, timeline.layers)
        _check_size(timeline.notes, timeline.layers)
        return self._derive(
            ("align", timeline.version, reference.version, by),
            (timeline.notes + reference.notes) * len(timeline.layers),
            lambda: align_to(timeline, reference, by),
        )

    def _merged(self, timeline: Timeline, count: int) -> Timeline:
        _check_size(timeline.notes, timeline.layers)
        return self._derive(
            ("merge", timeline.version, count),
            timeline.notes * len(timeline.layers),
            lambda: merge_notes(timeline, count),
        )

    def _derive(self, key: Hashable, values: int, make: Callable[[], Timeline]) -> Timeline:
        def made() -> Timeline:
            with self._store.work.slot(values):
                timeline = make()
                _ = timeline.version  # computed once, and in this slot
            return timeline

        return self._derived.get_or_make(key, made, cost=lambda timeline: timeline.nbytes)


def _check_size(notes: int, layers: tuple[str, ...]) -> None:
    if notes * len(layers) > limits.MAX_SELECTION_VALUES:
        raise ValueError(
            f"notes times layers of a run that is heard in another way must be at most "
            f"{limits.MAX_SELECTION_VALUES:,}, got {notes:,} notes of {len(layers):,} layers"
        )


def expandable_notes(
    timeline: Timeline, low: float, high: float, *, pixels: float = math.inf
) -> range:
    """Notes with steps from `low` to `high` that are to be expanded into their rows.

    None where that would be too many rows. Notes at the ends that have no more rows than one of
    `pixels` parts of the range are left out.
    """
    notes = notes_between(timeline, low, high)
    sizes = np.diff(timeline.first_rows[notes.start : notes.stop + 1])
    several = np.flatnonzero(sizes > max(1, sizes.sum() / pixels))
    if not len(several):
        return range(0)
    rows = int(sizes[several[0] : several[-1] + 1].sum())
    if rows > limits.MAX_EXPANDED_ROWS or rows * len(timeline.layers) > limits.MAX_EXPANDED_VALUES:
        return range(0)
    return range(notes.start + int(several[0]), notes.start + int(several[-1]) + 1)


def expand_rows(timeline: Timeline, reader: RunReader, notes: range) -> Timeline:
    """A timeline with each row of some notes as a note; as it is, where those cannot be read."""
    first_step, last_step = timeline.steps[notes.start], timeline.steps[notes.stop]
    last = notes.stop == timeline.notes
    found = read_rows(reader, timeline.layers, int(first_step), int(last_step) - (not last))
    first_rows = timeline.first_rows[notes.start : notes.stop + 1]
    starts = first_rows[:-1] - first_rows[0]
    if found is None or len(found.steps) != first_rows[-1] - first_rows[0]:
        return timeline
    if (found.steps[starts] != timeline.steps[notes.start : notes.stop]).any():
        return timeline
    rows = _notes_of_rows(align_layers(found.norms, found.layers, timeline.layers))
    more = len(rows) - len(notes)
    steps = np.concatenate(
        [timeline.steps[: notes.start], found.steps, timeline.steps[notes.stop :]]
    )
    numbers = first_rows[0] + np.arange(len(rows))
    known = timeline.first_rows
    final = timeline.final_notes
    return replace(
        timeline,
        chunks=_with_chunks_between(timeline, notes, chunks_of_notes(timeline.layers, rows)),
        steps=steps,
        times=timeline.step_times.at(steps),
        first_rows=np.concatenate([known[: notes.start], numbers, known[notes.stop :]]),
        # Rows that are not in a segment yet may be replaced.
        final_notes=final + more if final >= notes.stop else min(final, notes.start),
        rows_per_note=(1, timeline.rows_per_note[1]),
    )


def _with_chunks_between(
    timeline: Timeline, notes: range, chunks: list[NoteChunk]
) -> list[NoteChunk]:
    """The chunks of a timeline with others in place of some notes."""
    edges, kept = timeline.first_notes, timeline.chunks
    before = bisect_right(edges, notes.start) - 1  # chunk in which the notes begin
    after = bisect_left(edges, notes.stop)  # first chunk after that in which they end
    head = timeline.tables(edges[before], notes.start - edges[before])
    tail = timeline.tables(notes.stop, edges[after] - notes.stop)
    return [
        *kept[:before],
        *(NoteChunk(timeline.layers, part) for part in head),
        *chunks,
        *(NoteChunk(timeline.layers, part) for part in tail),
        *kept[after:],
    ]


def _notes_of_rows(norms: NDArray[np.float32]) -> Notes:
    """Each row as a note, as `aggregate` makes it, with one array for median and max."""
    finite = np.isfinite(norms) & (norms >= 0)
    known = np.where(finite, norms, np.float32(NO_GRADIENT))
    nan, inf = (found(norms).astype(np.uint32) for found in (np.isnan, np.isposinf))
    return Notes(known, known, shared_zeros(nan), shared_zeros(inf))


def notes_from_scalars(
    series: Mapping[str, Series], norms: Timeline, scale: Scale, *, points_kept: int
) -> Timeline:
    """Scalars as the norms, on a scale, of layers of their names.

    They lie on the notes of the run's `norms`: each has the points from its first step up to the
    next note's, and one without points has the last point before. In a run without norms, every
    point of the first scalar is a note.
    """
    layers, lead = tuple(series), next(iter(series.values()))
    sampled = lead.sampled(points_kept)
    if not norms.notes:
        points = aggregate(scale(lead.values)[:, None], rows_per_note=1)
        norms = timeline_of_notes(
            layers[:1], points, steps=lead.steps, times=lead.wall_times, scale=scale
        )
    held = [
        _hold_last(aggregate(scale(each.values)[:, None], rows_per_note=1), each, norms)
        for each in series.values()
    ]
    columns = zip(*(vars(each).values() for each in held), strict=True)
    notes = Notes(*(np.concatenate(column, axis=1) for column in columns))
    chunks = chunks_of_notes(layers, notes)
    return replace(norms, layers=layers, chunks=chunks, sampled=sampled, scale=scale)


def points_of_notes(series: Series, norms: Timeline) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First point of each note, and the one after its last; the last note has all later ones."""
    starts = np.searchsorted(series.steps, norms.steps[:-1])
    return starts, np.append(starts[1:], len(series.steps))


def _hold_last(points: Notes, series: Series, norms: Timeline) -> Notes:
    starts, stops = points_of_notes(series, norms)
    # Before the first point, a start of -1 would be the last point; an empty group has no gradient.
    held = np.where(starts < stops, starts, np.maximum(stops - 1, 0))
    return resample(points, held, stops)


def align_to(timeline: Timeline, reference: Timeline, by: Alignment) -> Timeline:
    """A run resampled to the notes of a reference run, so that both have the same sample frames.

    A note has what the run did between two edges of the reference's notes; it has no gradient
    where that is before the run or after it.
    """
    own, edges = positions(timeline, by), positions(reference, by)
    notes = resample(timeline.table(0, timeline.notes), *overlapping_notes(own, edges))
    return replace(
        timeline,
        chunks=chunks_of_notes(timeline.layers, notes),
        steps=edges if by == "step" else np.interp(edges, own, timeline.steps),
        times=np.interp(edges, own, timeline.times),
        first_rows=reference.first_rows,
        final_notes=_final_aligned_notes(timeline, reference, by),
        rows_per_note=reference.rows_per_note,
        own_presets=reference.own_presets,
    )


def positions(timeline: Timeline, by: Alignment) -> NDArray[np.float64]:
    """Positions of the edges of notes for alignment: ``(notes + 1,)``, never decreasing."""
    if by == "time":
        return np.asarray(timeline.times - timeline.times[0])
    steps = timeline.steps.astype(np.float64)
    if by == "step":
        return steps
    return np.asarray((steps - steps[0]) / max(steps[-1] - steps[0], 1))


def _final_aligned_notes(timeline: Timeline, reference: Timeline, by: Alignment) -> int:
    """How many of the reference's notes are final for both runs."""
    if by == "fraction" and not (_is_final(timeline) and _is_final(reference)):
        return 0
    if _is_final(timeline):
        return reference.final_notes
    end = positions(timeline, by)[timeline.final_notes]
    final = int(np.searchsorted(positions(reference, by)[1:], end, "right"))
    return min(final, reference.final_notes)


def _is_final(timeline: Timeline) -> bool:
    return timeline.final_notes == timeline.notes


def merge_notes(timeline: Timeline, count: int) -> Timeline:
    """Every `count` notes merged into one."""
    starts = np.arange(0, timeline.notes, count)
    edges = np.append(starts, timeline.notes)
    notes = resample(timeline.table(0, timeline.notes), starts, edges[1:])
    fewest, most = timeline.rows_per_note
    return replace(
        timeline,
        chunks=chunks_of_notes(timeline.layers, notes),
        steps=timeline.steps[edges],
        times=timeline.times[edges],
        first_rows=timeline.first_rows[edges],
        final_notes=len(notes) if _is_final(timeline) else timeline.final_notes // count,
        rows_per_note=(fewest * count, most * count),
    )


def overlapping_notes(
    edges: NDArray[np.float64], new_edges: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First and last old note that overlap each new note.

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
    # A new note of no length has the note at its place.
    stops = np.where((within >= 0) & (within < notes), np.maximum(stops, within + 1), stops)
    # A note of no length lies on an edge: the new one that begins there takes it.
    before = np.append(np.searchsorted(edges, new_edges[:1], "left"), stops[:-1])
    starts = np.minimum(starts, before)
    return starts, stops


def resample(notes: Notes, starts: NDArray[np.intp], stops: NDArray[np.intp]) -> Notes:
    """Merge the notes from each start to before its stop; no gradient where there are none.

    As in `Notes.merged`, no maximum and no count is lost. There are as many notes as starts.
    """
    layers = notes.layers
    source = {name: _with_empty_note(name, table) for name, table in vars(notes).items()}
    merged = {name: np.repeat(table[-1:], len(starts), axis=0) for name, table in source.items()}
    sizes = stops - starts
    widths = np.exp2(np.ceil(np.log2(np.maximum(sizes, 1)))).astype(int)
    # Groups that are padded to the same width, without gradient, are merged together.
    for width in np.unique(widths[sizes > 0]).tolist():
        (groups,) = np.nonzero((widths == width) & (sizes > 0))
        together = max(limits.RESAMPLED_VALUES // (width * max(layers, 1)), 1)
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


def _with_empty_note(name: str, table: NDArray[Any]) -> NDArray[Any]:
    return np.pad(table, ((0, 1), (0, 0)), constant_values=EMPTY[name])
