"""The landmarks of a timeline."""

from dataclasses import dataclass
from itertools import pairwise

from tb_sonify.reading.landmarks.landmark import Landmark
from tb_sonify.reading.landmarks.search import find_landmarks
from tb_sonify.reading.timeline import Timeline
from tb_sonify.sound import Notes


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
    return tuple(
        find_landmarks(
            _Stored(timeline), steps=timeline.steps, layers=timeline.layers, restarts=restarts
        )
    )


@dataclass(frozen=True)
class _Stored:
    """The notes of a timeline as a table of which a part is made when it is asked for."""

    timeline: Timeline

    def __len__(self) -> int:
        return self.timeline.notes

    @property
    def layers(self) -> int:
        return len(self.timeline.layers)

    def __getitem__(self, part: tuple[slice, slice]) -> Notes:
        start, stop, _ = part[0].indices(len(self))
        return self.timeline.table(start, stop - start, part[1])
