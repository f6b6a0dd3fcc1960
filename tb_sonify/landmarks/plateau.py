"""Plateau and escape: a long stretch of low and steady norms, and the sudden rise out of it."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tb_sonify.landmarks.landmark import Finding, times
from tb_sonify.landmarks.levels import (
    GROUP,
    LOG_ZERO,
    Levels,
    group_medians,
    group_starts,
    sustained,
)

SPANS = (8, 16, 32, 64, 128)  # notes before and after a rise; short ones tell best where it is
RISE = np.log(6)  # a healthy warm-up at SGD 0.01 rises by 3, in 100 steps
OVER_NOISE = 4.0  # standard deviations of the plateau's noise: a steady stretch, not a dip
STEADY = np.log(3)  # medians of 9 notes stay within this factor of a plateau's level
LONG, LONG_SHARE = 20, 100  # notes, and one in so many of all notes: the least a plateau has
AFTERWARDS = 8  # spans in which the rise lasts
LASTS = 12  # notes, the least that a rise lasts: shorter, it may be a burst


def median_layer(levels: Levels) -> NDArray[np.float32]:
    """Log norm of the median layer of each note, shape ``(notes,)``."""
    place = levels.log_median.shape[1] // 2
    return np.asarray(np.partition(levels.log_median, place, axis=1)[:, place])


def find_plateaus(
    run: NDArray[np.float32], steps: NDArray[np.int64]
) -> list[tuple[Finding, Finding]]:
    """Each plateau that the run escapes from, with its escape.

    Low is what is low beside what follows: a rise of the run's median layer by 6 or more, and
    clear of the noise, that lasts. A low stretch that nothing follows cannot be told from training
    that has converged, and is none.

    Parameters
    ----------
    run
        The `median_layer` of all notes.
    """
    found: list[tuple[Finding, Finding]] = []
    for span in SPANS:
        for low_until, rise_at in _rises(run, span):
            if all(abs(rise_at - escape.note) > 2 * span for _, escape in found):
                low = slice(max(low_until - 2 * span, 0), low_until - span // 4)
                found += _plateau(run, low, rise_at, span, steps)
    return found


def _rises(run: NDArray[np.float32], span: int) -> list[tuple[int, int]]:
    """Where the median rises most from span to span: end of the one before, start of the next."""
    if len(run) < 2 * span:
        return []
    # An element, not a mean: half of a window may be at `LOG_ZERO`.
    medians = np.partition(sliding_window_view(run, span), span // 2, axis=1)[:, span // 2]
    found: list[tuple[int, int]] = []
    for apart in (span, 2 * span):  # a rise may be sudden, or take as long as what it leads to
        rise = medians[apart:] - medians[:-apart]
        high = (rise >= RISE) & (medians[:-apart] > LOG_ZERO)
        groups = group_starts(high, gap=span)
        for first in groups:
            low_from = int(first + rise[first : first + 2 * span].argmax())
            found.append((low_from + span, low_from + apart))
    return found


def _plateau(
    run: NDArray[np.float32], steady: slice, rise_at: int, span: int, steps: NDArray[np.int64]
) -> list[tuple[Finding, Finding]]:
    for _ in range(2):  # a slow rise has begun before the span that shows it
        level, noise = _level(run[steady])
        escape = _escape(run, level + max(np.log(2), 3 * noise), rise_at)
        steady = slice(_start(run[:escape], level), escape)
    least = level + max(RISE, OVER_NOISE * noise)
    risen = float(np.median(run[rise_at : rise_at + span]))
    lasting = np.median(run[rise_at : rise_at + AFTERWARDS * span])
    long = escape - steady.start >= max(LONG, span, len(run) // LONG_SHARE)
    over = len(run) - rise_at < LASTS
    if level == LOG_ZERO or not long or over or risen < least or lasting < (level + least) / 2:
        return []
    start, factor = steady.start, times(risen - level)
    plateau = Finding("plateau", start, None, f"plateau until step {steps[escape]}")
    sentence = f"escape from the plateau, to {factor} its norm"
    return [(plateau, Finding("escape", escape, None, sentence))]


def _level(steady: NDArray[np.float32]) -> tuple[float, float]:
    """Level of a stretch, one of its norms, and the standard deviation of its noise."""
    if not len(steady):
        return float(LOG_ZERO), 0.0
    level = np.partition(steady, len(steady) // 2)[len(steady) // 2]
    return float(level), float(np.median(np.abs(steady - level))) / 0.6745


def _escape(run: NDArray[np.float32], above: float, rise_at: int) -> int:
    """The note from which the run is above the plateau all the way to the steepest rise."""
    calm = np.flatnonzero(~sustained(run >= above, 5, 0.8)[:rise_at])
    return int(calm[-1]) + 1 if len(calm) else 0


def _start(before: NDArray[np.float32], level: float) -> int:
    """Where the notes before an escape begin to be at its level."""
    medians = group_medians(before[::-1])  # counted back from the escape
    strays = np.abs(medians - level) >= STEADY
    # One group may stray by chance, two do not.
    both = np.flatnonzero(strays[:-1] & strays[1:])
    steady = int(both[0]) if len(both) else len(medians)
    return max(len(before) - steady * GROUP, 0)
