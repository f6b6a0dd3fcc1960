"""Overfitting: a validation loss leaves its best for good while training goes on falling."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tb_sonify.landmarks.landmark import Landmark
from tb_sonify.schema.pairs import Pair, pairs_of, with_training

FEWEST = 3  # points after the best, and of them while training is lower than at the best
RISE = 0.03  # of the best, above it
RISE_OF_FALL = 0.005  # of the fall before the best: a loss of nearly 0 may double
OVER_NOISE = 3.0  # standard errors of the difference of two medians
FALL = 0.01  # of the training loss at the best, below it
SHARE_FIRST, SHARE_LAST = 6, 3  # the parts after the best whose medians are compared
MOST_FIRST, MOST_LAST = 25, 50  # points of them
MOST = 500  # points that are judged; of more, medians of as many groups

Points = tuple[NDArray[np.floating | np.integer], NDArray[np.floating]]
"""Increasing steps and values of a scalar, each of shape ``(points,)``."""


class Overfitting(NamedTuple):
    """A validation loss that has left its best.

    Attributes
    ----------
    step
        Of the best.
    best, level
        The smallest value, and the median of the last third of those after it.
    training_best, training_level
        Of the training loss: the level at that step, and the lowest afterwards.
    """

    step: int
    best: float
    level: float
    training_best: float
    training_level: float


def find_overfitting(
    names: tuple[str, str], training: Points, validation: Points
) -> list[Landmark]:
    """The landmark of a pair of losses that overfits, or none; see `overfitting_of`.

    Parameters
    ----------
    names
        Of the training loss and of the validation loss.

    Returns
    -------
    landmarks
        Its `note` is the number of the point of the validation loss.
    """
    found = overfitting_of(training, validation)
    if found is None:
        return []
    point = int(np.searchsorted(validation[0], found.step))
    words = (
        f"overfitting, {names[1]} {found.best:.3g} to {found.level:.3g} while "
        f"{names[0]} goes on falling, {found.training_best:.3g} to {found.training_level:.3g}"
    )
    return [Landmark("overfitting", found.step, point, None, words, names[1])]


def overfitting_of(training: Points, validation: Points) -> Overfitting | None:
    """Whether a validation loss has left its best by the end of two series; causal.

    The valley of the validation loss is the best fit that falls and then rises. It has been left
    if the last third of the points after the best is above a sixth around it by more than noise,
    and so is the part of it at which training was lower than at the best.

    Parameters
    ----------
    training, validation
        At steps of their own; what is not finite is left out. Of the training loss, the level at
        each validation is the median of the points since the validation before.
    """
    steps, values = _thinned(*_finite(validation))
    level = _median_of_three(_level_at(steps, *_finite(training)))
    smooth = _median_of_three(values)
    if len(values) <= FEWEST:
        return None
    valley = _valley(smooth)
    best = valley.start + int(values[valley].argmin())
    after = len(values) - 1 - best
    training_best = float(level[best])
    if after < FEWEST or np.isnan(training_best):
        return None
    fallen = training_best - FALL * abs(training_best)
    lower = best + 1 + np.flatnonzero(level[best + 1 :] < fallen)
    if len(lower) < FEWEST:
        return None
    first = min(max(after // SHARE_FIRST, FEWEST), MOST_FIRST)
    last = min(max(after // SHARE_LAST, FEWEST), MOST_LAST)
    start = max(best - first // 2, valley.start)
    low = float(np.median(values[start : start + first]))
    error = 1.25 * _noise(values) * np.sqrt(1 / first + 1 / last)
    fall = RISE_OF_FALL * max(float(smooth[0]) - low, 0.0)
    least = max(RISE * abs(low), fall, OVER_NOISE * error)
    end = float(np.median(values[-last:]))
    if min(end, float(np.median(values[lower[-last:]]))) - low <= least:
        return None
    if float(np.median(values[-FEWEST:])) - low <= least / 2:
        return None
    lowest = float(np.nanmin(level[best:]))
    return Overfitting(int(steps[best]), float(values[best]), end, training_best, lowest)


class OverfittingMonitor:
    """Overfitting of the losses of a run while they are written; streaming and causal.

    Looked for whenever the validation loss has a tenth more points, so that a long run costs
    little; told once for each best.

    Parameters
    ----------
    own
        Pairs of the user; see `pairs_of`.
    """

    def __init__(self, own: Sequence[Pair] = ()) -> None:
        self._own = own
        self._kept: dict[str, _Kept] = {}
        self._pairs: list[Pair] = []
        self._judged: set[str] = set()
        self._told: dict[Pair, int] = {}  # steps of the best

    def add(
        self, name: str, steps: NDArray[np.int64], values: NDArray[np.float64]
    ) -> list[Landmark]:
        """What is found with the next points of a loss, each of shape ``(points,)``."""
        if name not in self._kept:
            self._kept[name] = _Kept()
            self._pairs = pairs_of(self._kept, self._own)[: len(self._own) or 1]
            self._judged = {pair.validation for pair in self._pairs} | with_training(self._kept)
        self._kept[name].add(steps, values)
        return [
            landmark
            for pair in self._pairs
            if name in pair and self._kept[pair.validation].is_due()
            for landmark in self._look(pair)
        ]

    def _look(self, pair: Pair) -> list[Landmark]:
        points = [(self._kept[name].steps, self._kept[name].values) for name in pair]
        found = find_overfitting(pair, *points)
        told = self._told.get(pair, -1)
        self._told[pair] = max([told, *(each.step for each in found)])
        return [each for each in found if each.step > told]

    def is_judged(self, name: str) -> bool:
        """Whether a loss is validation beside a training loss: its rise is overfitting."""
        return name in self._judged

    def is_own(self, name: str) -> bool:
        """Whether a scalar is in a pair of the user, so that it is a loss."""
        return any(name in pair for pair in self._own)


class _Kept:
    """The points of a series, however long, as some thousands."""

    def __init__(self) -> None:
        self.steps, self.values = np.empty(0), np.empty(0)
        self._points = self._due = 0

    def add(self, steps: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        before = np.searchsorted(self.steps, steps[0])  # it may have gone back
        self.steps = np.concatenate([self.steps[:before], steps])
        self.values = np.concatenate([self.values[:before], values])
        self._points += len(steps)
        while len(self.values) > 8 * MOST:
            self.steps, self.values = self.steps[1::2], _means_of_two(self.values)

    def is_due(self) -> bool:
        due = self._points >= self._due
        if due:
            self._due = self._points + max(self._points // 10, 1)
        return due


def _means_of_two(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(values[: len(values) // 2 * 2].reshape(-1, 2).mean(axis=1))


def _finite(points: Points) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    steps, values = (np.asarray(each, np.float64) for each in points)
    known = np.isfinite(values)
    return steps[known], values[known]


def _thinned(
    steps: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """At most so many points: the medians of groups, each at the middle of its group."""
    group = -(-len(values) // MOST)
    if group <= 1:
        return steps, values
    count = len(values) // group
    whole = values[: count * group].reshape(count, group)
    return steps[group // 2 :: group][:count], np.median(whole, axis=1)


def _level_at(
    at: NDArray[np.float64], steps: NDArray[np.float64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The median of the values since the step before, at each step; between others where none.

    NaN before the first value and after the last.
    """
    stops = np.searchsorted(steps, at, side="right")
    starts = np.concatenate([[0], stops[:-1]])
    level = np.array(
        [
            np.median(values[start:stop]) if stop > start else np.nan
            for start, stop in zip(starts.tolist(), stops.tolist(), strict=False)
        ]
    )
    known = np.flatnonzero(~np.isnan(level))
    if not len(known):
        return level
    return np.asarray(np.interp(at, at[known], level[known], left=np.nan, right=np.nan))


