"""From a gradient norm to a pitch."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

HZ_AT_NORM_1 = 440.0
DOUBLINGS_PER_OCTAVE = 12.0  # one semitone for each doubling of the norm
NORM_RANGE = (1e-8, 1e8)  # 94.8 Hz to 2,042 Hz; beyond it the pitch holds


def norm_to_hz(norm: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Pitch of a positive norm: ``440 * norm ** (1 / 12)``, in Hz.

    The scale is absolute, so a norm sounds the same in every run and in every clip. It is MIDI
    note ``69 + log2(norm)``. Any shape; NaN stays NaN.

    Examples
    --------
    >>> norm_to_hz(np.array([1.0, 4096.0])).tolist()
    [440.0, 880.0]
    """
    held = np.clip(norm, *NORM_RANGE).astype(np.float64)
    return np.asarray(HZ_AT_NORM_1 * held ** (1 / DOUBLINGS_PER_OCTAVE))
