"""Deviations: notes in which a norm is far above its own past, judged by the notes just before."""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tb_sonify.schema.notes import MEDIAN_CONTEXT, Notes, recent_median
from tb_sonify.sound.streams import middle_values

NOISE = 32  # residuals before a note, by whose median size its own is judged
DEVIATION_NOTES = MEDIAN_CONTEXT + NOISE  # before a note, by which its deviation is known

APART = 16  # notes: what comes again sooner does not chime again
CHIME_NOTES = DEVIATION_NOTES + APART  # before a note, by which its chimes are known

_KNOWN = 24  # residuals, the fewest that tell
_LEAST_SPREAD = 0.02  # natural log: a constant series has some, too


class Threshold(NamedTuple):
    """What a norm must exceed: its recent median by a factor, and by so many spreads."""

    factor: float
    spreads: float


# Measured: benchmarks/chimes.py, on the seeds for development.
LAYER = Threshold(factor=3.0, spreads=20.0)
TOTAL = Threshold(factor=4.0, spreads=6.0)  # of the norm of all layers
LEFT = Threshold(factor=1.5, spreads=2.0)  # of a layer beside its group, up or down, for good
_STAYS = 16  # notes between the medians that are compared
_HELD = 8  # notes of which each tells it: with those that a median needs, 16
_SETTLED = 150  # notes of a run in which layers find their places beside each other
_FEWEST = 3  # layers of a group: of fewer, none is hidden


class Cause(IntEnum):
    """Why a layer chimes."""

    NONE = 0
    LEFT = 1  # it has left the other layers of its stream
    TOTAL = 2  # it is the largest, and the norm of all layers is unusual
    LAYER = 3  # its norm is unusual


@dataclass(frozen=True)
class Residuals:
    """Norms beside their recent median, and the noise that tells how much that says.

    Attributes
    ----------
    rises
        Natural log of a norm above the median of those before, NaN where either is not known,
        shape ``(notes, series)``.
    medians
        Of the logs before each note, as `rises`.
    """

    rises: NDArray[np.float32]
    medians: NDArray[np.float32]

    @classmethod
    def of(cls, norms: NDArray[np.floating]) -> "Residuals":
        """Residuals of norms, shape ``(notes, series)``; what is not above 0 is not known."""
        logs = np.full((MEDIAN_CONTEXT + len(norms), norms.shape[1]), np.nan, np.float32)
        np.log(norms, out=logs[MEDIAN_CONTEXT:], where=norms > 0, casting="same_kind")
        medians = recent_median(logs)
        return cls(logs[MEDIAN_CONTEXT:] - medians, medians)

    def exceed(
        self, threshold: Threshold, unknown: NDArray[np.bool_] | None = None
    ) -> NDArray[np.bool_]:
        """Where norms exceed a threshold; where their spread is not known, as `unknown` says."""
        found = np.asarray(self.rises > np.log(threshold.factor))
        at = np.nonzero(found)
        spreads = self.spreads(*at)
        found[at] = self.rises[at] > threshold.spreads * spreads
        if unknown is not None:
            found[at] |= np.isnan(spreads) & unknown[at]
        return found

    def spreads(self, notes: NDArray[np.intp], series: NDArray[np.intp]) -> NDArray[np.float64]:
        """Standard deviation of the residuals before some notes of some series, one for each pair.

        It is that of normal noise of the same median size; NaN where few residuals are known.
        """
        sizes = np.pad(np.abs(self.rises), ((NOISE, 0), (0, 0)), constant_values=np.nan)
        recent = sizes[notes[:, None] + np.arange(NOISE), series[:, None]]
        spread = np.maximum(1.4826 * middle_values(recent)[1], _LEAST_SPREAD)
        known = np.count_nonzero(~np.isnan(recent), axis=1) >= _KNOWN
        return np.where(known, spread, np.nan)


