"""Unusual: a value far above its recent median, by its own recent noise; small ones count, too."""

from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tb_sonify.landmarks.residuals import Residuals


class Threshold(NamedTuple):
    """What a value must exceed: its residual in spreads, and the factor above the median."""

    sigma: float
    factor: float = 1.0


# Measured: benchmarks/warning.py, on the seeds for development.
TOTAL = {"gradient": Threshold(15.0), "update": Threshold(10.0, 1.5)}
LAYER = {"gradient": Threshold(20.0, 3.0), "update": Threshold(16.0, 1.5)}
LOSS = Threshold(6.0)
# Noise with heavy tails exceeds any threshold now and then: nothing is unusual that is no record.
RECORD = 1.5  # times the largest residual, up or down, of any of the series
PEAK_ROWS, PEAKS = 128, 8  # in the last 1,000 rows or so


class Unusual(NamedTuple):
    """A row in which a series is far above its recent median.

    Attributes
    ----------
    column
        The series that stands out most.
    sigma, factor
        How far, in spreads and as a factor.
    others
        How many more stand out at least half as far as they must.
    """

    row: int
    column: int
    sigma: float
    factor: float
    others: int


class UnusualDetector:
    """Finds the rows in which any of some series exceeds a threshold; streaming and causal."""

    def __init__(self, threshold: Threshold) -> None:
        self._threshold = threshold
        self._residuals = Residuals()
        self._row = 0
        self._peaks: deque[float] = deque([0.0], maxlen=PEAKS)  # of each so many rows, to now

    def add(self, values: NDArray[np.floating]) -> list[Unusual]:
        """What is unusual in the next rows, shape ``(rows, series)``, in order."""
        first = self._row
        residuals, spreads = self._residuals.add(values)
        sigmas = np.divide(
            residuals, spreads, out=np.zeros_like(residuals), where=~np.isnan(spreads)
        )
        high = sigmas > self._threshold.sigma
        if self._threshold.factor > 1:
            high &= residuals > np.log(self._threshold.factor)
        sizes = np.abs(sigmas).max(axis=1, initial=0)
        found = []
        done = 0
        for row in np.flatnonzero(high.any(axis=1)).tolist():
            self._remember(sizes[done:row])
            done = row
            if sigmas[row].max() <= RECORD * max(self._peaks):
                continue
            column = int(np.where(high[row], sigmas[row], 0).argmax())
            others = int(np.count_nonzero(sigmas[row] > self._threshold.sigma / 2)) - 1
            factor = float(np.exp(residuals[row, column]))
            sigma = float(sigmas[row, column])
            found.append(Unusual(first + row, column, sigma, factor, others))
        self._remember(sizes[done:])
        return found

    def _remember(self, sizes: NDArray[np.float32]) -> None:
        """Count rows by the largest size of a residual in each."""
        while len(sizes):
            if self._row % PEAK_ROWS == 0:
                self._peaks.append(0.0)
            some = sizes[: PEAK_ROWS - self._row % PEAK_ROWS]
            self._peaks[-1] = max(self._peaks[-1], float(some.max()))
            self._row += len(some)
            sizes = sizes[len(some) :]
