"""Cost of watching: bytes on disk, resident memory, and the distribution of step times.

    python -m benchmarks.storage [--rows 100000] [--layers 100] [--steps 10000] [--json]

* bytes: a long run with everything on, its event file split by kind, against `add_scalar` of
  every layer; of gradients alone, and with updates at every row and weights at every 16th. The
  series is of norms with drift, and noise of a third.
* steps: how long each of 10,000 steps of a small network takes, bare and watched, with and
  without clips, alternating in blocks of steps.
* memory: resident memory of this process while it logs a million rows.
"""

import argparse
import json
import os
import struct
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tensorboard.compat.proto.event_pb2 import Event
from torch.utils.tensorboard import SummaryWriter

from benchmarks.figure import Figure, show
from benchmarks.networks import mlp
from tb_sonify import SonifyWriter
from tb_sonify.schema.metadata import ROWS_TAG, SEGMENTS_TAG, split_session

STRETCH = 500  # steps of one kind
MEMORY_LAYERS = 4
WEIGHTS_EVERY = 16
BLOCKS = ("stem", "attention.in", "attention.out", "mlp.up", "mlp.down")
KINDS = {
    "grad_norm": "scalars",
    "update_ratio": "scalars",
    ROWS_TAG: "rows",
    SEGMENTS_TAG: "segments",
}


def main() -> None:
    """Measure the three and print a table of each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000, help="default: 100,000")
    parser.add_argument("--layers", type=int, default=100, help="default: 100")
    parser.add_argument("--steps", type=int, default=10_000, help="of each kind; 0: none")
    parser.add_argument("--memory-rows", type=int, default=1_000_000, help="0: none")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    if min(options.rows, options.layers) < 1 or min(options.steps, options.memory_rows) < 0:
        parser.error("--rows and --layers must be at least 1, --steps and --memory-rows 0")

    figures = []
    with TemporaryDirectory() as logdir:
        size = {"rows": options.rows, "layers": options.layers}
        split = bytes_per_value(Path(logdir), **size)
        with_updates = bytes_per_value(Path(logdir), updates=True, **size)
        plain = bytes_of_add_scalar(Path(logdir), layers=options.layers)
        total = sum(split.values())
        figures.append(Figure("everything, a value", (total,), "bytes", 100, 4.0))
        together = sum(with_updates.values())
        figures.append(Figure("with updates, a value", (together,), "bytes", 100, 4.0))
        figures.append(Figure("against add_scalar", (total / plain,), "x", 100, 0.1))
        times = step_times(Path(logdir), options.steps) if options.steps else {}
        if times:
            slowest = {kind: float(taken.max()) for kind, taken in times.items()}
            late = slowest["watched"] - slowest["watched, no clips"]
            figures.append(Figure("slowest step, delay by clips", (1_000 * late,), "ms", 100, 20.0))
        memory = list(resident(Path(logdir), options.memory_rows)) if options.memory_rows else []
    if options.json:
        percentiles = {kind: _percentiles(taken) for kind, taken in times.items()}
        found: dict[str, Any] = {"bytes_per_value": split, "with_updates": with_updates}
        found |= {"add_scalar": plain, "steps": percentiles}
        print(json.dumps({**found, "resident_mib": memory}))
        return
    _print_bytes({"gradients": split, "with updates": with_updates}, plain, **size)
    _print_times(times)
    _print_memory(memory)
    show(figures, as_json=False)


def series(rows: int, layers: int, *, seed: int = 0) -> Iterator[NDArray[np.float32]]:
    """Rows of norms with drift, noise, and occasional jumps."""
    random = np.random.default_rng(seed)
    level = random.normal(-2, 1.5, layers)
    for _ in range(rows):
        level += random.normal(0, 0.01, layers)
        jump = 3.0 * (random.random(layers) < 1e-4)
        yield np.exp(level + jump + random.normal(0, 0.3, layers)).astype(np.float32)


def names(layers: int) -> list[str]:
    """Layer names like a transformer's."""
    return [f"blocks.{i // len(BLOCKS)}.{BLOCKS[i % len(BLOCKS)]}" for i in range(layers)]


