"""The landmarks of real trainings: what each scenario is named for is found, and little else."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch

from examples.scenarios import SCENARIOS, train
from tb_sonify import SonifyWriter
from tb_sonify.reading.description import landmarks_of
from tb_sonify.reading.logdir import open_logdir
from tb_sonify.reading.timeline_builder import Timelines

SEEDS = range(3)
# What a person who knows the scenario would mark: kind, and the steps among which it begins.
EXPECTED = {
    "explosion-nan": {"explosion": (0, 4), "nan": (2, 10)},
    "explosion-dead": {"explosion": (0, 4), "collapse": (2, 15)},
    "adam-collapse": {"vanishing": (4, 30)},
    "zero-init": {"collapse": (0, 0)},
    "vanishing": {"vanishing": (0, 0)},
    "plateau-escape": {"plateau": (0, 10), "escape": (60, 125)},
}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """As the script trains: on a busy machine, two threads take a hundred times as long."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@cache
def landmarks(name, seed):
    """Kind and step of each landmark of a training, as `tb-sonify describe` tells them."""
    with TemporaryDirectory() as logdir:
        with SonifyWriter(f"{logdir}/run", presets=()) as writer:
            train(SCENARIOS[name], writer, seed=seed, steps=200)
        store, scope = open_logdir(Path(logdir))
        timeline = Timelines(store).get(scope, "run")
        found = landmarks_of(timeline)
    return [(landmark.kind, landmark.step) for landmark in found]


def right(name, seed):
    """How many of the landmarks are where they are expected."""
    expected = EXPECTED.get(name, {})
    return sum(
        any(found == kind and low <= step <= high for found, step in landmarks(name, seed))
        for kind, (low, high) in expected.items()
    )


def test_what_scenarios_are_named_for_is_found_and_little_else():
    trainings = [(name, seed) for name in SCENARIOS for seed in SEEDS]
    hits = sum(right(*training) for training in trainings)
    wanted = sum(len(EXPECTED.get(name, {})) for name, _ in trainings)
    found = sum(len(landmarks(*training)) for training in trainings)
    assert hits / wanted >= 0.95
    assert hits / found >= 0.95


@pytest.mark.parametrize("name", EXPECTED)
def test_each_is_found_in_most_seeds(name):
    hits = sum(right(name, seed) for seed in SEEDS)
    assert hits >= 0.8 * len(EXPECTED[name]) * len(SEEDS)
