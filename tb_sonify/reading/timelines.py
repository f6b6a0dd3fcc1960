"""The timelines of runs, kept up to date."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tb_sonify.contract import scalar_tag
from tb_sonify.reading.cache import Cache
from tb_sonify.reading.clock import Clock
from tb_sonify.reading.prefix import stored_prefix
from tb_sonify.reading.records import RunRecords
from tb_sonify.reading.scalar_timelines import ScalarTimelines, filler
from tb_sonify.reading.store import Blob, Scope, Store
from tb_sonify.reading.tail import Fill, Ranges, Reached, segments_from_rows
from tb_sonify.reading.timeline import Timeline, TimelineSegment

_KEPT_BYTES = 320 * 2**20
_LOCKS = 64
_BLOB_NUMBERS = 5_000


@dataclass(frozen=True)
class _State:
    """A timeline, and what it was made from."""

    segment_blobs: tuple[Blob, ...]
    row_blobs: tuple[Blob, ...]
    reached: Reached
    timeline: Timeline

    def holds(self, records: RunRecords) -> bool:
        """Whether the run has stored nothing since."""
        stored = records.segment_blobs, records.row_blobs
        return stored == (self.segment_blobs, self.row_blobs)

    def settled(self, records: RunRecords, stored: int) -> list[TimelineSegment]:
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
        self._states: Cache[tuple[str, str], _State] = Cache(_KEPT_BYTES)
        # Runs share locks, so that their number is bounded; now and then one waits for another.
        self._locks = [threading.Lock() for _ in range(_LOCKS)]

    def get(self, scope: Scope, run: str) -> Timeline:
        """The timeline of a run: of its rows, or else of scalars that are norms.

        It is without notes if there are none of either, or no such run.
        """
        key = (scope.experiment, run)
        with self._locks[hash(key) % _LOCKS]:
            former = self._states.get(key)
            records = RunRecords(self._store, scope, run)
            if former is None or not former.holds(records):
                with self._store.turns.of(_numbers_of(records, former)):
                    former = self._assemble(scope, run, records, former)
                self._states.put(key, former, cost=former.timeline.nbytes)
            if former.timeline.segments:
                return former.timeline
            scalars = self._scalars.get(scope, run)
            return scalars if scalars.segments else former.timeline  # which tells what is missing

    def _assemble(
        self, scope: Scope, run: str, records: RunRecords, former: _State | None
    ) -> _State:
        fill = filler(self._store, scope, run)
        segments, missing, filled, reached = _segments(records, former, fill)
        clock = self._clock(scope, run, records, segments)
        timeline = Timeline(tuple(segments), tuple(missing), clock, tuple(filled))
        _ = timeline.state, timeline.times  # made once, and in this turn
        return _State(records.segment_blobs, records.row_blobs, reached, timeline)

    def _clock(
        self, scope: Scope, run: str, records: RunRecords, segments: Sequence[TimelineSegment]
    ) -> Clock:
        """When rows were: blobs tell it of their first row, the scalars of a layer of some rows."""
        blobs = (*records.segment_blobs, *records.row_blobs)
        points = np.array([(blob.step, blob.wall_time) for blob in blobs]).reshape(-1, 2)
        if segments:
            tag = scalar_tag(segments[-1].segment.layers[0])
            scalar = self._store.points(scope, run, tag)
            if scalar is not None:
                points = np.concatenate([points, scalar[:, :2]])
        return Clock.of(points)


def _numbers_of(records: RunRecords, former: _State | None) -> int:
    """How much there is to be read, by a guess at what is in a blob."""
    known = 0 if former is None else len(former.segment_blobs) + len(former.row_blobs)
    return _BLOB_NUMBERS * (len(records.segment_blobs) + len(records.row_blobs) - known)


def _segments(
    records: RunRecords, former: _State | None, fill: Fill
) -> tuple[list[TimelineSegment], Ranges, Ranges, Reached]:
    """All segments of a run in order, steps that lack or are filled in, how far sessions got."""
    before = stored_prefix(records, former.timeline if former else None)
    reached: Reached = {}
    if before:
        reached[before[-1].segment.session] = before[-1].end_row, before[-1].last_step
    settled = former.settled(records, len(before)) if former else []
    if former and settled:
        before += settled
        reached = dict(former.reached)
    segments, missing, filled = segments_from_rows(records, before, reached, fill)
    return [*before, *segments], missing, filled, reached
