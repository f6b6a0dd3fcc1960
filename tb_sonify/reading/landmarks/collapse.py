"""Collapse: layers whose gradient falls to zero, or near it, for good."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tb_sonify.reading.landmarks.landmark import Finding, all_or_several, times
from tb_sonify.reading.landmarks.levels import LOG_ZERO, Levels, group_starts, sustained

FALL = np.float32(np.log(1e4))  # beyond any decay of training that goes on
LOW = np.float32(np.log(1e3))  # and no nearer than this afterwards
STAYS = 0.98  # share of the later notes: a dead ReLU may fire once in a while
LEAST = 5  # notes
TOGETHER = 10  # notes within which layers that collapse are one landmark


class Collapse(NamedTuple):
    """A collapse, and whether it is one to exactly zero."""

    finding: Finding
    to_zero: bool


class _Fallen(NamedTuple):
    """A layer that has fallen for good: the log norms before it, and from there on."""

    onset: int
    layer: int
    before: float
    final: float


def far_below(levels: Levels) -> NDArray[np.bool_]:
    """Where a norm is 1e4 times below its causal baseline, or zero; shape ``(notes, layers)``."""
    down = levels.log_max <= levels.causal_baseline - FALL
    return np.asarray(down & (levels.causal_baseline > LOG_ZERO) & levels.finite)


class Collapses:
    """Layers that stay at zero, or 1e4 times below the usual, until the end of the session.

    A session ends where a later one takes over: who restarts a run gives up what had collapsed.
    Layers that collapse within `TOGETHER` notes are one landmark.
    """

    def __init__(self, sessions: Sequence[slice]) -> None:
        self._sessions = sessions
        self._fallen: list[list[_Fallen]] = [[] for _ in sessions]

    def add_layers(self, levels: Levels, layers: slice) -> None:
        """Add all notes of some layers."""
        down = far_below(levels)
        for session, found in zip(self._sessions, self._fallen, strict=True):
            zero = _zero_onsets(levels.log_max[session], levels.finite[session])
            onsets = np.minimum(zero, _fall_onsets(levels, down, session)) + session.start
            for layer in np.flatnonzero(onsets < session.stop).tolist():
                onset = int(onsets[layer])
                final = float(np.median(levels.log_max[onset : session.stop, layer]))
                before = float(levels.causal_baseline[onset, layer])
                found.append(_Fallen(onset, layers.start + layer, before, final))

    def findings(self, layers: Sequence[str]) -> list[Collapse]:
        """All collapses, once all layers are added."""
        collapses = []
        for each in self._fallen:
            ordered = sorted(each)
            edges = [
                0,
                *(
                    at
                    for at, (one, other) in enumerate(pairwise(ordered), 1)
                    if other.onset - one.onset > TOGETHER
                ),
                len(ordered),
            ]
            collapses += [
                _collapse(ordered[start:stop], layers)
                for start, stop in pairwise(edges)
                if start < stop
            ]
        return collapses


def _zero_onsets(top: NDArray[np.float32], live: NDArray[np.bool_]) -> NDArray[np.intp]:
    """First note from which a layer is exactly zero for good; the number of notes if none."""
    zero = (top == LOG_ZERO) & live
    onsets = np.full(top.shape[1], len(top))
    if not len(top):
        return onsets
    ending = np.flatnonzero(zero[-LEAST:].any(axis=0))  # few, so that the rest costs nothing
    zero, live = zero[:, ending], live[:, ending]
    before = np.cumsum(zero, axis=0, dtype=np.int32) - zero
    after = before[-1] + zero[-1] - before
    remaining = np.cumsum(live[::-1], axis=0, dtype=np.int32)[::-1]
    # A layer that is zero every now and then will also be so at the end.
    good = (after >= STAYS * remaining) & (after >= LEAST + 3 * before)
    good &= sustained(zero, LEAST, 0.8)
    good[0] &= after[0] == remaining[0]
    found = good.any(axis=0)
    onsets[ending[found]] = good.argmax(axis=0)[found]
    return onsets


def _fall_onsets(levels: Levels, down: NDArray[np.bool_], session: slice) -> NDArray[np.intp]:
    """First note from which a layer is far below the usual for good; as `_zero_onsets`."""
    top, live, before = (
        levels.log_max[session],
        levels.finite[session],
        levels.causal_baseline[session],
    )
    falling = sustained(down[session], LEAST, 0.8)
    onsets = np.full(top.shape[1], len(top))
    for layer in np.flatnonzero(falling.any(axis=0)):
        # The first fall may have been healed, and the last be the one for good.
        for note in group_starts(falling[:, layer], gap=LEAST)[[0, -1]]:
            # A return to what was usual, or to where the run began, is the end of an explosion.
            usual = min(before[note, layer], np.median(top[: note + 1, layer]), top[0, layer])
            later = top[note:, layer][live[note:, layer]]
            if np.mean(later <= usual - LOW) >= STAYS and np.median(later) <= usual - FALL:
                onsets[layer] = note
                break
    return onsets


def _collapse(group: Sequence[_Fallen], layers: Sequence[str]) -> Collapse:
    """The collapse of a group of layers, told by those that are exactly zero if there are any."""
    first = group[0]
    zero = [layers[each.layer] for each in group if each.final == LOG_ZERO]
    named = zero or [layers[each.layer] for each in group]
    if not zero:
        how = f"collapse by {times(first.before - first.final)}"
    else:
        how = "collapse to zero" if first.onset else "zero from the start"
    sentence = f"{how} in {all_or_several(named, layers)}"
    return Collapse(Finding("collapse", first.onset, named[0], sentence), bool(zero))
