"""Clips of sound: as they were logged where TensorBoard has them, else rendered in chunks."""

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tb_sonify.reading import limits
from tb_sonify.reading.cache import LruCache, Unavailable
from tb_sonify.reading.store import Scope, Store
from tb_sonify.reading.timeline import Timeline, logged_presets
from tb_sonify.schema.quantities import GRADIENT
from tb_sonify.schema.segments import NOTES_PER_SEGMENT
from tb_sonify.sound import (
    HEADER_BYTES,
    Heard,
    Preset,
    SynthState,
    advance_state,
    bands,
    context_notes,
    decode_wav,
    epoch_ticks,
    heard,
    in_columns,
    phases_at,
    render,
    wav_header,
)

_PRESET_BYTES = 1_000  # of a preset, in a key of the cache


@dataclass(frozen=True)
class Clip:
    """The sound of consecutive notes.

    Attributes
    ----------
    pcm
        Samples in chunks of shape ``(frames, channels)``, to be iterated over once.
    frames
        Length of all chunks.
    """

    pcm: Iterable[NDArray[np.int16]]
    frames: int
    preset: Preset
    notes: int
    source: Literal["logged", "rendered"]

    @property
    def nbytes(self) -> int:
        """Length of the WAV file in bytes."""
        return HEADER_BYTES + 2 * self.frames * self.preset.channels

    def wav(self) -> Iterator[bytes]:
        """The WAV file, in chunks."""
        preset = self.preset
        yield wav_header(self.frames, preset.channels, sample_rate=preset.sample_rate)
        for chunk in self.pcm:
            yield chunk.astype("<i2", copy=False).tobytes()


