"""How far the stored segments of a run hold.

They sum up the rows of one session. Where a later session, or the same one, went back to an
earlier step, the segments from there on tell of rows that have been replaced; and where one before
it was killed early, its rows come first, which no segment has.
"""

from bisect import bisect_left

import numpy as np

from tb_sonify.contract import Rows, Segment
from tb_sonify.reading.names import Names
from tb_sonify.reading.records import RunRecords
from tb_sonify.reading.timeline import Timeline, TimelineSegment


def stored_prefix(records: RunRecords, former: Timeline | None) -> list[TimelineSegment]:
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


def _first_session(records: RunRecords, former: Timeline | None) -> list[TimelineSegment]:
    """The segments of the first session, numbered from 0, as far as none is lacking."""
    known = {each.blob: each for each in former.segments} if former is not None else {}
    fresh = records.segments([blob for blob in records.segment_blobs if blob not in known])
    prefix: list[TimelineSegment] = []
    names = Names()
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


def _first_replaced_step(records: RunRecords, prefix: list[TimelineSegment]) -> int | None:
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


def _goes_on(records: RunRecords, last_step: int) -> bool:
    """Whether there are rows after a step."""
    if any(blob.step > last_step for blob in records.row_blobs):
        return True
    final = next(records.rows(records.row_blobs[-1:]), None)
    return final is not None and int(final.steps[-1]) > last_step
