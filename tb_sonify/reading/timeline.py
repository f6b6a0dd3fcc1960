"""The timeline of a run: its notes in order, and the steps that they lie on."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tb_sonify.contract import NO_GRADIENT, PRE_CLIP_OPTION, Grid, Segment
from tb_sonify.reading.clock import Clock
from tb_sonify.reading.hearable import digest, digest_histories, digest_state
from tb_sonify.reading.presets import own_presets
from tb_sonify.reading.store import Blob
from tb_sonify.sound import Notes, StreamPreset

EVERY = slice(None)  # layer
_EMPTY_VALUES = {"median": NO_GRADIENT, "max": NO_GRADIENT, "nan": 0, "inf": 0}


@dataclass(frozen=True, eq=False)
class TimelineSegment:
    """A segment in its place on the timeline."""

    segment: Segment
    blob: Blob | None  # where it is stored whole; None: made from rows

    @property
    def notes(self) -> int:
        """How many notes it has."""
        return len(self.segment.median)

    @property
    def grid(self) -> Grid:
        """The rows that it covers when it is full."""
        return Grid.of_segment(self.segment.segment)

    @property
    def first_rows(self) -> NDArray[np.int64]:
        """Number of the first row of each note."""
        return self.grid.first_row + self.grid.rows_per_note * np.arange(self.notes)

    @property
    def last_step(self) -> int:
        """Step of its last row."""
        return int(self.segment.steps[-1])

    @cached_property
    def digest(self) -> bytes:
        """What another segment has too if it sounds the same."""
        tables = (getattr(self.segment, name) for name in _EMPTY_VALUES)
        return digest(self.segment.layers, *tables)

    @property
    def end_row(self) -> int:
        """How many rows of the run there are up to its end."""
        return self.grid.first_row + self.segment.rows

    @property
    def nbytes(self) -> int:
        """About how much memory it takes, beside what it shares with others."""
        tables = (getattr(self.segment, name) for name in _EMPTY_VALUES)
        return 4_096 + sum(table.nbytes for table in tables if any(table.strides))

    @property
    def full(self) -> bool:
        """Whether it covers all the rows of its grid."""
        return self.segment.rows == self.grid.rows


@dataclass(frozen=True, eq=False)
class Timeline:
    """What can be heard of a run, as it was logged; see `Hearable`.

    Attributes
    ----------
    segments
        In order, numbered from 0; all but the last one are full.
    missing
        First and last step of each stretch that was logged and could not be read.
    clock
        When the steps were.
    sampled
        First and last step of each stretch that is known from scalars, of which TensorBoard keeps
        so few points that others are lacking.
    """

    segments: tuple[TimelineSegment, ...]
    missing: tuple[tuple[int, int], ...]
    clock: Clock
    sampled: tuple[tuple[int, int], ...] = ()
    scale = None  # norms have one of their own

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """Every layer of the run, in the order in which they first occur."""
        return tuple(dict.fromkeys(name for each in self.segments for name in each.segment.layers))

    @cached_property
    def first_notes(self) -> tuple[int, ...]:
        """Number of the first note of each segment and, at the end, the number of notes."""
        return tuple(np.cumsum([0, *(each.notes for each in self.segments)]).tolist())

    @property
    def notes(self) -> int:
        """How many notes there are."""
        return self.first_notes[-1]

    @property
    def settled(self) -> int:
        """How many notes lie in segments that are stored whole, which come first."""
        return sum(each.notes for each in self.segments if each.blob is not None)

    @property
    def rows_per_note(self) -> tuple[int, int]:
        """Fewest and most rows that a full note sums up; 1 where there are no notes."""
        rows = [each.grid.rows_per_note for each in self.segments] or [1]
        return min(rows), max(rows)

    @cached_property
    def histories(self) -> tuple[bytes, ...]:
        """For each segment and for the end, what stands for all that is heard before it."""
        return digest_histories(self.layers, (each.digest for each in self.segments))

    @cached_property
    def state(self) -> bytes:
        """What stands for all that is known here."""
        return digest_state(self)

    @cached_property
    def steps(self) -> NDArray[np.int64]:
        """First step of each note and, at the end, the last step of all; empty without notes."""
        if not self.segments:
            return np.empty(0, np.int64)
        starts = [each.segment.steps[:-1] for each in self.segments]
        return np.concatenate([*starts, self.segments[-1].segment.steps[-1:]])

    @cached_property
    def first_rows(self) -> NDArray[np.int64]:
        """Number of the first row of each note and, at the end, the number of rows."""
        if not self.segments:
            return np.zeros(1, np.int64)
        starts = [each.first_rows for each in self.segments]
        return np.concatenate([*starts, [self.segments[-1].end_row]])

    @cached_property
    def own_presets(self) -> tuple[StreamPreset, ...]:
        """The presets that the run's user made, as its last session had them."""
        return own_presets(self.segments[-1].segment.options) if self.segments else ()

    @property
    def pre_clip(self) -> bool | str | None:
        """Whether norms are those before clipping, or ``"mixed"``; `None` where nobody said."""
        stored = self.segments[-1].segment.options.get(PRE_CLIP_OPTION) if self.segments else None
        return stored if isinstance(stored, bool) or stored == "mixed" else None

    @cached_property
    def times(self) -> NDArray[np.float64]:
        """Wall time of each of `steps`, in seconds since the epoch."""
        return self.clock.at(self.steps) if self.segments else np.empty(0)

    @property
    def nbytes(self) -> int:
        """About how much memory it takes."""
        return 4_096 + sum(each.nbytes for each in self.segments) + 64 * self.notes

    def table(self, first_note: int, notes: int, layers: slice = EVERY) -> Notes:
        """The numbers of `notes` notes from `first_note`, all of which the timeline must have.

        They have a column for each of `layers`, or for some of them; a layer that a segment does
        not know has no gradient there.
        """
        return joined(self.tables(first_note, notes, layers))

    def tables(self, first_note: int, notes: int, layers: slice = EVERY) -> list[Notes]:
        """The same in parts that follow on each other, of which no copy is made as a rule."""
        parts = []
        index = bisect_right(self.first_notes, first_note) - 1
        while notes > 0:
            low = first_note - self.first_notes[index]
            wide = _widen(self.segments[index].segment, self.layers, layers)
            parts.append(wide[low : low + notes])
            first_note += len(parts[-1])
            notes -= len(parts[-1])
            index += 1
        return parts


