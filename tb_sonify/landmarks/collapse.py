"""Collapse: layers whose gradient falls to zero, or near it, for good."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tb_sonify.landmarks.landmark import Finding, all_or_several, times
from tb_sonify.landmarks.levels import LOG_ZERO, Levels, group_starts, sustained

FALL = np.float32(np.log(1e4))  # beyond any decay of training that goes on
LOW = np.float32(np.log(1e3))  # and no nearer than this afterwards
STAYS = 0.98  # share of the later notes: a dead ReLU may fire once in a while
LEAST = 5  # notes
TOGETHER = 10  # notes within which layers that collapse are one landmark


class Collapse(NamedTuple):
    """A collapse, and whether it is one to exactly zero."""

    finding: Finding
    to_zero: bool


class FallenLayer(NamedTuple):
    """A layer that has fallen for good: the log norms before it, and from there on."""

    session: int
    onset: int
    layer: int
    before: float
    final: float


def far_below(levels: Levels) -> NDArray[np.bool_]:
    """Where a norm is 1e4 times below its causal baseline, or zero; shape ``(notes, layers)``."""
    down = levels.log_max <= levels.causal_baseline - FALL
    return np.asarray(down & (levels.causal_baseline > LOG_ZERO) & levels.finite)


def find_fallen(
    levels: Levels, sessions: Sequence[slice], *, first_layer: int
) -> list[FallenLayer]:
    """Layers that stay at zero, or 1e4 times below the usual, until the end of the session.

    A session ends where a later one takes over: who restarts a run gives up what had collapsed.

    Parameters
    ----------
    levels
        Of all notes of some layers.
    sessions
        Notes of each session.
    first_layer
        Number of the first of the layers in the run.
    """
    found = []
    for number, session in enumerate(sessions):
        part = levels[session]
        onsets = np.minimum(_zero_onsets(part), _fall_onsets(part))
        for layer in np.flatnonzero(onsets < len(part.log_max)).tolist():
            onset = int(onsets[layer])
            final = float(np.median(part.log_max[onset:, layer]))
            before = float(part.causal_baseline[onset, layer])
            found.append(
                FallenLayer(number, session.start + onset, first_layer + layer, before, final)
            )
    return found


def find_collapses(fallen: Sequence[FallenLayer], layers: Sequence[str]) -> list[Collapse]:
    """The collapses of layers that have fallen; those within `TOGETHER` notes are one."""
    groups: list[list[FallenLayer]] = []
    last = None
    for each in sorted(fallen):
        if last and each.session == last.session and each.onset - last.onset <= TOGETHER:
            groups[-1].append(each)
        else:
            groups.append([each])
        last = each
    return [_collapse(group, layers) for group in groups]


def _zero_onsets(levels: Levels) -> NDArray[np.intp]:
    """First note from which a layer is exactly zero for good; the number of notes if none."""
    top, live = levels.log_max, levels.finite
    zero = (top == LOG_ZERO) & live
    onsets = np.full(top.shape[1], len(top))
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


def _fall_onsets(levels: Levels) -> NDArray[np.intp]:
    """First note from which a layer is far below the usual for good; as `_zero_onsets`."""
    top, live, before = levels.log_max, levels.finite, levels.causal_baseline
    falling = sustained(far_below(levels), LEAST, 0.8)
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


def _collapse(group: Sequence[FallenLayer], layers: Sequence[str]) -> Collapse:
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
