"""The 2019 mapping: its constants and its order, without its faults."""

import numpy as np
import pytest

from tb_sonify.schema.notes import aggregate
from tb_sonify.sound import PRESETS, render

CLASSIC = PRESETS["classic"]
RATE = 44_100


def heard(norms):
    notes = aggregate(np.asarray(norms, np.float32), rows_per_note=1)
    return render(notes, preset=CLASSIC)[:, 0] / 32767


def peak_hz(tone):
    spectrum = np.abs(np.fft.rfft(tone * np.hanning(len(tone)), 1 << 16))
    return spectrum.argmax() * RATE / (1 << 16)


def test_a_step_is_one_tone_of_10_ms_per_layer_then_20_ms_of_silence():
    step = heard([[1.0, 2.0, 5.0, 10.0]])
    assert CLASSIC.sample_rate == RATE
    assert len(step) == 4 * 441 + 882
    tones = step[: 4 * 441].reshape(4, 441)
    assert [peak_hz(tone) for tone in tones] == pytest.approx([300, 400, 700, 1200], abs=8)
    assert np.abs(step[4 * 441 :]).max() == 0


def test_the_amplitude_is_a_tenth():
    assert np.abs(heard([[10.0]])).max() == pytest.approx(0.1, rel=0.01)


@pytest.mark.parametrize("norm", [300.0, 441.0, 1e15, np.inf])
def test_an_explosion_is_held_below_nyquist(norm):
    assert peak_hz(heard([[norm]])[:441]) == pytest.approx(15_000, abs=20)


def test_nan_is_a_burst_of_noise_and_zero_is_a_tone():
    nan, zero = heard([[np.nan]])[:441], heard([[0.0]])[:441]
    assert np.sqrt(np.mean(nan**2)) > 0.03
    assert peak_hz(zero) == pytest.approx(200, abs=8)

    def flatness(tone):
        power = np.abs(np.fft.rfft(tone * np.hanning(len(tone)))) ** 2 + 1e-12
        return np.exp(np.log(power).mean()) / power.mean()

    assert flatness(nan) > 100 * flatness(zero)


def test_a_layer_without_gradient_keeps_its_place_in_silence():
    step = heard([[-1.0, 1.0]])
    assert np.abs(step[:441]).max() == 0
    assert peak_hz(step[441:882]) == pytest.approx(300, abs=8)


def test_tones_do_not_click():
    tones = heard(np.random.default_rng(0).uniform(0, 20, (50, 4)))
    assert np.abs(np.diff(tones)).max() < 1.5 * 0.1 * 2 * np.pi * 2_200 / RATE
