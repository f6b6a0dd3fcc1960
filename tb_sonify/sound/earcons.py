"""Earcons: short sounds for events without a pitch (NaN, zero, spike ...), and their causes."""

from collections.abc import Callable, Mapping
from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tb_sonify.schema.notes import MEDIAN_CONTEXT, NO_GRADIENT, Notes, recent_median
from tb_sonify.sound.deviations import Residuals, Threshold
from tb_sonify.sound.pitch import Encoding

REPEAT_SECONDS = 0.48  # between repeats while a cause lasts: every eighth note of 60 ms

_DOUBLINGS = (1, 2, 4, 8)
SPIKE_WINDOW = 1 + sum(_DOUBLINGS)  # notes
SPIKE_NOTES = 4  # with a norm, of the window, before a spike can be detected
# Six times the recent median, and seven spreads above it. Where the spread is not known, six times
# the largest norm of the last 16 notes: in log-normal noise of 0.7 (natural log, batches of 10
# images) that happens once in 100,000 notes of a layer.
SPIKE = Threshold(factor=6.0, spreads=7.0)

# A clip knows no more of the past than its context, so that a slower crossing makes no sound.
CROSSING_WINDOW = 47  # notes within which a level comes from the other side
# Before a note, by which its crossings are known.
CROSSING_NOTES = CROSSING_WINDOW + MEDIAN_CONTEXT + 1
HYSTERESIS = 0.5  # doublings, half of it on each side of the line

_EDGE_SECONDS = 0.004


class Earcon(IntEnum):
    """Meaning of an earcon, in order of increasing priority."""

    NONE = 0
    NO_GRADIENT = 1  # no layer of the stream has a gradient
    ZERO = 2  # a layer is exactly 0
    BELOW = 3  # a layer is below the range of the pitch
    ABOVE = 4
    SPIKE = 5  # a layer is far above its recent norms
    INF = 6
    NAN = 7
    # Those that sound beside the tone of a stream, which is not lowered, for several notes
    CHIME = 8  # something unusual
    RISES = 9  # across a reference line
    FALLS = 10


EARCON_NAMES = tuple(earcon.name.lower().replace("_", " ") for earcon in Earcon)
"""Name of each earcon, by its number."""

SECONDS = {Earcon.CHIME: 0.24, Earcon.RISES: 0.12, Earcon.FALLS: 0.12}
"""Duration of the earcons that last for several notes."""


def earcon_causes(
    notes: Notes,
    groups: tuple[range, ...],
    encoding: Encoding,
    residuals: Residuals | None = None,
) -> NDArray[np.uint8]:
    """Bit mask of the earcons that apply to each stream, bit ``1 << earcon`` each.

    Parameters
    ----------
    residuals
        Of the largest norms, by which spikes are judged; `None`: by the largest norm before.

    Returns
    -------
    bits
        Shape ``(notes, streams)``.
    """
    low, high = encoding.norm_range
    median, positive = notes.median, notes.median > 0
    spikes = _above_all(notes)
    if residuals is not None:
        spikes = residuals.exceed(SPIKE, unknown=spikes)
    found = {
        Earcon.ZERO: median == 0,
        Earcon.BELOW: positive & (median < low * (1 - 1e-6)),
        Earcon.ABOVE: median > high * (1 + 1e-6),
        Earcon.SPIKE: spikes,
        Earcon.INF: notes.inf > 0,
        Earcon.NAN: notes.nan > 0,
    }
    bits = np.zeros((len(notes), len(groups)), np.uint8)
    absent = (median < 0) & (notes.inf == 0) & (notes.nan == 0)
    for stream, group in enumerate(groups):
        part = slice(group.start, group.stop)
        bits[absent[:, part].all(axis=1), stream] |= 1 << Earcon.NO_GRADIENT
        for earcon, where in found.items():
            bits[where[:, part].any(axis=1), stream] |= 1 << earcon
    return bits


