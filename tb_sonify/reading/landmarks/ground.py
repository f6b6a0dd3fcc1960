"""Levels of a run of any size, in parts: all notes of some layers, or all layers of some notes."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from tb_sonify.reading.landmarks.levels import BLOCK, WINDOW, Levels
from tb_sonify.reading.parts import parts_of
from tb_sonify.sound import Notes

AHEAD = WINDOW + BLOCK  # notes after those of a part that are there too

# Is told of the levels of each part, and which layers or notes of the run it has.
See = Callable[[Levels, slice], None]


class Table(Protocol):
    """Notes that need not be in memory."""

    def __len__(self) -> int:
        """How many notes there are."""

    @property
    def layers(self) -> int:
        """How many layers they tell of."""

    def __getitem__(self, part: tuple[slice, slice], /) -> Notes:
        """Some layers of some of the notes."""


class Ground:
    """Levels of all the notes of a run, of which there must be at least one.

    Parameters
    ----------
    see
        Who is to be told of all notes of some layers, for all layers in turn.
    """

    def __init__(self, notes: Table, *see: See) -> None:
        self._table = notes
        self.notes, self.layers = len(notes), notes.layers
        self._parts = list(parts_of(self.notes, self.layers, multiple=WINDOW))
        # What a part has to know of the notes before: where a layer has no norm, the last counts.
        starts = [max(part.start - WINDOW, 0) for part in self._parts]
        self._first = np.empty((2, len(starts), self.layers), np.float32)
        self._last: tuple[slice, Levels] | None = None
        for part in parts_of(self.layers, self.notes):
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
