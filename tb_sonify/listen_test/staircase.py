"""Adaptive threshold of a two-interval task: the next level to play, and the estimate so far.

The psi-marginal method (Kontsevich & Tyler, Vision Research 39:2729, 1999; Prins, Journal of
Vision 13(7):3, 2013): Bayes' rule over the threshold, and over how steep the listener's
psychometric function is. It is preferred to two-down one-up (Levitt, JASA 49:467, 1971) because
the few trials of a short test leave that rule with three or four reversals and no measure of its
error, while here the interval follows from the answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_LEVELS, _THRESHOLDS = 25, 81
# Scales of a logistic function of the natural logarithm of the level, from an event that is there
# or not to beyond a d' that is proportional to the level (0.6): without the flattest one, intervals
# would be too narrow.
_SLOPES = np.array([0.1, 0.2, 0.4, 0.6, 0.9])
LAPSE = 0.02  # of attention, in so many of the trials
_BEYOND = 2.0  # a threshold may be so many times beyond what can be played
_INTERVAL = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class Threshold:
    """The level at which 75 % of answers are right: median of the posterior, 90 % interval."""

    estimate: float
    low: float
    high: float


def chance_of_right(
    level: ArrayLike, threshold: ArrayLike, slope: ArrayLike, *, lapse: float = LAPSE
) -> Floats:
    """Psychometric function of two intervals: from 0.5, by guessing, to ``1 - lapse``."""
    logistic = 1 / (1 + np.exp(-np.log(np.divide(level, threshold)) / slope))
    return np.asarray(0.5 + (0.5 - lapse) * logistic)


@dataclass(frozen=True)
class Staircase:
    """A method without state: the answers so far, pairs of a level and whether it was right, are.

    Attributes
    ----------
    low, high
        The levels that can be played.
    """

    low: float
    high: float

    def next_level(self, answers: Sequence[tuple[float, bool]]) -> float:
        """The level whose answer leaves the least entropy of the threshold, as expected."""
        posterior = self._posterior(answers)
        right, wrong = self._chances * posterior, (1 - self._chances) * posterior
        expected = sum(_entropy_times_chance(each.sum(axis=2)) for each in (right, wrong))
        return float(self._levels[np.argmin(expected)])

    def threshold(self, answers: Sequence[tuple[float, bool]]) -> Threshold:
        """The estimate; at an end of the grid, the threshold is beyond what was played."""
        below = np.cumsum(self._posterior(answers).sum(axis=1))
        low, estimate, high = np.exp(np.interp(_INTERVAL, below, np.log(self._thresholds)))
        return Threshold(float(estimate), float(low), float(high))

    @cached_property
    def _levels(self) -> Floats:
        return np.geomspace(self.low, self.high, _LEVELS)

    @cached_property
    def _thresholds(self) -> Floats:
        return np.geomspace(self.low / _BEYOND, self.high * _BEYOND, _THRESHOLDS)

    @cached_property
    def _chances(self) -> Floats:
        """Of each level for each hypothesis, shape ``(levels, thresholds, slopes)``."""
        return self._chances_at(self._levels)

    def _chances_at(self, levels: Floats) -> Floats:
        return chance_of_right(levels[:, None, None], self._thresholds[:, None], _SLOPES)

    def _posterior(self, answers: Sequence[tuple[float, bool]]) -> Floats:
        levels = np.array([level for level, _ in answers])
        right = np.array([answer for _, answer in answers], np.bool_)[:, None, None]
        chances = self._chances_at(levels)
        likelihood = np.where(right, chances, 1 - chances).prod(axis=0)
        return np.asarray(likelihood / likelihood.sum())


def _entropy_times_chance(joint: Floats) -> Floats:
    """Of each row, whose sum is the chance of an answer and whose shape is that of a posterior."""
    chance = joint.sum(axis=1, keepdims=True)
    return np.asarray(-(joint * np.log(joint / chance)).sum(axis=1))
