"""Timelines of runs: stored segments, segments built from rows, and gaps that scalars fill."""

import threading
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from tb_sonify.reading import limits
from tb_sonify.reading.cache import LruCache
from tb_sonify.reading.run_reader import NO_END, LayerLimit, RunReader, live_blobs, read_in_order
from tb_sonify.reading.scalar_timeline import FillGap, ScalarTimelines, gap_filler
from tb_sonify.reading.store import BlobRef, Scope, Store
from tb_sonify.reading.timeline import (
    Ranges,
    StepTimes,
    Timeline,
    TimelineSegment,
    has_values,
    segments_of_rows,
    timeline_of_segments,
)
from tb_sonify.schema.metadata import scalar_tag
from tb_sonify.schema.quantities import GRADIENT
from tb_sonify.schema.records import Rows, Segment, rows_between

_LOCKS = 64
_BLOB_VALUES = 5_000  # of a blob, by a guess
SessionEnds = dict[float, tuple[int, int]]  # by session: number of rows, step of the last one


@dataclass(frozen=True)
class _Built:
    """A timeline, and the blobs that it was built from."""

    segment_blobs: tuple[BlobRef, ...]
    row_blobs: tuple[BlobRef, ...]
    session_ends: SessionEnds
    timeline: Timeline

    def is_current(self, reader: RunReader) -> bool:
        """Whether the run has stored nothing since."""
        stored = reader.segment_blobs, reader.row_blobs
        return stored == (self.segment_blobs, self.row_blobs)

    def reusable_segments(self, reader: RunReader, stored: int) -> list[TimelineSegment]:
        """Segments built from rows, after the first `stored` ones, that no new rows overwrite.

        Without them, the rows of a long run that was resumed would all be read at each refresh.
        """
        new_rows = reader.row_blobs[len(self.row_blobs) :]
        gaps = self.timeline.missing or self.timeline.sampled
        if gaps or reader.row_blobs != self.row_blobs + new_rows:
            return []
        first_new = min((blob.step for blob in new_rows), default=None)
        reusable = []
        for each in self.timeline.segments[stored:]:
            overwritten = first_new is not None and first_new <= each.last_step
            if each.blob is not None or not each.full or overwritten:
                break
            reusable.append(each)
        return reusable


