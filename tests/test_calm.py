"""The preset calm: quiet while a run is as before, and what is unusual comes forward."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.signal import lfilter

from tb_sonify.reading.timeline import logged_presets
from tb_sonify.schema.metadata import PRESETS_OPTION, VERSIONS_OPTION
from tb_sonify.schema.notes import aggregate
from tb_sonify.sound import (
    PRESETS,
    VERSIONS,
    Voice,
    advance_state,
    context_notes,
    preset_to_json,
    render,
)
from tb_sonify.sound.voicing import stream_hz

CALM, SMOOTH = PRESETS["calm"], PRESETS["smooth"]
RATE, HOP, TAIL = CALM.sample_rate, CALM.hop(3), CALM.tail
EVENT = 300  # note
HALF_A_SECOND = slice(EVENT, EVENT + 8)


def notes_of(norms):
    return aggregate(np.asarray(norms, np.float32), rows_per_note=1)


def healthy(notes=400, layers=12, *, deviation=0.3, seed=0):
    """Log-normal noise around layers that differ, in doublings."""
    random = np.random.default_rng(seed)
    middles = random.normal(-3, 1, layers)
    return np.exp2(middles + random.normal(0, deviation, (notes, layers)))


def heard(norms, preset=CALM):
    return render(notes_of(norms), preset=preset) / 32767


def levels_db(norms, preset=CALM):
    """Level of each note in both channels together, weighted as for BS.1770."""
    import pyloudnorm

    samples = heard(norms, preset)[: len(norms) * preset.hop(norms.shape[1])]
    for weight in pyloudnorm.Meter(preset.sample_rate)._filters.values():
        samples = weight.passband_gain * lfilter(weight.b, weight.a, samples, axis=0)
    power = np.square(samples).sum(axis=1).reshape(len(norms), -1).mean(axis=1)
    return 10 * np.log10(power + 1e-12)


def dead(norms):
    norms[EVENT:, norms.shape[1] // 2] = 0


def broken(norms):
    norms[EVENT:, norms.shape[1] // 2] = np.nan


def all_broken(norms):
    norms[EVENT:] = np.nan


def diverging(norms):
    norms[EVENT:] *= np.exp2(np.arange(len(norms) - EVENT))[:, None].clip(max=2.0**40)


def infinite(norms):
    norms[EVENT:, 0] = np.inf


def spiking(norms):
    norms[EVENT, -1] *= 30


@pytest.mark.parametrize(("layers", "deviation"), [(1, 0.1), (3, 0.6), (28, 0.3)])
def test_a_healthy_run_is_quiet_and_smooth(layers, deviation):
    import pyloudnorm
    from mosqito.sq_metrics import roughness_dw
    from scipy.signal import resample_poly

    samples = heard(healthy(300, layers, deviation=deviation))
    assert pyloudnorm.Meter(RATE).integrated_loudness(samples) <= -26
    mono = resample_poly(samples[4 * RATE : 7 * RATE].mean(axis=1), 2, 1)
    at_60_db = 0.02 * 10 ** (23 / 20) * mono  # where smooth is at 60 dB
    assert np.median(roughness_dw(at_60_db, 48_000, overlap=0)[0]) <= 0.005


@pytest.mark.parametrize("event", [dead, broken, all_broken, diverging, infinite, spiking])
@pytest.mark.parametrize(("layers", "deviation"), [(1, 0.1), (3, 0.6), (28, 0.3)])
def test_trouble_comes_forward_by_10_db_within_half_a_second(layers, deviation, event):
    norms = healthy(EVENT + 20, layers, deviation=deviation)
    event(norms)
    levels = levels_db(norms)
    assert levels[HALF_A_SECOND].max() - np.median(levels[EVENT - 64 : EVENT]) >= 10
    assert levels[EVENT - 64 : EVENT].max() - np.median(levels[EVENT - 64 : EVENT]) < 6


@pytest.mark.parametrize("period", [2, 5, 30])
def test_a_run_that_is_broken_from_its_start_does_not_become_quiet(period):
    norms = healthy(300, 3)
    norms *= np.exp2(16 * np.sin(2 * np.pi * (0.25 + np.arange(300) / period)))[:, None]
    levels, full = (levels_db(norms, preset) for preset in (CALM, SMOOTH))
    assert np.median(levels[100:] - full[100:]) > -6


def test_what_stays_becomes_quiet_again():
    norms = healthy(600)
    norms[EVENT:] *= 32
    levels = levels_db(norms)
    before = np.median(levels[200:EVENT])
    assert np.median(levels[EVENT : EVENT + 30]) > before + 10
    assert np.median(levels[500:]) == pytest.approx(before, abs=1)


def test_after_a_spike_the_run_is_quiet_again_within_a_second():
    norms = healthy()
    spiking(norms)
    levels = levels_db(norms)
    assert np.median(levels[EVENT + 16 : EVENT + 40]) == pytest.approx(
        np.median(levels[200:EVENT]), abs=0.5
    )


def test_the_start_of_a_run_is_heard_in_full():
    levels, full = (levels_db(healthy(), preset) for preset in (CALM, SMOOTH))
    assert np.median(levels[2:16] - full[2:16]) == pytest.approx(0, abs=0.5)
    assert np.median(levels[40:] - full[40:]) == pytest.approx(-12, abs=1)


def test_what_comes_forward_is_brighter():
    norms = healthy(layers=3, deviation=0.1)
    norms[EVENT:] *= 8
    samples = heard(norms).mean(axis=1)
    shares = []
    for first in (200, EVENT + 4):
        part = samples[first * HOP : (first + 16) * HOP]
        power = np.square(np.abs(np.fft.rfft(part * np.hanning(len(part)))))
        hz = np.fft.rfftfreq(len(part), 1 / RATE)
        early = 220 * np.median(norms[first : first + 16, 0]) ** (1 / 12)
        third, first_partial = (
            power[np.abs(hz - partial * early) < 15].sum() for partial in (3, 1)
        )
        shares.append(third / first_partial)
    assert shares[1] > 2 * shares[0]


def test_jitter_is_smoothed_and_an_outlier_keeps_its_pitch():
    norms = healthy(layers=3)
    norms[EVENT, 1] *= 2**8
    calm, raw = (np.log2(stream_hz(notes_of(norms), preset)) for preset in (CALM, SMOOTH))
    assert calm[EVENT, 1] == raw[EVENT, 1]
    others = np.delete(np.arange(20, 400), EVENT - 20)
    assert (calm[others].std(axis=0) < 0.65 * raw[others].std(axis=0)).all()


def troubled():
    norms = healthy(400, 3, deviation=0.5)
    norms[150:155, 1], norms[170:200, 2], norms[210, 0] = np.nan, -1.0, np.inf
    norms[220:] *= 16
    norms[230:240] *= np.exp2(np.arange(10))[:, None]
    norms[260:300, 0] = 0
    return norms


@pytest.mark.parametrize("first", [1, 2, 17, 143, 144, 145, 156, 201, 222, 263, 299, 399])
def test_a_clip_from_anywhere_sounds_as_in_the_whole(first):
    norms = troubled()
    state = advance_state(notes_of(norms[:first]), preset=CALM)
    clip = render(notes_of(norms[first:]), preset=CALM, state=state).astype(int)
    expected = render(notes_of(norms), preset=CALM).astype(int)[first * HOP + TAIL :]
    assert np.abs(clip[TAIL:] - expected).max() <= 1


@pytest.mark.parametrize("end", [1, 16, 150, 211, 221, 236])
def test_what_is_heard_does_not_depend_on_what_comes_later(end):
    norms = troubled()
    whole = render(notes_of(norms), preset=CALM).astype(int)[: end * HOP]
    part = render(notes_of(norms[:end]), preset=CALM).astype(int)[: end * HOP]
    assert np.abs(whole - part).max() <= 1


def test_only_calm_needs_its_history():
    others = [preset for preset in PRESETS.values() if preset != CALM]
    assert {context_notes(preset) for preset in others} == {73}
    assert context_notes(CALM) == 144


@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 200), st.integers(1, 4)),
        elements=st.one_of(
            st.floats(0, width=32, allow_subnormal=True),
            st.sampled_from([np.nan, np.inf, -1.0, 0.0, 1e-45, 3.4e38]),
        ),
        fill=st.sampled_from([1.0, 0.0, -1.0, 1e-3]).map(np.float32),
    )
)
@example(np.full((300, 3), 0.1, np.float32))
@example(np.full((2, 2_000), 0.1, np.float32))
@example(np.array([[1e38], *[[1e-3]] * 200], np.float32))
@settings(deadline=None, max_examples=30)
def test_any_series_renders(norms):
    for preset in (CALM, replace(CALM, streams=2, voices=CALM.voices[:2], width=0.0)):
        clip = render(notes_of(norms), preset=preset)
        assert len(clip) == len(norms) * preset.hop(norms.shape[1]) + preset.tail


def test_a_preset_of_ones_own_can_be_calm_at_8_khz():
    at_8_khz = {"sample_rate": 8_000, "note_frames": 480, "tail": 32, "glide": 160, "stagger": 0}
    one = replace(CALM, name="own", streams=1, voices=(Voice((1.0,)),), **at_8_khz)
    levels = levels_db(healthy(200, 3), one)
    assert np.median(levels[:16]) - np.median(levels[100:]) == pytest.approx(12, abs=1)
    with pytest.raises(ValueError, match="must be under half of the sample rate"):
        replace(CALM, **at_8_khz)


def test_clips_of_a_preset_of_ones_own_with_its_name_are_not_taken_for_it():
    own = {**preset_to_json(SMOOTH), "name": "calm"}
    before = {VERSIONS_OPTION: {"smooth": 2}, PRESETS_OPTION: [own]}
    assert "calm" not in logged_presets(before)
    assert logged_presets({VERSIONS_OPTION: dict(VERSIONS)})["calm"] == CALM
