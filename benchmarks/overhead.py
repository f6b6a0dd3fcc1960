"""Overhead of watching: trainings with and without it, alternating in one process.

    python -m benchmarks.overhead [--rounds 15] [--models mlp,resnet,transformer] [--json]

Every contender trains a network of its own. In a round each trains for some steps, in an order
that changes from round to round, and is compared with the bare loop of the same round; the table
has the median of these ratios and their quartiles.

* wall: seconds of the training loop, which includes contention with background writing.
* CPU: seconds of all threads of this process, until everything is written.

On a GPU, rounds end with a device sync, and the device syncs of a step are counted; a step of
tb_sonify is also run with `torch.cuda.set_sync_debug_mode("error")`.
"""

import argparse
import json
import os
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from benchmarks.contenders import CONTENDERS, Logging, missing
from benchmarks.figure import Figure, show
from benchmarks.networks import NETWORKS, Training

WARM_UP = 5
MIN_STEPS = 5  # of a round: its end, where all is written, must not weigh too much
TARGETS = {
    "tb_sonify, all on": {"mlp": 1.15, "resnet": 1.03, "transformer": 1.02},
    "tb_sonify, gradients alone": {"mlp": 1.08, "resnet": 1.01, "transformer": 1.01},
}
MODELS = ("mlp", "resnet", "transformer")


@dataclass
class Entry:
    """A contender with its network, and the durations of its rounds."""

    training: Training
    logging: Logging
    step: int = 0
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    syncs: float | None = None  # a step, where there is a GPU

    def train(self, steps: int) -> None:
        """Train for some steps."""
        for _ in range(steps):
            log = self.logging.before_update
            self.training.step(log and partial(log, self.step))
            self.step += 1


def main() -> None:
    """Measure every model and print a table for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="default: 15")
    parser.add_argument("--models", default=",".join(MODELS), help=f"out of {[*NETWORKS]}")
    parser.add_argument("--seconds", type=float, default=1.0, help="of a bare round; default: 1")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    models = options.models.split(",")
    if options.rounds < 1 or not set(models) <= set(NETWORKS):
        parser.error("--rounds must be at least 1 and --models known")

    results = {}
    for model in models:
        with TemporaryDirectory() as logdir:
            entries = measure(model, options.device, options.rounds, options.seconds, Path(logdir))
        results[model] = {name: summary(entry, entries["bare"]) for name, entry in entries.items()}
        if not options.json:
            print(as_text(model, results[model]), flush=True)
    figures = [
        Figure(f"{name}, {model}", tuple(results[model][name]["wall_ratios"]), "x", 50, target)
        for name, targets in TARGETS.items()
        for model, target in targets.items()
        if model in results
    ]
    if options.json:
        print(json.dumps({"device": options.device, "models": results}))
        return
    show(figures, as_json=False)
    for name, package in missing().items():
        print(f"{name} is left out, it is not installed: pip install {package}")


def measure(model: str, device: str, rounds: int, seconds: float, logdir: Path) -> dict[str, Entry]:
    """Train with every contender alternately."""
    entries: dict[str, Entry] = {}
    with ExitStack() as stack:
        for name, contender in CONTENDERS.items():
            if name not in missing():
                torch.manual_seed(0)
                training = NETWORKS[model](device)
                logging = stack.enter_context(contender(training, logdir / name))
                entries[name] = Entry(training, logging)
        for entry in entries.values():
            entry.train(WARM_UP)
            if device == "cuda":
                entry.syncs = syncs_per_step(entry)
        start = time.perf_counter()
        entries["bare"].train(WARM_UP)
        _wait_for_device()
        steps = max(MIN_STEPS, round(seconds * WARM_UP / (time.perf_counter() - start)))
        names = list(entries)
        random = np.random.default_rng(0)
        for _ in range(rounds):
            for name in random.permutation(names):
                _round(entries[name], steps)
        stopped = [name for name, entry in entries.items() if not entry.logging.works()]
        if stopped:
            raise RuntimeError(f"no longer logging: {', '.join(stopped)}")
    return entries


def _round(entry: Entry, steps: int) -> None:
    entry.logging.flush()
    _wait_for_device()
    cpu, wall = time.process_time(), time.perf_counter()
    entry.train(steps)
    _wait_for_device()
    entry.wall.append((time.perf_counter() - wall) / steps)
    entry.logging.flush()
    entry.cpu.append((time.process_time() - cpu) / steps)


def _wait_for_device() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def syncs_per_step(entry: Entry) -> float:
    """Number of device syncs in a step."""
    with _sync_debug_mode("warn"), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        entry.train(WARM_UP)
    if not caught:
        with _sync_debug_mode("error"):
            entry.train(1)
    return sum("synchroniz" in str(warning.message) for warning in caught) / WARM_UP


@contextmanager
def _sync_debug_mode(mode: str) -> Iterator[None]:
    torch.cuda.set_sync_debug_mode(mode)
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def summary(entry: Entry, alone: Entry) -> dict[str, Any]:
    """Quartiles of milliseconds per step and of the ratio to the bare step."""
    return {
        "wall_ms": _quartiles(1_000 * np.array(entry.wall)),
        "wall_ratios": (np.array(entry.wall) / alone.wall).tolist(),
        "wall_ratio": _quartiles(np.array(entry.wall) / alone.wall),
        "cpu_ratio": _quartiles(np.array(entry.cpu) / alone.cpu),
        "steps": entry.step,
        "syncs_per_step": entry.syncs,
    }


def _quartiles(values: Sequence[float] | np.ndarray[Any, Any]) -> list[float]:
    return [float(value) for value in np.quantile(values, [0.25, 0.5, 0.75])]


def as_text(model: str, result: dict[str, dict[str, Any]]) -> str:
    """A table: median (quartiles)."""
    first, median, third = result["bare"]["wall_ms"]
    lines = [
        f"\n| {model}, bare step {median:.2f} ms ({first:.2f}-{third:.2f}) | wall, x bare "
        f"| CPU, x bare | syncs |",
        "|---|---|---|---|",
    ]
    for name, row in result.items():
        wall, cpu = (
            f"{middle:.3f} ({low:.3f}-{high:.3f})"
            for low, middle, high in (row["wall_ratio"], row["cpu_ratio"])
        )
        syncs = "-" if row["syncs_per_step"] is None else f"{row['syncs_per_step']:g}"
        lines.append(f"| {name} | {wall} | {cpu} | {syncs} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    # Libraries read these when they load, which is before this line.
    one_thread = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    if any(os.environ.get(name) != "1" for name in one_thread):
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | one_thread)
    main()
