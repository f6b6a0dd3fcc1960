"""The notes of a run in order, with the steps and wall times that they lie on."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_sonify.reading import limits
from tb_sonify.reading.cache import digest
from tb_sonify.reading.scalars import not_overwritten
from tb_sonify.reading.store import BlobRef
from tb_sonify.schema.metadata import PRE_CLIP_OPTION, PRESETS_OPTION, VERSIONS_OPTION
from tb_sonify.schema.notes import Notes, concatenate_notes
from tb_sonify.schema.quantities import GRADIENT
from tb_sonify.schema.records import Rows, Segment
from tb_sonify.schema.segments import NOTES_PER_SEGMENT, Grid, SegmentBuilder
from tb_sonify.sound import (
    PAIR,
    PRESETS,
    SCALAR,
    Preset,
    Scale,
    StreamPreset,
    preset_from_json,
    preset_version,
    value_at_440_hz,
)

_ALL_LAYERS = slice(None)
_CHUNK_BYTES = 4_096  # of a chunk, beside its notes
_NOTE_BYTES = 64  # of the steps, times and row numbers of a note, and what is made of them
Ranges = tuple[tuple[int, int], ...]  # first and last step of each


@dataclass(frozen=True, eq=False)
class NoteChunk:
    """Consecutive notes of a timeline, which are held, digested and rendered together.

    Attributes
    ----------
    layers
        Name of each column of `notes`; the timeline may have others.
    """

    layers: tuple[str, ...]
    notes: Notes

    @cached_property
    def digest(self) -> bytes:
        """Digest of all numbers of the notes."""
        return digest(*vars(self.notes).values())

    @property
    def nbytes(self) -> int:
        """Memory in bytes, about."""
        return _CHUNK_BYTES + self.notes.nbytes


@dataclass(frozen=True, eq=False)
class TimelineSegment(NoteChunk):
    """The notes of a stored segment, or of one that was built from rows.

    Attributes
    ----------
    blob
        Where it is stored; `None`: it was built from rows.
    """

    segment: Segment
    blob: BlobRef | None

    @classmethod
    def from_segment(cls, segment: Segment, blob: BlobRef | None = None) -> "TimelineSegment":
        """The chunk of all notes of a segment."""
        return cls(segment.layers, segment.notes, segment, blob)

    @cached_property
    def digest(self) -> bytes:
        """Digest of the layers and of all numbers of the notes."""
        return digest(self.layers, *vars(self.notes).values())

    @property
    def grid(self) -> Grid:
        """The rows that it covers when it is full."""
        return Grid.of_segment(self.segment.segment)

    @property
    def full(self) -> bool:
        """Whether it covers all rows of its grid."""
        return self.segment.rows == self.grid.rows

    @property
    def first_rows(self) -> NDArray[np.int64]:
        """Number of the first row of each note."""
        return self.grid.first_row + self.grid.rows_per_note * np.arange(len(self.notes))

    @property
    def end_row(self) -> int:
        """Number of its last row, plus 1."""
        return self.grid.first_row + self.segment.rows

    @property
    def last_step(self) -> int:
        """Step of its last row."""
        return int(self.segment.steps[-1])


def segments_of_rows(blocks: Iterable[Rows], *, first: int = 0) -> list[TimelineSegment]:
    """Segments built from rows in their order, numbered from `first` on."""
    builder = SegmentBuilder(first)
    segments = [segment for rows in blocks for segment in builder.add(rows)]
    last = builder.finish()
    return [TimelineSegment.from_segment(each) for each in (*segments, *([last] if last else []))]


@dataclass(frozen=True, eq=False)
class StepTimes:
    """Wall time as a function of the step, in seconds since the epoch: linear between known points.

    Attributes
    ----------
    steps, times
        Of each point, shape ``(points,)``; neither ever goes back.
    """

    steps: NDArray[np.float64]
    times: NDArray[np.float64]

    @classmethod
    def from_points(cls, points: NDArray[np.float64]) -> "StepTimes":
        """Wall times from points in the order of writing or any other.

        Parameters
        ----------
        points
            Step and wall time of each, shape ``(points, 2)``. Where a run went back to an
            earlier step, time leaps there: what was written before tells when it got so far.
        """
        points = points[np.isfinite(points).all(axis=1)]
        steps, times = points[np.lexsort(points.T)].T
        kept = np.flatnonzero(not_overwritten(steps))
        # Where overwritten points lie between two that are not, the run resumed at the second.
        here, there = kept[:-1], kept[1:]
        here, there = here[there > here + 1], there[there > here + 1]
        lasts = steps[there] - 1
        share = (lasts - steps[here]) / (steps[here + 1] - steps[here])
        resumed = times[here] + share * (times[here + 1] - times[here])
        new = lasts > steps[here]
        steps = np.append(steps[kept], lasts[new])
        order = np.argsort(steps)
        return cls(steps[order], np.append(times[kept], resumed[new])[order])

    def at(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """Wall time of each step; after the last point at the median rate, 0 without points."""
        if not len(self.steps):
            return np.zeros(len(steps))
        times = np.interp(steps, self.steps, self.times)
        if len(self.steps) > 1:
            rate = np.median(np.diff(self.times) / np.diff(self.steps))
            times += rate * np.maximum(steps - self.steps[-1], 0)
        return np.asarray(times)


@dataclass(frozen=True, eq=False, kw_only=True)
class Timeline:
    """Notes of a run, as they are stored or derived from those.

    Attributes
    ----------
    layers
        Name of each column of the notes.
    chunks
        The notes, in chunks of up to 100; a chunk may be without some of the layers.
    steps
        First step of each note and, at the end, the last step: shape ``(notes + 1,)``, empty
        without notes. Integers, unless another run's notes are edges (see `align_to`).
    times
        Wall time at each of `steps`, in seconds since the epoch.
    first_rows
        Number of the first row of each note and, at the end, the number of rows.
    final_notes
        How many notes, from the first on, stay as they are when the run goes on.
    rows_per_note
        Fewest and most rows of a full note.
    missing
        Steps that were logged and could not be read.
    sampled
        Steps that are known by scalars of which TensorBoard keeps a sample, so that some lack.
    scale
        From the values of a scalar to norms; `None`: they are norms.
    own_presets
        Presets that only this run has: those that its user made, and ours as they were when it was
        logged, as its last session stored them.
    pre_clip
        Whether norms are before clipping, or ``"mixed"``; `None`: not known.
    step_times
        Wall time as a function of the step.
    quantity
        What the notes are of. Those of all quantities of a run lie on the same steps.
    """

    layers: tuple[str, ...]
    chunks: Sequence[NoteChunk]
    steps: NDArray[Any]
    times: NDArray[np.float64]
    first_rows: NDArray[np.int64]
    final_notes: int
    rows_per_note: tuple[int, int]
    missing: Ranges
    sampled: Ranges
    scale: Scale | None
    own_presets: tuple[StreamPreset, ...]
    pre_clip: bool | str | None
    step_times: StepTimes
    quantity: str

    @property
    def notes(self) -> int:
        """Number of notes."""
        return self.first_notes[-1]

    @cached_property
    def first_notes(self) -> tuple[int, ...]:
        """Number of the first note of each chunk and, at the end, the number of notes."""
        return tuple(accumulate((len(chunk.notes) for chunk in self.chunks), initial=0))

    @cached_property
    def segments(self) -> tuple[TimelineSegment, ...]:
        """The chunks, where all of them are segments; none where notes are derived."""
        found = tuple(chunk for chunk in self.chunks if isinstance(chunk, TimelineSegment))
        return found if len(found) == len(self.chunks) else ()

    @cached_property
    def prefix_digests(self) -> tuple[bytes, ...]:
        """For each edge of a chunk, a running digest of the layers and of all notes before it.

        It is in the key of cached synthesiser phases, and in the URLs of clips.
        """
        digests = (chunk.digest for chunk in self.chunks)
        return tuple(accumulate(digests, digest, initial=digest(self.layers, self.quantity)))

    @cached_property
    def version(self) -> bytes:
        """Digest of all that is known here, in the keys of what is cached of it."""
        known = self.final_notes, self.rows_per_note, self.missing, self.sampled, self.scale
        return digest(self.prefix_digests[-1], self.steps, self.times, *known, self.own_presets)

    @property
    def nbytes(self) -> int:
        """Memory in bytes, about; without the segments that it shares with what it derives from."""
        own = self.segments or [each for each in self.chunks if type(each) is NoteChunk]
        return _CHUNK_BYTES + sum(chunk.nbytes for chunk in own) + _NOTE_BYTES * self.notes

    def heard(self, first_note: int, notes: int) -> Notes:
        """What `table` gives, as norms to be rendered: 1 sounds at 440 Hz."""
        table = self.table(first_note, notes)
        return table if self.unit == 1.0 else table.scaled(1 / self.unit)

    @property
    def unit(self) -> float:
        """The value that sounds at 440 Hz."""
        return value_at_440_hz(self.quantity) if self.scale is None else 1.0

    def table(self, first_note: int, notes: int, layers: slice = _ALL_LAYERS) -> Notes:
        """The numbers of `notes` notes from `first_note`, all of which the timeline must have.

        They have a column for each of `layers`; a layer that a chunk is without has no gradient.
        """
        parts = self.tables(first_note, notes, layers)
        return concatenate_notes(parts) if parts else _no_notes(len(self.layers[layers]))

    def tables(self, first_note: int, notes: int, layers: slice = _ALL_LAYERS) -> list[Notes]:
        """What `table` gives, in parts, which are not copied unless a chunk is without a layer."""
        parts = []
        index = bisect_right(self.first_notes, first_note) - 1
        while notes > 0:
            chunk = self.chunks[index]
            low = first_note - self.first_notes[index]
            if chunk.layers == self.layers:
                part = chunk.notes[low : low + notes, layers]
            else:
                part = chunk.notes[low : low + notes].align(chunk.layers, self.layers[layers])
            parts.append(part)
            first_note += len(part)
            notes -= len(part)
            index += 1
        return parts


def timeline_of_segments(
    segments: Sequence[TimelineSegment],
    *,
    step_times: StepTimes,
    missing: Ranges = (),
    sampled: Ranges = (),
    quantity: str = GRADIENT,
) -> Timeline:
    """The norms of a run by its segments, numbered from 0; all but the last one are full."""
    steps, first_rows = np.empty(0, np.int64), np.zeros(1, np.int64)
    options: Mapping[str, Any] = {}
    if segments:
        last, options = segments[-1], segments[-1].segment.options
        starts = [each.segment.steps[:-1] for each in segments]
        steps = np.concatenate([*starts, last.segment.steps[-1:]])
        first_rows = np.concatenate([*(each.first_rows for each in segments), [last.end_row]])
    pre_clip = options.get(PRE_CLIP_OPTION)
    sizes = [each.grid.rows_per_note for each in segments] or [1]
    return Timeline(
        layers=tuple(dict.fromkeys(name for each in segments for name in each.layers)),
        chunks=segments,
        steps=steps,
        times=step_times.at(steps) if segments else np.empty(0),
        first_rows=first_rows,
        final_notes=sum(len(each.notes) for each in segments if each.blob is not None),
        rows_per_note=(min(sizes), max(sizes)),
        missing=missing,
        sampled=sampled,
        scale=None,
        own_presets=own_presets(segments[-1].segment.options) if segments else (),
        pre_clip=pre_clip if isinstance(pre_clip, bool) or pre_clip == "mixed" else None,
        step_times=step_times,
        quantity=quantity,
    )


def timeline_of_notes(
    layers: tuple[str, ...],
    notes: Notes,
    *,
    steps: NDArray[Any],
    times: NDArray[np.float64],
    scale: Scale | None = None,
    sampled: Ranges = (),
    quantity: str = GRADIENT,
) -> Timeline:
    """Notes that are not of stored rows, one for each point of a scalar or line of a table.

    Parameters
    ----------
    steps, times
        Of each note, shape ``(notes,)``.
    """
    empty = timeline_of_segments((), step_times=StepTimes.from_points(np.empty((0, 2))))
    return replace(
        empty,
        layers=layers,
        chunks=chunks_of_notes(layers, notes),
        steps=np.append(steps, steps[-1:]),
        times=np.append(times, times[-1:]),
        first_rows=np.arange(len(notes) + 1),
        final_notes=len(notes) // NOTES_PER_SEGMENT * NOTES_PER_SEGMENT,
        sampled=sampled,
        scale=scale,
        quantity=quantity,
    )


def has_values(timeline: Timeline) -> bool:
    """Whether any layer has a norm in any note, or there are no notes yet."""
    return not timeline.notes or any(
        (notes.max >= 0).any() or notes.nan.any() or notes.inf.any()
        for notes in (chunk.notes for chunk in timeline.chunks)
    )


def slice_timeline(timeline: Timeline, notes: range) -> Timeline:
    """Some consecutive notes of a timeline."""
    edges = slice(notes.start, notes.stop + 1) if notes else slice(0)
    parts = timeline.tables(notes.start, len(notes))
    return replace(
        timeline,
        chunks=[NoteChunk(timeline.layers, part) for part in parts],
        steps=timeline.steps[edges],
        times=timeline.times[edges],
        first_rows=timeline.first_rows[edges],
        final_notes=min(max(timeline.final_notes - notes.start, 0), len(notes)),
    )


def chunks_of_notes(layers: tuple[str, ...], notes: Notes) -> list[NoteChunk]:
    """Derived notes in chunks, which are views of them."""
    starts = range(0, len(notes), NOTES_PER_SEGMENT)
    return [NoteChunk(layers, notes[start : start + NOTES_PER_SEGMENT]) for start in starts]


def notes_between(timeline: Timeline, low: float, high: float) -> range:
    """Numbers of the notes that have a step from `low` to `high`."""
    steps = timeline.steps
    if not timeline.notes or high < steps[0] or low > steps[-1]:
        return range(0)
    first = int(np.searchsorted(steps[:-1], low, "right")) - 1
    return range(max(first, 0), int(np.searchsorted(steps[:-1], high, "right")))


def own_presets(options: Mapping[str, Any]) -> tuple[StreamPreset, ...]:
    """The presets that a run has beside `PRESETS`, by the options of its rows."""
    found: dict[str, StreamPreset] = {}
    for preset in logged_presets(options).values():
        if isinstance(preset, StreamPreset) and preset.name not in PRESETS:
            found.setdefault(preset.name, preset)
    return tuple(found.values())


def logged_presets(options: Mapping[str, Any]) -> Mapping[str, Preset]:
    """The preset that clips of each name were made with, by the options of stored rows.

    Invalid presets are left out, and ours at a version that is not known here.
    """
    stored, versions = options.get(PRESETS_OPTION), options.get(VERSIONS_OPTION)
    found: dict[str, Preset] = {}
    for value in stored[: limits.MAX_OWN_PRESETS] if isinstance(stored, list) else ():
        with suppress(ValueError):
            preset = preset_from_json(value)
            found.setdefault(preset.name, preset)
    for name in PRESETS:
        version = versions.get(name, 1) if isinstance(versions, Mapping) else 1
        made = preset_version(name, version) if isinstance(version, int) else None
        found.pop(name, None)
        if made is not None:
            found[name] = made
    return found


def presets_of(timeline: Timeline) -> Mapping[str, Preset]:
    """The presets for the notes of a timeline by name, the default first."""
    if timeline.scale is not None:
        preset = PAIR if len(timeline.layers) > 1 else SCALAR
        return {preset.name: preset}
    return {**PRESETS, **{preset.name: preset for preset in timeline.own_presets}}


def _no_notes(layers: int) -> Notes:
    shape = 0, layers
    return Notes(
        *(np.empty(shape, np.float32), np.empty(shape, np.float32)),
        *(np.empty(shape, np.uint32), np.empty(shape, np.uint32)),
    )
