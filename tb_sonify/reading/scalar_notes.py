"""A scalar as notes: on the notes of its run's norms, or on its own points."""

import numpy as np
from numpy.typing import NDArray

from tb_sonify.contract import NOTES_PER_SEGMENT
from tb_sonify.reading.curve import Series
from tb_sonify.reading.hearable import Hearable
from tb_sonify.reading.regroup import regrouped
from tb_sonify.reading.view import View
from tb_sonify.sound import Notes, Scale, aggregate


def scalar_view(
    tag: str, series: Series, norms: Hearable, scale: Scale, *, points_kept: int
) -> View:
    """A scalar as the norms, on a scale, of one layer of its name.

    It lies on the notes of the run's `norms`: each stands for the points from its first step up
    to the next note's, and one without points for the last point before. In a run without norms,
    every point is a note.
    """
    points = aggregate(scale(series.values)[:, None], rows_per_note=1)
    if not norms.notes:
        count = len(series.steps)
        return View(
            layers=(tag,),
            heard=points,
            steps=_with_end(series.steps),
            times=_with_end(series.wall_times),
            settled=count // NOTES_PER_SEGMENT * NOTES_PER_SEGMENT,
            rows_per_note=(1, 1),
            missing=(),
            sampled=series.sampled(points_kept),
            scale=scale,
            own_presets=(),
        )
    return View(
        layers=(tag,),
        heard=_held(points, *points_of_notes(series, norms)),
        steps=norms.steps,
        times=norms.times,
        settled=norms.settled,
        rows_per_note=norms.rows_per_note,
        missing=norms.missing,
        sampled=series.sampled(points_kept),
        scale=scale,
        own_presets=norms.own_presets,
    )


def points_of_notes(series: Series, norms: Hearable) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First point of each note, and the one after its last; the last note has all that follow."""
    starts = np.searchsorted(series.steps, norms.steps[:-1])
    return starts, np.append(starts[1:], len(series.steps))


def _held(points: Notes, starts: NDArray[np.intp], stops: NDArray[np.intp]) -> Notes:
    # Before the first point, a start of -1 would be the last point; an empty group is silent.
    held = np.where(starts < stops, starts, np.maximum(stops - 1, 0))
    return regrouped(points, held, stops)


def _with_end(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.append(values, values[-1:])
