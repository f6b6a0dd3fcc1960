"""Fuzzing of the block decoder: damaged blocks must raise `ValueError`, in bounded time and memory.

python -m benchmarks.fuzz [--blocks 100000] [--seed 0]
python -m benchmarks.fuzz --atheris SECONDS    # guided by coverage; needs atheris
"""

import argparse
import resource
import sys
import time
from collections import Counter
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

from tb_sonify.schema.block import decode_block, round_norms
from tb_sonify.schema.notes import aggregate
from tb_sonify.schema.records import Rows, Segment
from tests.damage import BLOCK_DAMAGES, any_of, chosen

LAYERS = ("conv1", "conv2", "fc1", "fc2")
DECODERS = (decode_block, Rows.decode, Segment.decode)


def main() -> None:
    """Damage and decode blocks, by the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--atheris", type=int, metavar="SECONDS")
    arguments = parser.parse_args()
    if arguments.atheris is not None:
        guided(arguments.atheris)
    outcomes, slowest = fuzz(arguments.blocks, arguments.seed)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{arguments.blocks:,} damaged blocks, each through {len(DECODERS)} decoders:")
    for outcome, count in sorted(outcomes.items()):
        print(f"  {outcome}: {count:,}")
    print(f"slowest: {1e3 * slowest:.1f} ms; most memory of the process: {peak} MiB")


def fuzz(count: int, seed: int) -> tuple[Counter[str], float]:
    """Outcomes of decoding damaged blocks, and the largest CPU time of one, in seconds."""
    random = np.random.default_rng(seed)
    blocks = whole_blocks()
    outcomes: Counter[str] = Counter()
    slowest = 0.0
    for _ in range(count):
        damaged = any_of(BLOCK_DAMAGES, chosen(blocks, random), random)
        for decode in DECODERS:
            began = time.thread_time()
            try:
                decode(damaged)
                outcomes["accepted"] += 1
            except ValueError:
                outcomes["refused"] += 1
            slowest = max(slowest, time.thread_time() - began)
    return outcomes, slowest


def whole_blocks() -> tuple[bytes, ...]:
    """Rows and segments of several sizes."""
    blocks = []
    for rows in (1, 3, 100, 1_000):
        random = np.random.default_rng(rows)
        norms = round_norms(np.exp(random.normal(-2, 1, (rows, len(LAYERS)))))
        norms[:: max(1, rows // 3), 0] = np.nan
        steps = np.arange(rows)
        blocks.append(Rows(1.5e9, 0, LAYERS, steps, norms, {"norm_type": 2.0}).encode())
        part = norms[:100]
        notes = aggregate(part, rows_per_note=1)
        edges = np.append(steps[:100], steps[:100][-1])
        blocks.append(Segment(1.5e9, 0, len(part), LAYERS, edges, notes, {}).encode())
    return tuple(blocks)


def guided(seconds: int) -> None:
    """Coverage-guided fuzzing with atheris; ends the process."""
    atheris = import_module("atheris")

    def look(data: bytes) -> None:
        for decode in DECODERS:
            with suppress(ValueError):
                decode(data)

    folder = Path(mkdtemp(prefix="blocks"))
    for number, block in enumerate(whole_blocks()):
        (folder / str(number)).write_bytes(block)
    limits = (f"-max_total_time={seconds}", "-rss_limit_mb=2048", "-timeout=5")
    atheris.instrument_all()
    atheris.Setup([sys.argv[0], *limits, str(folder)], look)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