def chime_causes(
    notes: Notes, residuals: Residuals, groups: tuple[range, ...]
) -> NDArray[np.uint8]:
    """Why each layer would chime in each note, a `Cause`, shape ``(notes, layers)``.

    Parameters
    ----------
    residuals
        Of the largest norms of the notes.
    groups
        Layers of each stream.
    """
    causes = np.zeros(notes.max.shape, np.uint8)
    for group in groups:
        columns = slice(group.start, group.stop)
        causes[:, columns] = _left_group(residuals, columns) * Cause.LEFT
    at = np.flatnonzero(_of_all(notes).exceed(TOTAL))
    causes[at, notes.max[at].argmax(axis=1)] = Cause.TOTAL
    causes[residuals.exceed(LAYER)] = Cause.LAYER
    return causes


def chimes(
    causes: NDArray[np.uint8], groups: tuple[range, ...], *, first_note: int
) -> NDArray[np.bool_]:
    """Notes in which each stream chimes, shape ``(notes, streams)``.

    What lasts, or comes again within `APART` notes, chimes once.

    Parameters
    ----------
    first_note
        Number of the first note in the run.
    """
    highest = np.zeros((len(causes), len(groups)), np.uint8)
    for stream, group in enumerate(groups):
        highest[:, stream] = causes[:, group.start : group.stop].max(axis=1)
    seen = np.cumsum(np.pad(highest > 0, ((APART + 1, 0), (0, 0))), axis=0)
    begins = (highest > 0) & (seen[APART:-1] == seen[: -APART - 1])
    unsettled = max(_SETTLED - first_note, 0)
    begins[:unsettled] &= highest[:unsettled] > Cause.LEFT
    return np.asarray(begins)


class Chime(NamedTuple):
    """A chime, by its note.

    Attributes
    ----------
    layer
        Number of the layer that stands out most, or is the largest.
    factor
        How many times its recent median, or that of all layers; of one that has left its group,
        that of 16 notes before.
    """

    note: int
    cause: Cause
    layer: int
    factor: float


def find_chimes(notes: Notes, groups: tuple[range, ...], *, first_note: int) -> list[Chime]:
    """Every chime in some notes, the first of which has this number in the run."""
    residuals, total = Residuals.of(notes.max), _of_all(notes)
    causes = chime_causes(notes, residuals, groups)
    found = []
    for note, stream in np.argwhere(chimes(causes, groups, first_note=first_note)).tolist():
        group = groups[stream]
        layer = group.start + int(causes[note, group.start : group.stop].argmax())
        cause = Cause(causes[note, layer])
        rise = residuals.rises[note, layer]
        if cause == Cause.TOTAL:
            rise = total.rises[note, 0]
        elif cause == Cause.LEFT:
            rise = residuals.medians[note, layer] - residuals.medians[note - _STAYS, layer]
        found.append(Chime(note, cause, layer, float(np.exp(np.float64(rise)))))
    return found


def _of_all(notes: Notes) -> Residuals:
    """Residuals of the norm of all layers; a note in which one is not finite is not known."""
    unknown = ((notes.nan > 0) | (notes.inf > 0)).any(axis=1)
    squares = np.square(np.maximum(notes.max, 0), dtype=np.float64)
    return Residuals.of(np.where(unknown, 0.0, np.sqrt(squares.sum(axis=1)))[:, None])


def _left_group(residuals: Residuals, columns: slice) -> NDArray[np.bool_]:
    """Where layers have left the others of their group and stayed, shape ``(notes, layers)``."""
    medians = residuals.medians[:, columns]
    if medians.shape[1] < _FEWEST or len(medians) <= _STAYS:
        return np.zeros(medians.shape, np.bool_)
    moved = np.full_like(medians, np.nan)
    np.subtract(medians[_STAYS:], medians[:-_STAYS], out=moved[_STAYS:])
    moved = np.abs(moved - middle_values(moved).mean(axis=0)[:, None])
    far = np.pad(moved > np.log(LEFT.factor), ((_HELD, 0), (0, 0)))
    count = np.cumsum(far, axis=0)
    found = np.asarray(count[_HELD:] - count[:-_HELD] == _HELD)
    at = np.nonzero(found)
    found[at] = moved[at] > LEFT.spreads * residuals.spreads(at[0], at[1] + columns.start)
    return found
