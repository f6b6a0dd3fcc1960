"""Healthy runs: what no landmark may be found in, and the ground for those with labels."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from tb_sonify.schema.block import round_norms
from tb_sonify.schema.notes import Notes, aggregate
from tb_sonify.schema.segments import Grid


def calm(rng: Generator, rows: int, layers: int) -> np.ndarray:
    """Log-normal noise, standard deviation up to 0.7; layers have levels of their own."""
    normal = _partly_common(rng, rng.standard_normal, rows, layers)
    return rng.uniform(0.02, 0.7) * normal + rng.uniform(-3, 1, layers)


def drifting(rng: Generator, rows: int, layers: int) -> np.ndarray:
    """A slow drift by a factor of 10, up or down."""
    drift = np.linspace(0, rng.choice([-1, 1]) * np.log(10), rows)
    return calm(rng, rows, layers) + drift[:, None]


def heavy_tailed(rng: Generator, rows: int, layers: int) -> np.ndarray:
    """Student's t with 5 degrees of freedom, standard deviation 0.5."""
    student = _partly_common(rng, lambda size: rng.standard_t(5, size), rows, layers)
    return 0.5 / np.sqrt(5 / 3) * student + rng.uniform(-3, 1, layers)


def rate_dropped(rng: Generator, rows: int, layers: int) -> np.ndarray:
    """A learning rate that drops by 10 once: norms and noise change at a stroke."""
    logs = calm(rng, rows, layers)
    at = int(rows * rng.uniform(0.2, 0.8))
    level = logs.mean(axis=0)
    logs[at:] = (logs[at:] - level) * rng.uniform(0.3, 1) + level
    logs[at:] += rng.uniform(np.log(0.1), np.log(2))
    return logs


def warming_up(rng: Generator, rows: int, layers: int) -> np.ndarray:
    """The rise of SGD at 0.01: by 3 to 4 within 100 steps."""
    rise = np.log(rng.uniform(3, 4)) * (1 - np.exp(-np.arange(rows) / rng.uniform(15, 40)))
    return calm(rng, rows, layers) + rise[:, None]


HEALTHY: dict[str, Callable[[Generator, int, int], np.ndarray]] = {
    family.__name__: family for family in (calm, drifting, heavy_tailed, rate_dropped, warming_up)
}


def background(rng: Generator, rows: int, layers: int) -> np.ndarray:
    """Log norms of a healthy run of any family."""
    family = list(HEALTHY)[rng.integers(len(HEALTHY))]
    return HEALTHY[family](rng, rows, layers)


def deviation(logs: np.ndarray) -> float:
    """Standard deviation of the noise, without drifts and levels."""
    return float(np.diff(logs, axis=0).std() / np.sqrt(2))


def notes_of(norms: np.ndarray) -> tuple[Notes, np.ndarray]:
    """The notes of a run as they are stored, and the first row of each and the last row."""
    norms = round_norms(norms.astype(np.float32))
    parts, firsts, segment = [], [], 0
    while (grid := Grid.of_segment(segment)).first_row < len(norms):
        rows = norms[grid.first_row : grid.first_row + grid.rows]
        parts.append(aggregate(rows, rows_per_note=grid.rows_per_note))
        firsts.append(grid.first_row + np.arange(len(parts[-1])) * grid.rows_per_note)
        segment += 1
    tables = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("median", "max", "nan", "inf")
    )
    return Notes(*tables), np.append(np.concatenate(firsts), len(norms) - 1)


def _partly_common(
    rng: Generator, draw: Callable[[tuple[int, int]], np.ndarray], rows: int, layers: int
) -> np.ndarray:
    """Noise of which layers have a share in common, half the time none."""
    common = rng.choice([0, rng.uniform()])
    own = draw((rows, layers))
    return np.sqrt(common) * draw((rows, 1)) + np.sqrt(1 - common) * own
