"""Measured figures, their targets, and a table of them."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True)
class Figure:
    """One line of the table: a name, its values in `unit`, and the upper bound."""

    name: str
    values: tuple[float, ...]
    unit: str
    percentile: int
    target: float

    @property
    def reached(self) -> float:
        """Percentile of the values."""
        return float(np.percentile(self.values, self.percentile)) if self.values else float("nan")


def show(figures: Sequence[Figure], *, as_json: bool) -> None:
    """Print a table, or JSON with every value."""
    if as_json:
        print(json.dumps([{**asdict(each), "reached": each.reached} for each in figures]))
        return
    print("| what | reached | target | n |\n|---|---|---|---|")
    for each in figures:
        kind = "max" if each.percentile == 100 else f"p{each.percentile}"
        print(
            f"| {each.name} | {kind} {each.reached:.4g} {each.unit} | {each.target:g} {each.unit} "
            f"| {len(each.values)} |"
        )
