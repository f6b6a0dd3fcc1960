"""When the steps of a run were: wall times between the points where they are known."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LATEST = 8.64e12  # seconds since the epoch: a browser's calendar ends there


@dataclass(frozen=True, eq=False)
class Clock:
    """Wall times that are known, in seconds since the epoch, at increasing steps.

    Attributes
    ----------
    steps, times
        Of each point, shape ``(points,)``; neither ever goes back.
    """

    steps: NDArray[np.float64]
    times: NDArray[np.float64]

    @classmethod
    def of(cls, points: NDArray[np.float64]) -> "Clock":
        """The clock of points that were written at any time.

        Parameters
        ----------
        points
            Step and wall time of each, shape ``(points, 2)``. Where a run went back to an
            earlier step, time leaps there: what was written before tells when it got so far.
        """
        points = points[np.isfinite(points).all(axis=1)]
        steps, times = points[np.lexsort(points.T)].T
        kept = np.flatnonzero(holding(steps))
        # Of two that hold, with others between that do not, the second is where the run went on.
        here, there = kept[:-1], kept[1:]
        here, there = here[there > here + 1], there[there > here + 1]
        lasts = steps[there] - 1
        share = (lasts - steps[here]) / (steps[here + 1] - steps[here])
        reached = times[here] + share * (times[here + 1] - times[here])
        new = lasts > steps[here]
        steps = np.append(steps[kept], lasts[new])
        order = np.argsort(steps)
        return cls(steps[order], np.append(times[kept], reached[new])[order])

    def at(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """The wall time of each of some steps, from the first point on: linear between points.

        After the last point time goes on at the usual rate. Without points it stands at 0.
        """
        if not len(self.steps):
            return np.zeros(len(steps))
        times = np.interp(steps, self.steps, self.times)
        if len(self.steps) > 1:
            rate = np.median(np.diff(self.times) / np.diff(self.steps))
            times += rate * np.maximum(steps - self.steps[-1], 0)
        return np.asarray(times)


def moment(wall_time: float) -> float:
    """A wall time, or the epoch where a clock or a disk has made something else of it."""
    return wall_time if abs(wall_time) <= _LATEST else 0.0


def holding(steps: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which points hold, in the order of writing: those that none later goes back to or before."""
    later = np.minimum.accumulate(np.append(steps[1:], np.inf)[::-1])[::-1]
    return np.asarray(steps < later)
