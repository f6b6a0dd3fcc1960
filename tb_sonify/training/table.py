"""Rows in memory, with their steps and wall times."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb_sonify.contract import NO_GRADIENT


@dataclass(frozen=True)
class Table:
    """Rows: int64 `steps` and float64 `wall_times`, ``(rows,)``; `norms`, ``(rows, layers)``."""

    steps: NDArray[np.int64]
    wall_times: NDArray[np.float64]
    norms: NDArray[np.float32]

    @classmethod
    def empty(cls) -> "Table":
        """No rows, no layers."""
        return cls(np.empty(0, np.int64), np.empty(0), np.empty((0, 0), np.float32))

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, part: slice) -> "Table":
        return Table(self.steps[part], self.wall_times[part], self.norms[part])

    def followed_by(self, rows: "Table") -> "Table":
        """These rows and then those; the latter may have layers that came later."""
        layers = rows.norms.shape[1]
        return Table(
            np.concatenate([self.steps, rows.steps]),
            np.concatenate([self.wall_times, rows.wall_times]),
            np.concatenate([padded(self.norms, layers, NO_GRADIENT), rows.norms]),
        )

    def merged(self) -> "Table":
        """Consecutive rows of the same step as one, where no layer has a norm in both."""
        same = np.flatnonzero(np.diff(self.steps) == 0)
        if not len(same):
            return self
        norms, kept = self.norms.copy(), np.ones(len(self), bool)
        for row in same:
            earlier, later = norms[row], norms[row + 1]
            if not ((earlier != NO_GRADIENT) & (later != NO_GRADIENT)).any():
                norms[row + 1] = np.where(later == NO_GRADIENT, earlier, later)
                kept[row] = False
        return Table(self.steps[kept], self.wall_times[kept], norms[kept])


def padded(table: NDArray[np.float32], layers: int, value: float) -> NDArray[np.float32]:
    """A table ``(rows, fewer layers)`` with columns of `value` for the layers that came later."""
    rows, present = table.shape
    return np.concatenate([table, np.full((rows, layers - present), value, table.dtype)], axis=1)
