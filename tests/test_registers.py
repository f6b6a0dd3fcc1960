"""An octave for each stream: healthy runs are smooth, do not pulsate, and are not sharp."""

import numpy as np
import pytest

from tb_sonify.schema.notes import aggregate
from tb_sonify.sound import EARLIER_PRESETS, PRESETS, render

pytestmark = pytest.mark.statistics

SMOOTH, BEFORE = PRESETS["smooth"], EARLIER_PRESETS["smooth-1"]
PASCAL = 0.28  # of full scale: -20 LUFS at 60 dB
RATE = 48_000


def heard(norms, preset):
    from scipy.signal import resample_poly

    pcm = render(aggregate(norms.astype(np.float32), rows_per_note=1), preset=preset) / 32767
    return resample_poly(pcm.mean(axis=1), 2, 1)


def healthy(apart, notes=50, seed=0):
    """Three groups of layers so many doublings apart, with the noise of a run."""
    noise = np.random.default_rng(seed).normal(0, 0.3, (notes, 3))
    return 0.1 * np.exp2(apart * np.arange(3) + noise)


def steady(apart):
    return np.tile(0.1 * np.exp2(apart * np.arange(3)), (60, 1))


def roughness(norms, preset):
    from mosqito.sq_metrics import roughness_dw

    return float(np.median(roughness_dw(PASCAL * heard(norms, preset), RATE, overlap=0)[0]))


def pulsation(norms, preset):
    """Largest depth of the envelope's modulation at 2 to 8 Hz."""
    from scipy.signal import hilbert

    envelope = np.abs(hilbert(heard(norms, preset)))[RATE // 2 : -RATE // 2]
    window = np.hanning(len(envelope))
    spectrum = np.abs(np.fft.rfft(envelope * window)) / window.sum()
    hz = np.fft.rfftfreq(len(envelope), 1 / RATE)
    return 2 * spectrum[(hz >= 2) & (hz <= 8)].max() / spectrum[0]


@pytest.mark.parametrize("apart", [-2.0, 0.0, 0.3])
def test_a_healthy_run_is_smooth(apart):
    assert roughness(healthy(apart), SMOOTH) < 0.02


def test_the_least_growth_that_is_told_is_five_times_as_rough():
    growing = 0.1 * np.exp2(0.3 * np.arange(3) + 0.35 * (np.arange(24)[:, None] - 12))
    assert roughness(growing, SMOOTH) > 5 * roughness(healthy(0.3), SMOOTH)


def test_in_one_register_it_would_be_rough_and_pulsate():
    assert roughness(healthy(0.3), BEFORE) > 0.04
    assert pulsation(steady(0.25), BEFORE) > 0.3


@pytest.mark.parametrize("apart", [0.25, 0.5])
def test_steady_tones_do_not_pulsate(apart):
    assert pulsation(steady(apart), SMOOTH) < 0.05


def test_a_healthy_run_is_not_sharp():
    from mosqito.sq_metrics import sharpness_din_st

    assert sharpness_din_st(PASCAL * heard(healthy(0.3), SMOOTH), RATE) < 0.75
