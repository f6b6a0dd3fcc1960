"""Runs all detectors over the notes of a run, and drops findings that explain each other."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tb_sonify.landmarks.collapse import FallenLayer, find_collapses, find_fallen
from tb_sonify.landmarks.explosion import find_exploding, find_explosions
from tb_sonify.landmarks.landmark import KINDS, Finding, Landmark
from tb_sonify.landmarks.levels import (
    GROUP,
    WINDOW,
    ChunkedLevels,
    NoteTable,
    group_medians,
)
from tb_sonify.landmarks.monitor import TableMonitor
from tb_sonify.landmarks.nonfinite import find_nonfinite, locate_nonfinite
from tb_sonify.landmarks.plateau import find_plateaus, median_layer
from tb_sonify.landmarks.spike import Scores, find_spikes, upper_quarter
from tb_sonify.landmarks.vanishing import find_vanishing
from tb_sonify.schema.notes import chunks_of
from tb_sonify.schema.quantities import GRADIENT

BEFORE = 10  # notes: a rise so shortly before an explosion or an escape belongs to it
HIGH = np.log(100)  # in the settings of 2019, healthy norms reach 11, exploded ones at least 8e2


def find_landmarks(
    notes: NoteTable,
    *,
    steps: NDArray[np.int64],
    layers: Sequence[str],
    restarts: Sequence[int] = (),
    quantity: str = GRADIENT,
) -> list[Landmark]:
    """The landmarks of a quantity of a run; none in a calm and healthy one.

    Of a gradient, all kinds; of others, what the causal detectors find, NaN and infinity.

    Parameters
    ----------
    notes
        Of the whole run; a few of them are taken at a time.
    steps
        First step of each note and, at the end, the last step, shape ``(notes + 1,)``.
    layers
        Names in order of depth.
    restarts
        Steps at which a later session took over; told of a gradient.

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
        if quantity == GRADIENT:
            findings += _findings(notes, steps, layers, resumed)
        else:
            others = find_nonfinite(notes, locate_nonfinite(notes), layers)
            findings += [replace(each, sentence=f"{quantity}: {each.sentence}") for each in others]
        causal = _causal_findings(notes, layers, resumed, quantity)
        findings += without_explained(causal, findings)
    landmarks = [
        Landmark(
            found.kind, int(steps[found.note]), found.note, found.layer, found.sentence, quantity
        )
        for found in findings
    ]
    return sorted(landmarks, key=lambda landmark: (landmark.note, KINDS.index(landmark.kind)))


def _causal_findings(
    notes: NoteTable, layers: Sequence[str], resumed: Sequence[int], quantity: str
) -> list[Finding]:
    """What the causal detectors find, which read notes of several rows by their maxima."""
    found = []
    for start, stop in pairwise(sorted({0, *resumed, len(notes)})):
        monitor = TableMonitor(quantity)
        for part in chunks_of(stop - start, len(layers)):
            table = notes[start + part.start : start + part.stop, :].max
            found += [replace(each, note=start + each.note) for each in monitor.add(table, layers)]
    return found


def without_explained(causal: Sequence[Finding], others: Sequence[Finding]) -> list[Finding]:
    """Causal findings but those around another one, which says more of the same."""
    spans = [
        range(found.note - BEFORE, found.note + _LASTS[found.kind])
        for found in others
        if found.kind in _LASTS
    ]
    return [found for found in causal if not _within(found, spans)]


# Notes for which a finding explains what the causal detectors find after it, too.
_LASTS = {"nan": 160, "inf": 160, "explosion": 160, "collapse": 160, "escape": 160, "spike": 32}


def _findings(
    notes: NoteTable, steps: NDArray[np.int64], layers: Sequence[str], resumed: Sequence[int]
) -> list[Finding]:
    nonfinite_at = locate_nonfinite(notes)
    nonfinite = find_nonfinite(notes, nonfinite_at, layers)
    broken = nonfinite_at["nan"] | nonfinite_at["inf"]
    sessions = [slice(*bounds) for bounds in pairwise(sorted({0, *resumed, len(notes)}))]
    run = ChunkedLevels(notes)
    fallen: list[FallenLayer] = []
    scores = Scores(len(notes), len(layers))
    for some_layers, levels in run.by_layers():
        fallen += find_fallen(levels, sessions, first_layer=some_layers.start)
        scores.add(levels, some_layers)
    del levels  # frees the memory of a chunk
    exploding = np.empty(len(notes), np.bool_)
    median, quarter = np.empty((2, len(notes)), np.float32)
    groups = []
    for part, ahead in run.by_notes():
        count = part.stop - part.start
        levels = ahead[:count]
        exploding[part] = find_exploding(ahead, broken[part.start :][: len(ahead.finite)])[:count]
        median[part], quarter[part] = median_layer(levels), upper_quarter(levels)
        groups.append(group_medians(levels.log_median))
    del levels, ahead

    vanished = find_vanishing(run, np.concatenate(groups), layers)
    # Where the gradient begins to vanish with depth, the early layers fall far, but do not die.
    collapsed = [
        collapse.finding
        for collapse in find_collapses(fallen, layers)
        if collapse.to_zero or not _within(collapse.finding, _spans(vanished, before=BEFORE))
    ]
    fatal = {found.note for found in (*nonfinite, *collapsed)}
    exploded, pairs = _without_duplicates(
        find_explosions(run, exploding, fatal, layers), find_plateaus(median, steps), run
    )
    rises = _spans([*exploded, *(escape for _, escape in pairs)], before=BEFORE)
    falls = _spans(collapsed, before=0)
    spiked = [
        spike
        for spike in find_spikes(run, scores, quarter, layers)
        if not _within(spike, [*rises, *falls])
    ]
    escaped = [finding for pair in pairs for finding in pair]
    return [*nonfinite, *collapsed, *exploded, *escaped, *spiked, *vanished]


def _without_duplicates(
    explosions: list[Finding], plateaus: list[tuple[Finding, Finding]], run: ChunkedLevels
) -> tuple[list[Finding], list[tuple[Finding, Finding]]]:
    """Explosions and escapes, each rise as one of them: an escape reaches ordinary norms."""
    kept_explosions, kept_plateaus = list(explosions), []
    for plateau, escape in plateaus:
        near = [explosion for explosion in explosions if abs(explosion.note - escape.note) < WINDOW]
        stop = min(escape.note + WINDOW, run.notes)
        if near and run.between(escape.note, stop).log_median.max() > HIGH:
            continue
        kept_plateaus.append((plateau, escape))
        kept_explosions = [explosion for explosion in kept_explosions if explosion not in near]
    return kept_explosions, kept_plateaus


def _spans(findings: Sequence[Finding], *, before: int) -> list[range]:
    """Notes around lasting changes, whose baseline is that of before the change."""
    return [range(found.note - before, found.note + WINDOW + GROUP) for found in findings]


def _within(finding: Finding, spans: Sequence[range]) -> bool:
    return any(finding.note in span for span in spans)


def _check(notes: NoteTable, steps: NDArray[np.int64], layers: Sequence[str]) -> None:
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
