"""Voicing: pitch, gain, modulation depths and earcon of each stream in each note."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_sonify.schema.notes import Notes, chunks_of
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
from tb_sonify.sound.streams import known_median, stream_layers, stream_levels
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

HISTORY = 128  # notes before a note, with which it is compared
RELEASE = 0.7  # of the prominence is left a note later
_RELEASE_NOTES = 16  # after them, 0.3 % would be left, which is inaudible
PROMINENCE_NOTES = HISTORY + _RELEASE_NOTES - 1  # before a note, by which its prominence is known

_KNOWN = 16  # notes of the history; with fewer, a stream is prominent
# Doublings. More than the largest comes with batches of ten alone, and counts as that much: what
# jumps by a factor of 256 is not usual, however often it does.
_LEAST_SPREAD, _MOST_SPREAD = 0.12, 2.0
# In standard deviations: small batches alone reach three.
_PROMINENT_FROM, _FULLY_PROMINENT = 4.0, 9.0
_SMOOTHED = 5  # notes
# What is further from the median than both is left as it is: standard deviations, doublings.
_OUTLIER, _OUTLIER_DOUBLINGS = 4.0, 1.0

_Where = tuple[NDArray[np.intp], ...]  # notes, streams


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


def prominence(levels: NDArray[np.float64], least: NDArray[np.float64]) -> NDArray[np.float64]:
    """How unusual each stream is, 0 (as in the `HISTORY` notes before) to 1.

    The distance from their median, in standard deviations by their median absolute deviation. It
    rises at once and falls by `RELEASE`. Where there is no history yet, a stream is prominent.

    Parameters
    ----------
    levels
        log2 norm of each stream, shape ``(notes, streams)``; NaN where it has none.
    least
        What it is at least, for other reasons, shape ``(notes, streams)``.

    Returns
    -------
    prominence
        Shape ``(notes, streams)``.
    """
    middle = _middle(levels)
    apart = np.abs(levels - middle)
    unusual = np.where(np.isnan(middle), 1.0, 0.0)
    where = np.nonzero(apart > _PROMINENT_FROM * _LEAST_SPREAD)
    deviations = apart[where] / _spread(levels, where)
    unusual[where] = np.interp(deviations, (_PROMINENT_FROM, _FULLY_PROMINENT), (0, 1))
    padded = np.pad(np.maximum(unusual, least), ((_RELEASE_NOTES - 1, 0), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _RELEASE_NOTES, axis=0)
    return np.asarray((windows * RELEASE ** np.arange(_RELEASE_NOTES)[::-1]).max(axis=-1))


def without_jitter(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Levels as medians of five notes, but outliers as they are.

    Parameters
    ----------
    levels
        As for `prominence`.
    """
    recent = np.pad(levels, ((_SMOOTHED - 1, 0), (0, 0)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(recent, _SMOOTHED, axis=0)
    smooth = known_median(windows.reshape(-1, _SMOOTHED)).reshape(levels.shape)
    apart = np.abs(levels - smooth)
    where = np.nonzero(apart > _OUTLIER_DOUBLINGS)
    outlier = np.isnan(levels)
    outlier[where] = apart[where] > _OUTLIER * _spread(levels, where)
    return np.where(outlier, levels, smooth)


def _spread(levels: NDArray[np.float64], where: _Where) -> NDArray[np.float64]:
    """Standard deviation of the notes before some, by their median absolute deviation."""
    spread, history = np.empty(len(where[0])), _history(levels)
    for part in chunks_of(len(spread), HISTORY):
        recent = history[where[0][part], where[1][part]]
        apart = np.abs(recent - known_median(recent)[:, None])
        spread[part] = 1.4826 * known_median(apart)
    return spread.clip(_LEAST_SPREAD, _MOST_SPREAD)


def _middle(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median of the notes before each; NaN where fewer than `_KNOWN` have a level."""
    middle, history = np.empty(levels.shape), _history(levels)
    for part in chunks_of(len(levels), HISTORY * levels.shape[1]):
        recent = history[part].reshape(-1, HISTORY)
        known = np.isfinite(recent).sum(axis=1) >= _KNOWN
        middle[part] = np.where(known, known_median(recent), np.nan).reshape(middle[part].shape)
    return middle


def _history(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """View of the `HISTORY` notes before each, shape ``(notes, streams, HISTORY)``."""
    padded = np.pad(levels, ((HISTORY, 0), (0, 0)), constant_values=np.nan)
    return np.lib.stride_tricks.sliding_window_view(padded, HISTORY, axis=0)[: len(levels)]