def bytes_per_value(
    logdir: Path, *, rows: int, layers: int, updates: bool = False
) -> dict[str, float]:
    """Bytes per value in the event file, by kind; values are those that were measured."""
    run = logdir / f"watched {updates}"
    with SonifyWriter(run) as writer:
        _write(writer, rows, layers, updates=updates)
    sizes: Counter[str] = Counter()
    for kind, size in _records(next(run.glob("events*"))):
        sizes[kind] += size
    values = (rows + updates * (rows + -(-rows // WEIGHTS_EVERY))) * layers
    return {kind: size / values for kind, size in sizes.most_common()}


def bytes_of_add_scalar(logdir: Path, *, layers: int, rows: int = 1_000) -> float:
    """Bytes per value if each is a scalar of its own."""
    run = logdir / "scalars"
    with SummaryWriter(run) as writer:
        for step, row in enumerate(series(rows, layers)):
            for layer, norm in zip(names(layers), row, strict=True):
                writer.add_scalar(f"grad_norm/{layer}", norm, step)
    return next(run.glob("events*")).stat().st_size / (rows * layers)


def _write(writer: SonifyWriter, rows: int, layers: int, *, updates: bool) -> None:
    layer_names = names(layers)
    steps = zip(series(rows, layers), series(rows, layers, seed=1), strict=True)
    weights = np.linspace(1, 30, layers)
    for step, (row, update) in enumerate(steps):
        writer.add_norms(dict(zip(layer_names, row.tolist(), strict=True)), step)
        if updates:
            writer.add_norms(dict(zip(layer_names, 1e-3 * update, strict=True)), step, "update")
            weights += 1e-3 * update
            if step % WEIGHTS_EVERY == 0:
                writer.add_norms(dict(zip(layer_names, weights, strict=True)), step, "weight")


def _records(path: Path) -> Iterator[tuple[str, int]]:
    """Kind and size of each record of an event file."""
    with path.open("rb") as file:
        while header := file.read(12):
            (length,) = struct.unpack("<Q", header[:8])
            event = Event.FromString(file.read(length + 4)[:length])
            tag = event.summary.value[0].tag if event.summary.value else "version"
            kind = KINDS.get(split_session(tag)[0]) or KINDS.get(tag.partition("/")[0], "other")
            yield ("clips" if tag.startswith("sonify/") and kind == "other" else kind), length + 16


def step_times(logdir: Path, steps: int) -> dict[str, NDArray[np.float64]]:
    """Seconds of each step, by kind."""
    with ExitStack() as stack:
        trainings = {kind: mlp("cpu", layers=20) for kind in _KINDS_OF_STEPS}
        for kind, make in _KINDS_OF_STEPS.items():
            if make is not None:
                writer = stack.enter_context(make(logdir / kind))
                writer.watch(trainings[kind].model, trainings[kind].optimizer)
        taken: dict[str, list[float]] = {kind: [] for kind in trainings}
        random = np.random.default_rng(0)
        for training in trainings.values():
            training.step(None)
        for _ in range(-(-steps // STRETCH)):
            for kind in random.permutation(list(trainings)):
                for _ in range(STRETCH):
                    start = time.perf_counter()
                    trainings[kind].step(None)
                    taken[kind].append(time.perf_counter() - start)
    return {kind: np.array(seconds) for kind, seconds in taken.items()}


_KINDS_OF_STEPS: dict[str, Any] = {
    "bare": None,
    "watched, no clips": partial(SonifyWriter, presets=()),
    "watched": SonifyWriter,
}


def resident(logdir: Path, rows: int, *, samples: int = 20) -> Iterator[float]:
    """Resident memory in MiB, sampled while rows are logged."""
    writer = SonifyWriter(logdir / "memory")
    layer_names = names(MEMORY_LAYERS)
    for step, row in enumerate(series(rows, MEMORY_LAYERS)):
        if step % max(1, rows // samples) == 0:
            yield _resident_mib()
        writer.add_norms(dict(zip(layer_names, row.tolist(), strict=True)), step)
    yield _resident_mib()
    writer.close()


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _percentiles(seconds: NDArray[np.float64]) -> dict[str, float]:
    return {
        f"p{percent:g}_ms": float(1_000 * np.percentile(seconds, percent))
        for percent in (50, 99, 99.9, 100)
    }


def _print_bytes(
    splits: dict[str, dict[str, float]], plain: float, *, rows: int, layers: int
) -> None:
    print(f"| bytes a value, {rows:,} rows x {layers} layers | {' | '.join(splits)} |")
    print("|---|---|---|")
    for kind in next(iter(splits.values())):
        print(
            f"| {kind} | "
            + " | ".join(f"{each.get(kind, 0):.2f}" for each in splits.values())
            + " |"
        )
    print(
        "| together | " + " | ".join(f"{sum(each.values()):.2f}" for each in splits.values()) + " |"
    )
    print(f"| per-layer add_scalar | {plain:.1f} | {plain:.1f} |\n")


def _print_times(times: dict[str, NDArray[np.float64]]) -> None:
    for i, (kind, taken) in enumerate(times.items()):
        percentiles = _percentiles(taken)
        if not i:
            print(
                f"| {len(taken):,} steps | " + " | ".join(percentiles) + " |\n|---|---|---|---|---|"
            )
        print(f"| {kind} | " + " | ".join(f"{ms:.2f}" for ms in percentiles.values()) + " |")
    print()


def _print_memory(memory: list[float]) -> None:
    if memory:
        kept = ", ".join(f"{mib:.0f}" for mib in memory)
        print(f"resident MiB, at equal distances: {kept}\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
