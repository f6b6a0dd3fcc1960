"""Notes that sum up many rows, taken apart: within a stretch of a run, every row is a note."""

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tb_sonify.contract import NO_GRADIENT, NOTES_PER_SEGMENT
from tb_sonify.reading.hearable import digest_histories, digest_notes, digest_state
from tb_sonify.reading.records import RunRecords, shared_zeros
from tb_sonify.reading.rows import read_rows, widened
from tb_sonify.reading.table import notes_between
from tb_sonify.reading.timeline import EVERY, Timeline, joined
from tb_sonify.sound import Notes, StreamPreset

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
        counts = (table.nbytes for table in (self.rows.nan, self.rows.inf) if any(table.strides))
        return (
            4_096
            + self.rows.median.nbytes
            + sum(counts)
            + 16 * self.notes
            + 64 * len(self.first_notes)
        )

    def table(self, first_note: int, notes: int, layers: slice = EVERY) -> Notes:
        """The numbers of `notes` notes from `first_note`, all of which there must be."""
        return joined(self.tables(first_note, notes, layers))

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


def notes_apart(timeline: Timeline, low: float, high: float, *, parts: float = math.inf) -> range:
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


def taken_apart(timeline: Timeline, records: RunRecords, apart: range) -> Timeline | Detail:
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
    return Detail(timeline, apart, found.steps, _notes(widened(found, timeline.layers)))


def _notes(norms: NDArray[np.float32]) -> Notes:
    """Each row as a note, as `aggregate` makes it, in a quarter of the memory."""
    finite = np.isfinite(norms) & (norms >= 0)
    known = np.where(finite, norms, np.float32(NO_GRADIENT))
    nan, inf = (found(norms).astype(np.uint32) for found in (np.isnan, np.isposinf))
    return Notes(known, known, shared_zeros(nan), shared_zeros(inf))
