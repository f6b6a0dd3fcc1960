"""Texture: instability of a stream, mapped to the depth of tremolo and of roughness."""

import numpy as np
from numpy.typing import NDArray

WINDOW = 8  # notes, half a second of the default tempo

# Depth of amplitude modulation at each grade of instability, and where the grades begin, in
# doublings of the norm per note. Roughness is strongest near 70 Hz and fluctuation near 4 Hz
# (Fastl & Zwicker, Psychoacoustics, chapters 10 and 11); the ear needs steps of 17 %.
ROUGHNESS_DEPTHS = np.array([0.0, 0.30, 0.45, 0.65, 0.90])
ROUGHNESS_FROM = np.array([0.25, 0.5, 1.0, 2.0])
TREMOLO_DEPTHS = np.array([0.0, 0.15, 0.30, 0.45, 0.60])
TREMOLO_FROM = np.array([0.75, 1.5, 3.0, 6.0])
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


def instability(levels: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Grades of divergence and of oscillation, 0 (calm) to 4, over the last `WINDOW` notes.

    Divergence is the mean growth of log2 norm per note; oscillation is the mean absolute change
    per note minus the absolute mean growth.

    Parameters
    ----------
    levels
        log2 norm of each stream, shape ``(notes, streams)``; NaN where it has none.

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
    oscillation = np.digitize(motion - np.abs(drift), TREMOLO_FROM)
    return divergence, oscillation


def _trailing_sum(values: NDArray[np.float64]) -> NDArray[np.float64]:
    padded = np.pad(values, ((WINDOW, 0), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded[1:], WINDOW, axis=0)
    return np.asarray(windows.sum(axis=2))
