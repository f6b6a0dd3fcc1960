"""Explosion: growth that is kept up, or that ends in NaN, infinity or collapse."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from tb_sonify.landmarks.collapse import far_below
from tb_sonify.landmarks.landmark import Finding, times
from tb_sonify.landmarks.levels import (
    LOG_ZERO,
    WINDOW,
    ChunkedLevels,
    Levels,
    group_starts,
    sustained,
)

GROWTH = np.float32(np.log(1e3))  # over the usual norm of the layer; see `find_exploding`
ORDINARY = np.float32(np.log(10))  # over the usual norm of the largest layer
KEPT_UP = 5  # notes
FATAL_GROWTH = np.float32(np.log(20))  # enough where the run dies of it
RUN_UP = 10  # notes in which it does: the explosions of 2019 took about 12 steps to the end
ONSET = np.float32(np.log(4))  # growth begins where the norm was last within this factor


def find_exploding(levels: Levels, nonfinite: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Notes where some layer grows by 1e3 over its trailing median and stays there, or dies of it.

    A layer that wakes up from a norm far below that of others does not explode: it must also
    exceed ten times the usual norm of the largest layer. In the five settings of 2019, healthy
    norms reach 11, spikes included, from around 1; explosions reach 8e2 to 9e15.

    Parameters
    ----------
    nonfinite
        Where a note has a NaN or an infinity, shape ``(notes,)``.
    """
    hot = growth(levels) >= GROWTH
    layers = np.flatnonzero(hot.any(axis=0))
    hot, dead = hot[:, layers], (far_below(levels) | nonfinite[:, None])[:, layers]
    return np.asarray(np.any(hot & sustained(hot | dead, KEPT_UP, 0.8), axis=1))


def find_explosions(
    run: ChunkedLevels, exploding: NDArray[np.bool_], fatal: Iterable[int], layers: Sequence[str]
) -> list[Finding]:
    """Growth by 1e3 over the trailing median that is kept up, or by 20 that a run dies of.

    Parameters
    ----------
    exploding
        From `find_exploding`, of all notes.
    fatal
        Notes where NaN, infinity or a collapse begins.
    """
    exploding = exploding.copy()
    for note in sorted(fatal):
        first = max(note - RUN_UP, 0)
        grown = growth(run.between(first, note + 1)) >= FATAL_GROWTH
        lasting = np.count_nonzero(grown, axis=0) >= 2  # a single note would be a spike
        if 4 * np.count_nonzero(lasting) >= len(layers):
            exploding[first : note + 1] |= grown[:, lasting].any(axis=1)
    return [_explosion(run, note, layers) for note in group_starts(exploding, gap=WINDOW).tolist()]


def _explosion(run: ChunkedLevels, note: int, layers: Sequence[str]) -> Finding:
    """The explosion that reaches its threshold at a note."""
    first = max(note - RUN_UP, 0)
    levels = run.between(first, min(note + WINDOW, run.notes))
    peak = growth(levels)[note - first :]
    worst = int(peak.max(axis=0).argmax())
    rise = (levels.log_max - levels.causal_baseline)[: note + 1 - first, worst]
    calm = np.flatnonzero(rise < ONSET)
    onset = first + int(calm[-1]) + 1 if len(calm) else note
    factor = times(float(peak[:, worst].max()))
    sentence = f"explosion, {factor} the usual norm in {layers[worst]}"
    return Finding("explosion", onset, layers[worst], sentence)


def growth(levels: Levels) -> NDArray[np.float32]:
    """Log of norm over causal baseline, 0 where the norm is ordinary for the run."""
    rise = levels.log_max - levels.causal_baseline
    ordinary = levels.causal_baseline.max(axis=1, keepdims=True) + ORDINARY
    risen = levels.finite & (levels.causal_baseline > LOG_ZERO) & (levels.log_max >= ordinary)
    return np.where(risen, rise, np.float32(0))
