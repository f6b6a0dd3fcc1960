"""One scalar of all runs at once: how far each got, where it stands, and where it broke."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb_sonify.reading.curve import series_of
from tb_sonify.reading.store import Scope, Store


@dataclass(frozen=True)
class Summaries:
    """Each array has shape ``(runs,)``, in the order of `runs`.

    Attributes
    ----------
    runs
        The names of those that have points, sorted.
    last_steps, last_values, last_times
        Of the last point; times in seconds since the epoch.
    first_broken, broken_values
        The step of the first value that is NaN or infinite, and that value; NaN where none is.
    points, finite
        How many points there are, and how many of them are finite.
    ended
        1 where the writer was closed and nothing was written since; 0 where nobody can tell.
    """

    runs: tuple[str, ...]
    last_steps: NDArray[np.float64]
    last_values: NDArray[np.float64]
    last_times: NDArray[np.float64]
    first_broken: NDArray[np.float64]
    broken_values: NDArray[np.float64]
    points: NDArray[np.uint32]
    finite: NDArray[np.uint32]
    ended: NDArray[np.uint32]


def read_summaries(store: Store, scope: Scope, tag: str) -> Summaries:
    """Where all runs stand in a scalar; runs without it are left out."""
    found = store.points_of_all(scope, tag)
    series = {run: series_of(points) for run, points in sorted(found.items()) if len(points)}
    finite = [np.isfinite(each.values) for each in series.values()]
    lasts = [(each.steps[-1], each.values[-1], each.wall_times[-1]) for each in series.values()]
    broken = [
        (np.nan, np.nan) if good.all() else (each.steps[good.argmin()], each.values[good.argmin()])
        for each, good in zip(series.values(), finite, strict=True)
    ]
    ends = store.ends(scope)
    steps, values, times = np.array(lasts, np.float64).reshape(-1, 3).T
    first_broken, broken_values = np.array(broken, np.float64).reshape(-1, 2).T
    return Summaries(
        runs=tuple(series),
        last_steps=steps,
        last_values=values,
        last_times=times,
        first_broken=first_broken,
        broken_values=broken_values,
        points=np.array([len(good) for good in finite], np.uint32),
        finite=np.array([good.sum() for good in finite], np.uint32),
        ended=np.array([ends.get(run, -np.inf) for run in series] >= times, np.uint32),
    )
