"""One scalar over steps, in as many points as can be drawn; extremes and gaps stay."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tb_sonify.reading import limits
from tb_sonify.reading.cache import digest
from tb_sonify.reading.store import Scope, Store
from tb_sonify.schema.scalar_names import alike_to_first, first_to_draw

_OTHER_STEPS = 5.0  # times as many: a scalar that counts epochs, beside one that counts steps


@dataclass(frozen=True)
class Series:
    """A scalar at increasing steps; each array has shape ``(points,)``."""

    steps: NDArray[np.float64]
    wall_times: NDArray[np.float64]
    values: NDArray[np.float64]

    @property
    def digest(self) -> bytes:
        """What stands for all of its points."""
        return digest(self.steps, self.wall_times, self.values)

    def sampled(self, points_kept: int) -> tuple[tuple[int, int], ...]:
        """First and last step of all, if TensorBoard, which keeps so many, may have dropped some.

        A limit of 0 keeps all.
        """
        if not 0 < points_kept <= len(self.steps):
            return ()
        return ((int(self.steps[0]), int(self.steps[-1])),)

    def between(self, low: float, high: float) -> "Series":
        """The points at steps from `low` to `high`, both included."""
        part = slice(np.searchsorted(self.steps, low), np.searchsorted(self.steps, high, "right"))
        return Series(self.steps[part], self.wall_times[part], self.values[part])


@dataclass(frozen=True)
class Curve:
    """A series in bins; each array has shape ``(bins,)``.

    Attributes
    ----------
    steps, wall_times
        Of the first point in each bin that has any.
    min, max
        Smallest and largest value in each bin; where a value is NaN or infinite, of those.
    """

    steps: NDArray[np.float64]
    wall_times: NDArray[np.float64]
    min: NDArray[np.float64]
    max: NDArray[np.float64]


def read_series(store: Store, scope: Scope, run: str, tag: str) -> Series | None:
    """A scalar of a run, as far as TensorBoard keeps its points; `None` if it has no such tag."""
    points = store.points(scope, run, tag)
    return None if points is None else series_of(points)


def read_first_scalar(store: Store, scope: Scope, run: str, tags: Sequence[str]) -> str | None:
    """The scalar of a run to begin with, of these tags; see `first_to_draw`.

    Of those that are alike by name, one that has not half as many points as another comes later.
    """
    alike = alike_to_first(tags)[: limits.MAX_COUNTED_SCALARS]
    if len(alike) < 2:
        return first_to_draw(tags)
    found = [store.points(scope, run, tag) for tag in alike]
    counts = [0 if points is None else len(points) for points in found]
    return next(tag for tag, count in zip(alike, counts, strict=True) if 2 * count >= max(counts))


def series_of(points: NDArray[np.float64]) -> Series:
    """The points that hold, of those that were written: step, wall time and value of each."""
    # TensorBoard's fast loader drops the others itself; the slow one leaves it to its callers.
    return Series(*points[not_overwritten(points[:, 0])].T)


def bin_series(series: Series, bins: int) -> Curve:
    """A series in at most so many bins of equal step width; every point alone if they suffice."""
    if len(series.steps) <= bins:
        return Curve(series.steps, series.wall_times, series.values, series.values)
    first, last = series.steps[0], series.steps[-1]
    bin_of_point = np.floor((series.steps - first) / (last - first) * bins).clip(max=bins - 1)
    starts = np.flatnonzero(np.diff(bin_of_point, prepend=-1))
    finite = np.isfinite(series.values)
    # In a bin with a NaN or an infinity, nothing else counts.
    broken = np.logical_or.reduceat(~finite, starts)
    passed_over = finite & np.repeat(broken, np.diff(starts, append=len(finite)))
    return Curve(
        series.steps[starts],
        series.wall_times[starts],
        np.minimum.reduceat(np.where(passed_over, np.inf, series.values), starts),
        np.maximum.reduceat(np.where(passed_over, -np.inf, series.values), starts),
    )


def on_steps_of(training: Series, other: Series) -> Series:
    """A scalar on the steps of a training loss, by the time, where it counts others, as epochs."""
    if not (len(training.steps) and len(other.steps)):
        return other
    last, last_of_other = training.steps[-1], other.steps[-1]
    if max(last, last_of_other) < _OTHER_STEPS * min(last, last_of_other):
        return other
    times = np.maximum.accumulate(training.wall_times)
    steps = np.floor(np.interp(other.wall_times, times, training.steps))
    return replace(other, steps=steps) if (np.diff(steps) > 0).all() else other


def not_overwritten(steps: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which points hold, in the order of writing: those that none later goes back to or before."""
    later = np.minimum.accumulate(np.append(steps[1:], np.inf)[::-1])[::-1]
    return np.asarray(steps < later)
