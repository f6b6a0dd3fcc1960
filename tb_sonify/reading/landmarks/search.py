"""All detectors over the notes of a run, and which finding gives way to which."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tb_sonify.reading.landmarks.collapses import find_collapses
from tb_sonify.reading.landmarks.depth import find_vanishing
from tb_sonify.reading.landmarks.explosions import find_explosions
from tb_sonify.reading.landmarks.landmark import KINDS, Finding, Landmark
from tb_sonify.reading.landmarks.levels import BLOCK, WINDOW, Levels
from tb_sonify.reading.landmarks.nonfinite import find_nonfinite
from tb_sonify.reading.landmarks.plateaus import find_plateaus
from tb_sonify.reading.landmarks.spikes import find_spikes
from tb_sonify.sound import Notes

BEFORE = 10  # notes: a rise so shortly before an explosion or an escape belongs to it
HIGH = np.log(100)  # in the settings of 2019, healthy norms reach 11, exploded ones at least 8e2


def find_landmarks(
    notes: Notes,
    *,
    steps: NDArray[np.int64],
    layers: Sequence[str],
    restarts: Sequence[int] = (),
) -> list[Landmark]:
    """What there is to jump to in a run; none in a calm and healthy one.

    Parameters
    ----------
    notes
        Of the whole run.
    steps
        First step of each note and, at the end, the last step, shape ``(notes + 1,)``.
    layers
        Names in order of depth.
    restarts
        Steps at which a later session took over.

    Returns
    -------
    landmarks
        In order of step, then the most severe first.
    """
    _check(notes, steps, layers)
    if not len(notes):
        return []
    resumed = sorted({_note_at(step, steps) for step in restarts})
    findings = [
        Finding("restart", note, None, "restart, a later session took over") for note in resumed
    ]
    if layers:
        findings += _findings(notes, steps, layers, resumed)
    landmarks = [
        Landmark(found.kind, int(steps[found.note]), found.note, found.layer, found.sentence)
        for found in findings
    ]
    return sorted(landmarks, key=lambda landmark: (landmark.note, KINDS.index(landmark.kind)))


def _findings(
    notes: Notes, steps: NDArray[np.int64], layers: Sequence[str], resumed: Sequence[int]
) -> list[Finding]:
    levels = Levels.of(notes)
    nonfinite = [
        *find_nonfinite("nan", notes.nan, layers),
        *find_nonfinite("inf", notes.inf, layers),
    ]
    bounds = sorted({0, *resumed, len(notes)})
    sessions = [slice(start, stop) for start, stop in pairwise(bounds)]
    vanishing = find_vanishing(levels, layers)
    # Where the gradient begins to vanish with depth, the early layers fall far, but do not die.
    collapses = [
        collapse.finding
        for collapse in find_collapses(levels, layers, sessions)
        if collapse.to_zero or not _within(collapse.finding, _spans(vanishing, before=BEFORE))
    ]
    explosions = find_explosions(
        levels,
        np.any((notes.nan > 0) | (notes.inf > 0), axis=1),
        [found.note for found in (*nonfinite, *collapses)],
        layers,
    )
    explosions, plateaus = _told_apart(explosions, find_plateaus(levels, steps), levels)
    escapes = [escape for _, escape in plateaus]
    rises = _spans([*explosions, *escapes], before=BEFORE)
    falls = _spans(collapses, before=0)
    spikes = [
        spike for spike in find_spikes(levels, layers) if not _within(spike, [*rises, *falls])
    ]
    pairs = [finding for pair in plateaus for finding in pair]
    return [*nonfinite, *collapses, *explosions, *pairs, *spikes, *vanishing]


def _told_apart(
    explosions: list[Finding], plateaus: list[tuple[Finding, Finding]], levels: Levels
) -> tuple[list[Finding], list[tuple[Finding, Finding]]]:
    """Explosions and escapes without those that are the other: an escape reaches ordinary norms."""
    kept_explosions, kept_plateaus = list(explosions), []
    for plateau, escape in plateaus:
        near = [explosion for explosion in explosions if abs(explosion.note - escape.note) < WINDOW]
        if near and levels.middle[escape.note : escape.note + WINDOW].max() > HIGH:
            continue
        kept_plateaus.append((plateau, escape))
        kept_explosions = [explosion for explosion in kept_explosions if explosion not in near]
    return kept_explosions, kept_plateaus


def _spans(findings: Sequence[Finding], *, before: int) -> list[range]:
    """Notes around lasting changes, in which the trailing median is that of another time."""
    return [range(found.note - before, found.note + WINDOW + BLOCK) for found in findings]


def _within(finding: Finding, spans: Sequence[range]) -> bool:
    return any(finding.note in span for span in spans)


def _check(notes: Notes, steps: NDArray[np.int64], layers: Sequence[str]) -> None:
    if len(notes) and len(steps) != len(notes) + 1:
        raise ValueError(
            f"steps must be one more than notes, got {len(steps)} for {len(notes)} notes"
        )
    if len(layers) != notes.layers:
        raise ValueError(f"notes of {notes.layers} layers need as many names, got {len(layers)}")


def _note_at(step: int, steps: NDArray[np.int64]) -> int:
    """The note that covers a step, or the nearest."""
    note = int(np.searchsorted(steps[:-1], step, side="right")) - 1
    return min(max(note, 0), len(steps) - 2)
