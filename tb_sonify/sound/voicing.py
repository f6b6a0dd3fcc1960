"""Voicing: pitch, gain, modulation depths and earcon of each stream in each note."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_sonify.schema.notes import Notes
from tb_sonify.sound.deviations import CHIME_NOTES, Residuals, chime_causes, chimes
from tb_sonify.sound.earcons import (
    CROSSING_NOTES,
    REPEAT_SECONDS,
    SECONDS,
    Earcon,
    beginning,
    choose_earcons,
    crossings,
    earcon_causes,
)
from tb_sonify.sound.loudness import equal_loudness_gain
from tb_sonify.sound.presets import SPEEDS, Preset, StreamPreset
from tb_sonify.sound.prominence import PROMINENCE_NOTES, prominence, without_jitter
from tb_sonify.sound.streams import stream_layers, stream_levels
from tb_sonify.sound.texture import (
    ROUGHNESS_DEPTHS,
    TEXTURE_NOTES,
    TREMOLO_DEPTHS,
    instability,
)

EARCON_DUCK = 0.5  # of a stream's amplitude while its earcon sounds, for clarity and for headroom
REPEAT_IN_TURN = 8  # notes between repeats where streams sound in turn
LONG_NOTES = math.ceil(max(SECONDS.values()) * SPEEDS[1])  # that the longest earcon lasts, at most
CALM_REPEATS = 10  # times as long between repeats where a preset has a pad


def context_notes(preset: Preset) -> int:
    """Number of notes before a clip that its first note, and the one before, depend on."""
    compared = isinstance(preset, StreamPreset) and preset.pad > 0
    # Earcons of notes before can still sound in the clip.
    earcons = max(CROSSING_NOTES, CHIME_NOTES) + LONG_NOTES
    return max(TEXTURE_NOTES + 1, earcons, (PROMINENCE_NOTES + 1) * compared)


@dataclass(frozen=True)
class StreamControls:
    """Control curves of the streams; every array has shape ``(notes, streams)``."""

    hz: NDArray[np.float64]  # pitch; NaN where the stream is silent
    gain: NDArray[np.float64]  # amplitude relative to the preset's level; 0 where silent
    roughness: NDArray[np.float64]  # depth of modulation, 0 to 1
    tremolo: NDArray[np.float64]
    brightness: NDArray[np.float64]  # of the overtones, 0 (half) to 1
    earcon: NDArray[np.uint8]  # an `Earcon`
    beside: NDArray[np.uint8]  # one that lasts for several notes

    def at(self, where: "slice | NDArray[np.intp] | tuple[slice, int]") -> "StreamControls":
        """Controls at some notes, or of one stream."""
        return StreamControls(*(table[where] for table in vars(self).values()))

    def in_turn(self) -> "StreamControls":
        """The streams of each note one after the other, then a rest: one stream, more events."""
        return StreamControls(
            in_turn(self.hz, np.nan),
            in_turn(self.gain, 0.0),
            in_turn(self.roughness, 0.0),
            in_turn(self.tremolo, 0.0),
            in_turn(self.brightness, 1.0),
            in_turn(self.earcon, 0),
            in_turn(self.beside, 0),
        )


def in_turn(table: NDArray[Any], rest: float) -> NDArray[Any]:
    """Flatten ``(notes, streams)`` to ``(notes * (streams + 1), 1)``, a rest after each note."""
    return np.pad(table, ((0, 0), (0, 1)), constant_values=rest).reshape(-1, 1)


def stream_controls(notes: Notes, *, preset: StreamPreset, first_note: int) -> StreamControls:
    """Controls of all streams in `notes`.

    Layers at exactly zero, NaN or infinity have no pitch: the pitch is that of the stream's other
    layers, and an earcon reports them.

    Parameters
    ----------
    first_note
        Number of the first note in the run.
    """
    groups = stream_layers(notes.layers, streams=preset.streams)
    levels = stream_levels(notes.median, groups)
    hz = _pitch(levels, preset)
    divergence, oscillation = instability(levels, judged=preset.judged)
    repeat = preset.notes_in(REPEAT_SECONDS) if preset.arrangement == "together" else REPEAT_IN_TURN
    beside = np.zeros(hz.shape, np.uint8)
    residuals = None
    if preset.judged:
        residuals = Residuals.of(notes.max)
        unusual = chime_causes(notes, residuals, groups)
        beside = crossings(levels)
        beside[chimes(unusual, groups, first_note=first_note)] = Earcon.CHIME
    if preset.compared:
        beside[:, 1:] = crossings(levels[:, 1:] - levels[:, :1])
    causes = earcon_causes(notes, groups, preset.encoding, residuals)
    brightness = np.ones_like(levels)
    if preset.pad:
        repeat *= CALM_REPEATS
        # What diverges comes forward whatever the run is used to, and all of it with an earcon.
        unstable = divergence.clip(0, 2) / 2
        begins = ((beginning(causes) > 0) | (beside == Earcon.CHIME)).any(axis=1, keepdims=True)
        brightness = prominence(levels, np.maximum(unstable, begins))
    earcon = choose_earcons(causes, first_note=first_note, repeat=repeat)
    roughness = ROUGHNESS_DEPTHS[divergence] * preset.texture * brightness
    # In turn, a stream sounds too shortly for a slow tremolo.
    slow = preset.texture and preset.arrangement == "together"
    tremolo = TREMOLO_DEPTHS[oscillation] * slow * brightness
    # Modulation adds power: the gain is reduced to keep the loudness.
    power = (1 + roughness**2 / 2) * (1 + tremolo**2 / 2)
    gain = np.zeros_like(hz)
    for own, pitch, voice in zip(gain.T, hz.T, preset.stream_voices(hz.shape[1]), strict=True):
        own[:] = np.nan_to_num(equal_loudness_gain(pitch, voice.loudness), nan=0.0)
    gain *= 10 ** (preset.pad / 20 * (brightness - 1)) / np.sqrt(power)
    gain[earcon != Earcon.NONE] *= EARCON_DUCK
    muted = [stream for stream in preset.muted if stream < len(groups)]
    gain[:, muted], earcon[:, muted], beside[:, muted] = 0.0, Earcon.NONE, Earcon.NONE
    return StreamControls(hz, gain, roughness, tremolo, brightness, earcon, beside)


def stream_hz(notes: Notes, preset: StreamPreset) -> NDArray[np.float64]:
    """`StreamControls.hz` alone, shape ``(notes, streams)``."""
    groups = stream_layers(notes.layers, streams=preset.streams)
    return _pitch(stream_levels(notes.median, groups), preset)


def _pitch(levels: NDArray[np.float64], preset: StreamPreset) -> NDArray[np.float64]:
    voices = preset.stream_voices(levels.shape[1])
    levels = without_jitter(levels) if preset.pad else levels
    return preset.encoding(np.exp2(levels)) * [voice.transposition for voice in voices]