class Clips:
    """Makes clips, and caches the phases that join them; safe to use from many threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._phases: LruCache[tuple[Preset, bytes], NDArray[np.float64]] = LruCache(
            limits.PHASE_CACHE_BYTES
        )

    def clip(
        self,
        scope: Scope,
        run: str,
        source: Timeline,
        *,
        preset: Preset,
        first_note: int,
        notes: int,
        epoch: int | None = None,
    ) -> Clip:
        """The clip of up to `notes` notes from `first_note`, which the source must have.

        It has fewer where the source ends, or where it would exceed `MAX_CLIP_FRAMES`.

        Parameters
        ----------
        epoch
            Steps between ticks; `None`: no ticks.
        """
        hop = preset.hop(len(source.layers))
        notes = min(notes, source.notes - first_note, max(limits.MAX_CLIP_FRAMES // hop, 1))
        index = bisect_right(source.first_notes, first_note) - 1
        start = source.first_notes[index]
        frames = notes * hop + preset.tail
        whole = (start, source.first_notes[index + 1]) == (first_note, first_note + notes)
        logged = None
        if source.segments and whole and epoch is None and source.quantity == GRADIENT:
            with suppress(Unavailable):  # then the same samples are rendered
                logged = self._logged(scope, run, source, index, preset)
        if logged is not None:
            return Clip([logged], frames, preset, notes, "logged")
        state = self._state_at(source, index, preset)
        if start < first_note:
            skipped = source.heard(start, first_note - start)
            state = advance_state(skipped, preset=preset, state=state)
        ticks = None
        if epoch is not None:
            ticks = epoch_ticks(np.ceil(source.steps), epoch)[first_note : first_note + notes]
        rendered = render_chunks(source, first_note, notes, preset=preset, state=state, ticks=ticks)
        chunks = math.ceil(notes / notes_at_once(source, preset))
        made = self._store.work.each(rendered, chunks, values=limits.CHUNK_FRAMES)
        # The first chunk is rendered now: an error is answered before anything is sent.
        return Clip(chain([next(made)], made), frames, preset, notes, "rendered")

    def _logged(
        self, scope: Scope, run: str, timeline: Timeline, index: int, preset: Preset
    ) -> NDArray[np.int16] | None:
        """The samples of the logged clip of a segment, if they are those of its notes."""
        segments = timeline.segments[: index + 1]
        if segments[-1].blob is None:
            return None
        made = logged_presets(segments[-1].segment.options)
        names = [name for name, each in made.items() if each == preset]
        if not names:
            return None
        # Its writer knew the layers so far; with more layers, streams are divided in another way.
        if any(each.segment.layers != timeline.layers for each in segments):
            return None
        segment = segments[-1].segment
        for blob in self._store.clips(scope, run, names[0]):
            if blob.step == segment.steps[0] and blob.wall_time >= segment.session:
                wav = self._store.read(scope, blob)
                frames = len(segments[-1].notes) * preset.hop(len(timeline.layers)) + preset.tail
                form = {"channels": preset.channels, "sample_rate": preset.sample_rate}
                pcm = None if wav is None else decode_wav(wav, frames=frames, **form)
                if pcm is not None:
                    return pcm
        return None

    def _state_at(self, source: Timeline, index: int, preset: Preset) -> SynthState | None:
        """Synthesiser state at the start of a segment, by cached phases of earlier segments."""
        preset = preset.synth_key
        known = index
        cycles = None
        while known and cycles is None:
            cycles = self._phases.get((preset, source.prefix_digests[known]))
            known -= cycles is None
        together = max(limits.PHASE_VALUES // max(NOTES_PER_SEGMENT * len(source.layers), 1), 1)
        for start in range(known, index, together):
            stop = min(start + together, index)
            first_note, *ends = source.first_notes[start : stop + 1]
            counts = [end - first_note for end in ends]
            with self._store.work.slot((stop - known) * NOTES_PER_SEGMENT * len(source.layers)):
                notes = source.heard(first_note, counts[-1])
                state = _state_before(source, first_note, cycles, preset)
                phases = phases_at(counts, notes, preset=preset, state=state)
            for cycles, history in zip(
                phases, source.prefix_digests[start + 1 : stop + 1], strict=True
            ):
                self._phases.put((preset, history), cycles, cost=_PRESET_BYTES + cycles.nbytes)
        return _state_before(source, source.first_notes[index], cycles, preset)


def heard_columns(
    source: Timeline, first_note: int, notes: int, *, preset: Preset, notes_per_column: int
) -> Heard:
    """What sounds in `notes` notes from `first_note`, all of which the source must have."""
    context = context_notes(preset)
    at_once = max(limits.CHUNK_VALUES // max(len(source.layers), 1), context)

    def parts() -> Iterator[Heard]:
        for start in range(first_note, first_note + notes, at_once):
            part = source.heard(start, min(at_once, first_note + notes - start))
            before = min(start, context)
            yield heard(part, source.heard(start - before, before), preset=preset, first_note=start)

    streams = len(bands(preset, len(source.layers)))
    return in_columns(parts(), notes=notes, notes_per_column=notes_per_column, streams=streams)


def _state_before(
    source: Timeline, note: int, cycles: NDArray[np.float64] | None, preset: Preset
) -> SynthState | None:
    """State before a note, given its phases; `None` at the start of the run."""
    if cycles is None:
        return None
    context = min(note, context_notes(preset))
    return SynthState(note, source.heard(note - context, context), cycles)


def render_chunks(
    source: Timeline,
    first_note: int,
    notes: int,
    *,
    preset: Preset,
    state: SynthState | None,
    ticks: NDArray[np.bool_] | None,
) -> Iterator[NDArray[np.int16]]:
    """The samples of `notes` notes from `first_note`, rendered a few hundred notes at a time.

    Parameters
    ----------
    state, ticks
        As for `render`.

    Yields
    ------
    pcm
        Shape ``(frames, channels)``; where two chunks fade into each other, a sample differs by at
        most 1 from that of `render`.
    """
    at_once, tail = notes_at_once(source, preset), preset.tail
    faded = np.zeros((tail, preset.channels), np.int16)
    for start in range(0, notes, at_once):
        part = slice(start, min(start + at_once, notes))
        table = source.heard(first_note + start, part.stop - start)
        marked = None if ticks is None else ticks[part]
        pcm = render(table, preset=preset, state=state, ticks=marked)
        state = advance_state(table, preset=preset, state=state)
        pcm[:tail] += faded
        end = len(pcm) - tail
        faded = pcm[end:].copy()
        yield pcm if part.stop == notes else pcm[:end]


def notes_at_once(source: Timeline, preset: Preset) -> int:
    """Notes of a chunk: about ten seconds, and no more values than small work has."""
    layers = len(source.layers)
    return max(
        min(
            limits.CHUNK_FRAMES // max(preset.hop(layers), 1), limits.SMALL_VALUES // max(layers, 1)
        ),
        1,
    )
