"""How often chimes and bells sound in healthy runs, and in how many before a loss is lost.

    python -m benchmarks.chimes --cache DIR [--seeds report]

The trainings and seeds are those of `benchmarks.warning`, beside whose detectors this counts. Each
quantity is heard alone. A layer of twelve that doubles for good is counted as found where its
stream chimes within 32 notes.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.divergences import DIVERGING, HEALTHY, Recording, lost_at, record
from benchmarks.warning import EARLY, IN_TIME, RUNS, SEEDS, lead
from tb_sonify.landmarks.monitor import TableMonitor
from tb_sonify.schema.notes import aggregate
from tb_sonify.sound import PRESETS, StreamPreset
from tb_sonify.sound.earcons import Earcon
from tb_sonify.sound.voicing import stream_controls

QUANTITIES = ("gradient", "update")
LAYERS, BEFORE, AFTER = 12, 160, 32
DOUBLED = 50  # layers in each healthy training that has twelve
Norms = NDArray[np.float64]


def heard(norms: Norms) -> tuple[list[int], list[int]]:
    """Notes in which a chime sounds, and in which a bell begins to."""
    preset = PRESETS["smooth"]
    assert isinstance(preset, StreamPreset)
    notes = aggregate(norms.astype(np.float32), rows_per_note=1)
    controls = stream_controls(notes, preset=preset, first_note=0)
    found = []
    for sounds in (controls.beside == Earcon.CHIME, controls.earcon == Earcon.SPIKE):
        at = np.flatnonzero(sounds.any(axis=1))
        found.append(at[np.diff(at, prepend=-100) > 8].tolist())
    return found[0], found[1]


def doubled(healthy: list[Recording]) -> Iterator[bool]:
    """Whether each layer that doubles for good chimes in time."""
    rng = np.random.default_rng(0)
    for recording in healthy:
        norms = recording.norms["gradient"]
        if norms.shape[1] < LAYERS:
            continue
        for _ in range(DOUBLED):
            columns = np.sort(rng.choice(norms.shape[1], LAYERS, replace=False))
            start = int(rng.integers(60, len(norms) - BEFORE - AFTER))
            part = norms[start : start + BEFORE + AFTER, columns].copy()
            part[BEFORE:, rng.integers(LAYERS)] *= 2
            yield any(note >= BEFORE for note in heard(part)[0])


def main() -> None:
    """Train what is not in the cache, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True, help="directory of the recordings")
    parser.add_argument("--seeds", choices=SEEDS, default="report")
    options = parser.parse_args()
    torch.set_num_threads(1)
    first = SEEDS[options.seeds]
    healthy = [
        record(name, each, seed=first, cache=options.cache) for name, each in HEALTHY.items()
    ]
    diverged = [
        record(name, each, seed=first + number, cache=options.cache)
        for name, each in DIVERGING.items()
        for number in range(RUNS)
    ]
    steps = sum(len(each.loss) for each in healthy)
    print("| quantity | chimes, bells per 10,000 healthy steps | sounds before | told before |")
    print("|---|---|---|---|")
    before: dict[str, NDArray[np.bool_]] = {}
    for quantity in QUANTITIES:
        counts = np.sum([[len(s) for s in heard(each.norms[quantity])] for each in healthy], axis=0)
        chimes, bells = 10_000 * counts / steps
        shares = before_lost(diverged, quantity)
        before[quantity] = shares
        print(
            f"| {quantity} | {chimes:.1f} ({counts[0]}), {bells:.1f} ({counts[1]}) | "
            f"{shares[0].mean():.0%} | {shares[1].mean():.0%} |"
        )
    either = np.any(list(before.values()), axis=0)
    print(f"| either | | {either[0].mean():.0%} of {either.shape[1]} | {either[1].mean():.0%} |")
    print(f"one layer of {LAYERS} that doubles for good: {np.mean(list(doubled(healthy))):.0%}")


def before_lost(diverged: list[Recording], quantity: str) -> NDArray[np.bool_]:
    """Whether a chime or bell, and whether a landmark comes before each loss is lost.

    Shape ``(2, losses)``; of losses lost before step 100, up to 20 steps after that.
    """
    found = []
    for recording in diverged:
        lost = lost_at(recording.loss)
        if lost is None:
            continue
        norms = recording.norms[quantity]
        told = TableMonitor(quantity).add(norms.astype(np.float32), recording.layers)
        late = IN_TIME if lost < EARLY else 0
        sounds = sorted([note for each in heard(norms) for note in each])
        notes = sorted(each.note for each in told)
        found.append([lead(alarms, lost + late) > 0 for alarms in (sounds, notes)])
    return np.array(found).T


if __name__ == "__main__":
    main()
