"""Spike: a norm far above the usual that comes back."""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from tb_sonify.landmarks.landmark import Finding, times
from tb_sonify.landmarks.levels import (
    LOG_ZERO,
    WARM,
    WINDOW,
    ChunkedLevels,
    Levels,
    group_medians,
    group_starts,
    trailing_median,
)

DEVIATIONS = 6.0  # median absolute deviations; four standard deviations of normal noise
SMALLEST = np.float32(np.log(4))  # two semitones: calmer runs have spikes that nobody would hear
CHANCE = 1e-5  # of a note of healthy noise to be taken for a spike
UNKNOWN_NOISE = np.float32(0.2)  # deviation to assume of a layer that lives for a few notes only
BURST = 10  # notes within which spikes are one landmark
RETURNS = 16  # notes: a rise that fills more than half of them is no spike
QUARTER = 0.75  # of the layers: a spike of the run raises at least one in four
# The tail of noise is the h of Tukey's distribution, whose quantiles are those of the normal one,
# z, times exp(h z^2 / 2): 0 is normal, 0.12 is Student's t with 5 degrees of freedom. A short run
# says too little of its own tail, so it begins with one nearly as heavy.
PRIOR_TAIL, PRIOR_NOTES = 0.1, 1000
HEAVIEST_TAIL = 0.3
NORMAL = NormalDist()
NEAR, FAR = 0.5, 0.9  # quantiles of the size of a deviation that tell its tail; spikes are rarer
NEAR_Z, FAR_Z = NORMAL.inv_cdf((1 + NEAR) / 2), NORMAL.inv_cdf((1 + FAR) / 2)


class Scores:
    """Scores of the rises of all layers: the highest of each note, and the tail of the noise.

    Deviations down say as much of the tail as those up, and have no spikes.

    Attributes
    ----------
    highest
        Score of the highest rise that could be heard, shape ``(notes,)``.
    """

    def __init__(self, notes: int, layers: int) -> None:
        self.highest = np.zeros(notes, np.float32)
        self._counts = np.empty(layers, np.intp)  # of scores that are not 0
        every = max(notes * layers // 100_000, 1)
        self._notes, self._layers = np.divmod(np.arange(0, notes * layers, every), layers)
        self._sample = np.empty(len(self._notes), np.float32)

    def add(self, levels: Levels, layers: slice) -> None:
        """Add the levels of all notes of some layers."""
        rise, _ = _rise(levels)
        score = _score(rise)
        heard = np.where(rise > SMALLEST, score, np.float32(0)).max(axis=1)
        np.maximum(self.highest, heard, out=self.highest)
        self._counts[layers] = np.count_nonzero(score, axis=0)
        within = (layers.start <= self._layers) & (self._layers < layers.stop)
        columns = self._layers[within] - layers.start
        self._sample[within] = score[self._notes[within], columns]

    def tail(self) -> float:
        """The h of Tukey's distribution, once all layers are added."""
        known = self._counts >= min(WINDOW, len(self.highest) // 2)
        sample = self._sample[known[self._layers]]
        sizes = [np.abs(sample[sample != 0]), -sample[sample < 0]]
        if not len(sizes[1]):
            return PRIOR_TAIL
        # Spikes lengthen the one, a sudden fall of the norms both, but the other more.
        seen = min(_tail_of(size) for size in sizes)
        # Layers have much of their noise in common, so that more of them say little more.
        notes = self._counts[known].sum() / np.sqrt(np.count_nonzero(known))
        tail = (PRIOR_NOTES * PRIOR_TAIL + notes * seen) / (PRIOR_NOTES + notes)
        return float(np.clip(tail, 0, HEAVIEST_TAIL))


def upper_quarter(levels: Levels) -> NDArray[np.float32]:
    """The rise of each note that the upper quarter of living layers exceed, shape ``(notes,)``."""
    rise, alive = _rise(levels)
    ordered = np.sort(np.where(alive, rise, np.float32(np.inf)), axis=1)
    count = np.count_nonzero(alive, axis=1)[:, None]
    place = (QUARTER * np.maximum(count - 1, 0)).astype(np.intp)
    quarter = np.take_along_axis(ordered, place, axis=1)
    return np.where(count > 0, quarter, np.float32(0))[:, 0]


def find_spikes(
    run: ChunkedLevels, scores: Scores, quarter: NDArray[np.float32], layers: Sequence[str]
) -> list[Finding]:
    """Bursts above 6 median absolute deviations of the log norm and above what noise explains.

    Six deviations alone would cry wolf every few hundred steps where noise has heavy tails. The
    tail of the run itself tells how far a note may stand out by chance. Two signals are judged:
    each layer, and the run (what the upper quarter of layers exceed), which moves less by chance.

    Parameters
    ----------
    quarter
        The `upper_quarter` of all notes.
    """
    tail, quarter = scores.tail(), quarter[:, None]
    flagged = scores.highest > _threshold(tail, len(layers))
    quarter = np.minimum(quarter, quarter - trailing_median(quarter))
    wide = (_score(quarter) > _threshold(tail, 1)) & (quarter > SMALLEST)
    flagged |= wide[:, 0]
    findings = []
    for note in group_starts(flagged, gap=BURST).tolist():
        burst = flagged[note : note + RETURNS]
        if 2 * np.count_nonzero(burst) > RETURNS:
            continue
        rise, _ = _rise(run.between(note, note + len(burst)))
        worst = int(rise[burst].max(axis=0).argmax())
        factor = times(float(rise[:, worst].max()))
        sentence = f"spike, {factor} the usual norm in {layers[worst]}"
        findings.append(Finding("spike", note, layers[worst], sentence))
    return findings


def _rise(levels: Levels) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Log norms above the baseline, 0 where a layer is not alive, and where it is alive."""
    # A run that begins high is no spike.
    baseline = np.maximum(levels.baseline, levels.causal_baseline)
    alive = levels.finite & (baseline > LOG_ZERO) & (levels.log_max > LOG_ZERO)
    return np.where(alive, levels.log_max - baseline, np.float32(0)), alive


def _score(rise: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rise in median absolute deviations, of the trailing window or of the run if that is more.

    The first notes are judged by the noise of the run, since they say little of their own.
    """
    size = np.abs(rise)
    groups = np.sort(group_medians(size), axis=0)
    zeros = np.count_nonzero(groups == 0, axis=0)  # a layer that is dead has no noise
    middle = np.minimum((zeros + len(groups)) // 2, len(groups) - 1)
    scale = trailing_median(size)
    scale[:WINDOW] = 0
    np.maximum(scale, groups[middle, np.arange(rise.shape[1])], out=scale)
    known = (scale > 0) & (np.count_nonzero(rise, axis=0) >= WARM)
    return np.asarray(rise / np.where(known, scale, UNKNOWN_NOISE), np.float32)


def _tail_of(size: NDArray[np.float32]) -> float:
    near, far = np.quantile(size, [NEAR, FAR])
    return float(2 * np.log(far / near * NEAR_Z / FAR_Z) / (FAR_Z**2 - NEAR_Z**2))


def _threshold(tail: float, signals: int) -> float:
    """Score that healthy noise exceeds in a note of so many signals with the chance `CHANCE`."""
    z = NORMAL.inv_cdf(1 - CHANCE / signals)
    return max(DEVIATIONS, z / NEAR_Z * float(np.exp(tail * (z**2 - NEAR_Z**2) / 2)))
