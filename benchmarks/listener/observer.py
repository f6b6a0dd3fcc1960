"""Observer: a percept with noise, a template of what is listened for, and its sensitivity.

The ears have noise and the memory is short, but what is decided from them is ideal: the
likelihood ratio of Gaussian percepts (Dau, Püschel and Kohlrausch, 1996, likewise).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from benchmarks.listener.percept import KINDS, REGIONS, Percept

Floats = NDArray[np.float64]

SHORTEST = 2.0  # frames, below which the error of a frequency grows faster than by averaging
NEIGHBOURS = 3.0  # channels over which the noise of pitches is shared
MOST_AREA = 0.9997  # a d' of 4.9
MOST = 4.0  # d' that so few trials can show


@dataclass(frozen=True)
class Listener:
    """Standard deviations of the internal noise of one percept.

    Frozen: they are chosen by the thresholds of `calibration.py` alone, and stay.

    Attributes
    ----------
    shared
        Noise that all numbers of a kind have in common.
    own
        Noise of each number; of pitches, where they sound for one frame of 10 ms.
    memory
        How much more noise a remembered percept has than one that is heard.
    """

    shared: Mapping[str, float]
    own: Mapping[str, float]
    memory: float = 1.2

    def hear(self, percept: Percept, rng: np.random.Generator, *, overlap: int = 1) -> Floats:
        """Values of a percept with noise.

        Parameters
        ----------
        overlap
            How many windows, each one after the other, contain one moment: they share its noise.
        """
        windows = len(percept.values)
        factors = _factor(tuple(self.shared.items()), tuple(self.own.items()))
        white = rng.standard_normal((windows + overlap - 1, len(KINDS)))
        total = np.cumsum(np.concatenate([np.zeros((1, len(KINDS))), white]), axis=0)
        noise = (total[overlap:] - total[:-overlap]) / np.sqrt(overlap) @ factors.T
        looks = percept.looks + 0.05
        noise[:, KINDS == "pitch"] *= np.sqrt((1 + (SHORTEST / looks) ** 2) / looks)
        return np.asarray(percept.values + noise)

    def remember(self, heard: Floats, percept: Percept, rng: np.random.Generator) -> Floats:
        """A heard percept with what memory adds to its noise."""
        added = self.hear(percept, rng) - percept.values
        return np.asarray(heard + np.sqrt(self.memory**2 - 1) * added)


_SHARED = {
    "level": 0.9,
    "ears": 0.3,
    "motion": 3.0,
    "dip": 0.3,
    "peak": 0.3,
}
_OWN = {"level": 8.0, "ears": 1.5, "modulation": 0.016, "dip": 6.0, "peak": 4.0}
LISTENERS = {
    "trained": Listener(_SHARED, {**_OWN, "pitch": 32.0, "motion": 10.0}),
    "untrained": Listener(_SHARED, {**_OWN, "pitch": 450.0, "motion": 140.0}),
}


@lru_cache(maxsize=8)
def _factor(shared: tuple[tuple[str, float], ...], own: tuple[tuple[str, float], ...]) -> Floats:
    """Cholesky factor of the covariance of the noise."""
    covariance = np.zeros((len(KINDS), len(KINDS)))
    for kind, size in shared:
        chosen = np.equal(KINDS, kind)
        covariance += np.outer(chosen, chosen) * size**2
    for kind, size in own:
        where = np.flatnonzero(np.equal(KINDS, kind))
        apart = np.abs(where[:, None] - where)
        alike = np.exp(-apart / NEIGHBOURS) if kind == "pitch" else 1.0 * (apart == 0)
        if kind == "modulation":  # at one rate, regions are not independent looks
            band = np.arange(len(where)) // (REGIONS + 1)
            alike = 0.5 * alike + 0.5 * (band[:, None] == band)
        if kind == "level":  # of the profile, which leaves the level of all as it is
            alike = (apart == 0) - 1 / len(where)
        covariance[np.ix_(where, where)] += alike * size**2
    return np.asarray(np.linalg.cholesky(covariance + 1e-6 * np.eye(len(KINDS))))


def template(change: Floats, absent: Floats) -> Floats:
    """Weights of the ideal observer of a known change.

    Parameters
    ----------
    change
        Mean of what the event changes in a percept, shape ``(numbers,)``, or ``(numbers, events)``.
    absent
        Noisy percepts without the event, shape ``(percepts, numbers)``.
    """
    spread = absent.std(axis=0) + 1e-9
    covariance = np.cov((absent / spread).T)
    # A little of each number's own variance: what was seen by chance is not relied on.
    covariance += 0.05 * np.eye(len(spread))
    return np.asarray((np.linalg.solve(covariance, (change.T / spread).T).T / spread).T)


def sensitivity(present: Floats, absent: Floats) -> float:
    """Sensitivity d' in a two-interval task: the area under the ROC of all pairs of intervals."""
    wins = (present[:, None] > absent).mean() + 0.5 * (present[:, None] == absent).mean()
    area = float(np.clip(wins, 1 - MOST_AREA, MOST_AREA))
    return float(np.sqrt(2) * NormalDist().inv_cdf(area))


def interval(
    present: Floats, absent: Floats, *, resamples: int = 200, seed: int = 0
) -> tuple[float, float]:
    """95 % of a bootstrap of `sensitivity`, of trials.

    Parameters
    ----------
    present, absent
        Shape ``(trials, repeats)``; a trial is drawn with all its repeats.
    """
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(resamples):
        chosen = rng.integers(len(present), size=len(present))
        other = rng.integers(len(absent), size=len(absent))
        values.append(sensitivity(present[chosen].ravel(), absent[other].ravel()))
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
