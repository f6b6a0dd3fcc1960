"""The machine listener of the benchmarks: its ears, and its thresholds beside those of people."""

import wave

import numpy as np
import pytest
import soundfile
from scipy import signal

from benchmarks.listener.calibration import experiments, viemeister
from benchmarks.listener.events import EVENTS, LAYERS, Audition, windows
from benchmarks.listener.excitation import (
    CHANNELS,
    SAMPLE_RATE,
    centres,
    excite,
    response,
    threshold_in_quiet,
)
from benchmarks.listener.observer import LISTENERS, interval, sensitivity, template
from benchmarks.listener.percept import KINDS, read
from benchmarks.listener.scenarios import confusion, remembered
from benchmarks.listener.sounds import script_waveform, sounds
from benchmarks.listener.staircase import threshold

EXPERIMENTS = {experiment.name: experiment for experiment in experiments()}


@pytest.mark.parametrize("channel", [3, 15, 28])
def test_the_filters_are_gammatones_as_those_of_scipy(channel):
    hz = float(centres()[channel])
    numerator, denominator = signal.gammatone(hz, "iir", fs=SAMPLE_RATE)
    bandwidth = 24.7 * (1 + 0.00437 * hz)
    near = hz + bandwidth * np.linspace(-1, 1, 21)
    _, expected = signal.freqz(numerator, denominator, near, fs=SAMPLE_RATE)
    ours = 20 * np.log10(np.abs(response(near, centres()[channel])))
    np.testing.assert_allclose(ours, 20 * np.log10(np.abs(expected)), atol=0.5)


@pytest.mark.parametrize("ear", [0, 1])
def test_a_tone_excites_its_own_channel_at_its_own_level_and_frequency(ear):
    waveform = np.zeros((12_000, 2))
    turns = 2 * np.pi * 1_003 * np.arange(12_000) / SAMPLE_RATE
    waveform[:, ear] = np.sqrt(2) * 10 ** (60 / 20) * np.sin(turns)
    excitation = excite(waveform)
    channel = int(np.argmin(np.abs(centres() - 1_003)))
    power = excitation.power[:, :, 300:900].mean(axis=2) * threshold_in_quiet()
    levels = 10 * np.log10(power + 1e-9)
    assert levels[ear].argmax() == channel
    assert levels[ear, channel] == pytest.approx(60, abs=1.5)
    assert levels[1 - ear].max() < 0
    percept = read(excitation).percept(np.array([15]), 20)
    cents = percept.values[0, KINDS == "pitch"][channel]
    assert cents == pytest.approx(1200 * np.log2(1_003 / excitation.carriers[channel]), abs=2)
    assert np.sign(percept.values[0, KINDS == "ears"].sum()) == 1 - 2 * ear
    assert len(excitation.carriers) == CHANNELS


def test_depth_of_modulation_is_heard_at_its_rate():
    time = np.arange(24_000) / SAMPLE_RATE
    loudest = {}
    for rate in (4, 16, 64):
        carrier = 10 ** (60 / 20) * np.sin(2 * np.pi * 1_000 * time)
        clip = carrier * (1 + 0.3 * np.sin(2 * np.pi * rate * time))
        values = read(excite(clip)).percept(np.array([30]), 50).values[0, KINDS == "modulation"]
        loudest[rate] = int(values.reshape(5, 5)[:, -1].argmax())  # bands by regions, and all
    assert loudest == {4: 0, 16: 1, 64: 2}


def test_the_staircase_finds_the_threshold_of_an_observer():
    rng = np.random.default_rng(0)

    def trial(size):
        return size / 3 + np.sqrt(2) * rng.standard_normal() > 0  # d' is 1 at 3

    found = [threshold(trial, between=(0.1, 100), trials=150, seed=seed) for seed in range(8)]
    assert np.exp(np.mean(np.log(found))) == pytest.approx(3, rel=0.2)


def test_sensitivity_is_the_distance_of_gaussians_and_its_interval_holds_it():
    rng = np.random.default_rng(0)
    present, absent = rng.normal(1.5, 1, (200, 1)), rng.normal(0, 1, (200, 1))
    found = sensitivity(present.ravel(), absent.ravel())
    low, high = interval(present, absent, resamples=200)
    assert low < found < high
    assert found == pytest.approx(1.5, abs=0.25)
    assert sensitivity(absent.ravel(), absent.ravel()) == 0
    assert 4 < sensitivity(absent.ravel() + 100, absent.ravel()) < 5


def test_a_template_weighs_each_number_by_how_sure_it_is():
    rng = np.random.default_rng(0)
    absent = rng.normal(0, [1, 10, 1], (2_000, 3))
    weights = template(np.array([1.0, 1.0, 0.0]), absent)
    assert weights[0] > 50 * abs(weights[1])
    assert abs(weights[2]) < 0.1 * weights[0]


