"""The synthesiser of streams: continuous phase, gliding pitch, no partial above Nyquist."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tb_sonify.sound.encoding import HZ_AT_NORM_1
from tb_sonify.sound.streams import StreamNotes
from tb_sonify.sound.voice import StreamPreset, Voice

_TABLE_SIZE = 8_192  # with linear interpolation, the fifth partial is true to -100 dB


@dataclass(frozen=True)
class Glides:
    """What streams do between notes, every array of shape ``(notes, streams)``.

    Each note begins with the pitch and the gain of the note before and goes over to its own by
    the preset's `transition`. A stream that falls silent keeps its pitch while it fades; one
    that begins to sound has its pitch at once.
    """

    hz_before: NDArray[np.float64]
    hz: NDArray[np.float64]
    gain_before: NDArray[np.float64]
    gain: NDArray[np.float64]

    @classmethod
    def between(
        cls, notes: StreamNotes, hz_before: NDArray[np.float64], gain_before: NDArray[np.float64]
    ) -> "Glides":
        """The glides of notes that come after one with `hz_before` and `gain_before`."""
        before = np.concatenate([hz_before[None], notes.hz[:-1]])
        silent, silent_before = np.isnan(notes.hz), np.isnan(before)
        rest = np.where(silent_before, HZ_AT_NORM_1, before)
        return cls(
            hz_before=np.where(silent_before & ~silent, notes.hz, rest),
            hz=np.where(silent, rest, notes.hz),
            gain_before=np.concatenate([gain_before[None], notes.gain[:-1]]),
            gain=notes.gain,
        )

    def cycles(self, preset: StreamPreset) -> NDArray[np.float64]:
        """Phase that each stream has run through at the end of each note, in cycles."""
        *_, changed = _progress(preset)
        held = preset.note_frames - changed
        return np.asarray(
            np.cumsum(self.hz_before * held + self.hz * changed, axis=0) / preset.sample_rate
        )


@cache
def transition(preset: StreamPreset) -> NDArray[np.float64]:
    """How far a note has gone over from the one before, 0 to 1, shape ``(note_frames,)``."""
    ramp = np.clip((np.arange(preset.note_frames) - preset.tail) / preset.glide, 0, 1)
    return np.asarray(np.sin(np.pi / 2 * ramp) ** 2)


@cache
def _progress(preset: StreamPreset) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Frames since a note began, spent in the pitch before and in its own; the latter's total."""
    reached = transition(preset)
    own = np.cumsum(reached) - reached
    return np.arange(preset.note_frames) - own, own, float(reached.sum())


def synthesise(
    glides: Glides, stream: int, cycles: float, *, preset: StreamPreset, voice: Voice
) -> NDArray[np.float64]:
    """One stream, from its phase in `cycles` on: mono, amplitude 1 for the fundamental at gain 1.

    Returns
    -------
    waveform
        Shape ``(notes * note_frames + tail,)``; after the last note, its pitch holds.
    """
    before, own, _ = _progress(preset)
    hz_before, hz = glides.hz_before[:, stream], glides.hz[:, stream]
    gain_before, gain = glides.gain_before[:, stream], glides.gain[:, stream]
    ends = cycles + glides.cycles(preset)[:, stream]
    starts = np.concatenate([[cycles], ends[:-1]]) % 1.0
    within = np.outer(hz_before, before) + np.outer(hz, own)
    phase = starts[:, None] + within / preset.sample_rate
    level = gain_before[:, None] + np.outer(gain - gain_before, transition(preset))
    held = ends[-1] % 1.0 + hz[-1] * np.arange(preset.tail) / preset.sample_rate
    waveform = _oscillate(np.concatenate([phase.ravel(), held]), voice)
    waveform[: level.size] *= level.ravel()
    waveform[level.size :] *= gain[-1]
    return waveform


@cache
def _wavetable(voice: Voice) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """One cycle of the timbre, and its step from each entry to the next."""
    phase = 2 * np.pi * np.arange(_TABLE_SIZE + 1) / _TABLE_SIZE
    table = sum(
        (weight * np.sin(number * phase) for number, weight in enumerate(voice.harmonics, start=1)),
        start=np.zeros_like(phase),
    )
    return table[:-1], np.diff(table)


def _oscillate(cycles: NDArray[np.float64], voice: Voice) -> NDArray[np.float64]:
    table, step = _wavetable(voice)
    position = (cycles % 1.0) * _TABLE_SIZE
    index = position.astype(np.int32) % _TABLE_SIZE  # cycles a hair below 1 may round up to it
    return np.asarray(table[index] + (position - index) * step[index])
