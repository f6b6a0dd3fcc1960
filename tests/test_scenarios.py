"""The twelve scenarios: each shows in its gradient norms what it is named for."""

import subprocess
import sys
import wave
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import soundfile
import torch

from benchmarks.listening import confusion, log_mel, script_waveform
from examples.scenarios import SCENARIOS, main, train
from tb_sonify import SonifyWriter
from tests.recorded import all_rows, scalars

SCRIPT = [sys.executable, str(Path(__file__).parent.parent / "examples" / "scenarios.py")]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """As the script trains: on a busy machine, two threads take a hundred times as long."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@cache
def trained(name, *, steps=200, seed=0):
    """Norms (steps, layers) and losses of a training."""
    with TemporaryDirectory() as run:
        with SonifyWriter(run, presets=()) as writer:
            losses = train(SCENARIOS[name], writer, seed=seed, steps=steps)
        return all_rows(Path(run)).norms, losses


def motion(norms):
    """Doublings or halvings of a norm from step to step, the mean."""
    return np.abs(np.diff(np.log2(norms), axis=0)).mean()


def test_the_same_seed_trains_the_same_network_and_another_one_does_not():
    first, again = (trained.__wrapped__("healthy", steps=5)[0] for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (first != trained("healthy", steps=5, seed=1)[0]).any()


def test_the_healthy_one_learns_and_its_norms_sink_a_little():
    norms, losses = trained("healthy")
    assert losses[-1] < 0.3
    sinks = np.median(norms[-50:], axis=0) / norms[0]
    assert (sinks > 0.1).all()
    assert (sinks < 1).all()
    assert motion(norms[:50]) < 0.25


def test_a_hot_learning_rate_jumps_three_times_as_far_and_still_learns():
    norms, losses = trained("hot-learning-rate")
    assert motion(norms[:50]) > 3 * motion(trained("healthy")[0][:50])
    assert norms.max() > 2.5 * norms[0].max()
    assert np.median(losses[-50:]) < 0.5


def test_an_explosion_that_cannot_die_ends_in_nan():
    norms, losses = trained("explosion-nan", steps=20)
    finite = norms[np.isfinite(norms)]
    assert finite.max() > 1e6 * norms[0].max()
    assert np.isnan(norms[10:]).all()
    assert np.isnan(losses[-1])


def test_an_explosion_of_relus_ends_in_exact_zeros_but_for_the_last_bias():
    norms, losses = trained("explosion-dead", steps=60)
    assert np.isfinite(norms).all()
    assert norms.max() > 1e3 * norms[0].max()
    assert (norms[20:, :-1] == 0).all()
    assert (norms[:, -1] > 0).all()
    assert losses[-1] == pytest.approx(np.log(10), abs=0.3)


def test_adam_collapses_the_early_layers_without_an_explosion():
    norms, losses = trained("adam-collapse", steps=100)
    assert norms.max() < 10
    assert (norms > 0).all()
    assert np.median(norms[-20:, 0]) < 1e-4 * norms[0, 0]
    assert (norms[50:, -1] > 0.05).all()
    assert losses[-1] > 2


def test_zero_weights_give_exact_zeros_from_the_first_step_on():
    norms, _ = trained("zero-init", steps=20)
    assert (norms[:, :-1] == 0).all()
    assert (norms[:, -1] > 0).all()


def test_huge_weights_give_huge_norms_that_sink_slowly():
    norms, _ = trained("huge-init")
    assert (norms > 5e3).all()
    assert (norms[-20:].mean(axis=0) < 0.7 * norms[:20].mean(axis=0)).all()


def test_norms_vanish_with_depth_at_every_step():
    norms, _ = trained("vanishing", steps=5)
    assert norms.shape == (5, 50)
    per_layer = np.diff(np.log2(norms), axis=1).mean(axis=1)
    assert (per_layer > 0.5).all()
    assert (norms[:, 0] < 1e-10).all()
    assert (norms[:, -1] > 0.02).all()


def test_a_plateau_is_low_and_flat_and_then_every_layer_rises():
    norms, losses = trained("plateau-escape")
    early = norms[:50]
    assert (early.max(axis=0) < 5 * early.min(axis=0)).all()
    assert losses[50] > 2.2
    assert (np.median(norms[-50:], axis=0) > 3 * np.median(early, axis=0)).all()
    assert np.median(norms[-50:, 0]) > 20 * np.median(early[:, 0])
    assert losses[-1] < 1.2


def test_a_batch_of_8_is_higher_and_more_restless_than_one_of_256():
    small, large = trained("batch-8")[0], trained("healthy")[0]
    assert (np.median(small, axis=0) > 2 * np.median(large, axis=0)).all()
    assert motion(small) > 1.5 * motion(large)


def test_momentum_ends_lower_and_sways_more_than_none():
    swaying, plain = trained("momentum"), trained("healthy")
    ends = [np.median(norms[-50:], axis=0) for norms, _ in (swaying, plain)]
    assert (ends[0] < 0.8 * ends[1]).all()
    assert motion(swaying[0]) > 1.5 * motion(plain[0])
    assert swaying[1][-1] < 0.05


def test_a_learning_rate_that_decays_begins_hot_and_settles_to_a_level():
    norms, _ = trained("learning-rate-decay")
    np.testing.assert_array_equal(norms[0], trained("hot-learning-rate", steps=1)[0][0])
    assert motion(norms[:20]) > 2 * motion(trained("healthy")[0][:20])
    third, fourth = np.median(norms[100:150], axis=0), np.median(norms[150:], axis=0)
    np.testing.assert_allclose(third, fourth, rtol=0.2)


def test_the_script_logs_a_run_for_each_scenario_and_seed(tmp_path, monkeypatch, capsys):
    options = ["--logdir", str(tmp_path), "--seeds", "2", "--steps", "3"]
    command = [*SCRIPT, *options, "zero-init", "batch-8"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert f"tensorboard --logdir {tmp_path}" in result.stdout
    for run in (f"{name}/seed-{seed}" for name in ("zero-init", "batch-8") for seed in range(2)):
        assert [step for step, _ in scalars(tmp_path / run, "loss/train")] == [0, 1, 2]
        assert all_rows(tmp_path / run).norms.shape == (3, 4)

    for name, message in (("calm", "NAME must be one of"), ("batch-8", "must not hold these runs")):
        monkeypatch.setattr(sys, "argv", ["scenarios.py", *options, name])
        with pytest.raises(SystemExit, match="2"):
            main()
        assert message in capsys.readouterr().err


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


def test_the_listener_takes_each_seed_for_its_nearest_neighbour_of_another_seed():
    features = np.zeros((3, 4, 2))
    features[..., 0] = [[0], [10], [20]]
    features[2, 3, 0] = 9  # one of the third sounds like the second
    expected = [[4, 0, 0], [0, 4, 0], [0, 1, 3]]
    np.testing.assert_array_equal(confusion(features), expected)


@pytest.mark.parametrize("hz", [100.0, 1_000.0, 8_000.0])
def test_the_listener_hears_a_sine_of_full_scale_at_0_db_in_its_band(hz):
    energies = log_mel(np.sin(2 * np.pi * hz * np.arange(24_000) / 24_000))
    assert energies.max(axis=1) == pytest.approx(0, abs=3)
    mels = 2595 * np.log10(1 + np.array([60, hz, 11_000]) / 700)
    band = (mels[1] - mels[0]) / (mels[2] - mels[0]) * 41 - 1
    assert (np.abs(energies.argmax(axis=1) - band) < 1).all()
