"""Guides for the listener: reference tone at norm 1, epoch ticks, audible legend."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_sonify.schema.notes import NO_GRADIENT, Notes, aggregate
from tb_sonify.schema.quantities import GRADIENT, RATIO
from tb_sonify.sound.classic import SequencePreset
from tb_sonify.sound.pitch import Encoding, Scale, noun_of, value_at_440_hz
from tb_sonify.sound.presets import Preset, StreamPreset

TICK_LEVEL = 0.08  # peak, relative to full scale
_TICK_HZ = 1_200.0  # with its fifth; no earcon has either
_TICK_DECAY = 180.0  # per second: inaudible after 25 ms

_LEGEND_SECONDS = 0.9  # of each tone
_LEGEND_PAUSE_SECONDS = 0.3


def reference_waveform(
    preset: StreamPreset, *, first_frame: int, frames: int
) -> NDArray[np.float32]:
    """Tone at the pitch of norm 1, from a sample frame of the run on, shape ``(frames,)``.

    Its phase depends on the position in the run alone, so that clips join.
    """
    hz = float(preset.encoding(np.ones(1))[0])
    cycles = hz / preset.sample_rate * (first_frame + np.arange(frames, dtype=np.float64))
    return np.asarray(preset.reference * np.sin(2 * np.pi * (cycles % 1.0)), np.float32)


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
    """Notes of one layer that play the ends and the middle of a scale, and their description."""

    notes: Notes
    words: str


def describe_pitch(preset: Preset, scale: Scale | None = None, quantity: str = GRADIENT) -> str:
    """Mapping from norm to pitch, or from a scalar if there is a scale, as text."""
    if isinstance(preset, SequencePreset):
        unit, noun = value_at_440_hz(quantity), noun_of(quantity)
        return (
            f"{preset.base_hz:g} Hz and {preset.slope_hz:g} Hz more for each {unit:g} of the {noun}"
        )
    encoding = preset.encoding
    if scale is None:
        return encoding.describe(quantity)
    if encoding == Encoding():
        return str(scale)
    return f"{scale}, before pitch zoom {encoding.zoom} {encoding.polarity}"


def legend(preset: Preset, scale: Scale | None = None, quantity: str = GRADIENT) -> Legend:
    """Tones at the lowest norm, norm 1 and the highest norm; of a scalar, low, middle and high.

    Parameters
    ----------
    scale
        Of the scalar; `None` for norms.
    quantity
        Of the norms; of ratios, the tones are those at the value that sounds at 440 Hz.

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
    pitches = preset.encoding(np.array([norm for norm, _ in stops]))
    named = [f"{name} is {hz:.0f} Hz" for (_, name), hz in zip(stops, pitches, strict=True)]
    notes = aggregate(norms[:, None].astype(np.float32), rows_per_note=1)
    return Legend(notes, f"{subject}: {', '.join(named)}")
