"""The segments of a run after those that are stored, made from its rows."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from tb_sonify.contract import Grid, Rows, Segment
from tb_sonify.reading.names import Names
from tb_sonify.reading.records import RunRecords
from tb_sonify.reading.rows import NEVER, between, concatenate, part, read_in_order, with_ends
from tb_sonify.reading.timeline import TimelineSegment
from tb_sonify.sound import aggregate

Ranges = list[tuple[int, int]]  # first and last step of each
# From what else is known of the steps between two, both included: rows like some next to them.
Fill = Callable[[int, int, Rows], Rows | None]
Reached = dict[float, tuple[int, int]]  # by session: how many rows are read, step of the last one


def segments_from_rows(
    records: RunRecords, before: Sequence[TimelineSegment], reached: Reached, fill: Fill
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
    gaps, names = _Gaps(fill), Names()
    for each in before:
        names.take(each.segment.layers)
    segments = segments_of(_kept_rows(records, before, reached, gaps, names), first=len(before))
    return segments, _joined(gaps.missing), _joined(gaps.filled)


def segments_of(blocks: Iterator[Rows], *, first: int = 0) -> list[TimelineSegment]:
    """The segments that rows make, from number `first` on."""
    rest = _Remaining(blocks)
    segments: list[TimelineSegment] = []
    while True:
        grid = Grid.of_segment(first + len(segments))
        rows = rest.take(grid.rows)
        if rows is None:
            return segments
        segments.append(TimelineSegment(_sum_up(rows, grid), blob=None))


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


class _Remaining:
    """Rows in blocks of any size, to be taken in other sizes."""

    def __init__(self, blocks: Iterator[Rows]) -> None:
        self._blocks = blocks
        self._held: deque[Rows] = deque()

    def take(self, count: int) -> Rows | None:
        """The next `count` rows, fewer at the end, `None` after it."""
        held = sum(len(rows.steps) for rows in self._held)
        while held < count and (block := next(self._blocks, None)) is not None:
            self._held.append(block)
            held += len(block.steps)
        taken = []
        while self._held and count:
            rows = self._held.popleft()
            taken.append(part(rows, 0, count))
            if len(rows.steps) > count:
                self._held.appendleft(part(rows, count, None))
            count -= len(taken[-1].steps)
        return concatenate(taken) if taken else None


def _sum_up(rows: Rows, grid: Grid) -> Segment:
    notes = aggregate(rows.norms, rows_per_note=grid.rows_per_note)
    return Segment(
        session=rows.session,
        segment=grid.segment,
        rows=len(rows.steps),
        layers=rows.layers,
        steps=np.append(rows.steps[:: grid.rows_per_note], rows.steps[-1]),
        median=notes.median,
        max=notes.max,
        nan=notes.nan,
        inf=notes.inf,
        options=rows.options,
    )


def _kept_rows(
    records: RunRecords,
    before: Sequence[TimelineSegment],
    reached: Reached,
    gaps: _Gaps,
    names: Names,
) -> Iterator[Rows]:
    """The rows of each block that come after `before` and that nothing has replaced.

    Steps that lack between blocks, or in one that cannot be read, are `gaps`; so are those of
    blocks for whose layers there is no room among `names`.
    """
    after = before[-1].last_step if before else -NEVER - 1
    latest, last_step = None, after
    needed = [blob for blob, end in with_ends(records.row_blobs) if after + 1 < end]
    for blob, rows, end in read_in_order(records, needed):
        if rows is not None and not names.take(rows.layers):
            records.refuse(blob)
            rows = None
        if rows is None:
            first, last = max(blob.step, last_step + 1), end - 1 if end < NEVER else blob.step
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
        kept = between(rows, after + 1, end)
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