def _median_of_three(values: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(values) < 3:
        return values
    padded = np.concatenate([values[:1], values, values[-1:]])
    return np.asarray(np.median(sliding_window_view(padded, 3), axis=1))


def _noise(values: NDArray[np.float64]) -> float:
    """Standard deviation of the noise of a point, where a series is smooth but for it."""
    return float(1.4826 * np.median(np.abs(np.diff(values, 2))) / np.sqrt(6))


def _valley(values: NDArray[np.float64]) -> slice:
    """The bottom of the best fit that falls and then rises.

    References
    ----------
    Stout, Unimodal regression via prefix isotonic regression, Comput. Stat. Data Anal. 53, 2008.
    """
    falls, blocks = _isotonic(-values)
    rises, _ = _isotonic(values[::-1])
    split = int((falls + np.append(rises[::-1][1:], 0.0)).argmin()) + 1
    start = blocks[split - 1]
    higher = values[split:] > values[start:split].mean()  # the rise
    return slice(start, split + (int(higher.argmax()) if higher.any() else len(higher)))


def _isotonic(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[int]]:
    """Isotonic regression of each prefix: its squared error, and where its last block begins."""
    errors, firsts = np.empty(len(values)), []
    blocks: list[tuple[int, int, float, float, float]] = []  # first, count, sum, squares, error
    for place, value in enumerate(values.tolist()):
        first, count, total, squares = place, 1, value, value * value
        while blocks and blocks[-1][2] / blocks[-1][1] >= total / count:
            first, more, a, b, _ = blocks.pop()
            count, total, squares = count + more, total + a, squares + b
        before = blocks[-1][4] if blocks else 0.0
        error = before + max(squares - total * total / count, 0.0)
        blocks.append((first, count, total, squares, error))
        errors[place] = error
        firsts.append(first)
    return errors, firsts
