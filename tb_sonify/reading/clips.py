"""The sound of notes: the clip that was logged where TensorBoard holds it, else made again."""

import io
import wave
from bisect import bisect_right
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from tensorboard.plugins.audio.metadata import PLUGIN_NAME as AUDIO

from tb_sonify.contract import NOTES_PER_SEGMENT, Segment, clip_tag
from tb_sonify.reading.cache import Cache
from tb_sonify.reading.hearable import Hearable
from tb_sonify.reading.presets import own_presets
from tb_sonify.reading.store import Scope, Store, Unavailable
from tb_sonify.reading.timeline import Timeline
from tb_sonify.sound import (
    CONTEXT_NOTES,
    PRESETS,
    Lead,
    Preset,
    StreamPreset,
    advance,
    encode_wav,
    epoch_ticks,
    phases_at,
    render,
)

_KEPT_PHASES = 100_000
_MOST_VALUES = 500_000  # notes times layers that phases are taken of at a time
_MOST_FRAMES = 8_000_000  # of a clip; some minutes of sound


@dataclass(frozen=True)
class Clip:
    """The sound of consecutive notes."""

    wav: bytes
    notes: int
    source: Literal["logged", "rendered"]


class Clips:
    """Clips of what can be heard. Safe to use from many threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._phases: Cache[tuple[Preset, bytes], NDArray[np.float64]] = Cache(_KEPT_PHASES)

    def clip(
        self,
        scope: Scope,
        run: str,
        source: Hearable,
        *,
        preset: Preset,
        first_note: int,
        notes: int,
        epoch: int | None = None,
    ) -> Clip:
        """The clip of up to `notes` notes from `first_note`, which the source must have.

        It has fewer where the source ends, or where it would get too long to hold in memory.

        Parameters
        ----------
        epoch
            Ticks are so many steps apart; `None`: there are none.
        """
        hop = preset.hop(len(source.layers))
        notes = min(notes, source.notes - first_note, max(_MOST_FRAMES // hop, 1))
        index = bisect_right(source.first_notes, first_note) - 1
        start = source.first_notes[index]
        whole = (start, source.first_notes[index + 1]) == (first_note, first_note + notes)
        logged = None
        if isinstance(source, Timeline) and whole and epoch is None:
            with suppress(Unavailable):  # then the same samples are made again
                logged = self._logged(scope, run, source, index, preset)
        if logged is not None:
            return Clip(logged, notes, "logged")
        lead = self._lead(source, index, preset)
        if start < first_note:
            lead = advance(source.table(start, first_note - start), preset=preset, lead=lead)
        ticks = None
        if epoch is not None:
            ticks = epoch_ticks(np.ceil(source.steps), epoch)[first_note : first_note + notes]
        table = source.table(first_note, notes)
        pcm = render(table, preset=preset, lead=lead, ticks=ticks)
        return Clip(encode_wav(pcm, sample_rate=preset.sample_rate), notes, "rendered")

    def _logged(
        self, scope: Scope, run: str, timeline: Timeline, index: int, preset: Preset
    ) -> bytes | None:
        """The bytes of the logged clip of a segment, if they still stand for it."""
        segments = timeline.segments[: index + 1]
        # Its writer knew the layers so far; with others, a stream is made of other layers.
        known = all(each.segment.layers == timeline.layers for each in segments)
        if segments[-1].blob is None or not known or not _was_logged(preset, segments[-1].segment):
            return None
        clips = self._store.blobs(scope, run, plugin=AUDIO, tag=clip_tag(preset.name))
        segment = segments[-1].segment
        for blob in clips:
            if blob.step == segment.steps[0] and blob.wall_time >= segment.session:
                wav = self._store.read(scope, blob)
                frames = segments[-1].notes * preset.hop(len(timeline.layers)) + preset.tail
                if wav is not None and _fits(wav, preset, frames):
                    return wav
        return None

    def _lead(self, source: Hearable, index: int, preset: Preset) -> Lead | None:
        """What a clip that begins with a segment must know of all the notes before."""
        if isinstance(preset, StreamPreset):
            preset = replace(preset, muted=(), reference=0.0)  # which the lead is the same for
        known = index
        cycles = None
        while known and cycles is None:
            cycles = self._phases.get((preset, source.histories[known]))
            known -= cycles is None
        together = max(_MOST_VALUES // max(NOTES_PER_SEGMENT * len(source.layers), 1), 1)
        for start in range(known, index, together):
            stop = min(start + together, index)
            first_note, *ends = source.first_notes[start : stop + 1]
            notes = source.table(first_note, ends[-1] - first_note)
            lead = _lead_at(source, first_note, cycles)
            counts = [end - first_note for end in ends]
            for cycles, history in zip(
                phases_at(counts, notes, preset=preset, lead=lead),
                source.histories[start + 1 : stop + 1],
                strict=True,
            ):
                self._phases.put((preset, history), cycles)
        return _lead_at(source, source.first_notes[index], cycles)


def _lead_at(source: Hearable, note: int, cycles: NDArray[np.float64] | None) -> Lead | None:
    """The lead of the notes before one, by the phases that they leave; `None` at the start."""
    if cycles is None:
        return None
    context = min(note, CONTEXT_NOTES)
    return Lead(note, source.table(note - context, context), cycles)


def _was_logged(preset: Preset, segment: Segment) -> bool:
    """Whether clips of its name were made by just this preset."""
    return preset == PRESETS.get(preset.name) or preset in own_presets(segment.options)


def _fits(wav: bytes, preset: Preset, frames: int) -> bool:
    """Whether a WAV file has the format of a preset, and so many sample frames."""
    try:
        with wave.open(io.BytesIO(wav)) as reader:
            found = reader.getnchannels(), reader.getsampwidth(), reader.getframerate()
            return (*found, reader.getnframes()) == (preset.channels, 2, preset.sample_rate, frames)
    except (wave.Error, EOFError):
        return False
