"""Explosion: growth that is kept up, or that ends in NaN, infinity or collapse."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tb_sonify.reading.landmarks.collapses import fallen
from tb_sonify.reading.landmarks.landmark import Finding, times
from tb_sonify.reading.landmarks.levels import WINDOW, ZERO, Levels, starts, sustained

GROWTH = np.float32(np.log(1e3))  # over the usual norm of the layer; see `find_explosions`
ORDINARY = np.float32(np.log(10))  # over the usual norm of the largest layer
KEPT_UP = 5  # notes
FATAL_GROWTH = np.float32(np.log(20))  # enough where the run dies of it
RUN_UP = 10  # notes in which it does: the explosions of 2019 took about 12 steps to the end
ONSET = np.float32(np.log(4))  # growth begins where the norm was last within this factor


def find_explosions(
    levels: Levels,
    nonfinite: NDArray[np.bool_],
    fatal: Sequence[int],
    layers: Sequence[str],
) -> list[Finding]:
    """Growth by 1e3 over the trailing median that is kept up, or by 20 that a run dies of.

    A layer that wakes up from a norm far below that of others does not explode: it must also
    exceed ten times the usual norm of the largest layer. In the five settings of 2019, healthy
    norms reach 11, spikes included, from around 1; explosions reach 8e2 to 9e15.

    Parameters
    ----------
    nonfinite
        Where a note has a NaN or an infinity, shape ``(notes,)``.
    fatal
        Notes where NaN, infinity or a collapse begins.
    """
    rise = growth(levels)
    exploding = _kept_up(rise >= GROWTH, fallen(levels) | nonfinite[:, None])
    for note in fatal:
        run_up = slice(max(note - RUN_UP, 0), note + 1)
        grown = rise[run_up] >= FATAL_GROWTH
        lasting = np.count_nonzero(grown, axis=0) >= 2  # a single note would be a spike
        if 4 * np.count_nonzero(lasting) >= len(layers):
            exploding[run_up] |= grown[:, lasting].any(axis=1)
    findings = []
    for note in starts(exploding, gap=WINDOW):
        peak = rise[note : note + WINDOW]
        worst = int(peak.max(axis=0).argmax())
        onset = _onset(levels.top[:, worst] - levels.before[:, worst], int(note))
        factor = times(float(peak[:, worst].max()))
        sentence = f"explosion, {factor} the usual norm in {layers[worst]}"
        findings.append(Finding("explosion", onset, layers[worst], sentence))
    return findings


def _kept_up(hot: NDArray[np.bool_], dead: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Notes where some layer is hot, and in the notes that follow is so still, or dead."""
    layers = np.flatnonzero(hot.any(axis=0))
    hot, dead = hot[:, layers], dead[:, layers]
    return np.any(hot & sustained(hot | dead, KEPT_UP, 0.8), axis=1)


def growth(levels: Levels) -> NDArray[np.float32]:
    """Log of how many times a norm is the usual, 0 where it is ordinary for the run."""
    rise = levels.top - levels.before
    ordinary = levels.before.max(axis=1, keepdims=True) + ORDINARY
    risen = levels.live & (levels.before > ZERO) & (levels.top >= ordinary)
    return np.where(risen, rise, np.float32(0))


def _onset(rise: NDArray[np.float32], note: int) -> int:
    """First note of the growth that reaches its threshold at `note`."""
    first = max(note - RUN_UP, 0)
    calm = np.flatnonzero(rise[first : note + 1] < ONSET)
    return first + int(calm[-1]) + 1 if len(calm) else note
