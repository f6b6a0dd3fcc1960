"""Layers in sequence: one short tone each, as the script of 2019 wrote them, made right."""

import numpy as np
from numpy.typing import NDArray

from tb_sonify.schema.notes import Notes
from tb_sonify.sound.presets import SequencePreset

_NOISE_SEED = 2019


def render_sequence(notes: Notes, preset: SequencePreset) -> NDArray[np.float64]:
    """Mono waveform of notes, shape ``(notes * hop,)``.

    An infinite norm sounds at the ceiling, NaN as a burst of noise, a layer without gradient as
    silence: the 2019 script folds the first down by aliasing, and leaves NaN to the player.
    """
    hz = np.minimum(
        preset.base_hz + preset.slope_hz * notes.median.astype(float), preset.ceiling_hz
    )
    hz = np.where(notes.inf > 0, preset.ceiling_hz, hz)
    frame = np.arange(preset.tone)
    # Counted from its middle, a tone is odd, and so has no DC whatever its pitch.
    centred = frame - (preset.tone - 1) / 2
    tones = np.sin(2 * np.pi * hz[..., None] * centred / preset.sample_rate)
    silent = (notes.median < 0) & (notes.inf == 0)
    tones[silent] = 0.0
    tones[notes.nan > 0] = _noise(preset.tone)
    edge = np.clip(np.minimum(frame, preset.tone - 1 - frame) / preset.edge, 0, 1)
    tones *= preset.amplitude * np.sin(np.pi / 2 * edge) ** 2
    waveform = np.zeros((len(notes), preset.hop(notes.layers)))
    waveform[:, : notes.layers * preset.tone] = tones.reshape(
        len(notes), notes.layers * preset.tone
    )
    return waveform.ravel()


def _noise(frames: int) -> NDArray[np.float64]:
    """The same burst every time, so that equal input gives equal bytes."""
    return np.random.default_rng(_NOISE_SEED).uniform(-1, 1, frames)
