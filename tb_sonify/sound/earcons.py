"""Earcons: when something that has no pitch, or must not be missed, is to sound."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from tb_sonify.sound.encoding import Encoding
from tb_sonify.sound.notes import Notes

REPEAT_SECONDS = 0.48  # a cause that lasts is recalled so often: at every eighth note of 60 ms
_DOUBLINGS = (1, 2, 4, 8)
SPIKE_WINDOW = 1 + sum(_DOUBLINGS)  # notes
SPIKE_NOTES = 4  # at least so many before a norm can stand out
# A norm six times the largest of the last 16 notes. In log-normal noise of 0.7 (natural log,
# batches of 10 images) it happens once in 100,000 notes of a layer.
SPIKE_RATIO = 6.0


class Earcon(IntEnum):
    """What an earcon says; the more urgent, the higher."""

    NONE = 0
    NO_GRADIENT = 1  # no layer of the stream has a gradient
    ZERO = 2  # a layer is exactly 0
    BELOW = 3  # a layer is under the range of the pitch
    ABOVE = 4
    SPIKE = 5  # a layer stands out of what it did before
    INF = 6
    NAN = 7


def causes(notes: Notes, groups: tuple[range, ...], encoding: Encoding) -> NDArray[np.uint8]:
    """Which earcons each stream has cause for, one bit ``1 << earcon`` each.

    Returns
    -------
    bits
        Shape ``(notes, streams)``.
    """
    low, high = encoding.norm_range
    median, positive = notes.median, notes.median > 0
    found = {
        Earcon.ZERO: median == 0,
        Earcon.BELOW: positive & (median < low * (1 - 1e-6)),
        Earcon.ABOVE: median > high * (1 + 1e-6),
        Earcon.SPIKE: _spikes(notes),
        Earcon.INF: notes.inf > 0,
        Earcon.NAN: notes.nan > 0,
    }
    bits = np.zeros((len(notes), len(groups)), np.uint8)
    absent = (median < 0) & (notes.inf == 0) & (notes.nan == 0)
    for stream, group in enumerate(groups):
        part = slice(group.start, group.stop)
        bits[absent[:, part].all(axis=1), stream] |= 1 << Earcon.NO_GRADIENT
        for earcon, where in found.items():
            bits[where[:, part].any(axis=1), stream] |= 1 << earcon
    return bits


def sounding(bits: NDArray[np.uint8], *, first_note: int, repeat: int) -> NDArray[np.uint8]:
    """The earcon that each stream sounds in each note, for `bits` of `causes`.

    It is the most urgent of the causes that begin; where none begins, the most urgent of those that
    last, at every `repeat`-th note of the run.

    Parameters
    ----------
    first_note
        Number of the first note in the run.
    """
    before = np.concatenate([np.zeros_like(bits[:1]), bits[:-1]])
    begins = bits & ~before
    reminds = (first_note + np.arange(len(bits))) % repeat == 0
    said = np.where((begins == 0) & reminds[:, None], bits, begins)
    urgent = np.log2(np.maximum(said, 1)).astype(np.uint8)
    return np.where(said > 0, urgent, np.uint8(Earcon.NONE))


def _spikes(notes: Notes) -> NDArray[np.bool_]:
    """Where a layer's maximum stands out of the `SPIKE_WINDOW` notes before."""
    before = np.pad(notes.max, ((1, 0), (0, 0)), constant_values=-1)[: len(notes)]
    # The largest of two notes, then of four, of eight, of sixteen: those up to its own place.
    highest = np.pad(before, ((SPIKE_WINDOW - 1, 0), (0, 0)), constant_values=-1)
    for apart in _DOUBLINGS:
        highest = np.maximum(highest[apart:], highest[:-apart])
    seen = np.cumsum(np.pad(before > 0, ((SPIKE_WINDOW, 0), (0, 0))), axis=0)
    known = seen[SPIKE_WINDOW:] - seen[:-SPIKE_WINDOW] >= SPIKE_NOTES
    return np.asarray(known & (notes.max / SPIKE_RATIO > highest))
