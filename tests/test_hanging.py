"""A test that hangs fails, wherever it hangs, and the run of all tests comes to its end."""

import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = Path(__file__).parents[1] / "pyproject.toml"
# Seconds in place of minutes
SOONER = ("-o", "timeout=1", "-o", "faulthandler_timeout=4")
HANGING = """
import time
import pytest

@pytest.mark.flaky(reruns=1)
def test_hangs_each_time_that_it_runs():
    while True:
        time.sleep(0.1)

def test_goes_on():
    pass

@pytest.fixture
def deaf():
    yield
    while True:
        try:
            time.sleep(1)
        except BaseException:
            pass

def test_cannot_be_interrupted(deaf):
    pass
"""


@pytest.mark.package
def test_a_run_ends_where_tests_hang(tmp_path):
    (tmp_path / "test_all.py").write_text(HANGING)
    options = ("-c", CONFIG, "--rootdir", tmp_path, "-n", "1", "--max-worker-restart", "0")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *SOONER, tmp_path],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "2 failed, 2 passed, 1 rerun" in ended.stdout
    assert "FAILED test_all.py::test_hangs_each_time_that_it_runs" in ended.stdout
    assert "Timeout (>1.0s)" in ended.stdout
    assert "worker 'gw0' crashed while running 'test_all.py::test_cannot_be" in ended.stdout
    assert ", line 18 in deaf" in ended.stderr  # where it hung
