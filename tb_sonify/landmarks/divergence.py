"""Divergence: a loss, or another scalar that is to be small, leaves its floor."""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tb_sonify.landmarks.landmark import Landmark

LEVEL = 5  # points whose median is the level
FLOOR = 100  # points before these whose median is the floor
FEWEST = 20  # of them
RISE = 0.5  # of the floor, above it
OVER_NOISE = 3.5  # standard deviations of a point
BACK = 0.25  # of the floor above it: less has returned
START = 100  # points that are compared with the first one
KNOWN = 12  # points, the fewest that tell their noise
UNKNOWN_RISE = np.log(3)  # above the first point, where the noise is not known
START_OVER_NOISE = 5.0  # standard deviations
_SPAN = FLOOR + LEVEL


class Departure(NamedTuple):
    """A scalar that leaves its floor.

    Attributes
    ----------
    row
        Of the point where the median of five is above, and not before.
    floor, level
        The median of the hundred before, and of the five.
    """

    row: int
    floor: float
    level: float


class DepartureDetector:
    """Finds where a scalar leaves its floor; streaming and causal.

    In the first 100 points, those that are clearly above the first one count, too.
    """

    def __init__(self) -> None:
        self._rows = 0
        self._first = np.nan
        self._values = np.full(_SPAN - 1, np.nan)  # the last ones
        self._above = False

    def add(self, values: NDArray[np.float64]) -> list[Departure]:
        """Departures in the next points, shape ``(points,)``; what is not finite is left out."""
        values = values[np.isfinite(values)]
        if not len(values):
            return []
        if not self._rows:
            self._first = float(values[0])
        start = self._rows
        levels, floors, above = self._judge(values)
        self._rows += len(values)
        found = []
        for place in range(len(values)):
            if above[place] and not self._above:
                found.append(Departure(start + place, float(floors[place]), float(levels[place])))
            self._above = bool(above[place])
        return found

    def _judge(
        self, values: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        values = np.concatenate([self._values, values])
        self._values = values[-(_SPAN - 1) :]
        windows = sliding_window_view(values, _SPAN)
        levels = _medians(windows[:, -LEVEL:])
        floors, noise = _level_and_noise(windows[:, :FLOOR])
        logs = np.full(windows.shape, np.nan)
        np.log(windows, out=logs, where=windows > 0)
        log_floors, log_noise = _level_and_noise(logs[:, :FLOOR])
        rows = self._rows + np.arange(len(windows))
        above = (rows >= FEWEST + LEVEL) & (levels > floors + RISE * np.abs(floors))
        above &= levels > floors + OVER_NOISE * noise
        # A loss of little more than 0 is noisy by factors.
        positive = (floors > 0) & ~np.isnan(log_floors)
        with np.errstate(invalid="ignore", divide="ignore"):
            above &= ~positive | (np.log(levels) > log_floors + OVER_NOISE * log_noise)
        for place in np.flatnonzero((rows < START) & ~above).tolist():
            if self._above_start(windows[place]):
                above[place] = True
                floors[place], levels[place] = self._first, windows[place, -3:].max()
        return levels, floors, above

    def _above_start(self, window: NDArray[np.float64]) -> bool:
        """Whether two of the last three of the points so far are clearly above the first one."""
        values = window[~np.isnan(window)]
        if len(values) < 3 or values.min() <= 0:
            return False
        least = UNKNOWN_RISE
        if len(values) >= KNOWN:
            changes = np.abs(np.diff(np.log(values[:-3])))
            noise = 1.4826 * np.median(changes) / np.sqrt(2)
            least = max(np.log(1 + RISE), START_OVER_NOISE * noise)
        return bool(np.count_nonzero(np.log(values[-3:] / self._first) > least) >= 2)


def find_divergences(
    tag: str, steps: NDArray[np.floating | np.integer], values: NDArray[np.float64]
) -> list[Landmark]:
    """Where a loss of which all is known leaves its floor, and whether it comes back.

    What the detector of a run that goes on finds, once each, and a rise too slow for that.

    Parameters
    ----------
    steps, values
        Of each point, shape ``(points,)``.

    Returns
    -------
    landmarks
        Their `note` is the number of the point.
    """
    finite = np.flatnonzero(np.isfinite(values))
    steps, values = steps[finite], values[finite]
    landmarks, over = [], 0
    for departure in DepartureDetector().add(values):
        if departure.row < over:
            continue
        back = _back(values, departure)
        end = values[departure.row : back]
        words = f"{tag} leaves its floor, {departure.floor:.3g} to {float(np.max(end)):.3g}"
        rest = "for good" if back is None else f"back at step {int(steps[back]):,}"
        row, over = departure.row, len(values) if back is None else back
        landmarks.append((row, f"{words}, {rest}"))
    slow = _slow_rise(values)
    if slow is not None and over < len(values):
        words = f"{tag} leaves its floor, {slow.floor:.3g} to {slow.level:.3g}"
        landmarks.append((slow.row, f"{words}, for good"))
    return [
        Landmark("divergence", int(steps[row]), int(finite[row]), None, sentence, tag)
        for row, sentence in landmarks
    ]


def _back(values: NDArray[np.float64], departure: Departure) -> int | None:
    """The point where a scalar is back near the floor that it left; `None`: it never is."""
    after = values[departure.row :]
    if len(after) < LEVEL:
        return None
    levels = _medians(sliding_window_view(after, LEVEL))
    near = levels <= departure.floor + BACK * abs(departure.floor)
    return departure.row + int(near.argmax()) + LEVEL // 2 if near.any() else None


def _slow_rise(values: NDArray[np.float64]) -> Departure | None:
    """A scalar whose end is above the lowest level that it has had, by as much as a departure."""
    count = len(values) // FLOOR
    if count < 3:
        return None
    blocks = values[len(values) - count * FLOOR :].reshape(count, FLOOR)
    levels, noise = _level_and_noise(blocks)
    lowest = int(levels.argmin())
    rise = np.maximum(RISE * abs(levels[lowest]), OVER_NOISE * noise)
    above = levels > levels[lowest] + rise
    if lowest > count - 3 or not above[-2:].all():
        return None
    row = len(values) - count * FLOOR + _last_run(above) * FLOOR
    return Departure(row, float(levels[lowest]), float(levels[-1]))


def _last_run(mask: NDArray[np.bool_]) -> int:
    """Where the true entries at the end begin."""
    others = np.flatnonzero(~mask)
    return int(others[-1]) + 1 if len(others) else 0


def _medians(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    middle = windows.shape[1] // 2
    ordered = np.sort(windows, axis=1)  # NaN last
    counts = np.count_nonzero(~np.isnan(windows), axis=1)
    return np.asarray(ordered[np.arange(len(windows)), np.minimum(counts // 2, middle)])


def _level_and_noise(
    windows: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    levels = _medians(windows)
    return levels, 1.4826 * _medians(np.abs(windows - levels[:, None]))
