"""Log norms, and what is usual for a layer at each note: the ground that landmarks stand out of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tb_sonify.reading.work import chunks_of
from tb_sonify.schema.notes import Notes

ZERO = np.float32(-110)  # stands for the log of 0; the smallest positive float32 has -103.3


BLOCK = 9  # notes; odd, so that a median is an element


BLOCKS = 7


WINDOW = BLOCK * BLOCKS  # notes that a trailing median looks back on


WARM = 2 * BLOCK  # notes from the start that are judged by all of themselves


@dataclass(frozen=True)
class Levels:
    """Natural logs of norms and their trailing medians; every table has shape ``(notes, layers)``.

    Attributes
    ----------
    top, middle
        Log of the largest and of the median norm of each note: `ZERO` for 0, and the value
        before where there is no finite norm.
    live
        Where there is a finite norm.
    usual
        Trailing median of `top` over `WINDOW` notes; over the first `WARM` notes for these.
    before
        As `usual`, but never of later notes: what one could have known then.
    """

    top: NDArray[np.float32]
    middle: NDArray[np.float32]
    live: NDArray[np.bool_]
    usual: NDArray[np.float32]
    before: NDArray[np.float32]

    @classmethod
    def of(cls, notes: Notes, *, first: NDArray[np.float32] | None = None) -> "Levels":
        """The levels of notes, of which there must be at least one.

        Parameters
        ----------
        first
            `top` and `middle` of the first note where others are before it, shape ``(2, layers)``.
            The trailing medians are then those of the run from `WINDOW` notes on, if it is one
            that a block begins with.
        """
        tops, middles = (None, None) if first is None else first
        top, live = _filled(log_norms(notes.max), notes.max >= 0, tops)
        if notes.max is notes.median or np.array_equal(notes.max, notes.median):
            middle = top
        else:
            middle, _ = _filled(log_norms(notes.median), notes.median >= 0, middles)
        usual = trailing_median(top)
        return cls(top, middle, live, usual, _causal(top, usual))

    def __getitem__(self, notes: slice) -> "Levels":
        return Levels(*(table[notes] for table in vars(self).values()))


def log_norms(norms: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Natural log of norms, `ZERO` for 0 and below."""
    logs = np.full(norms.shape, ZERO, np.float32)
    np.log(norms, out=logs, where=norms > 0)
    return logs


