"""Earcons: short sounds of their own for what has no pitch, so that NaN is not a note."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from tb_sonify.sound.streams import INF, NAN, NO_EARCON, ZERO

REPEAT_NOTES = 8  # an earcon sounds when its cause begins, then at every eighth note of the run

_NAN_HZ = 620.0
_NAN_RATIOS = (1.0, 1.41, 1.93)  # inharmonic: heard as a clash, never as a pitch
_NAN_PULSES = 4  # about 70 per second, where amplitude modulation sounds roughest
_INF_SWEEP_HZ = (500.0, 3_000.0)  # runs away upwards
_ZERO_SWEEP_HZ = (240.0, 70.0)  # falls below the lowest pitch
_EDGE_SECONDS = 0.004


def sounding(
    earcon: NDArray[np.int8], before: NDArray[np.int8], first_note: int
) -> NDArray[np.int8]:
    """Which earcons are to sound: those that begin, and a reminder of those that last.

    Parameters
    ----------
    earcon
        State of each stream in each note, shape ``(notes, streams)``.
    before
        State in the note before the first, shape ``(streams,)``.
    first_note
        Number of the first note in the run.
    """
    begins = earcon != np.concatenate([before[None], earcon[:-1]])
    reminds = (first_note + np.arange(len(earcon))) % REPEAT_NOTES == 0
    return np.where(begins | reminds[:, None], earcon, np.int8(NO_EARCON))


@cache
def earcon_waveform(code: int, *, frames: int, sample_rate: int) -> NDArray[np.float64]:
    """The sound of an earcon, with a peak of 1 and silent at both ends, shape ``(frames,)``."""
    seconds = np.arange(frames) / sample_rate
    share = np.arange(frames) / frames
    if code == NAN:
        partials = [np.sin(2 * np.pi * _NAN_HZ * ratio * seconds) for ratio in _NAN_RATIOS]
        waveform = np.sum(partials, axis=0) * (1 - np.cos(2 * np.pi * _NAN_PULSES * share)) / 2
    elif code == INF:
        waveform = _sweep(*_INF_SWEEP_HZ, share, seconds[-1])
    elif code == ZERO:
        waveform = _sweep(*_ZERO_SWEEP_HZ, share, seconds[-1]) * np.exp(-2.5 * share)
    else:
        raise ValueError(f"earcon must be one of {ZERO}, {INF}, {NAN}, got {code}")
    edge = np.clip(np.minimum(seconds, seconds[-1] - seconds) / _EDGE_SECONDS, 0, 1)
    waveform = waveform * np.sin(np.pi / 2 * edge) ** 2
    return np.asarray(waveform / np.abs(waveform).max())


def _sweep(
    from_hz: float, to_hz: float, share: NDArray[np.float64], duration: float
) -> NDArray[np.float64]:
    """An exponential sweep with a second partial, so that small loudspeakers carry it."""
    octaves = np.log(to_hz / from_hz)
    cycles = from_hz * duration * (np.exp(octaves * share) - 1) / octaves
    return np.asarray(np.sin(2 * np.pi * cycles) + 0.5 * np.sin(4 * np.pi * cycles))
