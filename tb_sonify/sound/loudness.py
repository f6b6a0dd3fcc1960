"""Equal loudness: amplitude that makes a tone of a timbre as loud at every pitch."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Loudness: TypeAlias = tuple[tuple[float, float], ...]
"""Frequencies in Hz, increasing, and the gain in dB of a timbre at each."""

# The gain at which a timbre is as loud at each pitch, by the loudness model of ISO 532-1 (Zwicker)
# at a moderate level, relative to the warm timbre at 440 Hz. ISO 226, for pure tones, gives 17 dB
# at 95 Hz: less is needed, as the partials are at frequencies that the ear is more sensitive to.
# Of three timbres in one register, the mean.
ONE_REGISTER: Loudness = (
    (95, 10.7),
    (139, 7.1),
    (204, 3.6),
    (247, 1.8),
    (300, 0.7),
    (363, 0.0),
    (440, 0.0),
    (533, -0.7),
    (646, -1.9),
    (948, -3.6),
    (1391, -3.6),
    (2042, -2.6),
)
# Of the registers: each alone, and all three at the same norm, a knot for every factor of 100.
EARLY: Loudness = (
    (47, 19.0),
    (70, 15.5),
    (102, 12.7),
    (150, 7.9),
    (220, 6.5),
    (323, 4.3),
    (474, 1.5),
    (696, 0.8),
    (1021, 0.3),
)
MIDDLE: Loudness = (
    (95, 17.7),
    (139, 12.3),
    (204, 9.4),
    (300, 6.4),
    (440, 6.4),
    (646, 4.6),
    (948, 2.1),
    (1391, 1.7),
    (2042, 2.4),
)
LATE: Loudness = (
    (190, 13.9),
    (278, 11.6),
    (408, 11.3),
    (600, 8.2),
    (880, 7.6),
    (1292, 7.0),
    (1896, 3.9),
    (2783, 3.2),
    (4085, 3.2),
)


def equal_loudness_gain(
    hz: NDArray[np.floating[Any]], loudness: Loudness = ONE_REGISTER
) -> NDArray[np.float64]:
    """Amplitude factor at each frequency, linear in dB over log frequency between those given.

    Any shape; NaN stays NaN.
    """
    known, gain_db = zip(*loudness, strict=True)
    return np.asarray(10 ** (np.interp(np.log(hz), np.log(known), gain_db) / 20))
