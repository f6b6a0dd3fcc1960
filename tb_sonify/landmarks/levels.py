"""Log norms and their baselines, the trailing medians that detectors compare them with."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tb_sonify.schema.notes import Notes, chunks_of

LOG_ZERO = np.float32(-110)  # for the log of 0; the smallest positive float32 has -103.3
GROUP = 9  # notes; odd, so that a median is an element
GROUPS = 7
WINDOW = GROUP * GROUPS  # notes that a trailing median looks back on
WARM = 2 * GROUP  # notes from the start that are judged by all of themselves


@dataclass(frozen=True)
class Levels:
    """Natural logs of norms and their trailing medians; every table has shape ``(notes, layers)``.

    Attributes
    ----------
    log_max, log_median
        Log of the largest and of the median norm of each note: `LOG_ZERO` for 0, and the value
        before where there is no finite norm.
    finite
        Where there is a finite norm.
    baseline
        Trailing median of `log_max` over `WINDOW` notes; over the first `WARM` notes for these.
    causal_baseline
        `baseline` without later notes: what was known at each note.
    """

    log_max: NDArray[np.float32]
    log_median: NDArray[np.float32]
    finite: NDArray[np.bool_]
    baseline: NDArray[np.float32]
    causal_baseline: NDArray[np.float32]

    @classmethod
    def from_notes(cls, notes: Notes, *, first: NDArray[np.float32] | None = None) -> "Levels":
        """The levels of notes, of which there must be at least one.

        Parameters
        ----------
        first
            `log_max` and `log_median` of the first note where others are before it, shape
            ``(2, layers)``. The baselines are then those of the run from `WINDOW` notes on, if
            the first note is one that a group begins with.
        """
        tops, middles = (None, None) if first is None else first
        top, finite = _filled(log_norms(notes.max), notes.max >= 0, tops)
        if notes.max is notes.median or np.array_equal(notes.max, notes.median):
            middle = top
        else:
            middle, _ = _filled(log_norms(notes.median), notes.median >= 0, middles)
        baseline = trailing_median(top)
        return cls(top, middle, finite, baseline, _causal(top, baseline))

    def __getitem__(self, notes: slice) -> "Levels":
        return Levels(*(table[notes] for table in vars(self).values()))


def log_norms(norms: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Natural log of norms, `LOG_ZERO` for 0 and below."""
    logs = np.full(norms.shape, LOG_ZERO, np.float32)
    np.log(norms, out=logs, where=norms > 0)
    return logs


