"""Equal loudness: amplitude that makes a tone as loud as the norm-1 tone at 440 Hz."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Frequency in Hz, and the gain in dB at which our voices are as loud as at 440 Hz by the loudness
# model of ISO 532-1 (Zwicker), the mean over the voices at a moderate level. ISO 226, for pure
# tones, gives 17 dB at 95 Hz: less is needed here, as the partials are at frequencies that the
# ear is more sensitive to.
_EQUAL_LOUDNESS = np.array(
    [
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
    ]
)
_LOG_HZ, _GAIN_DB = np.log(_EQUAL_LOUDNESS[:, 0]), _EQUAL_LOUDNESS[:, 1]


def equal_loudness_gain(hz: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Amplitude factor that makes a tone as loud as one of the same amplitude at 440 Hz.

    Any shape; NaN stays NaN.
    """
    return np.asarray(10 ** (np.interp(np.log(hz), _LOG_HZ, _GAIN_DB) / 20))
