"""Synthetic losses of training and validation, labelled by where they overfit.

``python -m tests.labelled_pairs [FIRST_SEED SEEDS]`` prints the table. The rules were developed on
seeds below 600; the tests, and the table by default, use those from 1000 on.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tb_sonify.landmarks.overfitting import Points, overfitting_of

POINTS = (8, 12, 20, 30, 50, 100, 200, 400)  # of the validation loss
HEALTHY = (
    "plateau",
    "together",
    "creeping",
    "bump",
    "descent",
    "diverging",
    "flat",
    "cut",
    "rising",
)
EACH = len(HEALTHY)  # as many runs that overfit, for each seed


class Labelled(NamedTuple):
    """Losses, and the steps within which the best validation loss lies; `None`: no overfitting."""

    training: Points
    validation: Points
    best: tuple[float, float] | None


def labelled(kind: str, random: np.random.Generator) -> Labelled:
    """Losses of a kind: ``"overfitting"``, or one of `HEALTHY`, with noise, gaps and outliers.

    The label has a tenth of the step and one point more on both sides of where the curve without
    noise is near its best, within half of the noise.
    """
    count = int(random.choice(POINTS))
    smooth, training = _curves(kind, count, random)
    noise = random.choice([0.002, 0.01, 0.02, 0.04])
    if kind == "overfitting":
        noise = min(noise, (smooth[-1] / smooth.min() - 1) / 6)
    every = int(random.choice([1, 5, 40, 280]))
    steps = (np.arange(count) + 1.0) * every
    values = smooth * _noise(noise, count, random)
    if random.random() < 0.2:
        values[random.integers(count)] = np.nan
    if random.random() < 0.2:
        values[random.integers(count)] *= 3
    often = 1 if random.random() < 0.5 else 5  # points of training for each of validation
    times = np.linspace(every / often, steps[-1], count * often)
    shaken = np.interp(times, steps, training) * _noise(
        random.uniform(0.005, 0.05) * often, count * often, random
    )
    near = steps[smooth <= smooth.min() * (1 + max(0.01, noise / 2))]
    best = (near[0] * 0.9 - every, near[-1] * 1.1 + every) if kind == "overfitting" else None
    return Labelled((times, shaken), (steps, values), best)


def _curves(kind: str, count: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Losses of validation and of training without noise."""
    points = np.arange(count) + 1.0
    share = points / count
    top = random.uniform(0.7, 8)
    floor = top * random.uniform(0.1, 0.6)
    training = top * random.uniform(0.02, 0.3) + 0.9 * top * points ** -random.uniform(0.3, 1)
    if kind == "overfitting":
        best = max(min(int(count * random.uniform(0.06, 0.7)), count - 5), 1)
        late = np.clip(points - best, 0, None) / (count - best)
        late = (late, np.sqrt(late), np.log1p(20 * late) / np.log(21))[random.integers(3)]
        rise = floor * random.uniform(0.12, 2) * late
        return floor + (top - floor) * np.exp(-3 * points / best) + rise, training
    falls = floor + (top - floor) * np.exp(-points / (count * random.uniform(0.02, 0.3)))
    middle = random.uniform(0.3, 0.6)
    late = np.clip(share - middle, 0, None)
    bump = np.exp(-0.5 * ((share - middle) / 0.1) ** 2)
    curves = {
        "plateau": (falls, training),
        "together": (falls, falls * 0.8),
        "creeping": (falls * (1 + 0.008 * late), training),
        "bump": (falls * (1 + 0.5 * bump) * (1 - 0.3 * late), training),
        "descent": ((falls + floor * random.uniform(0.3, 1) * bump) * (1 - 0.6 * late), training),
        "diverging": (falls * np.exp(5 * late), training * np.exp(7 * late)),
        "flat": (np.full(count, top), np.full(count, top)),
        "cut": (np.where(late, 0.8, 1) * falls, np.where(late, 0.6, 1) * training),
        "rising": (falls * (1 + late), (training + floor / 2) * (1 + 1.5 * late)),
    }
    return curves[kind]


def _noise(size: float, count: int, random: np.random.Generator) -> np.ndarray:
    """Factors around 1: normal, with heavy tails, or with a memory of those before."""
    form = random.integers(3)
    noise = random.standard_t(4, count) if form == 1 else random.normal(size=count)
    if form == 2:
        memory = random.uniform(0.2, 0.7)
        for place in range(1, count):
            noise[place] = memory * noise[place - 1] + np.sqrt(1 - memory**2) * noise[place]
    return np.exp(size * noise)


def score(seeds: Sequence[int]) -> Counter[str]:
    """How many are right, missing, at a wrong step, or told of a healthy kind."""
    found: Counter[str] = Counter()
    for seed in seeds:
        for number, kind in enumerate(("overfitting",) * EACH + HEALTHY):
            pair = labelled(kind, np.random.default_rng([seed, number]))
            told = overfitting_of(pair.training, pair.validation)
            if pair.best is None:
                found[kind if told else "silent"] += 1
            elif told is None:
                found["missing"] += 1
            else:
                found["right" if pair.best[0] <= told.step <= pair.best[1] else "wrong"] += 1
    return found


def precision_and_recall(found: Counter[str]) -> tuple[float, float]:
    """Of what is told, and of what is labelled, the share that is right."""
    told = found["right"] + found["wrong"] + sum(found[kind] for kind in HEALTHY)
    labels = found["right"] + found["wrong"] + found["missing"]
    return found["right"] / told, found["right"] / labels


if __name__ == "__main__":
    first, count = (*(int(argument) for argument in sys.argv[1:]), 1000, 50)[:2]
    counts = score(range(first, first + count))
    sys.stdout.write(
        "{}\nprecision {:.3f}, recall {:.3f}\n".format(dict(counts), *precision_and_recall(counts))
    )
