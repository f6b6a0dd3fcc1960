"""Trainings over real processes: DDP, FSDP2, tensor parallel, each against an unsharded model."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests import recorded
from tests.reference import assert_norms, exact_norms, pre_clip

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.training


def trained(directory, processes, *scenarios):
    """Run scenarios one after the other in so many processes."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    program = [sys.executable, "-m", "tests.distributed_training", str(processes)]
    command = [*program, str(directory / f"store{processes}"), str(directory), *scenarios]
    training = subprocess.run(
        command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, check=False
    )
    assert training.returncode == 0, training.stderr


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    directory = tmp_path_factory.mktemp("two")
    sharded = ("fsdp", "clipped", "tensor_parallel", "placements")
    trained(
        directory,
        2,
        "ddp",
        *sharded,
        "counted",
        "uneven",
        "uncounted",
        "alone",
        "flat",
        "landscape",
    )
    return directory


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    directory = tmp_path_factory.mktemp("four")
    trained(directory, 4, "two_dimensions")
    return directory


def expected(directory, name):
    steps = json.loads((directory / f"{name}.json").read_text())
    return {int(step): norms for step, norms in steps.items()}


@pytest.mark.parametrize("name", ["ddp", "tensor-parallel", "tensor-parallel-part"])
def test_norms_are_those_of_the_whole_model(two, name):
    norms = expected(two, name)
    if name.endswith("part"):
        norms = {step: {k: each[k] for k in ("0", "2")} for step, each in norms.items()}
    assert_norms(two / name, norms)


@pytest.mark.parametrize("norm_type", ["1.0", "2.0", "3.0", "inf"])
def test_norms_of_shards_are_those_of_the_whole(two, norm_type):
    assert_norms(two / f"fsdp-{norm_type}", expected(two, f"fsdp-{norm_type}"))
    assert pre_clip(two / f"fsdp-{norm_type}") == {False}


@pytest.mark.parametrize("name", ["clipped", "clipped-1"])
def test_norms_of_shards_before_clipping(two, name):
    assert_norms(two / name, expected(two, name))
    assert pre_clip(two / name) == {True}


@pytest.mark.parametrize("name", ["ddp", "fsdp-1.0", "fsdp-2.0", "fsdp-inf", "clipped", "hybrid"])
def test_updates_of_shards_are_those_of_the_whole(two, four, name):
    directory = four if name == "hybrid" else two
    for step, ratios in expected(directory, f"{name}-ratios").items():
        for layer, ratio in ratios.items():
            found = dict(recorded.scalars(directory / name, f"update_ratio/{layer}"))
            assert found[step] == pytest.approx(ratio, rel=1e-5), (step, layer)


@pytest.mark.parametrize("name", ["two-dimensions", "hybrid"])
def test_shards_of_shards_and_copies_of_shards_count_once(four, name):
    assert_norms(four / name, expected(four, name))


def test_every_placement_counts_once_and_partial_gradients_are_added_up_first(two):
    assert_norms(two / "placements", expected(two, "placements"))


def test_only_the_first_process_writes(two, four):
    for directory in (two, four):
        for run in filter(Path.is_dir, directory.iterdir()):
            assert len([*run.iterdir()]) == 1


def test_a_row_takes_one_all_reduce_and_none_in_the_step(two):
    steps = len(expected(two, "counted"))
    assert json.loads((two / "counts.json").read_text()) == {"step": 0, "ours": steps}


def test_a_process_that_leaves_out_a_step_or_has_no_gradient_holds_nobody_up(two):
    assert recorded.steps_and_norms(two / "uneven")[0] == [0, 1, 2, *range(5, 12)]
    steps, norms = recorded.steps_and_norms(two / "uncounted")
    assert steps == [0, 1, 2, 3, 4]  # what the other took for its fourth is there, its fifth is not
    assert np.isfinite(norms).all()
    for run in ("uneven", "uncounted"):
        exact, plain = exact_norms(two / run), expected(two, run)
        for step in (0, 1, 2):
            found = {layer: exact[layer][step] for layer in exact}
            assert found == pytest.approx(plain[step], rel=1e-5)


def test_a_process_that_watches_alone_trains_on_with_one_warning(two):
    (warning,) = json.loads((two / "alone.json").read_text())
    assert "every process must make a SonifyWriter and watch the model" in warning
    assert recorded.tags(two / "alone") == {"loss"}
    assert len(recorded.scalars(two / "alone", "loss")) == 6


def test_a_model_whose_layers_are_hidden_is_refused(two):
    for rank in range(2):
        assert "fully_shard" in (two / f"flat{rank}.txt").read_text()


def test_a_landscape_is_measured_in_one_process_or_in_all_and_none_hangs(two):
    assert np.isfinite(json.loads((two / "landscape.json").read_text())).all()
    steps = [step for step, _ in recorded.scalars(two / "landscape", "landscape/headroom")]
    assert steps == [0, 2, 4]
    assert len(list((two / "landscape").glob("events.*"))) == 1
