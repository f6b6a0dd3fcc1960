"""Rows summed up as notes, and notes gathered into segments."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb_sonify.schema.notes import Notes, aggregate
from tb_sonify.schema.records import NO_GRADIENT, pad_layers

NOTES_PER_SEGMENT = 100


SEGMENTS_PER_OCTAVE = 32  # after so many segments, a note covers twice as many rows


@dataclass(frozen=True)
class FilledSegment:
    """The notes of a segment and the rows they stand for."""

    segment: int
    rows: int
    steps: NDArray[np.int64]  # first step of each note and, at the end, the last step of all
    notes: Notes
    wall_time: float  # of the first row


class SegmentBuilder:
    """Takes rows one after another and gives a segment whenever the grid says that one is full.

    It keeps the rows of one note only, since a note of a long run covers many.
    """

    def __init__(self) -> None:
        self._start(0)

    def add(
        self, steps: NDArray[np.int64], wall_times: NDArray[np.float64], norms: NDArray[np.float32]
    ) -> Iterator[FilledSegment]:
        """Add rows, shapes ``(rows,)`` and ``(rows, layers)``; new layers come last."""
        while len(steps):
            room = self._grid.rows - self._rows
            self._take(steps[:room], wall_times[:room], norms[:room])
            if self._rows == self._grid.rows:
                yield self._filled()
            steps, wall_times, norms = steps[room:], wall_times[room:], norms[room:]

    def finish(self) -> FilledSegment | None:
        """The last, unfinished segment, if it has any rows."""
        if not self._rows:
            return None
        if self._open_rows:
            self._add_notes(self._open_norms())
        return self._filled()

    def _start(self, segment: int) -> None:
        self._grid = Grid.of_segment(segment)
        self._rows = 0
        self._notes: list[Notes] = []
        self._open_rows: list[NDArray[np.float32]] = []  # of a note that is not complete
        self._steps: list[NDArray[np.int64]] = []
        self._last_step = 0
        self._wall_time = 0.0

    def _take(
        self, steps: NDArray[np.int64], wall_times: NDArray[np.float64], norms: NDArray[np.float32]
    ) -> None:
        if not self._rows:
            self._wall_time = float(wall_times[0])
        per_note = self._grid.rows_per_note
        self._steps.append(steps[-self._rows % per_note :: per_note])
        self._last_step = int(steps[-1])
        self._rows += len(steps)
        self._open_rows.append(norms)
        complete = self._rows // per_note - sum(map(len, self._notes))
        if complete:
            rows = self._open_norms()
            self._add_notes(rows[: complete * per_note])
            self._open_rows = [rows[complete * per_note :]] if self._rows % per_note else []

    def _open_norms(self) -> NDArray[np.float32]:
        layers = self._open_rows[-1].shape[1]
        return np.concatenate([pad_layers(rows, layers, NO_GRADIENT) for rows in self._open_rows])

    def _add_notes(self, norms: NDArray[np.float32]) -> None:
        self._notes.append(aggregate(norms, rows_per_note=self._grid.rows_per_note))

    def _filled(self) -> FilledSegment:
        filled = FilledSegment(
            segment=self._grid.segment,
            rows=self._rows,
            steps=np.concatenate([*self._steps, [self._last_step]]).astype(np.int64),
            notes=_concatenate_notes(self._notes),
            wall_time=self._wall_time,
        )
        self._start(self._grid.segment + 1)
        return filled


def _concatenate_notes(parts: list[Notes]) -> Notes:
    layers = parts[-1].layers
    none = {"median": NO_GRADIENT, "max": NO_GRADIENT, "nan": 0, "inf": 0}
    return Notes(
        **{
            name: np.concatenate([pad_layers(getattr(part, name), layers, value) for part in parts])
            for name, value in none.items()
        }
    )


@dataclass(frozen=True, slots=True)
class Grid:
    """Which rows a segment covers, from its number alone, so that the clips of two runs line up.

    Note `i` of the segment covers rows ``first_row + i * rows_per_note`` and the
    ``rows_per_note - 1`` rows after it.
    """

    segment: int
    first_row: int
    rows_per_note: int

    @property
    def rows(self) -> int:
        """Rows of the segment when it is full."""
        return NOTES_PER_SEGMENT * self.rows_per_note

    @classmethod
    def of_segment(cls, segment: int) -> "Grid":
        """The grid of a segment, counted from 0.

        Examples
        --------
        >>> Grid.of_segment(31)
        Grid(segment=31, first_row=3100, rows_per_note=1)
        >>> Grid.of_segment(33)
        Grid(segment=33, first_row=3400, rows_per_note=2)
        """
        if segment < 0:
            raise ValueError(f"segment must be at least 0, got {segment}")
        octave, within = divmod(segment, SEGMENTS_PER_OCTAVE)
        rows_per_note = 2**octave
        octave_start = SEGMENTS_PER_OCTAVE * NOTES_PER_SEGMENT * (rows_per_note - 1)
        return cls(
            segment, octave_start + within * NOTES_PER_SEGMENT * rows_per_note, rows_per_note
        )
