"""Trainings that `kill -9` ends: what is lost, and whether the next run goes on."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.training
def test_what_a_killed_training_has_written_is_read_and_the_next_run_goes_on():
    # One training of each pace; how much is lost of a long one is measured by the benchmark.
    lives = ["--kills", "6", "--at-once", "6", "--shortest", "3", "--longest", "4"]
    command = [sys.executable, "-m", "benchmarks.kills", *lives, "--json"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    seconds, *_ = json.loads(result.stdout)
    assert len(seconds["values"]) == 6