def beginning(bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Those of the causes of `earcon_causes` that the note before did not have."""
    return np.asarray(bits & ~np.concatenate([np.zeros_like(bits[:1]), bits[:-1]]))


def choose_earcons(bits: NDArray[np.uint8], *, first_note: int, repeat: int) -> NDArray[np.uint8]:
    """The earcon that each stream plays in each note, shape ``(notes, streams)``.

    It is the one of highest priority among the causes that begin in the note; if none begins,
    among those that last, at every `repeat`-th note of the run.

    Parameters
    ----------
    bits
        From `earcon_causes`.
    first_note
        Number of the first note in the run.
    """
    begins = beginning(bits)
    repeats = (first_note + np.arange(len(bits))) % repeat == 0
    played = np.where((begins == 0) & repeats[:, None], bits, begins)
    highest = np.log2(np.maximum(played, 1)).astype(np.uint8)
    return np.where(played > 0, highest, np.uint8(Earcon.NONE))


def crossings(levels: NDArray[np.floating]) -> NDArray[np.uint8]:
    """`Earcon.RISES` or `Earcon.FALLS` where the recent median of a series crosses 0.

    Parameters
    ----------
    levels
        log2 of norms over a reference line, or of one series over another, shape
        ``(notes, series)``; NaN where it has none.
    """
    padded = np.pad(levels, ((MEDIAN_CONTEXT, 1), (0, 0)), constant_values=np.nan)
    pairs = (padded[1:] + padded[:-1]) / 2  # a series that alternates does not cross
    medians = recent_median(pairs.astype(np.float32))
    found = np.zeros(levels.shape, np.uint8)
    for earcon, signed in ((Earcon.RISES, medians), (Earcon.FALLS, -medians)):
        above, below = signed > HYSTERESIS / 2, signed < -HYSTERESIS / 2
        found[above & ~_recently(above) & _recently(below)] = earcon
    return found


def _recently(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether a mask holds in any of the notes before, within `CROSSING_WINDOW`."""
    seen = np.cumsum(np.pad(mask, ((CROSSING_WINDOW + 1, 0), (0, 0))), axis=0)
    return np.asarray(seen[CROSSING_WINDOW:-1] > seen[: -CROSSING_WINDOW - 1])


def _above_all(notes: Notes) -> NDArray[np.bool_]:
    """Mask of maxima above six times the largest of the `SPIKE_WINDOW` notes before."""
    before = np.pad(notes.max, ((1, 0), (0, 0)), constant_values=NO_GRADIENT)[: len(notes)]
    # Sliding maximum by doubling: over two notes, then four, eight, sixteen.
    highest = np.pad(before, ((SPIKE_WINDOW - 1, 0), (0, 0)), constant_values=NO_GRADIENT)
    for apart in _DOUBLINGS:
        highest = np.maximum(highest[apart:], highest[:-apart])
    seen = np.cumsum(np.pad(before > 0, ((SPIKE_WINDOW, 0), (0, 0))), axis=0)
    known = seen[SPIKE_WINDOW:] - seen[:-SPIKE_WINDOW] >= SPIKE_NOTES
    return np.asarray(known & (notes.max / SPIKE.factor > highest))


@lru_cache(maxsize=256)
def earcon_waveform(earcon: Earcon, *, frames: int, sample_rate: int) -> NDArray[np.float64]:
    """Waveform of an earcon, faded at both ends, peak at its level, shape ``(frames,)``."""
    seconds = np.arange(frames) / sample_rate
    level, sound = _SOUNDS[earcon]
    edge = np.clip(np.minimum(seconds, seconds[-1] - seconds) / _EDGE_SECONDS, 0, 1)
    waveform = sound(seconds) * np.sin(np.pi / 2 * edge) ** 2
    return np.asarray(level * waveform / np.abs(waveform).max())


def _clash(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inharmonic partials that beat at 71 Hz: a clash without a pitch."""
    partials = sum(np.sin(2 * np.pi * 620 * ratio * seconds) for ratio in (1.0, 1.41, 1.93))
    return np.asarray(partials * (1 - np.cos(2 * np.pi * 71 * seconds)))


def _sweep(from_hz: float, to_hz: float, decay: float) -> "_Sound":
    """Exponential sweep with a second partial, so that small loudspeakers reproduce it."""

    def sound(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        rate = np.log(to_hz / from_hz) / seconds[-1]
        cycles = from_hz * np.expm1(rate * seconds) / rate
        tone = np.sin(2 * np.pi * cycles) + 0.5 * np.sin(4 * np.pi * cycles)
        return np.asarray(tone * np.exp(-decay * seconds))

    return sound


def _ticks(hz: float, *, count: int, every: float) -> "_Sound":
    """`count` short ticks, `every` seconds apart."""

    def sound(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        since = np.where(seconds < count * every, seconds % every, every)
        return np.asarray(np.sin(2 * np.pi * hz * since) * since * np.exp(-400 * since))

    return sound


def _struck(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Two partials a fifth apart that decay, as of a chime."""
    lower, upper = (np.sin(2 * np.pi * hz * seconds) for hz in (1_318.5, 1_975.5))
    return np.asarray((2 * lower + upper) * np.exp(-18 * seconds))


def _two_tones(first_hz: float, second_hz: float) -> "_Sound":
    """Two tones of the same length, one after the other, faded at their ends."""

    def sound(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        half = (seconds[-1] + seconds[1]) / 2
        within = seconds % half
        edge = np.clip(np.minimum(within, half - within) / _EDGE_SECONDS, 0, 1)
        hz = np.where(seconds < half, first_hz, second_hz)
        return np.asarray(np.sin(2 * np.pi * hz * within) * np.sin(np.pi / 2 * edge) ** 2)

    return sound


_Sound = Callable[[NDArray[np.float64]], NDArray[np.float64]]
_SOUNDS: Mapping[Earcon, tuple[float, _Sound]] = {
    Earcon.NO_GRADIENT: (0.25, _ticks(330.0, count=1, every=0.05)),
    Earcon.ZERO: (1.0, _sweep(240.0, 70.0, decay=45.0)),  # falls below the pitch of small norms
    Earcon.BELOW: (0.5, _ticks(150.0, count=2, every=0.028)),
    Earcon.ABOVE: (0.5, _ticks(3_400.0, count=2, every=0.028)),
    Earcon.SPIKE: (0.9, _sweep(2_600.0, 2_500.0, decay=60.0)),  # a bell
    Earcon.INF: (1.0, _sweep(500.0, 3_000.0, decay=0.0)),  # a sweep upwards
    Earcon.NAN: (1.0, _clash),
    Earcon.CHIME: (0.5, _struck),
    Earcon.RISES: (0.3, _two_tones(659.3, 987.8)),
    Earcon.FALLS: (0.3, _two_tones(987.8, 659.3)),
}
