"""The timelines of runs, kept up to date."""

import threading
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tb_sonify.reading.cache import LruCache
from tb_sonify.reading.run_reader import NO_END, LayerLimit, RunReader, live_blobs, read_in_order
from tb_sonify.reading.scalar_timeline import Fill, Ranges, ScalarTimelines, gap_filler
from tb_sonify.reading.store import BlobRef, Scope, Store
from tb_sonify.reading.timeline import (
    StepTimes,
    Timeline,
    TimelineSegment,
    segments_of_rows,
)
from tb_sonify.schema.metadata import scalar_tag
from tb_sonify.schema.records import Rows, Segment, rows_between


def valid_stored_segments(records: RunReader, former: Timeline | None) -> list[TimelineSegment]:
    """The stored segments, from number 0 on, whose rows nothing has replaced.

    Parameters
    ----------
    former
        The timeline as it was before, whose segments need not be read again.
    """
    prefix = _first_session(records, former)
    if not prefix or any(blob.step < prefix[0].segment.steps[0] for blob in records.row_blobs):
        return []
    replaced = _first_replaced_step(records, prefix)
    while prefix and replaced is not None and prefix[-1].last_step >= replaced:
        prefix.pop()
    if prefix and not prefix[-1].full and _goes_on(records, prefix[-1].last_step):
        prefix.pop()
    return prefix


def _first_session(records: RunReader, former: Timeline | None) -> list[TimelineSegment]:
    """The segments of the first session, numbered from 0, as far as none is lacking."""
    known = {each.blob: each for each in former.segments} if former is not None else {}
    fresh = records.segments([blob for blob in records.segment_blobs if blob not in known])
    prefix: list[TimelineSegment] = []
    names = LayerLimit()
    for blob in records.segment_blobs:
        segment = known[blob].segment if blob in known else next(fresh)
        if segment is None or not _continues(prefix, segment):
            break
        if not names.take(segment.layers):
            records.refuse(blob)
            break
        prefix.append(known.get(blob) or TimelineSegment(segment, blob))
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


def _first_replaced_step(records: RunReader, prefix: list[TimelineSegment]) -> int | None:
    """First step of rows that were written over rows of the prefix; `None` if there are none."""
    within = [blob for blob in records.row_blobs if blob.step <= prefix[-1].last_step]

    def replaces(index: int) -> bool:
        rows = next(records.rows([within[index]]))
        return rows is not None and not _belongs(rows, prefix)

    # Once rows replace others, all that come after within these steps do too: a few reads find
    # the first, and none but one is needed in a run that never went back.
    if not within or not replaces(len(within) - 1):
        return None
    first = bisect_left(range(len(within)), True, key=replaces)
    return min(blob.step for blob in within[first:])


def _belongs(rows: Rows, prefix: list[TimelineSegment]) -> bool:
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


def _goes_on(records: RunReader, last_step: int) -> bool:
    """Whether there are rows after a step."""
    if any(blob.step > last_step for blob in records.row_blobs):
        return True
    final = next(records.rows(records.row_blobs[-1:]), None)
    return final is not None and int(final.steps[-1]) > last_step


Reached = dict[float, tuple[int, int]]  # by session: how many rows are read, step of the last one


def segments_after(
    records: RunReader, before: Sequence[TimelineSegment], reached: Reached, fill: Fill
) -> tuple[list[TimelineSegment], Ranges, Ranges]:
    """The segments that follow on those `before`, and the steps of rows that cannot be read.

    Of the latter, those that nothing is known of come first, and then those that are filled in.

    Rows count on from those before, in the order of their steps. As in TensorBoard itself, rows
    that go back to an earlier step replace all that was written at and after it.

    Parameters
    ----------
    reached
        How far the sessions before had got; brought up to date.
    fill
        What else is known of some steps.
    """
    gaps, names = _Gaps(fill), LayerLimit()
    for each in before:
        names.take(each.segment.layers)
    segments = segments_of_rows(
        _kept_rows(records, before, reached, gaps, names), first=len(before)
    )
    return segments, _joined(gaps.missing), _joined(gaps.filled)


class _Gaps:
    """Stretches of steps whose rows cannot be read."""

    def __init__(self, fill: Fill) -> None:
        self._fill = fill
        self.missing: Ranges = []
        self.filled: Ranges = []

    def rows(self, first: int, last: int, like: Rows | None, *, after: int) -> Iterator[Rows]:
        """What else is known of the steps of a gap, after one; `like` are rows next to it."""
        if any(low <= first and last <= high for low, high in self.filled):
            return  # a block that cannot be read lacks to the one after it, too
        rows = None
        if like is not None and after < last:
            rows = self._fill(max(first, after + 1), last, like)
        if rows is None:
            self.missing.append((first, last))
        else:
            self.filled.append((first, last))
            yield rows


def _kept_rows(
    records: RunReader,
    before: Sequence[TimelineSegment],
    reached: Reached,
    gaps: _Gaps,
    names: LayerLimit,
) -> Iterator[Rows]:
    """The rows of each block that come after `before` and that nothing has replaced.

    Steps that lack between blocks, or in one that cannot be read, are `gaps`; so are those of
    blocks for whose layers there is no room among `names`.
    """
    after = before[-1].last_step if before else -NO_END - 1
    latest, last_step = None, after
    needed = [blob for blob, end in live_blobs(records.row_blobs) if after + 1 < end]
    for blob, rows, end in read_in_order(records, needed):
        if rows is not None and not names.take(rows.layers):
            records.refuse(blob)
            rows = None
        if rows is None:
            first, last = max(blob.step, last_step + 1), end - 1 if end < NO_END else blob.step
            if first <= last:
                yield from gaps.rows(first, last, latest, after=last_step)
                last_step = last
            continue
        first_step = int(rows.steps[0])
        row, step = reached.get(rows.session, (0, None))
        if rows.first_row > row:
            # Of a session whose beginning lacks, one can but suppose that it logged every step.
            lacking = max(first_step - rows.first_row, 0) if step is None else step + 1
            yield from gaps.rows(lacking, first_step - 1, rows, after=last_step)
        reached[rows.session] = rows.first_row + len(rows.steps), int(rows.steps[-1])
        kept = rows_between(rows, after + 1, end)
        if len(kept.steps):
            latest, last_step = rows, int(kept.steps[-1])
            yield kept


