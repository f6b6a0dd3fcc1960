"""Guides for the listener: reference tones at norm 1, epoch ticks, audible legend."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_sonify.schema.notes import NO_GRADIENT, Notes, aggregate
from tb_sonify.schema.quantities import GRADIENT, RATIO
from tb_sonify.sound.classic import SequencePreset
from tb_sonify.sound.pitch import Encoding, Scale, hz_in_words, noun_of, value_at_440_hz
from tb_sonify.sound.presets import Preset, StreamPreset
from tb_sonify.sound.streams import STREAM_NAMES

TICK_LEVEL = 0.08  # peak, relative to full scale
_TICK_HZ = 1_200.0  # with its fifth; no earcon has either
_TICK_DECAY = 180.0  # per second: inaudible after 25 ms

_LEGEND_SECONDS = 0.9  # of each tone
_LEGEND_PAUSE_SECONDS = 0.3


def reference_waveform(
    preset: StreamPreset, *, streams: int, first_frame: int, frames: int
) -> NDArray[np.float32]:
    """Tone at norm 1 in each register, from a sample frame of the run on, shape ``(frames,)``.

    Its phase depends on the position in the run alone, so that clips join.
    """
    seconds = (first_frame + np.arange(frames, dtype=np.float64)) / preset.sample_rate
    pitches = float(preset.encoding(np.ones(1))[0]) * _registers(preset, streams)
    tones = sum(np.sin(2 * np.pi * (hz * seconds % 1.0)) for hz in pitches)
    return np.asarray(preset.reference * tones, np.float32)


@lru_cache(maxsize=64)
def tick_waveform(*, frames: int, sample_rate: int) -> NDArray[np.float32]:
    """A tick like a knock on wood, faded at both ends, shape ``(frames,)``."""
    seconds = np.arange(frames) / sample_rate
    tone = np.sin(2 * np.pi * _TICK_HZ * seconds) + np.sin(3 * np.pi * _TICK_HZ * seconds)
    left = (frames - 1 - np.arange(frames)) / (0.004 * sample_rate)
    attack = seconds / 0.002
    edge = np.sin(np.pi / 2 * np.clip(np.minimum(attack, left), 0, 1)) ** 2
    return np.asarray(TICK_LEVEL / 2 * edge * tone * np.exp(-_TICK_DECAY * seconds), np.float32)


def epoch_ticks(steps: NDArray[np.number[Any]], epoch: int) -> NDArray[np.bool_]:
    """Mask of the notes that contain the first step of an epoch, shape ``(notes,)``.

    Parameters
    ----------
    steps
        First step of each note and, at the end, the last step of all, shape ``(notes + 1,)``.
    epoch
        Steps per epoch, at least 1; the first begins at step 0.

    Examples
    --------
    >>> epoch_ticks(np.array([0, 10, 20, 30, 39]), 20).tolist()
    [True, False, True, False]
    """
    if epoch < 1:
        raise ValueError(f"an epoch must have at least 1 step, got {epoch!r}")
    last_before = np.append(steps[1:-1] - 1, steps[-1:])
    return np.asarray(last_before // epoch > (steps[:-1] - 1) // epoch)


@dataclass(frozen=True)
class Legend:
    """Notes that play the ends and the middle of a scale, and their description.

    They have a layer for each register; the preset has no earcons, which would report the jumps.
    """

    notes: Notes
    words: str
    preset: StreamPreset


def describe_pitch(
    preset: Preset,
    scale: Scale | None = None,
    quantity: str = GRADIENT,
    layers: int = len(STREAM_NAMES),
) -> str:
    """Mapping from norm to pitch, or from a scalar if there is a scale, as text.

    Parameters
    ----------
    layers
        Of the model: fewer than the preset has streams have fewer registers.
    """
    if isinstance(preset, SequencePreset):
        unit, noun = value_at_440_hz(quantity), noun_of(quantity)
        return (
            f"{preset.base_hz:g} Hz and {preset.slope_hz:g} Hz more for each {unit:g} of the {noun}"
        )
    encoding = preset.encoding
    if scale is None:
        return encoding.describe(quantity, _registers(preset, layers).tolist())
    if encoding == Encoding():
        return str(scale)
    return f"{scale}, before pitch zoom {encoding.zoom} {encoding.polarity}"


def legend(
    preset: Preset,
    scale: Scale | None = None,
    quantity: str = GRADIENT,
    layers: int = len(STREAM_NAMES),
) -> Legend:
    """Tones at the lowest norm, norm 1 and the highest norm; of a scalar, low, middle and high.

    Where streams have registers, a norm sounds in all of them at once.

    Parameters
    ----------
    scale
        Of the scalar; `None` for norms.
    quantity
        Of the norms; of ratios, the tones are those at the value that sounds at 440 Hz.
    layers
        Of the model, as for `describe_pitch`.

    Raises
    ------
    ValueError
        If the preset is not `adjustable`.
    """
    if not isinstance(preset, StreamPreset):
        message = f"the preset {preset.name!r} has no legend to play: choose another"
        raise ValueError(message)  # noqa: TRY004 - a choice, not a wrong type
    if scale is None:
        low, high = preset.encoding.norm_range
        unit = value_at_440_hz(quantity)
        stops = [(norm, f"{norm * unit:.3g}") for norm in (low, 1.0, high)]
        if not low < 1 < high:
            stops.pop(1)
        subject = "ratios of update and weight" if quantity == RATIO else f"{quantity} norms"
    else:
        values = np.array([scale.low, scale.middle, scale.high])
        names = [f"{value:.4g}" for value in values]
        stops = list(zip(scale(values).tolist(), names, strict=True))
        subject = f"{scale.kind} scale"
    tone, pause = preset.notes_in(_LEGEND_SECONDS), preset.notes_in(_LEGEND_PAUSE_SECONDS)
    norms = np.concatenate([[norm] * tone + [NO_GRADIENT] * pause for norm, _ in stops])
    registers = _registers(preset, layers)
    pitches = preset.encoding(np.array([norm for norm, _ in stops])).tolist()
    named = [
        f"{name} is {hz_in_words(hz, registers.tolist())}"
        for (_, name), hz in zip(stops, pitches, strict=True)
    ]
    table = np.repeat(norms[:, None].astype(np.float32), len(registers), axis=1)
    words = f"{subject}: {', '.join(named)}"
    return Legend(aggregate(table, rows_per_note=1), words, replace(preset, earcon_level=0.0))


def _registers(preset: StreamPreset, layers: int) -> NDArray[np.float64]:
    """Factor of each register of a model with so many layers on frequencies, increasing."""
    streams = max(preset.streams_for(layers), 1)
    return np.unique([voice.transposition for voice in preset.stream_voices(streams)])
