"""Maximum-likelihood staircase: the threshold of an observer, from one trial after another."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

STEPS = 61  # thresholds that are considered
SPREAD = 0.35  # of the stimuli around the most likely threshold, as natural logarithm
LAPSE = 0.01


def threshold(
    trial: Callable[[float], bool],
    *,
    between: tuple[float, float],
    trials: int = 80,
    power: float = 1.0,
    seed: int = 0,
) -> float:
    """Size of a stimulus with a d' of 1 in a two-interval task.

    Every trial presents what is most likely the threshold so far (Green, JASA 93:2096, 1993), a
    little more or less, and above it where errors say most.

    Parameters
    ----------
    trial
        Presents a stimulus of a size and returns whether it was told from the standard.
    between
        Smallest and largest threshold that are considered.
    power
        Of the size, to which d' is proportional: 1, or 2 for cues that are energies.
    """
    rng = np.random.default_rng(seed)
    candidates = np.geomspace(*between, STEPS)
    likelihood = np.zeros(STEPS)
    for number in range(trials):
        likely = candidates[np.argmax(likelihood)] if number else np.sqrt(np.prod(between))
        size = float(np.clip(likely * np.exp(SPREAD * rng.standard_normal()), 0, between[1]))
        right = correct(size, candidates, power=power)
        likelihood += np.log(right if trial(size) else 1 - right)
    weights = np.exp(likelihood - likelihood.max())
    return float(np.exp((weights * np.log(candidates)).sum() / weights.sum()))


def correct(size: float, thresholds: NDArray[np.float64], *, power: float) -> NDArray[np.float64]:
    """Probability of a right answer: d' is 1 at the threshold."""
    # Φ(d'/√2), by the logistic function that is nearest to it.
    above = 1 / (1 + np.exp(-1.702 * (size / thresholds) ** power / np.sqrt(2)))
    return np.asarray(LAPSE / 2 + (1 - LAPSE) * above)