def block_medians(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Median of each `BLOCK` values along the first axis; the last value fills the last block."""
    short = -len(values) % BLOCK
    if short:
        values = np.concatenate([values, np.repeat(values[-1:], short, axis=0)])
    grouped = values.reshape(-1, BLOCK, *values.shape[1:])
    return np.asarray(np.partition(grouped, BLOCK // 2, axis=1)[:, BLOCK // 2])


def trailing_median(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Median of the `WINDOW` values before the block that a value is in, along the first axis.

    It is the median of block medians, which takes a tenth of the time. Values nearer to the start
    have all before their block, the first `WARM` each other.
    """
    medians = block_medians(values)
    trailing = np.empty_like(medians)
    trailing[: WARM // BLOCK] = _upper_median(values[:WARM])
    for block in range(WARM // BLOCK, min(BLOCKS, len(medians))):
        trailing[block] = _upper_median(values[: block * BLOCK])
    if len(medians) > BLOCKS:
        windows = sliding_window_view(medians[:-1], BLOCKS, axis=0)
        trailing[BLOCKS:] = np.partition(windows, BLOCKS // 2, axis=-1)[..., BLOCKS // 2]
    return np.repeat(trailing, BLOCK, axis=0)[: len(values)]


def sustained(mask: NDArray[np.bool_], length: int, share: float) -> NDArray[np.bool_]:
    """Where `mask` holds, and so it does in a `share` of the `length` entries from there on.

    Entries beyond the end count as if it did not hold.
    """
    sums = np.cumsum(np.concatenate([np.zeros((1, *mask.shape[1:]), np.int32), mask]), axis=0)
    ends = np.minimum(np.arange(len(mask)) + length, len(mask))
    return np.asarray(mask & (sums[ends] - sums[:-1] >= share * length))


def starts(mask: NDArray[np.bool_], *, gap: int) -> NDArray[np.intp]:
    """First index of each group of true entries; groups are more than `gap` apart."""
    found = np.flatnonzero(mask)
    return found[np.diff(found, prepend=-gap - 1) > gap]


def _upper_median(values: NDArray[np.float32]) -> NDArray[np.float32]:
    middle = len(values) // 2
    return np.asarray(np.partition(values, middle, axis=0)[middle])


def _causal(top: NDArray[np.float32], usual: NDArray[np.float32]) -> NDArray[np.float32]:
    before = usual.copy()
    before[0] = top[0]
    for note in range(1, min(WARM, len(top))):
        # The lower of the two in the middle: an explosion at the start pulls the median up.
        before[note] = np.sort(top[:note], axis=0)[(note - 1) // 2]
    return before


def _filled(
    logs: NDArray[np.float32], live: NDArray[np.bool_], first: NDArray[np.float32] | None
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Logs with the last live value where there is none; at the start, `first` or the first."""
    if live.all():
        return logs, live
    logs[0] = logs[live.argmax(axis=0), np.arange(logs.shape[1])] if first is None else first
    index = np.where(live, np.arange(len(logs))[:, None], 0)
    np.maximum.accumulate(index, axis=0, out=index)
    return np.take_along_axis(logs, index, axis=0), live


AHEAD = WINDOW + BLOCK  # notes after those of a part that are there too


# Is told of the levels of each part, and which layers or notes of the run it has.
See = Callable[[Levels, slice], None]


class NoteTable(Protocol):
    """Notes that need not be in memory."""

    def __len__(self) -> int:
        """How many notes there are."""

    @property
    def layers(self) -> int:
        """How many layers they tell of."""

    def __getitem__(self, part: tuple[slice, slice], /) -> Notes:
        """Some layers of some of the notes."""


class ChunkedLevels:
    """Levels of all the notes of a run, of which there must be at least one.

    Parameters
    ----------
    see
        Who is to be told of all notes of some layers, for all layers in turn.
    """

    def __init__(self, notes: NoteTable, *see: See) -> None:
        self._table = notes
        self.notes, self.layers = len(notes), notes.layers
        self._parts = list(chunks_of(self.notes, self.layers, multiple=WINDOW))
        # What a part has to know of the notes before: where a layer has no norm, the last counts.
        starts = [max(part.start - WINDOW, 0) for part in self._parts]
        self._first = np.empty((2, len(starts), self.layers), np.float32)
        self._last: tuple[slice, Levels] | None = None
        for part in chunks_of(self.layers, self.notes):
            levels = Levels.of(notes[:, part])
            self._first[:, :, part] = levels.top[starts], levels.middle[starts]
            for each in see:
                each(levels, part)
            if part == slice(0, self.layers):
                self._last = slice(0, self.notes), levels

    def each_part(self, *see: See) -> None:
        """Tell of all layers of some notes, and up to `AHEAD` after them, for all notes in turn."""
        for part in self._parts:
            levels = self.between(part.start, min(part.stop + AHEAD, self.notes))
            for each in see:
                each(levels, part)

    def between(self, first: int, stop: int) -> Levels:
        """All layers of some notes, which begin in one part and end at most `AHEAD` after it.

        Little is done where several are asked for in order.
        """
        if self._last is None or not self._last[0].start <= first <= stop <= self._last[0].stop:
            self._last = self._around(first)
        whole, levels = self._last
        return levels[first - whole.start : stop - whole.start]

    def _around(self, note: int) -> tuple[slice, Levels]:
        """The part that has a note, and `AHEAD` notes more."""
        number = note // self._parts[0].stop
        part = self._parts[number]
        start, stop = max(part.start - WINDOW, 0), min(part.stop + AHEAD, self.notes)
        levels = Levels.of(self._table[start:stop, :], first=self._first[:, number])
        return slice(part.start, stop), levels[part.start - start :]