@pytest.mark.statistics
@pytest.mark.parametrize(
    "name",
    [
        "level, 1000 Hz, 200 ms, dB",
        "frequency, 1000 Hz, 200 ms, %",
        "modulation of noise, 64 Hz, dB",
        "modulation of noise, 256 Hz, dB",
        "modulation of a tone of 1 kHz, 64 Hz, dB",
        "gap in noise, ms",
    ],
)
def test_the_trained_listener_has_the_thresholds_of_people(name):
    experiment = EXPERIMENTS[name]
    (low, high), _ = experiment.published
    assert low <= experiment.shown(experiment.measure(LISTENERS["trained"], trials=50)) <= high


@pytest.mark.statistics
def test_a_short_tone_and_the_untrained_listener_need_larger_changes_of_frequency():
    long, short = (EXPERIMENTS[f"frequency, 1000 Hz, {time}, %"] for time in ("200 ms", "10 ms"))
    trained = long.measure(LISTENERS["trained"])
    assert 3 <= short.measure(LISTENERS["trained"]) / trained <= 8
    assert 2.5 <= long.measure(LISTENERS["untrained"]) <= 9  # 43 to 150 cents


def test_the_published_thresholds_of_modulation_fall_by_a_low_pass_filter():
    assert viemeister(4) == pytest.approx(-25, abs=0.1)
    assert viemeister(64) == pytest.approx(-22, abs=0.1)


@pytest.fixture(scope="module")
def runs():
    """Two healthy runs: twelve layers whose norms jitter by a fifth."""
    rng = np.random.default_rng(0)
    return [np.exp(0.2 * rng.standard_normal((800, LAYERS))).astype(np.float32) for _ in range(2)]


def test_nan_is_heard_and_what_changes_no_sample_is_not(runs):
    audition = Audition.of(sounds()["smooth"], runs, norm=0.09, count=4)
    trained = LISTENERS["trained"]
    found, low, _ = audition.judge(audition.with_event(EVENTS["NaN in one layer"]), trained)
    assert low > 2
    assert found > 3
    nothing, low, high = audition.judge(audition.healthy, trained)
    assert low <= 0 <= high
    assert abs(nothing) < 1


@pytest.mark.parametrize("name", EVENTS)
def test_events_begin_at_their_step_in_windows_at_the_norm_that_was_asked_for(runs, name):
    for window in windows(runs, norm=450, count=3, steps=64):
        changed = window.with_event(EVENTS[name])
        assert np.median(window.norms) == pytest.approx(450)
        np.testing.assert_array_equal(changed[: window.step], window.norms[: window.step])
        rest = changed[window.step :], window.norms[window.step :]
        assert not np.array_equal(*rest, equal_nan=True)
        assert len(window.before) >= 300


@pytest.mark.parametrize("name", ["chart2music", "2019 script", "classic", "calm"])
def test_a_sound_lasts_as_long_as_its_steps(runs, name):
    sound = sounds()[name]
    norms = runs[0][300:320].copy()
    norms[10, 5] = np.nan
    waveform = sound.play(runs[0][:300], norms)
    seconds = 20 * sound.step_seconds(LAYERS)
    assert seconds - 1e-9 <= len(waveform) / SAMPLE_RATE <= seconds + 0.3
    assert np.isfinite(waveform).all()


def test_each_seed_is_taken_for_its_nearest_neighbour_of_another_seed():
    features = np.zeros((3, 4, 2))
    features[..., 0] = [[0], [10], [20]]
    features[2, 3, 0] = 9  # one of the third sounds like the second
    expected = [[4, 0, 0], [0, 4, 0], [0, 1, 3]]
    np.testing.assert_array_equal(confusion(features), expected)


def test_a_clip_is_remembered_by_its_parts():
    loud = np.repeat([0.0, 1_000.0], 36_000) * np.sin(np.arange(72_000) * 0.26)  # 1 kHz
    numbers = remembered(loud, LISTENERS["trained"], np.random.default_rng(0))
    levels = numbers.reshape(4, 2, len(KINDS))[:, 0, KINDS == "level"].mean(axis=1)
    assert levels[:2].max() + 20 < levels[2:].min()


def test_the_script_of_2019_is_heard_as_a_player_decodes_its_file(tmp_path):
    norms = np.float32([[0.5, 0.0, 300.0], [2.0, 1e9, 0.1]])
    frames = []
    for row in norms:
        for norm in row:
            tone = (200.0 + norm * 100.0).astype(np.float32)
            samples = np.sin(2 * np.pi * np.arange(44_100 * 0.01) * tone / 44_100)
            frames.append(0.1 * samples.astype(np.float32))
        frames.append(np.zeros(882, dtype=np.float32))
    with wave.open(str(tmp_path / "sgd.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(4)
        file.setframerate(44_100)
        file.writeframes(b"".join(frame.astype(np.float32).tobytes() for frame in frames))
    decoded, _ = soundfile.read(tmp_path / "sgd.wav")
    np.testing.assert_array_equal(script_waveform(norms), decoded)