def _joined(ranges: Ranges) -> Ranges:
    """Ranges of steps in order, those that overlap or touch as one, without the empty ones."""
    joined: Ranges = []
    for first, last in sorted(pair for pair in ranges if pair[0] <= pair[1]):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(last, joined[-1][1])
        else:
            joined.append((first, last))
    return joined


_KEPT_BYTES = 320 * 2**20


_LOCKS = 64


_BLOB_NUMBERS = 5_000


@dataclass(frozen=True)
class _State:
    """A timeline, and what it was made from."""

    segment_blobs: tuple[BlobRef, ...]
    row_blobs: tuple[BlobRef, ...]
    reached: Reached
    timeline: Timeline

    def holds(self, records: RunReader) -> bool:
        """Whether the run has stored nothing since."""
        stored = records.segment_blobs, records.row_blobs
        return stored == (self.segment_blobs, self.row_blobs)

    def settled(self, records: RunReader, stored: int) -> list[TimelineSegment]:
        """Segments made from rows, after the first `stored` ones, that still hold.

        Without them, the rows of a long run that was resumed would all be read at each refresh.
        """
        new_rows = records.row_blobs[len(self.row_blobs) :]
        lacking = self.timeline.missing or self.timeline.sampled
        if lacking or records.row_blobs != self.row_blobs + new_rows:
            return []
        first_new = min((blob.step for blob in new_rows), default=None)
        settled = []
        for each in self.timeline.segments[stored:]:
            replaced = first_new is not None and first_new <= each.last_step
            if each.blob is not None or not each.full or replaced:
                break
            settled.append(each)
        return settled


class Timelines:
    """Timelines by run, made anew where a run has stored more. Safe to use from many threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._scalars = ScalarTimelines(store)
        self._states: LruCache[tuple[str, str], _State] = LruCache(_KEPT_BYTES)
        # Runs share locks, so that their number is bounded; now and then one waits for another.
        self._locks = [threading.Lock() for _ in range(_LOCKS)]

    def get(self, scope: Scope, run: str) -> Timeline:
        """The timeline of a run: of its rows, or else of scalars that are norms.

        It is without notes if there are none of either, or no such run.
        """
        key = (scope.experiment, run)
        with self._locks[hash(key) % _LOCKS]:
            former = self._states.get(key)
            records = RunReader(self._store, scope, run)
            if former is None or not former.holds(records):
                with self._store.work.slot(_numbers_of(records, former)):
                    former = self._assemble(scope, run, records, former)
                self._states.put(key, former, cost=former.timeline.nbytes)
            if former.timeline.segments:
                return former.timeline
            scalars = self._scalars.get(scope, run)
            return scalars if scalars.segments else former.timeline  # which tells what is missing

    def _assemble(
        self, scope: Scope, run: str, records: RunReader, former: _State | None
    ) -> _State:
        fill = gap_filler(self._store, scope, run)
        segments, missing, filled, reached = _segments(records, former, fill)
        clock = self._clock(scope, run, records, segments)
        timeline = Timeline(tuple(segments), tuple(missing), clock, tuple(filled))
        _ = timeline.state, timeline.times  # made once, and in this turn
        return _State(records.segment_blobs, records.row_blobs, reached, timeline)

    def _clock(
        self, scope: Scope, run: str, records: RunReader, segments: Sequence[TimelineSegment]
    ) -> StepTimes:
        """When rows were: blobs tell it of their first row, the scalars of a layer of some rows."""
        blobs = (*records.segment_blobs, *records.row_blobs)
        points = np.array([(blob.step, blob.wall_time) for blob in blobs]).reshape(-1, 2)
        if segments:
            tag = scalar_tag(segments[-1].segment.layers[0])
            scalar = self._store.points(scope, run, tag)
            if scalar is not None:
                points = np.concatenate([points, scalar[:, :2]])
        return StepTimes.of(points)


def _numbers_of(records: RunReader, former: _State | None) -> int:
    """How much there is to be read, by a guess at what is in a blob."""
    known = 0 if former is None else len(former.segment_blobs) + len(former.row_blobs)
    return _BLOB_NUMBERS * (len(records.segment_blobs) + len(records.row_blobs) - known)


def _segments(
    records: RunReader, former: _State | None, fill: Fill
) -> tuple[list[TimelineSegment], Ranges, Ranges, Reached]:
    """All segments of a run in order, steps that lack or are filled in, how far sessions got."""
    before = valid_stored_segments(records, former.timeline if former else None)
    reached: Reached = {}
    if before:
        reached[before[-1].segment.session] = before[-1].end_row, before[-1].last_step
    settled = former.settled(records, len(before)) if former else []
    if former and settled:
        before += settled
        reached = dict(former.reached)
    segments, missing, filled = segments_after(records, before, reached, fill)
    return [*before, *segments], missing, filled, reached