def joined(parts: Sequence[Notes]) -> Notes:
    """Notes one after the other; counts that take no memory take none then either."""
    return Notes(
        np.concatenate([part.median for part in parts]),
        np.concatenate([part.max for part in parts]),
        _joined_counts([part.nan for part in parts]),
        _joined_counts([part.inf for part in parts]),
    )


def _joined_counts(parts: Sequence[NDArray[np.uint32]]) -> NDArray[np.uint32]:
    if any(any(part.strides) for part in parts):
        return np.concatenate(parts)
    return np.broadcast_to(np.uint32(0), (sum(map(len, parts)), parts[0].shape[1]))


def _widen(segment: Segment, layers: tuple[str, ...], part: slice) -> Notes:
    """The notes of a segment with a column for each of some of `layers`, which has its own."""
    tables = {name: getattr(segment, name) for name in _EMPTY_VALUES}
    if segment.layers == layers:
        return Notes(**tables)[:, part]
    wanted = layers[part]
    own = {name: column for column, name in enumerate(segment.layers)}
    pairs = [(at, own[name]) for at, name in enumerate(wanted) if name in own]
    to, columns = np.array(pairs, np.intp).reshape(-1, 2).T
    for name, narrow in tables.items():
        if any(narrow.strides):
            wide = np.full((len(narrow), len(wanted)), _EMPTY_VALUES[name], narrow.dtype)
            wide[:, to] = narrow[:, columns]
        else:
            wide = np.broadcast_to(narrow.dtype.type(0), (len(narrow), len(wanted)))
        tables[name] = wide
    return Notes(**tables)
