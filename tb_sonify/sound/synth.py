"""Wavetable synthesis of a stream: continuous phase, gliding pitch, no partial above Nyquist."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tb_sonify.sound.pitch import HZ_AT_NORM_1
from tb_sonify.sound.presets import StreamPreset, Voice
from tb_sonify.sound.texture import TREMOLO_SECONDS, roughness_cycles
from tb_sonify.sound.voicing import StreamControls

PAD_OVERTONES = 0.5  # of the overtones' amplitude at brightness 0
_TABLE_SIZE = 1 << 16  # without interpolation the error is -80 dB, which is inaudible at 16 bits


@dataclass(frozen=True)
class Glide:
    """A control of one stream that glides from `before` to `after` in each event."""

    before: NDArray[np.float64]
    after: NDArray[np.float64]

    @classmethod
    def through(cls, values: NDArray[np.float64], previous: float) -> "Glide":
        """Glide from `previous` through `values`, shape ``(events,)``."""
        return cls(np.concatenate([[previous], values[:-1]]), values)

    def sample(self, share: NDArray[np.float64]) -> NDArray[np.float32]:
        """Value at each share of the glide, 0 to 1; shape ``(events, len(share))``."""
        before, change = self.before.astype(np.float32), self.after - self.before
        return np.asarray(
            before[:, None] + np.outer(change.astype(np.float32), share.astype(np.float32))
        )


def pitch_glide(hz: NDArray[np.float64], previous: float) -> Glide:
    """Glide of a pitch that is NaN where the stream is silent.

    A stream that falls silent keeps its pitch while it fades out; one that begins to sound starts
    at its pitch.
    """
    glide = Glide.through(hz, previous)
    silent_before, silent = np.isnan(glide.before), np.isnan(glide.after)
    rest = np.where(silent_before, HZ_AT_NORM_1, glide.before)
    return Glide(
        before=np.where(silent_before & ~silent, glide.after, rest),
        after=np.where(silent, rest, glide.after),
    )


def cycles_at_ends(
    pitch: Glide, start: float, delay: int, preset: StreamPreset
) -> NDArray[np.float64]:
    """Phase at the end of each event, in cycles, from `start` before the first."""
    own = float(transition(preset, delay).sum())
    frames = pitch.before * (preset.note_frames - own) + pitch.after * own
    return np.asarray(start + np.cumsum(frames) / preset.sample_rate)


@lru_cache(maxsize=256)  # bounded, as a request may ask for any speed; about 20 KB each
def transition(preset: StreamPreset, delay: int) -> NDArray[np.float64]:
    """Share of the glide that is done, 0 to 1, at each sample frame of an event.

    The glide starts `delay` sample frames after the `tail` that every event holds.
    """
    ramp = (np.arange(preset.note_frames) - preset.tail - delay) / preset.glide
    return np.asarray(np.sin(np.pi / 2 * np.clip(ramp, 0, 1)) ** 2)


@dataclass(frozen=True)
class VoicePart:
    """One stream to be synthesised, with the event before."""

    controls: StreamControls  # of this stream alone, every array of shape (1 + events,)
    cycles: float  # initial phase
    delay: int  # sample frames
    first_event: int  # number of the first event since the start of the run
    voice: Voice


def synthesise(part: VoicePart, preset: StreamPreset) -> NDArray[np.float32]:
    """Mono waveform of a stream, amplitude 1 for the fundamental at gain 1.

    Returns
    -------
    waveform
        Shape ``(events * note_frames + tail,)``; the sound of the last event is held for `tail`.
    """
    share = transition(preset, part.delay)
    hz = part.controls.hz
    pitch = pitch_glide(hz[1:], float(hz[0]))
    ends = cycles_at_ends(pitch, part.cycles, part.delay, preset)
    starts = np.concatenate([[part.cycles], ends[:-1]]) % 1.0
    own = np.cumsum(share) - share
    other = np.arange(preset.note_frames) - own
    within = np.outer(pitch.before, other) + np.outer(pitch.after, own)
    phase = starts[:, None] + within / preset.sample_rate
    held = ends[-1] % 1.0 + pitch.after[-1] * np.arange(preset.tail) / preset.sample_rate
    entry = _entries(np.concatenate([phase.ravel(), held]))
    waveform = _timbre(entry, part, share, preset)
    waveform *= _envelope(part, share, preset)
    return waveform


def _envelope(
    part: VoicePart, share: NDArray[np.float64], preset: StreamPreset
) -> NDArray[np.float32]:
    controls, tail = part.controls, preset.tail
    gain = Glide.through(controls.gain[1:], float(controls.gain[0]))
    level, held = gain.sample(share), np.full(tail, gain.after[-1], np.float32)
    events = part.first_event + np.arange(len(level) + 1)
    for depths, cycles, in_events in (
        (controls.roughness, roughness_cycles(1 / preset.speed), 1),
        (controls.tremolo, 1, preset.notes_in(TREMOLO_SECONDS)),
    ):
        if depths.any():
            depth = Glide.through(depths[1:], float(depths[0]))
            wave = _modulator(cycles, in_events, preset.note_frames)[events % in_events]
            level *= 1 + depth.sample(share) * wave[:-1]
            held *= 1 + np.float32(depth.after[-1]) * wave[-1, :tail]
    return np.concatenate([level.ravel(), held])


@lru_cache(maxsize=64)
def _modulator(cycles: int, events: int, frames: int) -> NDArray[np.float32]:
    """Cosine with `cycles` over `events` events of the run, shape ``(events, frames)``."""
    wave = np.cos(2 * np.pi * cycles * np.arange(events * frames) / (events * frames))
    return wave.astype(np.float32).reshape(-1, frames)


@lru_cache(maxsize=64)
def _wavetable(voice: Voice, overtones: float) -> NDArray[np.float32]:
    """One cycle of a timbre, with so much of its overtones, shape ``(_TABLE_SIZE,)``."""
    phase = 2 * np.pi * np.arange(_TABLE_SIZE) / _TABLE_SIZE
    first, *others = (a * np.sin(k * phase) for k, a in enumerate(voice.harmonics, start=1))
    return np.asarray(first + overtones * np.sum(others, axis=0), np.float32)


def _timbre(
    entry: NDArray[np.int64], part: VoicePart, share: NDArray[np.float64], preset: StreamPreset
) -> NDArray[np.float32]:
    """Waveform of the voice with the brightness of each event, by entries of the wavetable."""
    bright = part.controls.brightness
    if bright.min() == 1:  # as in all of a preset without a pad
        return _wavetable(part.voice, 1.0).take(entry)
    dull = _wavetable(part.voice, PAD_OVERTONES).take(entry)
    if bright.max() == 0:
        return dull
    full = _wavetable(part.voice, 1.0).take(entry)
    glide = Glide.through(bright[1:], float(bright[0]))
    held = np.full(preset.tail, glide.after[-1], np.float32)
    full -= dull
    full *= np.concatenate([glide.sample(share).ravel(), held])
    full += dull
    return full


def _entries(cycles: NDArray[np.float64]) -> NDArray[np.int64]:
    return (cycles * _TABLE_SIZE).astype(np.int64) & (_TABLE_SIZE - 1)
