"""Instability is heard as texture, and moves neither the pitch nor the loudness."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from tb_sonify.schema.notes import aggregate
from tb_sonify.sound import EARLIER_PRESETS, PRESETS, advance_state, render

SINGLE, SMOOTH, BEFORE = PRESETS["single"], PRESETS["smooth"], EARLIER_PRESETS["smooth-1"]
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


@pytest.mark.statistics
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


def textured(norms, preset=SMOOTH):
    """Numbers of the notes of three streams that sound otherwise than without texture."""
    notes = aggregate(norms.astype(np.float32), rows_per_note=1)
    hop = preset.hop(3)
    heard = [
        render(notes, preset=each)[: len(norms) * hop].astype(int).reshape(len(norms), -1)
        for each in (preset, replace(preset, texture=False))
    ]
    return np.flatnonzero(np.abs(heard[0] - heard[1]).max(axis=1) > 50)


def jittery(notes, *, seed=0, deviation=0.6):
    """Norms whose doublings have the noise of small batches."""
    return np.exp2(np.random.default_rng(seed).normal(0, deviation, (notes, 3)))


def test_jitter_of_a_run_is_no_texture_where_its_history_is_known():
    runs = [jittery(300, seed=seed) for seed in range(2)]
    judged, fixed = (sum(len(textured(run, each)) for run in runs) for each in (SMOOTH, BEFORE))
    assert judged < 0.02 * 600 < 0.2 * 600 < fixed


@pytest.mark.parametrize("rate", [0.5, 1.0, 2.0])
def test_growth_beyond_the_jitter_is_rough_from_the_note_at_which_it_can_be_known(rate):
    norms = jittery(140, deviation=0.2)
    norms[100:] *= np.exp2(rate * np.minimum(np.arange(1, 41), 20))[:, None]
    notes = textured(norms)
    assert set(range(108, 119)) <= set(notes.tolist())
    assert notes.min() >= 100
    assert notes.max() <= 127


def test_a_single_jump_is_not_rough():
    norms = jittery(140, deviation=0.1)
    norms[110] *= 30
    assert 110 in textured(norms, BEFORE)
    assert not len(textured(norms))


def test_a_run_that_is_broken_from_its_start_is_rough_before_it_has_a_history():
    norms = jittery(20, deviation=0.2) * np.exp2(1.4 * np.arange(20))[:, None]
    assert set(range(9, 20)) <= set(textured(norms).tolist())


@pytest.mark.parametrize("first", [1, 30, 72, 73, 74, 99, 104, 112, 127])
def test_a_clip_from_anywhere_has_the_texture_of_the_whole(first):
    norms = jittery(140, deviation=0.4)
    norms[100:120] *= np.exp2(np.arange(20))[:, None]
    norms[40:60, 1] = np.nan
    whole, before, after = (
        aggregate(each.astype(np.float32), rows_per_note=1)
        for each in (norms, norms[:first], norms[first:])
    )
    state = advance_state(before, preset=SMOOTH)
    clip = render(after, preset=SMOOTH, state=state).astype(int)
    at = first * SMOOTH.hop(3) + SMOOTH.tail
    expected = render(whole, preset=SMOOTH).astype(int)[at:]
    assert np.abs(clip[SMOOTH.tail :] - expected).max() <= 1


@pytest.mark.statistics
def test_ordinary_noise_of_small_batches_is_not_rough():
    noise = np.exp(np.random.default_rng(0).normal(0, 0.5, 60))
    assert roughness(heard(noise)) < 1.3 * roughness(heard(noise, PLAIN)) + 0.02