class Timelines:
    """Cached timelines by run, built again where a run has stored more; safe for many threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._scalars = ScalarTimelines(store)
        self._built: LruCache[tuple[str, str, str], _Built] = LruCache(limits.TIMELINE_CACHE_BYTES)
        # Runs share locks, so that their number is bounded; now and then one waits for another.
        self._locks = [threading.Lock() for _ in range(_LOCKS)]

    def get(self, scope: Scope, run: str, quantity: str = GRADIENT) -> Timeline:
        """The timeline of a run: of its rows, or else of scalars that are gradient norms.

        It is without notes if there are none of the quantity, or no such run.
        """
        with self._locks[hash((scope.experiment, run)) % _LOCKS]:
            stored = self._stored(scope, run, quantity)
            if stored.notes or quantity != GRADIENT:
                return stored
            scalars = self._scalars.get(scope, run)
            # Without notes, the timeline still has what is missing.
            return scalars if scalars.notes else stored

    def _stored(self, scope: Scope, run: str, quantity: str) -> Timeline:
        if quantity != GRADIENT and not self._is_stored(scope, run, quantity):
            return _without_notes(quantity)
        key = (scope.experiment, run, quantity)
        former = self._built.get(key)
        reader = RunReader(self._store, scope, run, quantity)
        if former is None or not former.is_current(reader):
            with self._store.work.slot(_values_to_read(reader, former)):
                former = self._build(scope, run, quantity, reader, former)
            self._built.put(key, former, cost=former.timeline.nbytes)
        timeline = former.timeline
        # Which quantities there are need not be listed where there are gradients, as a rule.
        if has_values(timeline) or self._is_stored(scope, run, quantity):
            return timeline
        return _without_notes(quantity)

    def _is_stored(self, scope: Scope, run: str, quantity: str) -> bool:
        return quantity in self._store.quantities(scope, run)

    def _build(
        self, scope: Scope, run: str, quantity: str, reader: RunReader, former: _Built | None
    ) -> _Built:
        gaps = Gaps(gap_filler(self._store, scope, run, quantity))
        segments, session_ends = _segments(reader, former, gaps)
        timeline = timeline_of_segments(
            segments,
            step_times=self._step_times(scope, run, reader, segments),
            missing=_joined_ranges(gaps.missing),
            sampled=_joined_ranges(gaps.filled),
            quantity=quantity,
        )
        _ = timeline.version  # computed once, and in this slot
        return _Built(reader.segment_blobs, reader.row_blobs, session_ends, timeline)

    def _step_times(
        self, scope: Scope, run: str, reader: RunReader, segments: Sequence[TimelineSegment]
    ) -> StepTimes:
        """Wall times of rows: of the first row of each blob, and of the scalars of one layer."""
        blobs = (*reader.segment_blobs, *reader.row_blobs)
        points = np.array([(blob.step, blob.wall_time) for blob in blobs]).reshape(-1, 2)
        if segments:
            tag = scalar_tag(segments[-1].layers[0])
            scalar = self._store.points(scope, run, tag)
            if scalar is not None:
                points = np.concatenate([points, scalar[:, :2]])
        return StepTimes.from_points(points)


def _without_notes(quantity: str) -> Timeline:
    nowhere = StepTimes.from_points(np.empty((0, 2)))
    return timeline_of_segments((), step_times=nowhere, quantity=quantity)


def _values_to_read(reader: RunReader, former: _Built | None) -> int:
    """How many values are to be read, by a guess at what is in a blob."""
    known = 0 if former is None else len(former.segment_blobs) + len(former.row_blobs)
    return _BLOB_VALUES * (len(reader.segment_blobs) + len(reader.row_blobs) - known)


def _segments(
    reader: RunReader, former: _Built | None, gaps: "Gaps"
) -> tuple[list[TimelineSegment], SessionEnds]:
    """All segments of a run in order, and where its sessions ended."""
    segments = valid_stored_segments(reader, former.timeline if former else None)
    session_ends: SessionEnds = {}
    if segments:
        session_ends[segments[-1].segment.session] = segments[-1].end_row, segments[-1].last_step
    reusable = former.reusable_segments(reader, len(segments)) if former else []
    if former and reusable:
        segments += reusable
        session_ends = dict(former.session_ends)
    return [*segments, *segments_after(reader, segments, session_ends, gaps)], session_ends


def valid_stored_segments(reader: RunReader, former: Timeline | None) -> list[TimelineSegment]:
    """The stored segments, from number 0 on, whose rows no later write has overwritten.

    Parameters
    ----------
    former
        The timeline as it was built before, whose segments need not be read again.
    """
    live = [blob for blob, _ in live_blobs(reader.row_blobs)]
    first = next(iter(live or reader.segment_blobs), None)
    prefix = _first_session(reader, former, first.session if first is not None else None)
    if not prefix or any(blob.step < prefix[0].segment.steps[0] for blob in live):
        return []
    overwritten = _first_overwritten_step(reader, live, prefix)
    while prefix and overwritten is not None and prefix[-1].last_step >= overwritten:
        prefix.pop()
    if prefix and not prefix[-1].full and _has_rows_after(reader, prefix[-1].last_step):
        prefix.pop()
    return prefix


def _first_session(
    reader: RunReader, former: Timeline | None, session: float | None
) -> list[TimelineSegment]:
    """The segments of the first session, numbered from 0, up to the first that is missing.

    Parameters
    ----------
    session
        Where its rows say it: the segments of no other are read.
    """
    known = {each.blob: each for each in former.segments} if former is not None else {}
    blobs = [blob for blob in reader.segment_blobs if blob.session == session]
    fresh = reader.segments([blob for blob in blobs if blob not in known])
    prefix: list[TimelineSegment] = []
    layer_limit = LayerLimit()
    for blob in blobs:
        segment = known[blob].segment if blob in known else next(fresh)
        if segment is None or not _continues(prefix, segment):
            break
        if not layer_limit.admit(segment.layers):
            reader.refuse(blob)
            break
        prefix.append(known.get(blob) or TimelineSegment.from_segment(segment, blob))
    return prefix


def _continues(prefix: list[TimelineSegment], segment: Segment) -> bool:
    if not prefix:
        return segment.segment == 0
    last = prefix[-1]
    return (
        segment.session == last.segment.session
        and segment.segment == len(prefix)
        and last.full
        and int(segment.steps[0]) > last.last_step
    )


def _first_overwritten_step(
    reader: RunReader, live: Sequence[BlobRef], prefix: list[TimelineSegment]
) -> int | None:
    """First step of rows that overwrite rows of the prefix; `None` if there are none."""
    within = [blob for blob in live if blob.step <= prefix[-1].last_step]

    def overwrites(index: int) -> bool:
        rows = next(reader.rows([within[index]]))
        return rows is not None and not _are_in_prefix(rows, prefix)

    # Once rows overwrite others, all later ones within these steps do too: binary search finds
    # the first, and one read is enough in a run that never went back.
    if not within or not overwrites(len(within) - 1):
        return None
    first = bisect_left(range(len(within)), True, key=overwrites)
    return min(blob.step for blob in within[first:])


def _are_in_prefix(rows: Rows, prefix: list[TimelineSegment]) -> bool:
    """Whether the first of some rows has the number that the prefix gives to its step."""
    if rows.session != prefix[0].segment.session:
        return False
    starts = np.concatenate([each.segment.steps[:-1] for each in prefix])
    numbers = np.concatenate([*(each.first_rows for each in prefix), [prefix[-1].end_row]])
    note = int(np.searchsorted(starts, rows.steps[0], "right")) - 1
    if note < 0:
        return False
    if starts[note] == rows.steps[0]:
        return bool(numbers[note] == rows.first_row)
    return bool(numbers[note] < rows.first_row < numbers[note + 1])


def _has_rows_after(reader: RunReader, last_step: int) -> bool:
    """Whether there are rows after a step."""
    if any(blob.step > last_step for blob in reader.row_blobs):
        return True
    final = next(reader.rows(reader.row_blobs[-1:]), None)
    return final is not None and int(final.steps[-1]) > last_step


def segments_after(
    reader: RunReader,
    before: Sequence[TimelineSegment],
    session_ends: SessionEnds,
    gaps: "Gaps",
) -> list[TimelineSegment]:
    """The segments that follow those `before`, built from rows.

    Rows count on from those before, in the order of their steps. As in TensorBoard itself, rows
    that go back to an earlier step overwrite all that was written at and after it.

    Parameters
    ----------
    session_ends
        Where the sessions before ended; updated.
    gaps
        Gets the steps of rows that cannot be read.
    """
    layer_limit = LayerLimit()
    for each in before:
        layer_limit.admit(each.layers)
    rows = _kept_rows(reader, before, session_ends, gaps, layer_limit)
    return segments_of_rows(rows, first=len(before))


@dataclass
class Gaps:
    """Ranges of steps whose rows cannot be read, first and last step of each.

    Attributes
    ----------
    missing, filled
        Those of which nothing is known, and those that are filled from logged scalars.
    """

    fill: FillGap
    missing: list[tuple[int, int]] = field(default_factory=list)
    filled: list[tuple[int, int]] = field(default_factory=list)

    def fill_gap(
        self, first: int, last: int, template: Rows | None, *, last_step: int
    ) -> Iterator[Rows]:
        """Rows from scalars for a range, after `last_step`, with the layers of a template."""
        if any(low <= first and last <= high for low, high in self.filled):
            return  # a block that cannot be read is a gap before the next one, too
        rows = None
        if template is not None and last_step < last:
            rows = self.fill(max(first, last_step + 1), last, template)
        if rows is None:
            self.missing.append((first, last))
        else:
            self.filled.append((first, last))
            yield rows


def _kept_rows(
    reader: RunReader,
    before: Sequence[TimelineSegment],
    session_ends: SessionEnds,
    gaps: Gaps,
    layer_limit: LayerLimit,
) -> Iterator[Rows]:
    """The rows of each blob that come after `before` and that no later write has overwritten.

    Steps that are missing between blobs, or in one that cannot be read, are `gaps`; so are those
    of blobs whose layers exceed the limit.
    """
    end_before = before[-1].last_step if before else -NO_END - 1
    latest, last_step = None, end_before
    needed = [blob for blob, end in live_blobs(reader.row_blobs) if end_before + 1 < end]
    for blob, rows, end in read_in_order(reader, needed):
        if rows is not None and not layer_limit.admit(rows.layers):
            reader.refuse(blob)
            rows = None
        if rows is None:
            first, last = max(blob.step, last_step + 1), end - 1 if end < NO_END else blob.step
            if first <= last:
                yield from gaps.fill_gap(first, last, latest, last_step=last_step)
                last_step = last
            continue
        first_step = int(rows.steps[0])
        row, step = session_ends.get(rows.session, (0, None))
        if rows.first_row > row:
            # Where the start of a session is missing, suppose that it logged every step.
            first = max(first_step - rows.first_row, 0) if step is None else step + 1
            yield from gaps.fill_gap(first, first_step - 1, rows, last_step=last_step)
        session_ends[rows.session] = rows.first_row + len(rows.steps), int(rows.steps[-1])
        kept = rows_between(rows, end_before + 1, end)
        if len(kept.steps):
            latest, last_step = rows, int(kept.steps[-1])
            yield kept


def _joined_ranges(ranges: Sequence[tuple[int, int]]) -> Ranges:
    """Ranges of steps in order, overlapping and adjacent ones joined, without empty ones."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(pair for pair in ranges if pair[0] <= pair[1]):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(last, joined[-1][1])
        else:
            joined.append((first, last))
    return tuple(joined)
