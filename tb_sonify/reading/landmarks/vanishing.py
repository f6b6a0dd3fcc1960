"""Vanishing: a gradient that declines from the last layer to the first."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tb_sonify.reading.landmarks.landmark import Finding, times
from tb_sonify.reading.landmarks.levels import BLOCK, ZERO, ChunkedLevels, Levels, block_medians

LAYERS = 4  # fewer show no decline


DECLINE = np.log(1e4)  # from late to early layers; a factor of 0.5 per layer makes it in 14 layers


THROUGHOUT = 0.8  # correlation of log norm and depth: one small layer is no decline


class Vanishing:
    """The first stretch where early layers have less than 1e-4 of the norm of late ones.

    Early and late are the first and the last quarter of the layers that are not zero, of which
    there must be 4. Their medians over 9 notes count, twice in a row. Reported once.
    """

    def __init__(self) -> None:
        self._blocks: list[NDArray[np.float32]] = []

    def see(self, levels: Levels, notes: slice) -> None:
        """All layers of some notes."""
        self._blocks.append(block_medians(levels.middle[: notes.stop - notes.start]))

    def found(self, ground: ChunkedLevels, layers: Sequence[str]) -> list[Finding]:
        """The one there is, once all notes have been seen."""
        blocks = np.concatenate(self._blocks)
        onset = _first_block(blocks)
        if onset is None:
            return []
        note = _first_note(ground, onset)
        alive = np.flatnonzero(blocks[onset] > ZERO)
        early, late = layers[alive[0]], layers[alive[-1]]
        decline = times(float(blocks[onset, alive[-1]] - blocks[onset, alive[0]]))
        sentence = f"gradient vanishing with depth, {decline} smaller in {early} than in {late}"
        return [Finding("vanishing", note, early, sentence)]


def _first_block(blocks: NDArray[np.float32]) -> int | None:
    """The first of two consecutive blocks of notes, or the only one, with a decline."""
    lowest = np.where(blocks > ZERO, blocks, np.inf).min(axis=1)
    previous = None
    for block in np.flatnonzero(blocks.max(axis=1) - lowest >= DECLINE):
        if not _declines(blocks[block]):
            continue
        if previous == block - 1 or len(blocks) == 1:
            return int(previous if previous is not None else block)
        previous = block
    return None


def _declines(norms: NDArray[np.float32]) -> bool:
    """Whether the log norms of one block, in order of depth, decline towards the first layer."""
    if _decline(norms) < DECLINE:
        return False
    alive = norms[norms > ZERO].astype(np.float64)
    return bool(np.corrcoef(alive, np.arange(len(alive)))[0, 1] >= THROUGHOUT)


def _decline(norms: NDArray[np.float32]) -> float:
    alive = norms[norms > ZERO]
    quarter = len(alive) // LAYERS
    return float(np.median(alive[-quarter:]) - np.median(alive[:quarter])) if quarter else 0.0


def _first_note(ground: ChunkedLevels, block: int) -> int:
    """The note from which on the notes of a block have the decline; it may be in the one before."""
    first = max((block - 1) * BLOCK, 0)
    last = min(block * BLOCK + BLOCK // 2, ground.notes)
    middle = ground.between(first, last).middle
    calm = [note for note, norms in enumerate(middle, first) if _decline(norms) < DECLINE]
    return min(calm[-1] + 1, ground.notes - 1) if calm else first
