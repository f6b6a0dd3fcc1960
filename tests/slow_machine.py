"""Runs tests on a copy of the sources that ends blocks after milliseconds, as on a slow machine.

    python -m tests.slow_machine [pytest's arguments]

What is recorded must not depend on how long a training takes, although a slow machine writes a
block after each step. The tests of what is recorded are run.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parent.parent
COPIED = ("tb_sonify", "tests", "benchmarks", "examples", "docs", "pyproject.toml", "README.md")
# By module, times that the recorder waits for, and what divides them.
TIMES = {
    "event_writer": {"IDLE_SECONDS": 50},
    "row_buffer": {"_MAX_SECONDS": 50},
    "run_log": {"_BLOCK_SECONDS": 100},
}
TESTS = (
    "amp", "clip_grad", "distributed", "harm", "lightning", "pre_clip", "recorded_segments",
    "recorder", "running", "running_runs", "several_models", "steps", "trainers",
    "training_processes", "watch", "writer",
)  # fmt: skip


def main(arguments: list[str]) -> int:
    """The status of pytest."""
    tests = [f"tests/test_{name}.py" for name in TESTS]
    with TemporaryDirectory() as directory:
        copy = Path(directory)
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, copy / name)
            else:
                shutil.copy(ROOT / name, copy)
        for module, times in TIMES.items():
            path = copy / "tb_sonify" / "training" / f"{module}.py"
            path.write_text(shortened(path.read_text(), times))
        command = [sys.executable, "-m", "pytest", *tests, *arguments]
        environment = {**os.environ, "PYTHONPATH": str(copy)}
        return subprocess.run(command, cwd=copy, env=environment, check=False).returncode


def shortened(source: str, times: dict[str, int]) -> str:
    """The source of a module with shorter times."""
    for name, divisor in times.items():
        source, found = re.subn(rf"(?m)^({name} = [0-9.]+)", rf"\1 / {divisor}", source)
        if found != 1:
            raise ValueError(f"{name} must be given once, and was {found} times")
    return source


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
