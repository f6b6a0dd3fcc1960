"""Vanishing: a gradient that declines from the last layer to the first."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tb_sonify.landmarks.landmark import Finding, times
from tb_sonify.landmarks.levels import GROUP, LOG_ZERO, ChunkedLevels

LAYERS = 4  # fewer show no decline
DECLINE = np.log(1e4)  # from late to early layers; a factor of 0.5 per layer makes it in 14 layers
THROUGHOUT = 0.8  # correlation of log norm and depth: one small layer is no decline


def find_vanishing(
    run: ChunkedLevels, groups: NDArray[np.float32], layers: Sequence[str]
) -> list[Finding]:
    """The first stretch where early layers have less than 1e-4 of the norm of late ones.

    Early and late are the first and the last quarter of the layers that are not zero, of which
    there must be 4. Their medians over 9 notes count, twice in a row. Reported once.

    Parameters
    ----------
    groups
        The `group_medians` of the log median norms of all notes.
    """
    onset = _first_group(groups)
    if onset is None:
        return []
    note = _first_note(run, onset)
    alive = np.flatnonzero(groups[onset] > LOG_ZERO)
    early, late = layers[alive[0]], layers[alive[-1]]
    decline = times(float(groups[onset, alive[-1]] - groups[onset, alive[0]]))
    sentence = f"gradient vanishing with depth, {decline} smaller in {early} than in {late}"
    return [Finding("vanishing", note, early, sentence)]


def _first_group(groups: NDArray[np.float32]) -> int | None:
    """The first of two consecutive groups of notes, or the only one, with a decline."""
    lowest = np.where(groups > LOG_ZERO, groups, np.inf).min(axis=1)
    previous = None
    for group in np.flatnonzero(groups.max(axis=1) - lowest >= DECLINE):
        if not _declines(groups[group]):
            continue
        if previous == group - 1 or len(groups) == 1:
            return int(previous if previous is not None else group)
        previous = group
    return None


def _declines(norms: NDArray[np.float32]) -> bool:
    """Whether the log norms of one group, in order of depth, decline towards the first layer."""
    if _decline(norms) < DECLINE:
        return False
    alive = norms[norms > LOG_ZERO].astype(np.float64)
    return bool(np.corrcoef(alive, np.arange(len(alive)))[0, 1] >= THROUGHOUT)


def _decline(norms: NDArray[np.float32]) -> float:
    alive = norms[norms > LOG_ZERO]
    quarter = len(alive) // LAYERS
    return float(np.median(alive[-quarter:]) - np.median(alive[:quarter])) if quarter else 0.0


def _first_note(run: ChunkedLevels, group: int) -> int:
    """The note from which on the notes of a group have the decline; it may be in the one before."""
    first = max((group - 1) * GROUP, 0)
    last = min(group * GROUP + GROUP // 2, run.notes)
    middle = run.between(first, last).log_median
    calm = [note for note, norms in enumerate(middle, first) if _decline(norms) < DECLINE]
    return min(calm[-1] + 1, run.notes - 1) if calm else first
