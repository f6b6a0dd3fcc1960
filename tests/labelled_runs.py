"""Synthetic runs whose landmarks are known, and how well `find_landmarks` finds them.

``python -m tests.labelled_runs [FIRST_SEED SEEDS]`` prints the table. The rules were developed on
seeds below 400; the tests, and the table by default, use 1000 to 1049.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tb_sonify.landmarks import KINDS, Landmark, find_landmarks
from tests.eventful_runs import SCENARIOS, Label, Run
from tests.healthy_runs import HEALTHY, notes_of

ROWS = (50, 200, 1000, 3000)
LAYERS = (1, 4, 12, 50)
TOLERANCE = 5  # notes between a label and the landmark that meets it
SLOW_TOLERANCE = 12  # of plateau, escape and vanishing, which begin by and by
SLOW = {"plateau", "escape", "vanishing"}


def landmarks_of(run: Run) -> list[Landmark]:
    """What is found in a run, whose layers are named by their numbers."""
    notes, steps = notes_of(run.norms)
    layers = [str(layer) for layer in range(run.norms.shape[1])]
    return find_landmarks(notes, steps=steps, layers=layers, restarts=run.restarts)


def compare(
    labels: Sequence[Label], landmarks: Sequence[Landmark]
) -> tuple[list[Landmark], list[Label]]:
    """Landmarks that no label asks for, and labels that no landmark meets."""
    spare, missed = list(landmarks), []
    for label in labels:
        met = next((landmark for landmark in spare if _meets(landmark, label)), None)
        if met is None:
            missed.append(label)
        else:
            spare.remove(met)
    return spare, missed


def _meets(landmark: Landmark, label: Label) -> bool:
    tolerance = SLOW_TOLERANCE if label.kind in SLOW else TOLERANCE
    named = not label.layers or landmark.layer in {str(layer) for layer in label.layers}
    near = abs(landmark.step - label.row) <= tolerance
    return landmark.kind == label.kind and near and named


@dataclass(frozen=True)
class Score:
    """How many landmarks are right, wrong and missing, by kind."""

    right: Counter[str]
    wrong: Counter[str]
    missing: Counter[str]

    def precision(self, *kinds: str) -> float:
        """Share of the landmarks found that are right."""
        right, wrong = (sum(count[kind] for kind in kinds) for count in (self.right, self.wrong))
        return right / max(right + wrong, 1)

    def recall(self, *kinds: str) -> float:
        """Share of the labels that are found."""
        right, missing = (
            sum(count[kind] for kind in kinds) for count in (self.right, self.missing)
        )
        return right / max(right + missing, 1)


def labelled_run(scenario: str, seed: int) -> Run:
    """A labelled run, whose length and number of layers go through all pairs with the seed."""
    rows, layers = ROWS[seed % len(ROWS)], LAYERS[seed // len(ROWS) % len(LAYERS)]
    place = list(SCENARIOS).index(scenario)
    return SCENARIOS[scenario](np.random.default_rng([seed, place]), rows, layers)


def score(seeds: Sequence[int]) -> Score:
    """Precision and recall over every scenario at each of the seeds."""
    result = Score(Counter(), Counter(), Counter())
    for scenario in SCENARIOS:
        for seed in seeds:
            run = labelled_run(scenario, seed)
            spare, missed = compare(run.labels, landmarks_of(run))
            labels = Counter(label.kind for label in run.labels)
            missing = Counter(label.kind for label in missed)
            result.right.update(labels - missing)
            result.wrong.update(landmark.kind for landmark in spare)
            result.missing.update(missing)
    return result


def false_landmarks(family: str, seeds: Sequence[int], *, rows: int) -> int:
    """How many landmarks are found in healthy runs of a family."""
    count = 0
    for seed in seeds:
        layers = LAYERS[seed % len(LAYERS)]
        rng = np.random.default_rng([seed, rows, *family.encode()])
        count += len(landmarks_of(Run(np.exp(HEALTHY[family](rng, rows, layers)))))
    return count


def table(first_seed: int = 1000, seeds: int = 50) -> str:
    """Precision and recall by kind, and false landmarks by family of healthy runs."""
    numbers = range(first_seed, first_seed + seeds)
    result = score(numbers)
    lines = [
        f"seeds {first_seed} to {first_seed + seeds - 1}",
        f"{'kind':<12}{'right':>7}{'wrong':>7}{'missing':>9}{'precision':>11}{'recall':>8}",
    ]
    for name, kinds in [*((kind, (kind,)) for kind in KINDS), ("all", KINDS)]:
        right, wrong, missing = (
            sum(count[kind] for kind in kinds)
            for count in (result.right, result.wrong, result.missing)
        )
        shares = f"{result.precision(*kinds):>11.3f}{result.recall(*kinds):>8.3f}"
        lines.append(f"{name:<12}{right:>7}{wrong:>7}{missing:>9}{shares}")
    lines.append("false landmarks per 10,000 steps of healthy runs")
    lines.append(f"{'family':<16}" + "".join(f"{f'{rows:,} steps':>14}" for rows in ROWS))
    for family in HEALTHY:
        rates = [
            false_landmarks(family, numbers, rows=rows) / (rows * seeds) * 10_000 for rows in ROWS
        ]
        lines.append(f"{family:<16}" + "".join(f"{rate:>14.2f}" for rate in rates))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table(*(int(argument) for argument in sys.argv[1:])))
