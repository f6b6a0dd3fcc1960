"""The samples of a clip, made piece by piece as they are sent: of a long one, few are held."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tb_sonify.reading.hearable import Hearable
from tb_sonify.reading.turns import MOST_SMALL
from tb_sonify.sound import Lead, Preset, advance, render

FRAMES = 250_000  # of a piece, about; ten seconds


def pieces(
    source: Hearable,
    first_note: int,
    notes: int,
    *,
    preset: Preset,
    lead: Lead | None,
    ticks: NDArray[np.bool_] | None,
) -> Iterator[NDArray[np.int16]]:
    """The samples of `notes` notes from `first_note`, as `render` gives them of all at once.

    Parameters
    ----------
    lead, ticks
        As for `render`.

    Yields
    ------
    pcm
        Shape ``(frames, channels)``; a sample where two pieces fade into each other is off by
        at most 1.
    """
    layers = len(source.layers)
    hop, tail = preset.hop(layers), preset.tail
    at_once = max(min(FRAMES // max(hop, 1), MOST_SMALL // max(layers, 1)), 1)
    faded = np.zeros((tail, preset.channels), np.int16)
    for start in range(0, notes, at_once):
        part = slice(start, min(start + at_once, notes))
        table = source.table(first_note + start, part.stop - start)
        marked = None if ticks is None else ticks[part]
        pcm = render(table, preset=preset, lead=lead, ticks=marked)
        lead = advance(table, preset=preset, lead=lead)
        end = len(pcm) - tail
        pcm[:tail] += faded
        faded = pcm[end:].copy()
        yield pcm[:end]
    yield faded
