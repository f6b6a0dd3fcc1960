"""`tb-sonify describe`: what happened in a run, in words."""

import json

import numpy as np
import pytest
from torch.utils.tensorboard import SummaryWriter

from tests.commands import tb_sonify as command
from tests.logged import logged_run


@pytest.fixture
def logdir(tmp_path):
    """A calm run, one that turns NaN in its second layer at step 60, and one without norms."""
    logged_run(tmp_path / "calm", steps=120, losses=np.linspace(2.0, 0.5, 120))

    def broken(norms):
        norms[60:, 1] = np.nan

    logged_run(tmp_path / "broken", steps=120, change=broken)
    with SummaryWriter(str(tmp_path / "plain")) as writer:
        for step in range(10):
            writer.add_scalar("accuracy", step / 10, step)
    return tmp_path


def test_every_run_is_described_in_words(logdir):
    result = command("describe", logdir)
    assert result.returncode == 0
    broken, calm, plain = result.stdout.split("\n\n")
    assert calm.splitlines()[:3] == [
        "calm",
        "  steps 0 to 119",
        "  loss/train: starts at 2, minimum 0.5 at step 119, ends at 0.5",
    ]
    assert "no landmarks" in calm
    assert "  step 60: NaN, first in middle" in broken
    assert "accuracy: starts at 0, minimum 0 at step 0, ends at 0.9" in plain
    assert "no gradient norms were logged" in plain


def test_programs_get_the_same_as_json(logdir):
    (run,) = json.loads(command("describe", logdir, "--run", "broken", "--json").stdout)["runs"]
    assert (run["first_step"], run["last_step"]) == (0, 119)
    assert {"nan"} <= {landmark["kind"] for landmark in run["landmarks"]}
    assert [stream["name"] for stream in run["streams"]] == ["early", "middle", "late"]


@pytest.mark.parametrize("run", ["nowhere", "cal"])
def test_a_run_that_is_not_there_is_named_with_those_that_are(logdir, run):
    result = command("describe", logdir, "--run", run)
    assert result.returncode == 2
    assert f"no run '{run}'; there are: broken, calm, plain" in result.stderr


def test_an_empty_directory_says_what_a_run_is(tmp_path):
    result = command("describe", tmp_path)
    assert result.returncode == 2
    assert "a run is a directory with event files" in result.stderr
