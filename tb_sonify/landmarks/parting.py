"""Parting: where two runs that are compared go different ways for good."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tb_sonify.landmarks.landmark import Landmark
from tb_sonify.landmarks.unusual import median_known

LEVEL = 25  # points whose median difference is judged
START = 50  # points that tell what is usual, the fewest
COMPARABLE_POINTS = START + LEVEL  # the fewest at steps that both have
OVER_NOISE = 6.0  # standard deviations of the median of 25
LEAST = 0.05  # of the value
_Points = tuple[NDArray[np.floating | np.integer], NDArray[np.floating]]


def find_parting(tag: str, one: _Points, other: _Points) -> Landmark | None:
    """The step from which two runs differ for good; `None` where they do not.

    Runs that differ from the start have not parted.

    Parameters
    ----------
    one, other
        Increasing steps and values of a scalar, or of a norm, in each run; those at steps that
        both have are compared.
    """
    steps, mine, yours = np.intersect1d(one[0], other[0], return_indices=True)
    difference = (other[1][yours] - one[1][mine]).astype(np.float64)
    size = np.abs(one[1][mine])
    known = np.isfinite(difference)
    steps, difference, size = steps[known], difference[known], size[known]
    if len(steps) < COMPARABLE_POINTS:
        return None
    levels = median_known(sliding_window_view(difference, LEVEL).T)[0]
    usual = median_known(difference[:START, None])[0][0]
    noise = median_known(np.abs(np.diff(difference))[:, None])[0][0] * 1.4826 / np.sqrt(2)
    least = np.maximum(OVER_NOISE * 1.25 * noise / np.sqrt(LEVEL), LEAST * np.median(size))
    near = np.flatnonzero(np.abs(levels - usual) <= least)
    last = int(near[-1]) if len(near) else -1
    if abs(usual) > least or last == len(levels) - 1 or last + 1 < START // 2:
        return None
    point = last + 1 + LEVEL // 2  # the middle of the first window that is apart
    change = levels[-1] - usual
    words = f"{tag} of the two runs parts, {'+' if change > 0 else ''}{change:.3g} at the end"
    return Landmark("parting", int(steps[point]), point, None, words, tag)
