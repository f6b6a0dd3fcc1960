"""What can be heard: notes in order, the steps that they lie on, and when these were."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tb_sonify.reading.cache import digest
from tb_sonify.reading.scalars import not_overwritten
from tb_sonify.reading.store import BlobRef
from tb_sonify.schema.metadata import PRE_CLIP_OPTION
from tb_sonify.schema.notes import Notes, concatenate_notes
from tb_sonify.schema.records import Rows, Segment
from tb_sonify.schema.segments import Grid, SegmentBuilder
from tb_sonify.sound import PRESETS, Preset, Scale, StreamPreset, preset_from_json


class Hearable(Protocol):
    """The notes of a run, as stored (`Timeline`) or derived from them (`View`)."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Name of each column of the notes."""

    @property
    def notes(self) -> int:
        """How many notes there are."""

    @property
    def first_notes(self) -> tuple[int, ...]:
        """Number of the first note of each segment and, at the end, the number of notes."""

    @property
    def settled(self) -> int:
        """How many notes, from the first on, will stay as they are when the run goes on."""

    @property
    def rows_per_note(self) -> tuple[int, int]:
        """Fewest and most rows that a full note sums up."""

    @property
    def histories(self) -> tuple[bytes, ...]:
        """For each segment and for the end, what stands for all that is heard before it."""

    @property
    def state(self) -> bytes:
        """What stands for all that is known here: another one means that something is new."""

    @property
    def steps(self) -> NDArray[Any]:
        """First step of each note and, at the end, the last step of all; empty without notes."""

    @property
    def times(self) -> NDArray[np.float64]:
        """Wall time of each of `steps`, in seconds since the epoch."""

    @property
    def missing(self) -> tuple[tuple[int, int], ...]:
        """First and last step of each stretch that was logged and could not be read."""

    @property
    def sampled(self) -> tuple[tuple[int, int], ...]:
        """First and last step of each stretch of which TensorBoard keeps a sample of the points."""

    @property
    def scale(self) -> Scale | None:
        """How a scalar became norms; `None`: they are norms."""

    @property
    def own_presets(self) -> tuple[StreamPreset, ...]:
        """The presets that the run's user made."""

    def table(self, first_note: int, notes: int) -> Notes:
        """The numbers of `notes` notes from `first_note`, all of which there must be."""


def digest_notes(notes: Notes) -> bytes:
    """A digest of all the numbers of some notes."""
    return digest(*vars(notes).values())


def digest_histories(layers: tuple[str, ...], digests: Iterable[bytes]) -> tuple[bytes, ...]:
    """The digest of what is before each segment, and of all, from that of each segment."""
    return tuple(accumulate(digests, digest, initial=digest(layers)))


def digest_state(hearable: Hearable) -> bytes:
    """The `state` of something that can be heard."""
    end = hearable.histories[-1]
    known = (
        hearable.settled,
        hearable.rows_per_note,
        hearable.missing,
        hearable.sampled,
        hearable.scale,
    )
    return digest(end, hearable.steps, hearable.times, *known, hearable.own_presets)


