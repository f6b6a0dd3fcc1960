"""Equal loudness: how much louder a low tone must be to seem as loud as the norm-1 tone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

PHON = 60.0  # the contour of a comfortable listening level
# The contour is that of pure tones. Our tones have partials that the ear hears well where their
# fundamental is weak, and need about this share of it, by the loudness model of ISO 532-1.
SHARE = 0.6
_REFERENCE_HZ = 440.0

# ISO 226:2003, table 1: frequency in Hz, exponent, magnitude of the linear transfer function
# normalised at 1 kHz in dB, threshold of hearing in dB.
_ISO_226 = np.array(
    [
        (63, 0.409, -13.0, 37.5),
        (80, 0.387, -10.3, 31.5),
        (100, 0.367, -8.1, 26.5),
        (125, 0.349, -6.2, 22.1),
        (160, 0.330, -4.5, 17.9),
        (200, 0.315, -3.1, 14.4),
        (250, 0.301, -2.0, 11.4),
        (315, 0.288, -1.1, 8.6),
        (400, 0.276, -0.4, 6.2),
        (500, 0.267, 0.0, 4.4),
        (630, 0.259, 0.3, 3.0),
        (800, 0.253, 0.5, 2.2),
        (1000, 0.250, 0.0, 2.4),
        (1250, 0.246, -2.7, 3.5),
        (1600, 0.244, -4.1, 1.7),
        (2000, 0.243, -1.0, -1.3),
        (2500, 0.243, 1.7, -4.2),
    ]
)


def _contour_db() -> NDArray[np.float64]:
    """Sound pressure level of each frequency of the table at `PHON`; ISO 226:2003, equation 1."""
    _, exponent, transfer, threshold = _ISO_226.T
    a = 4.47e-3 * (10 ** (0.025 * PHON) - 1.15)
    a = a + (0.4 * 10 ** ((threshold + transfer) / 10 - 9)) ** exponent
    return np.asarray(10 / exponent * np.log10(a) - transfer + 94)


_LOG_HZ = np.log(_ISO_226[:, 0])
_CONTOUR_DB = _contour_db()


def equal_loudness_gain(hz: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Amplitude factor that makes a tone as loud as one of the same amplitude at 440 Hz.

    From +10 dB at the lowest pitch, 95 Hz, to -2 dB at the highest. Any shape; NaN stays NaN.
    """
    relative = np.interp(np.log(hz), _LOG_HZ, _CONTOUR_DB)
    relative = relative - np.interp(np.log(_REFERENCE_HZ), _LOG_HZ, _CONTOUR_DB)
    return np.asarray(10 ** (SHARE * relative / 20))