def group_medians(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Median of each `GROUP` values along the first axis; the last value fills the last group."""
    short = -len(values) % GROUP
    if short:
        values = np.concatenate([values, np.repeat(values[-1:], short, axis=0)])
    grouped = values.reshape(-1, GROUP, *values.shape[1:])
    return np.asarray(np.partition(grouped, GROUP // 2, axis=1)[:, GROUP // 2])


def trailing_median(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Median of the `WINDOW` values before the group that a value is in, along the first axis.

    It is the median of group medians, which takes a tenth of the time. Values nearer to the start
    have all before their group, the first `WARM` each other.
    """
    medians = group_medians(values)
    trailing = np.empty_like(medians)
    trailing[: WARM // GROUP] = _upper_median(values[:WARM])
    for group in range(WARM // GROUP, min(GROUPS, len(medians))):
        trailing[group] = _upper_median(values[: group * GROUP])
    if len(medians) > GROUPS:
        windows = sliding_window_view(medians[:-1], GROUPS, axis=0)
        trailing[GROUPS:] = np.partition(windows, GROUPS // 2, axis=-1)[..., GROUPS // 2]
    return np.repeat(trailing, GROUP, axis=0)[: len(values)]


def sustained(mask: NDArray[np.bool_], length: int, share: float) -> NDArray[np.bool_]:
    """Where `mask` holds, and so it does in a `share` of the `length` entries from there on.

    Entries beyond the end count as if it did not hold.
    """
    sums = np.cumsum(np.concatenate([np.zeros((1, *mask.shape[1:]), np.int32), mask]), axis=0)
    ends = np.minimum(np.arange(len(mask)) + length, len(mask))
    return np.asarray(mask & (sums[ends] - sums[:-1] >= share * length))


def group_starts(mask: NDArray[np.bool_], *, gap: int) -> NDArray[np.intp]:
    """First index of each group of true entries; groups are more than `gap` apart."""
    found = np.flatnonzero(mask)
    return found[np.diff(found, prepend=-gap - 1) > gap]


def _upper_median(values: NDArray[np.float32]) -> NDArray[np.float32]:
    middle = len(values) // 2
    return np.asarray(np.partition(values, middle, axis=0)[middle])


def _causal(top: NDArray[np.float32], baseline: NDArray[np.float32]) -> NDArray[np.float32]:
    before = baseline.copy()
    before[0] = top[0]
    for note in range(1, min(WARM, len(top))):
        # The lower of the two in the middle: an explosion at the start pulls the median up.
        before[note] = np.sort(top[:note], axis=0)[(note - 1) // 2]
    return before


def _filled(
    logs: NDArray[np.float32], finite: NDArray[np.bool_], first: NDArray[np.float32] | None
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Logs with the last finite value where there is none; at the start, `first` or the first."""
    if finite.all():
        return logs, finite
    logs[0] = logs[finite.argmax(axis=0), np.arange(logs.shape[1])] if first is None else first
    index = np.where(finite, np.arange(len(logs))[:, None], 0)
    np.maximum.accumulate(index, axis=0, out=index)
    return np.take_along_axis(logs, index, axis=0), finite


AHEAD = WINDOW + GROUP  # notes that a chunk has beyond its end


class NoteTable(Protocol):
    """Table of notes, of which a part is read at a time."""

    def __len__(self) -> int:
        """Number of notes."""

    @property
    def layers(self) -> int:
        """Number of layers."""

    def __getitem__(self, part: tuple[slice, slice], /) -> Notes:
        """Some layers of some notes."""


class ChunkedLevels:
    """Levels of all notes of a run, at least one, computed a chunk at a time to bound memory.

    Iterate over `by_layers` first: what it finds, `by_notes` and `between` need.
    """

    def __init__(self, notes: NoteTable) -> None:
        self._table = notes
        self.notes, self.layers = len(notes), notes.layers
        self._chunks = list(chunks_of(self.notes, self.layers, multiple=WINDOW))
        # Where a layer has no finite norm, a chunk repeats the last one before it.
        self._first = np.empty((2, len(self._chunks), self.layers), np.float32)
        self._last: tuple[slice, Levels] | None = None

    def by_layers(self) -> Iterator[tuple[slice, Levels]]:
        """Some layers and their levels in all notes, for all layers in turn."""
        starts = [max(part.start - WINDOW, 0) for part in self._chunks]
        for part in chunks_of(self.layers, self.notes):
            levels = Levels.from_notes(self._table[:, part])
            self._first[:, :, part] = levels.log_max[starts], levels.log_median[starts]
            if part == slice(0, self.layers):
                self._last = slice(0, self.notes), levels
            yield part, levels

    def by_notes(self) -> Iterator[tuple[slice, Levels]]:
        """Some notes and the levels of all layers in them and in `AHEAD` more, for all in turn."""
        for part in self._chunks:
            yield part, self.between(part.start, min(part.stop + AHEAD, self.notes))

    def between(self, first: int, stop: int) -> Levels:
        """Levels of some notes, which begin in one chunk and end at most `AHEAD` after it.

        The last chunk is kept: ask in order.
        """
        if self._last is None or not self._last[0].start <= first <= stop <= self._last[0].stop:
            self._last = self._around(first)
        whole, levels = self._last
        return levels[first - whole.start : stop - whole.start]

    def _around(self, note: int) -> tuple[slice, Levels]:
        """Levels of the chunk that has a note, and of `AHEAD` notes more."""
        number = note // self._chunks[0].stop
        part = self._chunks[number]
        start, stop = max(part.start - WINDOW, 0), min(part.stop + AHEAD, self.notes)
        levels = Levels.from_notes(self._table[start:stop, :], first=self._first[:, number])
        return slice(part.start, stop), levels[part.start - start :]
