"""The twenty scenarios: each shows in its gradient norms, and landmarks, what it is named for."""

import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch

from tb_sonify import SonifyWriter
from tb_sonify.reading.logdir import open_logdir
from tb_sonify.reading.run_landmarks import landmarks_of, scalar_landmarks
from tb_sonify.reading.timeline_builder import Timelines
from tests.recorded import all_rows, scalars

pytestmark = pytest.mark.training
STEPS = 200
SEEDS = range(3)
# What a person who knows the scenario would mark: kind, and the steps among which it begins.
EXPECTED = {
    "explosion-nan": {"explosion": (0, 4), "nan": (2, 10), "divergence": (1, 5)},
    "explosion-dead": {"explosion": (0, 4), "collapse": (2, 15), "divergence": (1, 5)},
    "adam-collapse": {"vanishing": (4, 30)},
    "zero-init": {"collapse": (0, 0)},
    "vanishing": {"vanishing": (0, 0)},
    "plateau-escape": {"plateau": (0, 10), "escape": (60, 125)},
    "overfitting": {"overfitting": (10, 80)},
}
SCRIPT = [sys.executable, str(Path(__file__).parent.parent / "examples" / "scenarios.py")]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """As the script trains: on a busy machine, two threads take a hundred times as long."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def run(name, *, seed, steps):
    """Norms (steps, layers) and losses of a training, kind and step of each of its landmarks."""
    from examples.scenarios import SCENARIOS, train  # needs scikit-learn

    with TemporaryDirectory() as logdir:
        with SonifyWriter(f"{logdir}/run", presets=(), scalar_every=STEPS) as writer:
            losses = train(SCENARIOS[name], writer, seed=seed, steps=steps)
        store, scope = open_logdir(Path(logdir))
        timeline = Timelines(store).get(scope, "run")
        found = landmarks_of(timeline) + scalar_landmarks(store, scope, timeline, "run")
        landmarks = [(landmark.kind, landmark.step) for landmark in found]
        return all_rows(Path(logdir, "run")).norms, losses, landmarks


@cache
def trained(name, seed=0):
    return run(name, seed=seed, steps=STEPS)


def norms_and_losses(name, *, steps=STEPS):
    """Of the first steps of a training."""
    norms, losses, _ = trained(name)
    return norms[:steps], losses[:steps]


def motion(norms):
    """Doublings or halvings of a norm from step to step, the mean."""
    return np.abs(np.diff(np.log2(norms), axis=0)).mean()


def test_the_same_seed_trains_the_same_network_and_another_one_does_not():
    first, again = (run("healthy", seed=0, steps=5)[0] for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (first != run("healthy", seed=1, steps=5)[0]).any()


def test_the_healthy_one_learns_and_its_norms_sink_a_little():
    norms, losses = norms_and_losses("healthy")
    assert losses[-1] < 0.3
    sinks = np.median(norms[-50:], axis=0) / norms[0]
    assert (sinks > 0.1).all()
    assert (sinks < 1).all()
    assert motion(norms[:50]) < 0.25


def test_a_hot_learning_rate_jumps_three_times_as_far_and_still_learns():
    norms, losses = norms_and_losses("hot-learning-rate")
    assert motion(norms[:50]) > 3 * motion(norms_and_losses("healthy")[0][:50])
    assert norms.max() > 2.5 * norms[0].max()
    assert np.median(losses[-50:]) < 0.5


def test_an_explosion_that_cannot_die_ends_in_nan():
    norms, losses = norms_and_losses("explosion-nan", steps=20)
    finite = norms[np.isfinite(norms)]
    assert finite.max() > 1e6 * norms[0].max()
    assert np.isnan(norms[10:]).all()
    assert np.isnan(losses[-1])


def test_an_explosion_of_relus_ends_in_exact_zeros_but_for_the_last_bias():
    norms, losses = norms_and_losses("explosion-dead", steps=60)
    assert np.isfinite(norms).all()
    assert norms.max() > 1e3 * norms[0].max()
    assert (norms[20:, :-1] == 0).all()
    assert (norms[:, -1] > 0).all()
    assert losses[-1] == pytest.approx(np.log(10), abs=0.3)


def test_adam_collapses_the_early_layers_without_an_explosion():
    norms, losses = norms_and_losses("adam-collapse", steps=100)
    assert norms.max() < 10
    assert (norms > 0).all()
    assert np.median(norms[-20:, 0]) < 1e-4 * norms[0, 0]
    assert (norms[50:, -1] > 0.05).all()
    assert losses[-1] > 2


def test_zero_weights_give_exact_zeros_from_the_first_step_on():
    norms, _ = norms_and_losses("zero-init", steps=20)
    assert (norms[:, :-1] == 0).all()
    assert (norms[:, -1] > 0).all()


def test_huge_weights_give_huge_norms_that_sink_slowly():
    norms, _ = norms_and_losses("huge-init")
    assert (norms > 5e3).all()
    assert (norms[-20:].mean(axis=0) < 0.7 * norms[:20].mean(axis=0)).all()


def test_norms_vanish_with_depth_at_every_step():
    norms, _ = norms_and_losses("vanishing", steps=5)
    assert norms.shape == (5, 50)
    per_layer = np.diff(np.log2(norms), axis=1).mean(axis=1)
    assert (per_layer > 0.5).all()
    assert (norms[:, 0] < 1e-10).all()
    assert (norms[:, -1] > 0.02).all()


def test_a_plateau_is_low_and_flat_and_then_every_layer_rises():
    norms, losses = norms_and_losses("plateau-escape")
    early = norms[:50]
    assert (early.max(axis=0) < 5 * early.min(axis=0)).all()
    assert losses[50] > 2.2
    assert (np.median(norms[-50:], axis=0) > 3 * np.median(early, axis=0)).all()
    assert np.median(norms[-50:, 0]) > 20 * np.median(early[:, 0])
    assert losses[-1] < 1.2


def test_a_batch_of_8_is_higher_and_more_restless_than_one_of_256():
    small, large = norms_and_losses("batch-8")[0], norms_and_losses("healthy")[0]
    assert (np.median(small, axis=0) > 2 * np.median(large, axis=0)).all()
    assert motion(small) > 1.5 * motion(large)


def test_momentum_ends_lower_and_sways_more_than_none():
    swaying, plain = norms_and_losses("momentum"), norms_and_losses("healthy")
    ends = [np.median(norms[-50:], axis=0) for norms, _ in (swaying, plain)]
    assert (ends[0] < 0.8 * ends[1]).all()
    assert motion(swaying[0]) > 1.5 * motion(plain[0])
    assert swaying[1][-1] < 0.05


def test_a_learning_rate_that_decays_begins_hot_and_settles_to_a_level():
    norms, _ = norms_and_losses("learning-rate-decay")
    np.testing.assert_array_equal(norms[0], norms_and_losses("hot-learning-rate", steps=1)[0][0])
    assert motion(norms[:20]) > 2 * motion(norms_and_losses("healthy")[0][:20])
    third, fourth = np.median(norms[100:150], axis=0), np.median(norms[150:], axis=0)
    np.testing.assert_allclose(third, fourth, rtol=0.2)


def test_dropout_falls_from_far_above_and_rises_with_its_first_layer_above_the_others():
    norms, healthy = norms_and_losses("dropout")[0], norms_and_losses("healthy")[0]
    assert (norms[0] > 2 * healthy[0]).all()
    early, late = (np.median(part, axis=0) for part in (norms[10:50], norms[-50:]))
    assert (early < 0.7 * np.median(healthy[10:50], axis=0)).all()
    assert (late > 1.2 * early).all()
    assert late[0] > 1.5 * late[1:].max()


def test_batch_normalisation_sinks_at_a_hot_learning_rate_without_its_spikes():
    norms, losses = norms_and_losses("batch-norm")
    quarters = [np.median(part, axis=0) for part in np.array_split(norms, 4)]
    assert (np.diff(quarters, axis=0) < 0).all()
    assert (quarters[3] < 0.1 * norms[0]).all()
    hot, hot_losses = norms_and_losses("hot-learning-rate")
    assert norms.max() < 1.5 * norms[0].max()
    assert hot.max() > 2.5 * hot[0].max()
    assert max(losses[20:]) < 0.5 * max(hot_losses[20:])


def test_what_overfits_goes_silent_and_weight_decay_keeps_it_on_a_level():
    by_heart, kept = norms_and_losses("overfitting")[0], norms_and_losses("weight-decay")[0]
    silent, level = (np.median(norms[-50:], axis=0) for norms in (by_heart, kept))
    assert (silent < 0.03 * by_heart[0]).all()
    assert (level > 3 * silent).all()
    np.testing.assert_allclose(np.median(kept[100:150], axis=0), level, rtol=0.3)
    assert motion(kept[100:]) < 0.5 * motion(by_heart[100:])


def test_a_second_softmax_begins_low_and_never_passes_its_bound():
    norms, losses = norms_and_losses("double-softmax")
    healthy = norms_and_losses("healthy")[0]
    assert (norms[0] < 0.2 * healthy[0]).all()
    assert (np.median(norms[-50:], axis=0) > 1.3 * norms[0]).all()
    assert motion(norms) < 0.7 * motion(healthy)
    assert min(losses) > np.log(1 + 9 / np.e)


def test_a_gradient_with_the_wrong_sign_does_not_sink_and_its_layer_rises():
    norms, losses = norms_and_losses("wrong-gradient")
    later = np.median(norms[-50:], axis=0)
    assert later.argmax() == 1
    assert later[1] > 3 * norms[0, 1]
    assert (later[[0, 2, 3]] < 0.8 * later[1]).all()
    assert min(losses) > 1
    assert np.median(losses[-20:]) > 1.4


def test_pixels_that_are_not_normalised_begin_far_above_and_stay_there():
    norms, healthy = norms_and_losses("not-normalised")[0], norms_and_losses("healthy")[0]
    assert (norms[0] > 300 * healthy[0]).all()
    last = np.median(norms[-50:], axis=0)
    assert (last < 0.1 * norms[0]).all()
    assert (last > 10 * np.median(healthy[-50:], axis=0)).all()


def test_a_step_of_the_learning_rate_is_a_step_down_to_a_level():
    norms, losses = norms_and_losses("step-decay")
    before, after, end = (
        np.median(part, axis=0) for part in (norms[60:100], norms[110:150], norms[150:])
    )
    assert (after < 0.7 * before).all()
    assert (end > 0.6 * after).all()
    assert max(losses[110:]) < 0.5 * max(losses[60:100])


def test_the_script_logs_a_run_for_each_scenario_and_seed(tmp_path, monkeypatch, capsys):
    from examples.scenarios import main

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


def right(name, seed):
    """How many of the landmarks are where they are expected."""
    expected = EXPECTED.get(name, {})
    return sum(
        any(found == kind and low <= step <= high for found, step in trained(name, seed)[2])
        for kind, (low, high) in expected.items()
    )


def test_what_scenarios_are_named_for_is_found_and_little_else():
    from examples.scenarios import SCENARIOS

    quiet = [(name, 0) for name in SCENARIOS if name not in EXPECTED]
    trainings = [(name, seed) for name in EXPECTED for seed in SEEDS] + quiet
    hits = sum(right(*training) for training in trainings)
    wanted = sum(len(EXPECTED.get(name, {})) for name, _ in trainings)
    found = sum(len(trained(*training)[2]) for training in trainings)
    assert hits / wanted >= 0.95
    assert hits / found >= 0.95


@pytest.mark.parametrize("name", EXPECTED)
def test_each_is_found_in_most_seeds(name):
    hits = sum(right(name, seed) for seed in SEEDS)
    assert hits >= 0.8 * len(EXPECTED[name]) * len(SEEDS)
