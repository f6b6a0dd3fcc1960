"""Notes on other edges: which of them a new note touches, and these as one."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_sonify.contract import NO_GRADIENT
from tb_sonify.sound import Notes

_MOST_VALUES = 4_000_000  # held at a time


def touching(
    edges: NDArray[np.float64], new_edges: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which notes each new note touches.

    Parameters
    ----------
    edges, new_edges
        Where each note begins and, at the end, where the last one ends, never decreasing: shapes
        ``(notes + 1,)`` and ``(new notes + 1,)``. A last note holds its end, so that it may be
        one of a single row.

    Returns
    -------
    starts, stops
        First note and the one after the last, shape ``(new notes,)``; a new note without any has
        a start that is not below its stop.
    """
    notes = len(edges) - 1
    edges, new_edges = _closed(edges), _closed(new_edges)
    within = np.searchsorted(edges, new_edges[:-1], "right") - 1
    starts = np.maximum(within, 0)
    stops = np.searchsorted(edges[:-1], new_edges[1:], "left")
    # A new note of no length still stands for where it is.
    stops = np.where((within >= 0) & (within < notes), np.maximum(stops, within + 1), stops)
    # A note of no length lies on an edge: the new one that begins there takes it.
    before = np.append(np.searchsorted(edges, new_edges[:1], "left"), stops[:-1])
    starts = np.minimum(starts, before)
    return starts, stops


def regrouped(notes: Notes, starts: NDArray[np.intp], stops: NDArray[np.intp]) -> Notes:
    """The notes from each start to before its stop as one; silence where there are none.

    As in `Notes.merged`, no maximum and no count is lost.

    Returns
    -------
    notes
        As many as there are starts.
    """
    layers = notes.layers
    source = {name: _with_silence(name, table) for name, table in vars(notes).items()}
    merged = {name: np.repeat(table[-1:], len(starts), axis=0) for name, table in source.items()}
    sizes = stops - starts
    widths = np.exp2(np.ceil(np.log2(np.maximum(sizes, 1)))).astype(int)
    # Groups that are filled up to the same width with silence are merged together.
    for width in np.unique(widths[sizes > 0]).tolist():
        (groups,) = np.nonzero((widths == width) & (sizes > 0))
        together = max(_MOST_VALUES // (width * max(layers, 1)), 1)
        for first in range(0, len(groups), together):
            some = groups[first : first + together]
            members = starts[some, None] + np.arange(width)
            members = np.where(members < stops[some, None], members, len(notes)).ravel()
            part = Notes(**{name: table[members] for name, table in source.items()}).merged(width)
            for name, table in merged.items():
                table[some] = getattr(part, name)
    return Notes(**merged)


def _closed(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.append(edges[:-1], np.nextafter(edges[-1:], np.inf))


def _with_silence(name: str, table: NDArray[Any]) -> NDArray[Any]:
    empty = NO_GRADIENT if name in ("median", "max") else 0
    return np.pad(table, ((0, 1), (0, 0)), constant_values=empty)
