"""A scale for signals that have none of their own: any scalar as norms of the absolute scale."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

# The ends of a scale sound at 110 Hz and 1,760 Hz, the four octaves around the norm-1 tone.
_LOWEST_LOG2, _HIGHEST_LOG2 = -24.0, 24.0
_DECADE = 10.0


@dataclass(frozen=True, slots=True)
class Scale:
    """How the values of a signal become norms, so that `low` sounds at 110 Hz, `high` at 1,760 Hz.

    Signals that are compared share one scale.
    """

    kind: Literal["log", "linear"]
    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high or not np.isfinite([self.low, self.high]).all():
            raise ValueError(f"low must be below high, both finite, got {self.low}, {self.high}")
        if self.kind == "log" and self.low <= 0:
            raise ValueError(f"a log scale must begin above 0, got {self.low}")

    @classmethod
    def of(cls, signals: Iterable[NDArray[np.floating[Any]]]) -> "Scale":
        """The scale that signals share: log if all are positive and wider than a decade."""
        values = np.concatenate([np.ravel(signal) for signal in signals] or [np.empty(0)])
        values = values[np.isfinite(values)].astype(np.float64)
        low, high = (values.min(), values.max()) if len(values) else (0.0, 1.0)
        if low == high:  # a constant sounds in the middle
            reach = abs(low) or 1.0
            return cls("linear", float(low - reach), float(high + reach))
        if low > 0 and high > _DECADE * low:
            return cls("log", float(low), float(high))
        return cls("linear", float(low), float(high))

    def __call__(self, signal: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """The norms to sound for a signal, any shape; NaN and infinity stay, ends hold."""
        values = np.asarray(signal, np.float64)
        ends = np.array([self.low, self.high])
        if self.kind == "log":
            values, ends = np.log(np.maximum(values, self.low)), np.log(ends)
        share = np.clip((values - ends[0]) / (ends[1] - ends[0]), 0, 1)
        norms = np.exp2(_LOWEST_LOG2 + share * (_HIGHEST_LOG2 - _LOWEST_LOG2))
        return np.asarray(np.where(np.isfinite(signal), norms, np.abs(signal)), np.float32)

    @property
    def middle(self) -> float:
        """The value that sounds at 440 Hz."""
        if self.kind == "log":
            return float(np.sqrt(self.low * self.high))
        return (self.low + self.high) / 2

    def __str__(self) -> str:
        return f"{self.kind} scale, {self.low:.4g} (110 Hz) to {self.high:.4g} (1,760 Hz)"
