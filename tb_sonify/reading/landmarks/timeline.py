"""The landmarks of a timeline."""

from itertools import pairwise

from tb_sonify.reading.landmarks.landmark import Landmark
from tb_sonify.reading.landmarks.search import find_landmarks
from tb_sonify.reading.timeline import Timeline


def landmarks_of(timeline: Timeline) -> tuple[Landmark, ...]:
    """What there is to jump to in a run, in order of step; nothing where no norms were logged."""
    if not timeline.notes:
        return ()
    segments = [each.segment for each in timeline.segments]
    restarts = [
        int(segment.steps[0])
        for before, segment in pairwise(segments)
        if segment.session != before.session
    ]
    notes = timeline.table(0, timeline.notes)
    return tuple(
        find_landmarks(notes, steps=timeline.steps, layers=timeline.layers, restarts=restarts)
    )
