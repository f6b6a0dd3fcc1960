"""The example of each trainer trains, and its run can be read and heard."""

import json
import sys
from pathlib import Path

import pytest

from tests.client import opened_client
from tests.commands import tb_sonify
from tests.frameworks import ended

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parent.parent / "examples"
STEPS = 24
# By example: the run that it makes, its loss, its first step, one of its layers.
TRAINERS = {
    "lightning": ("adam", "loss/train", 0, "encoder.0"),
    "fabric": ("sgd", "loss/train", 0, "2"),
    "huggingface": ("adam", "train/loss", 1, "transformer.h.0.mlp.c_fc"),
    "accelerate": ("adam", "loss/train", 0, "2"),
    "keras": ("adam", "loss", 0, "second"),
    "tensorboardx": ("sgd", "loss/train", 0, "2"),
}


def test_every_example_of_a_trainer_is_tested_and_short():
    examples = {path.stem.removeprefix("train_"): path for path in EXAMPLES.glob("train_*.py")}
    assert set(examples) == set(TRAINERS)
    assert max(len(path.read_text().splitlines()) for path in examples.values()) <= 60


@pytest.mark.parametrize("trainer", TRAINERS)
def test_an_example_trains_and_its_run_plays(trainer, tmp_path):
    run, loss, first_step, layer = TRAINERS[trainer]
    script = str(EXAMPLES / f"train_{trainer}.py")
    options = ("--steps", str(STEPS), "--logdir", "logs")
    status, output, errors = ended([sys.executable, script, *options], tmp_path)
    assert status == 0, output + errors

    described = tb_sonify("describe", "--json", tmp_path / "logs").stdout
    (description,) = json.loads(described)["runs"]
    assert description["run"] == run
    assert (description["first_step"], description["last_step"]) == (
        first_step,
        first_step + STEPS - 1,
    )
    assert description["loss"]["tag"] == loss

    with opened_client(tmp_path / "logs", "fast") as client:
        coverage = client.block_of("coverage", run=run).header
        assert coverage["notes"] == STEPS
        assert layer in coverage["layers"]
        assert coverage["missing"] == []
        clip = client.sonify("clip", run=run, preset="smooth", first_note=0, notes=STEPS)
        assert clip.status_code == 200
        assert clip.headers["X-Sonify-Notes"] == str(STEPS)
        assert clip.headers["X-Sonify-Source"] == "logged"
        curve = client.block_of("curve", run=run, tag=loss)
        assert curve.arrays
