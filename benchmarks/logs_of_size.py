"""Log directories of given sizes, written by the public writer."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch.utils.tensorboard import SummaryWriter

from benchmarks.storage import names
from tb_sonify import SonifyWriter

LAYERS = 100
LOSS = "loss/train"
END = "end"  # the tag that is written last: where TensorBoard has it, it has read all
LOSS_EVERY = 10  # steps
_PART = 10_000  # rows made at a time


@dataclass(frozen=True)
class Log:
    """A log directory, and the run to request.

    Attributes
    ----------
    run
        The run to request.
    last_step
        Of that run.
    runs
        Number of runs.
    """

    name: str
    path: Path
    run: str
    last_step: int
    runs: int = 1


def long_run(root: Path, steps: int) -> Log:
    """A run of 100 layers."""
    path = _written(root / f"long-{steps}", lambda path: _write(path / "run", steps, LAYERS))
    return Log(f"{steps:,} steps", path, "run", steps - 1)


def many_runs(root: Path, *, runs: int = 200, steps: int = 1_000) -> Log:
    """Many short runs of a few layers."""

    def write(path: Path) -> None:
        for number in range(runs):
            _write(path / f"run-{number:03}", steps, 8, seed=number)

    return Log(f"{runs} runs", _written(root / f"runs-{runs}", write), "run-000", steps - 1, runs)


def many_layers(root: Path, *, layers: int = 2_000, steps: int = 5_000) -> Log:
    """A run of very many layers."""
    path = _written(root / f"layers-{layers}", lambda path: _write(path / "run", steps, layers))
    return Log(f"{layers:,} layers", path, "run", steps - 1)


def many_tags(root: Path, *, tags: int = 5_000, points: int = 100) -> Log:
    """A run of very many scalars, without norms."""

    def write(path: Path) -> None:
        random = np.random.default_rng(0)
        with SummaryWriter(str(path / "run")) as writer:
            for step in range(points):
                for tag, value in enumerate(random.random(tags).tolist()):
                    writer.add_scalar(f"group{tag % 50}/metric{tag}", value, step)
                writer.add_scalar(LOSS, 2.3 * 0.99**step, step)

    path = _written(root / f"tags-{tags}", write)
    return Log(f"{tags:,} tags", path, "run", points - 1)


def series(rows: int, layers: int, *, seed: int) -> Iterator[NDArray[np.float64]]:
    """Chunks of norms, shape ``(rows, layers)``: with drift, noise, jumps, and one break."""
    random = np.random.default_rng(seed)
    level = random.normal(-2, 1.5, layers)
    for first in range(0, rows, _PART):
        count = min(_PART, rows - first)
        drift = np.cumsum(random.normal(0, 0.01, (count, layers)), axis=0)
        jump = 3.0 * (random.random((count, layers)) < 1e-4)
        norms = np.exp(np.clip(level + drift, -9, 5) + jump + random.normal(0, 0.1, drift.shape))
        level += drift[-1]
        if first <= rows // 2 < first + count:
            norms[rows // 2 - first, 0] = np.nan
        yield norms


def _write(run: Path, steps: int, layers: int, *, seed: int = 0) -> None:
    random = np.random.default_rng(seed)
    layer_names = names(layers)
    with SonifyWriter(str(run)) as writer:
        step = 0
        for part in series(steps, layers, seed=seed):
            for row in part.tolist():
                writer.add_norms(dict(zip(layer_names, row, strict=True)), step)
                if step % LOSS_EVERY == 0:
                    loss = 0.3 + 2 * 0.5 ** (8 * step / steps) + 0.05 * random.random()
                    writer.add_scalar(LOSS, loss, step)
                step += 1


def _written(path: Path, write: Callable[[Path], None]) -> Path:
    """Complete log directory; an incomplete one is deleted and written again."""
    if not path.exists():
        print(f"writing {path}")
        part = path.with_name(path.name + ".part")
        shutil.rmtree(part, ignore_errors=True)
        write(part)
        for run in sorted(part.iterdir()):
            with SummaryWriter(str(run), filename_suffix=".end") as writer:
                writer.add_scalar(END, 0, 0)
        part.rename(path)
    return path