@dataclass(frozen=True, eq=False)
class StepTimes:
    """Wall times that are known, in seconds since the epoch, at increasing steps.

    Attributes
    ----------
    steps, times
        Of each point, shape ``(points,)``; neither ever goes back.
    """

    steps: NDArray[np.float64]
    times: NDArray[np.float64]

    @classmethod
    def of(cls, points: NDArray[np.float64]) -> "StepTimes":
        """The clock of points that were written at any time.

        Parameters
        ----------
        points
            Step and wall time of each, shape ``(points, 2)``. Where a run went back to an
            earlier step, time leaps there: what was written before tells when it got so far.
        """
        points = points[np.isfinite(points).all(axis=1)]
        steps, times = points[np.lexsort(points.T)].T
        kept = np.flatnonzero(not_overwritten(steps))
        # Of two that hold, with others between that do not, the second is where the run went on.
        here, there = kept[:-1], kept[1:]
        here, there = here[there > here + 1], there[there > here + 1]
        lasts = steps[there] - 1
        share = (lasts - steps[here]) / (steps[here + 1] - steps[here])
        reached = times[here] + share * (times[here + 1] - times[here])
        new = lasts > steps[here]
        steps = np.append(steps[kept], lasts[new])
        order = np.argsort(steps)
        return cls(steps[order], np.append(times[kept], reached[new])[order])

    def at(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """The wall time of each of some steps, from the first point on: linear between points.

        After the last point time goes on at the usual rate. Without points it stands at 0.
        """
        if not len(self.steps):
            return np.zeros(len(steps))
        times = np.interp(steps, self.steps, self.times)
        if len(self.steps) > 1:
            rate = np.median(np.diff(self.times) / np.diff(self.steps))
            times += rate * np.maximum(steps - self.steps[-1], 0)
        return np.asarray(times)


_MOST_OWN = 16


def own_presets(options: Mapping[str, Any]) -> tuple[StreamPreset, ...]:
    """The presets that were stored among the options of rows; those that are none are left out."""
    stored = options.get("presets")
    found: dict[str, StreamPreset] = {}
    for value in stored[:_MOST_OWN] if isinstance(stored, list) else ():
        try:
            preset = preset_from_json(value)
        except ValueError:
            continue
        if preset.name not in PRESETS:
            found.setdefault(preset.name, preset)
    return tuple(found.values())


def presets_of(source: Hearable) -> Mapping[str, Preset]:
    """The presets for some notes by name, the default first."""
    if source.scale is not None:
        return {"single": PRESETS["single"]}
    return {**PRESETS, **{preset.name: preset for preset in source.own_presets}}


EVERY = slice(None)  # layer


@dataclass(frozen=True, eq=False)
class TimelineSegment:
    """A segment in its place on the timeline."""

    segment: Segment
    blob: BlobRef | None  # where it is stored whole; None: made from rows

    @property
    def notes(self) -> int:
        """How many notes it has."""
        return len(self.segment.notes)

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
        return digest(self.segment.layers, *vars(self.segment.notes).values())

    @property
    def end_row(self) -> int:
        """How many rows of the run there are up to its end."""
        return self.grid.first_row + self.segment.rows

    @property
    def nbytes(self) -> int:
        """About how much memory it takes, beside what it shares with others."""
        return 4_096 + self.segment.notes.nbytes

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
    clock: StepTimes
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
        return concatenate_notes(self.tables(first_note, notes, layers))

    def tables(self, first_note: int, notes: int, layers: slice = EVERY) -> list[Notes]:
        """The same in parts that follow on each other, of which no copy is made as a rule."""
        parts = []
        index = bisect_right(self.first_notes, first_note) - 1
        while notes > 0:
            low = first_note - self.first_notes[index]
            segment = self.segments[index].segment
            if segment.layers == self.layers:
                wide = segment.notes[:, layers]
            else:
                wide = segment.notes.align(segment.layers, self.layers[layers])
            parts.append(wide[low : low + notes])
            first_note += len(parts[-1])
            notes -= len(parts[-1])
            index += 1
        return parts


def notes_between(source: Hearable, low: float, high: float) -> range:
    """Numbers of the notes that have a step from `low` to `high`."""
    steps = source.steps
    if not source.notes or high < steps[0] or low > steps[-1]:
        return range(0)
    first = int(np.searchsorted(steps[:-1], low, "right")) - 1
    return range(max(first, 0), int(np.searchsorted(steps[:-1], high, "right")))


def segments_of_rows(blocks: Iterable[Rows], *, first: int = 0) -> list[TimelineSegment]:
    """The segments that rows make, from number `first` on."""
    builder = SegmentBuilder(first)
    segments = [segment for rows in blocks for segment in builder.add(rows)]
    last = builder.finish()
    return [TimelineSegment(each, blob=None) for each in (*segments, *([last] if last else []))]
