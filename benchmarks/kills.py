"""Rows lost by trainings that are killed by `kill -9`, and whether they can be resumed.

    python -m benchmarks.kills [--kills 50] [--at-once 10] [--shortest 0.5] [--longest 25] [--json]

Small trainings, with steps of 1 ms to 4 s, write the norms of each step, computed in float64, to a
reference file, which the kernel has before the step ends. Each is killed at a random time, and its
event file is compared with the reference. Then a training resumes in the same directory, and both
loaders of TensorBoard read the result.
"""

import argparse
import os
import random
import signal
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import numpy as np
import torch
import torch._dynamo  # what each forked training would import by itself, for seconds
from numpy.typing import NDArray
from torch import nn

from benchmarks.figure import Figure, show
from tb_sonify import SonifyWriter
from tests import recorded
from tests.client import opened_client
from tests.hearing import assert_hears

DIARY = "diary.txt"
RESUMED_STEPS = 20
BFLOAT16 = 2**-8  # of which a stored norm is off by half

Stored: TypeAlias = tuple[NDArray[np.int64], NDArray[np.float32]]  # steps, norms


@dataclass(frozen=True)
class Pace:
    """Minimum seconds of a step, and a pause after some steps, like a validation."""

    step: float
    pause: float = 0.0
    between: int = 10**9


PACES = (
    Pace(0.001),
    Pace(0.02),
    Pace(0.3),
    Pace(1.5),
    Pace(4.0),
    Pace(0.02, pause=20.0, between=150),
)


@dataclass(frozen=True)
class Loss:
    """Age of the oldest lost row, and share of rows that are lost."""

    seconds: float
    share: float


def main() -> None:
    """Kill trainings, and print what they lost."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--at-once", type=int, default=10, help="trainings side by side")
    parser.add_argument("--shortest", type=float, default=0.5, help="seconds of a life")
    parser.add_argument("--longest", type=float, default=25.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    torch.set_num_threads(1)
    chance = random.Random(options.seed)
    lives = [chance.uniform(options.shortest, options.longest) for _ in range(options.kills)]
    with TemporaryDirectory() as logdir:
        runs = [Path(logdir, f"{number:02}") for number in range(len(lives))]
        losses: list[Loss] = []
        for start in range(0, len(runs), options.at_once):
            part = slice(start, start + options.at_once)
            losses += killed(runs[part], lives[part], first_number=start)
        stored = {run: resumed(run, last=chance.random() < 0.5) for run in runs}
        for loader in ("slow", "fast"):
            require_heard(Path(logdir), loader, stored)
    seconds = tuple(loss.seconds for loss in losses)
    figures = [
        Figure("age of the oldest row lost", seconds, "s", 50, 10.0),
        Figure("age of the oldest row lost", seconds, "s", 100, 10.0),
        Figure("share of rows lost", tuple(loss.share for loss in losses), "", 50, 1.0),
    ]
    show(figures, as_json=options.json)


def train(directory: Path, pace: Pace, *, seed: int, first_step: int = 0, steps: int = 0) -> None:
    """Train for some steps, or until killed, and write each step to the reference file."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    directory.mkdir(exist_ok=True)
    diary = os.open(directory / DIARY, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with SonifyWriter(str(directory), purge_step=first_step) as writer:
        writer.watch(model, optimizer, first_step=first_step)
        step = first_step
        while not steps or step < first_step + steps:
            optimizer.zero_grad()
            model(torch.randn(3, 4)).square().sum().backward()
            norms = [_norm(layer) for layer in (model[0], model[2])]
            os.write(diary, f"{step} {time.monotonic()} {norms[0]} {norms[1]}\n".encode())
            optimizer.step()
            step += 1
            pauses = (step - first_step) % pace.between == 0
            time.sleep(pace.step + (pace.pause if pauses else 0.0))


def _norm(layer: nn.Module) -> float:
    values = [p.grad.double().flatten() for p in layer.parameters() if p.grad is not None]
    return float(torch.cat(values).norm())


def killed(runs: Sequence[Path], lives: Sequence[float], *, first_number: int) -> list[Loss]:
    """Train in parallel processes, and kill each after its lifetime in seconds."""
    pids: dict[Path, int] = {}
    for number, run in enumerate(runs, first_number):
        pids[run] = forked(partial(train, run, PACES[number % len(PACES)], seed=number))
    ends = {run: _birth(run) + life for run, life in zip(runs, lives, strict=True)}
    losses: dict[Path, Loss] = {}
    for run in sorted(runs, key=ends.__getitem__):
        time.sleep(max(0.0, ends[run] - time.monotonic()))
        os.kill(pids[run], signal.SIGKILL)
        os.waitpid(pids[run], 0)
        losses[run] = loss_of(run, time.monotonic())
    return [losses[run] for run in runs]


def forked(work: Callable[[], None]) -> int:
    """Call a function in a forked process, which need not import again; returns its pid."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        work()
        status = 0
    except BaseException:  # noqa: BLE001 - what follows is the parent's
        traceback.print_exc()
    finally:
        os._exit(status)


def loss_of(run: Path, end: float) -> Loss:
    """Compare the rows that can be read with the reference of a killed training."""
    diary = [line.split() for line in (run / DIARY).read_text().splitlines()]
    at = {int(step): float(when) for step, when, *_ in diary}
    norms = {int(step): [float(norm) for norm in norms] for step, _, *norms in diary}
    steps, stored = rows_of(run)
    assert steps == list(range(len(steps))), f"{run}: rows are missing before {steps[-1]}"
    for step, row in zip(steps, stored, strict=True):
        np.testing.assert_allclose(row, norms[step], rtol=BFLOAT16)
    lost = at.keys() - set(steps)
    seconds = end - min(at[step] for step in lost) if lost else 0.0
    return Loss(seconds, len(lost) / len(at))


def rows_of(run: Path) -> tuple[list[int], NDArray[np.float32]]:
    """Steps and norms of all rows that can be read."""
    if not recorded.rows(run):
        return [], np.empty((0, 2), np.float32)
    return recorded.steps_and_norms(run)


def resumed(run: Path, *, last: bool) -> Stored:
    """Resume a run after its last row or after half of its rows; returns the expected rows."""
    steps, norms = rows_of(run)
    first_step = len(steps) if last else len(steps) // 2
    pid = forked(partial(train, run, Pace(0.0), seed=0, first_step=first_step, steps=RESUMED_STEPS))
    assert os.waitpid(pid, 0)[1] == 0
    all_steps, all_norms = rows_of(run)
    assert all_steps[len(steps) :] == list(range(first_step, first_step + RESUMED_STEPS))
    heard = np.concatenate([norms[:first_step], all_norms[len(steps) :]])
    return np.arange(len(heard)), heard


def require_heard(logdir: Path, loader: str, stored: Mapping[Path, Stored]) -> None:
    """Check the rows of all runs as the plugin serves them."""
    with opened_client(logdir, loader) as client:
        for run, (steps, norms) in stored.items():
            coverage = assert_hears(client, run.name, norms, steps, logged=None)
            assert coverage.header["missing"] == []


def _birth(run: Path) -> float:
    """Time of the first step."""
    deadline = time.monotonic() + 60
    diary = run / DIARY
    while time.monotonic() < deadline:
        if diary.exists() and (lines := diary.read_text().splitlines()):
            return float(lines[0].split()[1])
        time.sleep(0.01)
    raise TimeoutError(f"no step was taken in {run}")


if __name__ == "__main__":
    main()
