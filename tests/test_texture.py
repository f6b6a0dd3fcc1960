"""Instability is heard as texture, and moves neither the pitch nor the loudness."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from tb_sonify.schema.notes import aggregate
from tb_sonify.sound import PRESETS, render

SINGLE = PRESETS["single"]
PLAIN = replace(SINGLE, texture=False)
HOP = SINGLE.hop(1)
GROWTH = (0.1, 0.35, 0.7, 1.4, 2.4)  # doublings per note: one for each level of divergence


def heard(norms, preset=SINGLE):
    notes = aggregate(norms.astype(np.float32)[:, None], rows_per_note=1)
    return render(notes, preset=preset).mean(axis=1) / 32767


def growing(rate, notes=18):
    return np.exp2(rate * (np.arange(notes) - notes / 2))


def oscillating(size, notes=40):
    return np.exp2(size / 2 * (-1.0) ** np.arange(notes))


def settled_pascal(mono):
    """What is heard once the window of the texture is full, at 48 kHz."""
    from scipy.signal import resample_poly

    return resample_poly(mono[9 * HOP :], 2, 1) * 0.2


def roughness(mono):
    from mosqito.sq_metrics import roughness_dw

    return np.mean(roughness_dw(settled_pascal(mono), 48_000, overlap=0)[0])


def loudness(mono):
    from mosqito.sq_metrics import loudness_zwst

    return loudness_zwst(settled_pascal(mono), 48_000)[0]


def envelope_at(mono, hz):
    """Depth of the amplitude's modulation at `hz`, relative to its mean."""
    envelope = np.abs(mono[9 * HOP : 33 * HOP])
    spectrum = np.abs(np.fft.rfft(envelope))
    return spectrum[round(hz * len(envelope) / SINGLE.sample_rate)] / spectrum[0]


def test_each_level_of_growth_sounds_rougher_by_more_than_the_ear_needs():
    values = [roughness(heard(growing(rate))) for rate in GROWTH]
    assert values[0] < 0.05
    assert all(after > 1.17 * before for before, after in itertools.pairwise(values))


def test_each_level_of_oscillation_is_a_deeper_tremolo():
    for size, deeper in ((1.0, 2.0), (2.0, 4.0), (4.0, 8.0)):
        assert envelope_at(heard(oscillating(deeper)), 25 / 6) > 1.17 * envelope_at(
            heard(oscillating(size)), 25 / 6
        )


@pytest.mark.parametrize("norms", [*map(growing, GROWTH), oscillating(8.0)])
def test_texture_leaves_the_loudness_alone(norms):
    assert loudness(heard(norms)) == pytest.approx(loudness(heard(norms, PLAIN)), rel=0.1)


@pytest.mark.parametrize("rate", GROWTH)
def test_texture_leaves_the_pitch_alone(rate):
    for textured, plain in zip(
        heard(growing(rate))[: 18 * HOP].reshape(18, HOP)[10:],
        heard(growing(rate), PLAIN)[: 18 * HOP].reshape(18, HOP)[10:],
        strict=True,
    ):
        spectra = [
            np.abs(np.fft.rfft(note[-900:] * np.hanning(900), 1 << 17))
            for note in (textured, plain)
        ]
        peaks = [spectrum.argmax() for spectrum in spectra]
        assert 1200 * abs(np.log2(peaks[0] / peaks[1])) < 5


def test_ordinary_noise_of_small_batches_is_not_rough():
    noise = np.exp(np.random.default_rng(0).normal(0, 0.5, 60))
    assert roughness(heard(noise)) < 1.3 * roughness(heard(noise, PLAIN)) + 0.02
