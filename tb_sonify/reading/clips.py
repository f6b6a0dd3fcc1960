"""The sound of notes: the clip that was logged where TensorBoard holds it, else made again."""

import io
import wave
from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

from tensorboard.plugins.audio.metadata import PLUGIN_NAME as AUDIO

from tb_sonify.contract import clip_tag
from tb_sonify.reading.cache import Cache
from tb_sonify.reading.store import Scope, Store
from tb_sonify.reading.timeline import Timeline
from tb_sonify.sound import Lead, Preset, advance, encode_wav, render

_KEPT_LEADS = 64 * 2**20  # bytes, about
_MOST_FRAMES = 8_000_000  # of a clip; some minutes of sound


@dataclass(frozen=True)
class Clip:
    """The sound of consecutive notes."""

    wav: bytes
    notes: int
    source: Literal["logged", "rendered"]


class Clips:
    """Clips of timelines. Safe to use from many threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._leads: Cache[tuple[str, int], Lead] = Cache(_KEPT_LEADS)

    def clip(
        self,
        scope: Scope,
        run: str,
        timeline: Timeline,
        *,
        preset: Preset,
        first_note: int,
        notes: int,
    ) -> Clip:
        """The clip of up to `notes` notes from `first_note`, which the timeline must have.

        It has fewer where the timeline ends, or where it would get too long to hold in memory.
        """
        hop = preset.hop(len(timeline.layers))
        notes = min(notes, timeline.notes - first_note, max(_MOST_FRAMES // hop, 1))
        index = bisect_right(timeline.first_notes, first_note) - 1
        start = timeline.first_notes[index]
        if (start, timeline.segments[index].notes) == (first_note, notes):
            logged = self._logged(scope, run, timeline, index, preset)
            if logged is not None:
                return Clip(logged, notes, "logged")
        lead = self._lead(timeline, index, preset)
        if start < first_note:
            lead = advance(timeline.table(start, first_note - start), preset=preset, lead=lead)
        pcm = render(timeline.table(first_note, notes), preset=preset, lead=lead)
        return Clip(encode_wav(pcm, sample_rate=preset.sample_rate), notes, "rendered")

    def _logged(
        self, scope: Scope, run: str, timeline: Timeline, index: int, preset: Preset
    ) -> bytes | None:
        """The bytes of the logged clip of a segment, if they still stand for it."""
        segments = timeline.segments[: index + 1]
        # Its writer knew the layers so far; with others, a stream is made of other layers.
        known = all(each.segment.layers == timeline.layers for each in segments)
        if segments[-1].blob is None or not known:
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

    def _lead(self, timeline: Timeline, index: int, preset: Preset) -> Lead | None:
        """What a clip that begins with a segment must know of all the notes before."""
        kept = index
        lead = None
        while kept and lead is None:
            lead = self._leads.get((preset.name, timeline.histories[kept]))
            kept -= lead is None
        for each in range(kept, index):
            notes = timeline.table(timeline.first_notes[each], timeline.segments[each].notes)
            lead = advance(notes, preset=preset, lead=lead)
            key = preset.name, timeline.histories[each + 1]
            self._leads.put(key, lead, cost=1_000 + 4 * notes.median.nbytes)
        return lead


def _fits(wav: bytes, preset: Preset, frames: int) -> bool:
    """Whether a WAV file has the format of a preset, and so many sample frames."""
    try:
        with wave.open(io.BytesIO(wav)) as reader:
            found = reader.getnchannels(), reader.getsampwidth(), reader.getframerate()
            return (*found, reader.getnframes()) == (preset.channels, 2, preset.sample_rate, frames)
    except (wave.Error, EOFError):
        return False
