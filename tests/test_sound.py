"""What is heard: every test looks at rendered samples."""

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tb_sonify.schema.notes import aggregate
from tb_sonify.sound import PRESETS, adjust, encode_wav, render, stream_layers
from tb_sonify.sound.render import advance_state

SMOOTH = PRESETS["smooth"]
RATE = SMOOTH.sample_rate
HOP = SMOOTH.hop(1)
MINUS_60_DB = 10 ** (-60 / 20)


def notes_of(norms):
    return aggregate(np.asarray(norms, np.float32), rows_per_note=1)


def heard(norms, preset=SMOOTH, state=None):
    return render(notes_of(norms), preset=preset, state=state) / 32767


def steady(norm, notes=40, layers=1):
    return np.full((notes, layers), norm)


def wandering(notes, layers, seed=0):
    walk = np.random.default_rng(seed).normal(0, 1, (notes, layers)).cumsum(axis=0)
    return np.exp2(walk)


def fundamental_hz(mono, near):
    """Peak of the spectrum within a third of `near`, by quadratic interpolation."""
    level = np.log(np.abs(np.fft.rfft(mono * np.hanning(len(mono)), 4 * len(mono))) + 1e-12)
    hz = np.fft.rfftfreq(4 * len(mono), 1 / RATE)
    level[(hz < near * 0.7) | (hz > near * 1.4)] = -np.inf
    peak = int(level.argmax())
    left, middle, right = level[peak - 1 : peak + 2]
    return (peak + 0.5 * (left - right) / (left - 2 * middle + right)) * hz[1]


def level_db(mono):
    return 10 * np.log10(np.mean(np.square(mono)))


@pytest.mark.parametrize("norm", [10.0**power for power in range(-8, 9)])
def test_a_norm_is_heard_at_its_pitch(norm):
    expected = 440 * norm ** (1 / 12)
    mono = heard(steady(norm)).sum(axis=1)
    assert 1200 * abs(np.log2(fundamental_hz(mono, expected) / expected)) < 5


@pytest.mark.parametrize(
    ("layers", "registers"), [(2, (-12, 12)), (3, (-12, 0, 12)), (7, (-12, 0, 12))]
)
def test_equal_norms_are_octaves_and_each_stream_is_monotone_in_the_mono_mix(layers, registers):
    norms = 10.0 ** np.arange(-8, 9, 2)
    for stream, group in enumerate(stream_layers(layers)):
        preset = adjust(SMOOTH, muted=tuple({0, 1, 2} - {stream}))
        heard_hz = []
        for norm in norms:
            table = np.full((20, layers), 0.3)
            table[:, group] = norm
            expected = 440 * 2 ** (registers[stream] / 12) * norm ** (1 / 12)
            heard_hz.append(fundamental_hz(heard(table, preset).sum(axis=1), expected))
            assert 1200 * abs(np.log2(heard_hz[-1] / expected)) < 5
        assert (np.diff(heard_hz) > 0).all()


@pytest.mark.parametrize("norms", [(0.3, 0.8, 2.0), (1.0, 1.0, 1.0), (5e-4, 0.02, 0.1)])
def test_each_of_three_pitches_is_in_the_mono_mix(norms):
    mono = heard(np.tile(norms, (60, 1))).sum(axis=1)
    for norm, register in zip(norms, (-12, 0, 12), strict=True):
        expected = 440 * 2 ** (register / 12) * norm ** (1 / 12)
        assert 1200 * abs(np.log2(fundamental_hz(mono, expected) / expected)) < 5


@pytest.mark.parametrize(("norm", "held"), [(1e-30, 1e-8), (1e38, 1e8)])
def test_beyond_its_range_the_pitch_holds_and_an_earcon_says_so(norm, held):
    beyond, within = heard(steady(norm)), heard(steady(held))
    pitched = slice(2 * HOP, 8 * HOP)  # between two earcons
    np.testing.assert_array_equal(beyond[pitched], within[pitched])
    assert np.abs(beyond - within)[:HOP].max() > 0.01


def test_the_same_norm_sounds_the_same_in_every_clip():
    other_run = np.concatenate([wandering(30, 1), steady(0.37, 30)])
    here = heard(steady(0.37, 30)).sum(axis=1)
    there = heard(other_run).sum(axis=1)[-len(here) :]
    inner = slice(3 * HOP, -HOP)
    cents = 1200 * np.log2(fundamental_hz(here[inner], 405) / fundamental_hz(there[inner], 405))
    assert abs(cents) < 1
    assert abs(level_db(here[inner]) - level_db(there[inner])) < 0.1


