"""The preset of 2019: one short tone per layer in sequence, frequency linear in the norm."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tb_sonify.schema.notes import Notes

_NOISE_SEED = 2019


@dataclass(frozen=True, kw_only=True)
class SequencePreset:
    """Layers one after the other, a short tone each, then silence.

    A tone has ``base_hz + slope_hz * norm`` Hz, at most `ceiling_hz`.
    """

    adjustable: ClassVar[bool] = False

    name: str
    title: str
    sample_rate: int  # Hz
    tone: int  # sample frames per layer
    edge: int  # sample frames of fade at both ends of a tone
    silence: int  # sample frames after the last layer
    base_hz: float
    slope_hz: float
    ceiling_hz: float
    amplitude: float  # peak, relative to full scale
    channels: int = 1
    tail: int = 0

    @property
    def synth_key(self) -> "SequencePreset":
        """The preset itself: its clips have no state in common."""
        return self

    def streams_for(self, layers: int) -> int:
        """One stream per layer."""
        return layers

    def event_frames(self, layers: int) -> int:
        """Sample frames of a note."""
        return self.hop(layers)

    def hop(self, layers: int) -> int:
        """Sample frames from one note to the next."""
        return layers * self.tone + self.silence


def sequence_hz(notes: Notes, preset: SequencePreset) -> NDArray[np.float64]:
    """Frequency of each tone, shape ``(notes, layers)``; NaN where none sounds.

    An infinite norm sounds at the ceiling, while the 2019 script folds it down by aliasing; a
    layer without gradient is silent, and NaN has no pitch.
    """
    hz = np.minimum(
        preset.base_hz + preset.slope_hz * notes.median.astype(float), preset.ceiling_hz
    )
    hz = np.where(notes.inf > 0, preset.ceiling_hz, hz)
    return np.where(((notes.median < 0) & (notes.inf == 0)) | (notes.nan > 0), np.nan, hz)


def render_sequence(notes: Notes, preset: SequencePreset) -> NDArray[np.float64]:
    """Mono waveform of notes, shape ``(notes * hop,)``.

    NaN sounds as a burst of noise: the 2019 script leaves it to the player.
    """
    hz = sequence_hz(notes, preset)
    frame = np.arange(preset.tone)
    # Counted from its middle, a tone is odd, and so has no DC whatever its pitch.
    centred = frame - (preset.tone - 1) / 2
    tones = np.sin(2 * np.pi * hz[..., None] * centred / preset.sample_rate)
    tones[np.isnan(hz)] = 0.0
    tones[notes.nan > 0] = _noise(preset.tone)
    edge = np.clip(np.minimum(frame, preset.tone - 1 - frame) / preset.edge, 0, 1)
    tones *= preset.amplitude * np.sin(np.pi / 2 * edge) ** 2
    waveform = np.zeros((len(notes), preset.hop(notes.layers)))
    waveform[:, : notes.layers * preset.tone] = tones.reshape(
        len(notes), notes.layers * preset.tone
    )
    return waveform.ravel()


def _noise(frames: int) -> NDArray[np.float64]:
    """Uniform noise from a constant seed, so that equal input gives equal bytes."""
    return np.random.default_rng(_NOISE_SEED).uniform(-1, 1, frames)
