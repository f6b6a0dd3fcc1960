"""Texture: instability of a stream, mapped to the depth of tremolo and of roughness."""

import numpy as np
from numpy.typing import NDArray

from tb_sonify.sound.streams import known_median

WINDOW = 8  # notes, half a second of the default tempo
HISTORY = 64  # notes before the window, by whose jitter growth is judged
TEXTURE_NOTES = HISTORY + WINDOW  # before a note, by which its texture is known

_KNOWN = 16  # changes in the history; with fewer, growth is not judged
_ENDS = 3  # notes at both ends of the window, of which growth is the difference of the medians
_LEAST_JITTER = 0.1  # doublings
# Growth that is improbable: five times the standard deviation of a difference of means of three.
_JITTERS = 5 * np.sqrt(2 / _ENDS)

# Depth of amplitude modulation at each grade of instability, and where the grades begin, in
# doublings of the norm per note. Roughness is strongest near 70 Hz and fluctuation near 4 Hz
# (Fastl & Zwicker, Psychoacoustics, chapters 10 and 11); the ear needs steps of 17 %.
ROUGHNESS_DEPTHS = np.array([0.0, 0.30, 0.45, 0.65, 0.90])
ROUGHNESS_FROM = np.array([0.25, 0.5, 1.0, 2.0])
TREMOLO_DEPTHS = np.array([0.0, 0.15, 0.30, 0.45, 0.60])
TREMOLO_FROM = np.array([0.75, 1.5, 3.0, 6.0])
# Where texture is judged by the run's history: small batches alone reach half of that.
TREMOLO_FROM_JUDGED = 2 * TREMOLO_FROM
# Both are tied to the notes of the run, so that clips join: a whole number of cycles per note,
# and of notes per cycle. At 60 ms per note they are 66.7 Hz and 4.2 Hz.
ROUGHNESS_HZ = 70.0
TREMOLO_SECONDS = 0.24


def roughness_cycles(note_seconds: float) -> int:
    """Whole number of modulation cycles per note that is nearest to 70 Hz.

    Examples
    --------
    >>> roughness_cycles(0.06)
    4
    """
    return max(round(ROUGHNESS_HZ * note_seconds), 1)


def instability(
    levels: NDArray[np.float64], *, judged: bool = False
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Grades of divergence and of oscillation, 0 (calm) to 4, over the last `WINDOW` notes.

    Divergence is the mean growth of log2 norm per note; oscillation is the mean absolute change
    per note minus the absolute mean growth.

    Parameters
    ----------
    levels
        log2 norm of each stream, shape ``(notes, streams)``; NaN where it has none.
    judged
        Whether divergence must exceed what the jitter of the `HISTORY` notes before explains, and
        oscillation is graded twice as high.

    Returns
    -------
    divergence, oscillation
        Shape ``(notes, streams)``.
    """
    moved = np.diff(levels, axis=0, prepend=np.full((1, levels.shape[1]), np.nan))
    known = np.isfinite(moved)
    moved = np.where(known, moved, 0)
    count = np.maximum(_trailing_sum(known.astype(float)), 1)
    drift, motion = _trailing_sum(moved) / count, _trailing_sum(np.abs(moved)) / count
    divergence = np.digitize(drift, ROUGHNESS_FROM)
    if judged:
        divergence[divergence > 0] *= _grows(levels, *np.nonzero(divergence))
    grades = TREMOLO_FROM_JUDGED if judged else TREMOLO_FROM
    return divergence, np.digitize(motion - np.abs(drift), grades)


def _grows(
    levels: NDArray[np.float64], notes: NDArray[np.intp], streams: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Whether streams grow by more than their jitter, at some notes.

    Growth is the difference of the medians at both ends of the window, so that a single note is
    none; jitter is the standard deviation of a note, by the median absolute deviation of the
    changes before.
    """
    padded = np.pad(levels, ((TEXTURE_NOTES, 0), (0, 0)), constant_values=np.nan)
    recent = padded[notes[:, None] + np.arange(TEXTURE_NOTES + 1), streams[:, None]]
    changes = np.diff(recent[:, : HISTORY + 1], axis=1)
    jitter = 1.4826 / np.sqrt(2) * known_median(np.abs(changes - known_median(changes)[:, None]))
    before, after = recent[:, HISTORY : HISTORY + _ENDS], recent[:, -_ENDS:]
    growth = known_median(after) - known_median(before)
    improbable = growth > _JITTERS * np.fmax(jitter, _LEAST_JITTER)
    steady = growth >= ROUGHNESS_FROM[0] * (WINDOW + 1 - _ENDS)
    known = np.isfinite(changes).sum(axis=1) >= _KNOWN
    return np.asarray(~known | (improbable & steady))


def _trailing_sum(values: NDArray[np.float64]) -> NDArray[np.float64]:
    padded = np.pad(values, ((WINDOW, 0), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded[1:], WINDOW, axis=0)
    return np.asarray(windows.sum(axis=2))
