"""Prominence: how unusual a stream is among its own notes, and its level without their jitter."""

import numpy as np
from numpy.typing import NDArray

from tb_sonify.schema.notes import chunks_of
from tb_sonify.sound.streams import known_median

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
