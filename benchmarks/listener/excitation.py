"""Excitation: what a bank of gammatone filters passes of a sound, in each ear."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Floats = NDArray[np.float64]

SAMPLE_RATE = 24_000  # Hz
ENVELOPE_RATE = 2_400  # Hz, of the output of every filter
CHANNELS, LOWEST_HZ, HIGHEST_HZ = 32, 70.0, 8_000.0  # one for each equivalent rectangular bandwidth
PAD = 2_400  # sample frames of silence, into which filters ring


@dataclass(frozen=True)
class Excitation:
    """Output of the filters, demodulated.

    Attributes
    ----------
    signal
        Analytic, relative to 20 micropascal, at `ENVELOPE_RATE`, shape
        ``(ears, CHANNELS, samples)``.
    carriers
        Hz of each channel by which it was demodulated, shape ``(CHANNELS,)``.
    """

    signal: NDArray[np.complex64]
    carriers: Floats

    @property
    def power(self) -> NDArray[np.float32]:
        """Mean square over a cycle, relative to the threshold in quiet of each channel."""
        square = self.signal.real**2 + self.signal.imag**2
        return np.asarray(square / 2 / threshold_in_quiet().astype(np.float32)[:, None])


def excite(waveform: Floats) -> Excitation:
    """Excitation by a sound.

    Parameters
    ----------
    waveform
        At `SAMPLE_RATE`, relative to 20 micropascal, shape ``(samples,)`` for both ears or
        ``(samples, 2)``.
    """
    ears = np.atleast_2d(waveform.T).astype(np.float32)  # as precise as 16 bits, and fast
    ratio = SAMPLE_RATE // ENVELOPE_RATE
    points = int(fft.next_fast_len(-(-(ears.shape[1] + PAD) // ratio)))
    gains, bins = _filters(points * ratio)
    spectrum = fft.fft(ears, points * ratio, axis=1)
    passed = spectrum[:, bins] * gains
    signal = fft.ifft(passed, axis=2) / ratio
    carriers = bins[:, 0] * SAMPLE_RATE / (points * ratio)
    length = -(-ears.shape[1] // ratio)
    return Excitation(signal[:, :, :length].astype(np.complex64), carriers)


@lru_cache(maxsize=8)
def _filters(samples: int) -> tuple[NDArray[np.complex64], NDArray[np.intp]]:
    """Gains of the bins around each centre, and the bins, shape ``(CHANNELS, points)``."""
    points = samples * ENVELOPE_RATE // SAMPLE_RATE
    offsets = fft.fftfreq(points, 1 / points).astype(np.intp)
    bins = np.rint(centres() * samples / SAMPLE_RATE).astype(np.intp)[:, None] + offsets
    hz = bins * SAMPLE_RATE / samples
    # Analytic: frequencies below zero do not pass, and those above count twice.
    gains = 2 * response(hz, centres()[:, None]) * ((hz > 0) & (hz < SAMPLE_RATE / 2))
    return gains.astype(np.complex64), bins


def response(hz: Floats, centre: Floats) -> NDArray[np.complex128]:
    """Frequency response of a gammatone filter of order 4, its delay taken away."""
    width = 1.019 * bandwidth(centre)
    delay = 3 / (2 * np.pi * width)  # of the peak of its envelope
    turned = np.exp(2j * np.pi * (hz - centre) * delay)
    return np.asarray(turned * (1 + 1j * (hz - centre) / width) ** -4)


def bandwidth(hz: Floats) -> Floats:
    """Equivalent rectangular bandwidth in Hz, after Glasberg and Moore (1990)."""
    return np.asarray(24.7 * (1 + 0.00437 * hz))


@lru_cache(maxsize=1)
def centres() -> Floats:
    """Centre frequencies in Hz, evenly spaced in bandwidths."""
    low, high = (21.4 * np.log10(1 + 0.00437 * hz) for hz in (LOWEST_HZ, HIGHEST_HZ))
    return np.asarray((10 ** (np.linspace(low, high, CHANNELS) / 21.4) - 1) / 0.00437)


@lru_cache(maxsize=1)
def threshold_in_quiet() -> Floats:
    """Power of a tone that is just heard, relative to 20 micropascal, after Terhardt (1979)."""
    khz = centres() / 1_000
    level = 3.64 * khz**-0.8 - 6.5 * np.exp(-0.6 * (khz - 3.3) ** 2) + 1e-3 * khz**4
    return np.asarray(10 ** (level / 10))
