"""The sound of each earcon: apart from each other, and from any pitched note."""

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tb_sonify.sound.earcons import Earcon

_EDGE_SECONDS = 0.004


@lru_cache(maxsize=256)
def earcon_waveform(earcon: Earcon, *, frames: int, sample_rate: int) -> NDArray[np.float64]:
    """The waveform of an earcon, with a peak of its level and silent ends, shape ``(frames,)``."""
    seconds = np.arange(frames) / sample_rate
    level, sound = _SOUNDS[earcon]
    edge = np.clip(np.minimum(seconds, seconds[-1] - seconds) / _EDGE_SECONDS, 0, 1)
    waveform = sound(seconds) * np.sin(np.pi / 2 * edge) ** 2
    return np.asarray(level * waveform / np.abs(waveform).max())


def _clash(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inharmonic partials that beat 70 times a second: heard as a clash, never as a pitch."""
    partials = sum(np.sin(2 * np.pi * 620 * ratio * seconds) for ratio in (1.0, 1.41, 1.93))
    return np.asarray(partials * (1 - np.cos(2 * np.pi * 71 * seconds)))


def _sweep(from_hz: float, to_hz: float, decay: float) -> "_Sound":
    """An exponential sweep with a second partial, so that small loudspeakers carry it."""

    def sound(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        rate = np.log(to_hz / from_hz) / seconds[-1]
        cycles = from_hz * np.expm1(rate * seconds) / rate
        tone = np.sin(2 * np.pi * cycles) + 0.5 * np.sin(4 * np.pi * cycles)
        return np.asarray(tone * np.exp(-decay * seconds))

    return sound


def _ticks(hz: float, *, count: int, every: float) -> "_Sound":
    """So many short ticks, `every` seconds apart."""

    def sound(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        since = np.where(seconds < count * every, seconds % every, every)
        return np.asarray(np.sin(2 * np.pi * hz * since) * since * np.exp(-400 * since))

    return sound


_Sound = Callable[[NDArray[np.float64]], NDArray[np.float64]]
_SOUNDS: Mapping[Earcon, tuple[float, _Sound]] = {
    Earcon.NO_GRADIENT: (0.25, _ticks(330.0, count=1, every=0.05)),
    Earcon.ZERO: (1.0, _sweep(240.0, 70.0, decay=45.0)),  # falls below the lowest pitch
    Earcon.BELOW: (0.5, _ticks(150.0, count=2, every=0.028)),
    Earcon.ABOVE: (0.5, _ticks(3_400.0, count=2, every=0.028)),
    Earcon.SPIKE: (0.9, _sweep(2_600.0, 2_500.0, decay=60.0)),  # a bell
    Earcon.INF: (1.0, _sweep(500.0, 3_000.0, decay=0.0)),  # runs away upwards
    Earcon.NAN: (1.0, _clash),
}