@given(
    st.lists(st.integers(1, 90), min_size=1, max_size=6),
    st.integers(1, 7),
    st.sampled_from([SMOOTH, PRESETS["calm"]]),
)
@settings(deadline=None, max_examples=25)
def test_clips_that_overlap_by_the_tail_join_as_one(cuts, layers, preset):
    norms = wandering(sum(cuts), layers, seed=sum(cuts))
    norms[len(norms) // 2 :: 7] = np.nan
    norms[len(norms) // 3 :: 5] = 0
    whole = render(notes_of(norms), preset=preset).astype(int)
    joined, state, first = np.zeros_like(whole), None, 0
    for count in cuts:
        part = notes_of(norms[first : first + count])
        clip = render(part, preset=preset, state=state)
        joined[first * HOP : first * HOP + len(clip)] += clip
        state, first = advance_state(part, preset=preset, state=state), first + count
    assert np.abs(joined - whole).max() <= 1  # the overlap is rounded twice


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_a_clip_begins_and_ends_in_silence(preset):
    clip = heard(wandering(20, 5), preset)
    assert len(clip) == 20 * preset.hop(5) + preset.tail
    assert np.abs(clip[[0, -1]]).max() < MINUS_60_DB
    assert np.abs(clip.mean(axis=0)).max() < MINUS_60_DB


def test_nothing_clicks():
    # A jump of the norm by a thousand, and streams that fall silent and come back.
    norms = wandering(100, 3)
    norms[10::20] *= 1e3
    norms[15::20, 1] = np.nan
    clip = heard(norms)
    slope = 0.0
    for voice in SMOOTH.voices:
        partials = sum(k * a for k, a in enumerate(voice.harmonics, start=1))
        slope += 2 * np.pi * (440 * norms[np.isfinite(norms)].max() ** (1 / 12)) / RATE * partials
    earcon = 2 * np.pi * 620 * 1.93 / RATE * SMOOTH.earcon_level * 3
    assert np.abs(np.diff(clip, axis=0)).max() < 1.5 * (SMOOTH.level * slope + earcon)


@pytest.mark.parametrize("norm", [1e-30, 1e-8, 1.0, 1e8, 3e38, 0.0, np.nan, np.inf])
@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_true_peak_stays_below_minus_one_db(norm, preset):
    from scipy.signal import resample_poly

    norms = steady(norm, notes=16, layers=9)
    norms[::2, ::2] = 1e-8
    clip = heard(norms, preset)
    peak = np.abs(resample_poly(clip, 4, 1, axis=0)).max()
    assert 20 * np.log10(peak) < -1


def test_early_layers_are_heard_on_the_left_and_late_ones_on_the_right():
    for layer, side in ((0, 0), (2, 1)):
        norms = np.full((20, 3), -1.0)
        norms[:, layer] = 1.0
        clip = heard(norms)
        assert level_db(clip[:, side]) > level_db(clip[:, 1 - side]) + 6


def test_a_layer_without_gradient_is_silent_after_its_earcon():
    assert np.abs(heard(steady(-1.0))[HOP : 8 * HOP]).max() == 0


@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(0, 20), st.integers(0, 9)),
        elements=st.one_of(st.floats(0, width=32), st.sampled_from([np.nan, np.inf, -1.0])),
    ),
    st.sampled_from(list(PRESETS.values())),
)
@settings(deadline=None, max_examples=60)
def test_any_norms_render(norms, preset):
    clip = render(notes_of(norms), preset=preset)
    assert clip.shape == (len(norms) * preset.hop(norms.shape[1]) + preset.tail, preset.channels)


def test_equal_input_gives_equal_bytes():
    norms = wandering(50, 6)
    assert (
        render(notes_of(norms), preset=SMOOTH).tobytes()
        == render(notes_of(norms), preset=SMOOTH).tobytes()
    )


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_a_wav_file_is_what_its_header_says(preset):
    pcm = render(notes_of(wandering(10, 4)), preset=preset)
    data = encode_wav(pcm, sample_rate=preset.sample_rate)
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        assert (file.format, file.subtype) == ("WAV", "PCM_16")
        assert (file.samplerate, file.channels) == (preset.sample_rate, preset.channels)
        np.testing.assert_array_equal(file.read(dtype="int16", always_2d=True), pcm)


def test_wav_needs_16_bit_samples():
    with pytest.raises(ValueError, match="float64"):
        encode_wav(np.zeros((3, 1)), sample_rate=RATE)
