"""The grid of segments, and the builder that makes them of rows, for the writer and the reader."""

from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_sonify.schema.notes import Notes, aggregate, concatenate_notes
from tb_sonify.schema.records import Rows, Segment, concatenate_rows, slice_rows

NOTES_PER_SEGMENT = 100
SEGMENTS_PER_OCTAVE = 32  # after so many segments, a note covers twice as many rows


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


class SegmentBuilder:
    """Builds segments from rows in blocks of any size.

    It keeps the rows of one note only, since a note of a long run covers many. A segment has a
    column for each layer of any of its rows; its session and options are those of its first row.

    Parameters
    ----------
    first
        Number of the first segment.
    """

    def __init__(self, first: int = 0) -> None:
        self._session = self._wall_time = 0.0
        self._options: Mapping[str, Any] = {}
        self._start(first)

    def add(self, rows: Rows, wall_times: NDArray[np.float64] | None = None) -> Iterator[Segment]:
        """Add rows, which may have a wall time each; yields each segment that is full."""
        start = 0
        while start < len(rows.steps):
            stop = start + self._grid.rows - self._rows
            if not self._rows:
                self._session, self._options = rows.session, rows.options
                self._wall_time = 0.0 if wall_times is None else float(wall_times[start])
            self._add(slice_rows(rows, start, stop))
            if self._rows == self._grid.rows:
                yield self._end_segment()
            start = stop

    def without_layers(self) -> "SegmentBuilder":
        """A builder that is at the same row, where no row so far has any layers."""
        other = copy(self)
        other._notes = [((), notes[:, :0]) for _, notes in self._notes]
        other._open = [replace(rows, layers=(), norms=rows.norms[:, :0]) for rows in self._open]
        other._steps = list(self._steps)
        return other

    def finish(self) -> Segment | None:
        """The last, unfinished segment; `None` where it has no rows."""
        if not self._rows:
            return None
        if self._open:
            self._add_notes(concatenate_rows(self._open))
        return self._end_segment()

    def _start(self, segment: int) -> None:
        self._grid = Grid.of_segment(segment)
        self._rows = 0
        self._notes: list[tuple[tuple[str, ...], Notes]] = []  # with their layers
        self._open: list[Rows] = []  # of a note that is not complete
        self._steps: list[NDArray[np.int64]] = []
        self._last_step = 0

    def _add(self, rows: Rows) -> None:
        per_note = self._grid.rows_per_note
        self._steps.append(rows.steps[-self._rows % per_note :: per_note])
        self._last_step = int(rows.steps[-1])
        self._rows += len(rows.steps)
        self._open.append(rows)
        complete = self._rows // per_note - sum(len(notes) for _, notes in self._notes)
        if complete:
            joined = concatenate_rows(self._open)
            self._add_notes(slice_rows(joined, 0, complete * per_note))
            rest = slice_rows(joined, complete * per_note, None)
            self._open = [rest] if len(rest.steps) else []

    def _add_notes(self, rows: Rows) -> None:
        notes = aggregate(rows.norms, rows_per_note=self._grid.rows_per_note)
        self._notes.append((rows.layers, notes))

    def _end_segment(self) -> Segment:
        layers = tuple(dict.fromkeys(name for own, _ in self._notes for name in own))
        segment = Segment(
            session=self._session,
            segment=self._grid.segment,
            rows=self._rows,
            layers=layers,
            steps=np.concatenate([*self._steps, [self._last_step]]).astype(np.int64),
            notes=concatenate_notes([notes.align(own, layers) for own, notes in self._notes]),
            options=self._options,
            wall_time=self._wall_time,
        )
        self._start(self._grid.segment + 1)
        return segment
