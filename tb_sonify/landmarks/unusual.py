"""Unusual: a value far above its recent median, in units of its own recent noise; streaming."""

from collections import deque
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from tb_sonify.schema.notes import MEDIAN_CONTEXT, pad_layers, recent_median

NOISE = 128  # residuals that their spread is taken from
EVERY = 16  # values after which the spread is taken anew
KNOWN = 32  # residuals, the fewest that tell a spread
LEAST_SPREAD = 0.02  # natural log: a constant series has some, too
Float = TypeVar("Float", np.float32, np.float64)


class Residuals:
    """Residuals of log values against the values just before, and their robust spread.

    What it gives for a row depends on that row and those before, and not on how rows come: one at
    a time or all at once.

    Columns that come later are new series.
    """

    def __init__(self) -> None:
        self._rows = 0
        self._logs = np.empty((MEDIAN_CONTEXT, 0), np.float32)  # the last ones
        self._sizes = np.empty((NOISE, 0), np.float32)
        self._spread = np.empty((1, 0), np.float32)

    def add(self, values: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Residuals of the next rows in natural log, and the spread that was known at each.

        Parameters
        ----------
        values
            Shape ``(rows, columns)``. One that is not finite or not above 0 is left out: its
            residual is 0, and the last one before it stands for it.

        Returns
        -------
        residuals, spreads
            Shape ``(rows, columns)``; a spread is NaN until 32 residuals are known.
        """
        logs = log_known(values)
        known = ~np.isnan(logs)
        for name in ("_logs", "_sizes", "_spread"):
            setattr(self, name, pad_layers(getattr(self, name), values.shape[1], np.nan))
        logs = np.concatenate([self._logs, _filled(self._logs[-1], logs)])
        residuals = logs[MEDIAN_CONTEXT:] - recent_median(logs)
        known &= np.isfinite(residuals) & ~np.isnan(logs[: len(residuals)])
        sizes = np.concatenate([self._sizes, np.where(known, np.abs(residuals), np.nan)])
        self._logs, self._sizes = logs[-MEDIAN_CONTEXT:], sizes[-NOISE:]
        return np.where(known, residuals, np.float32(0)), self._spreads(sizes)

    def _spreads(self, sizes: NDArray[np.float32]) -> NDArray[np.float32]:
        rows = len(sizes) - NOISE
        spreads = np.empty((rows, sizes.shape[1]), np.float32)
        start = 0
        while start < rows:
            if self._rows % EVERY == 0 and self._rows >= KNOWN:
                self._spread = _spread(sizes[start : start + NOISE])[None]
            stop = min(start + EVERY - self._rows % EVERY, rows)
            spreads[start:stop] = self._spread
            self._rows += stop - start
            start = stop
        return spreads


def _filled(last: NDArray[np.float32], logs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values with the last known one where one is not known."""
    if not np.isnan(logs).any():
        return logs
    logs = np.concatenate([last[None], logs])
    index = np.where(np.isnan(logs), 0, np.arange(len(logs))[:, None])
    np.maximum.accumulate(index, axis=0, out=index)
    return np.take_along_axis(logs, index, axis=0)[1:]


def _spread(sizes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Standard deviation of each column by its median size; NaN where few are known."""
    middle, counts = median_known(sizes)
    spread = np.maximum(1.4826 * middle, np.float32(LEAST_SPREAD)).astype(np.float32)
    return np.where(counts >= KNOWN, spread, np.float32(np.nan))


def median_known(
    values: NDArray[Float],
) -> tuple[NDArray[Float], NDArray[np.intp]]:
    """Upper median along the first axis of what is not NaN, and how many those are."""
    counts = np.count_nonzero(~np.isnan(values), axis=0)
    middle = np.minimum(counts // 2, len(values) - 1)[None]
    return np.take_along_axis(np.sort(values, axis=0), middle, axis=0)[0], counts


def log_known(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Natural log of what is finite and above 0, NaN for all else."""
    logs = np.full(values.shape, np.nan, np.float32)
    np.log(values, out=logs, where=np.isfinite(values) & (values > 0), casting="same_kind")
    return logs


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
