"""Stored rows as one table: those that hold, within some steps."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tb_sonify.contract import NO_GRADIENT, Rows
from tb_sonify.reading.records import RunRecords
from tb_sonify.reading.store import Blob

NEVER = 2**63


def read_rows(
    records: RunRecords, layers: tuple[str, ...], first_step: int, last_step: int
) -> Rows | None:
    """The rows of some steps that nothing has replaced, as far as they can be read.

    Without those that tell of other layers than `layers`.
    """
    known = set(layers)
    needed = [
        blob
        for blob, end in with_ends(records.row_blobs)
        if blob.step <= last_step and first_step < end
    ]
    parts = [
        between(rows, first_step, min(end, last_step + 1))
        for _, rows, end in read_in_order(records, needed)
        if rows is not None and (rows.layers == layers or known.issuperset(rows.layers))
    ]
    return concatenate(parts) if parts else None


def read_in_order(
    records: RunRecords, blobs: Sequence[Blob]
) -> Iterator[tuple[Blob, Rows | None, int]]:
    """What is in each blob, and the first step of the next ones that can be read.

    From there on, these hold; what cannot be read replaces nothing.
    """
    waiting: list[tuple[Blob, Rows | None]] = []
    for blob, rows in zip(blobs, records.rows(blobs), strict=True):
        if rows is not None:
            yield from ((*each, blob.step) for each in waiting)
            waiting = []
        waiting.append((blob, rows))
    yield from ((*each, NEVER) for each in waiting)


def with_ends(blobs: Sequence[Blob]) -> list[tuple[Blob, int]]:
    """The blobs that hold on, each with the first step of those written after it."""
    ends = []
    end = NEVER
    for blob in reversed(blobs):
        if blob.step < end:
            ends.append((blob, end))
        end = min(end, blob.step)
    return ends[::-1]


def between(rows: Rows, first_step: int, end: int) -> Rows:
    """The rows from a step up to another one, which may both be beyond any that there can be."""
    # As ints: numpy before 2 compares its own with such a step as floats, which round.
    first, last = int(rows.steps[0]), int(rows.steps[-1])
    low, high = (
        0
        if step <= first
        else len(rows.steps)
        if step > last
        else int(np.searchsorted(rows.steps, step))
        for step in (first_step, end)
    )
    return part(rows, low, high)


def part(rows: Rows, start: int, stop: int | None) -> Rows:
    """Some of the rows."""
    return replace(rows, steps=rows.steps[start:stop], norms=rows.norms[start:stop])


def concatenate(blocks: Sequence[Rows]) -> Rows:
    """Rows as one block, with a column for each layer of any of them."""
    layers = tuple(dict.fromkeys(name for rows in blocks for name in rows.layers))
    steps = np.concatenate([rows.steps for rows in blocks])
    norms = np.concatenate([widened(rows, layers) for rows in blocks])
    return replace(blocks[0], layers=layers, steps=steps, norms=norms)


def widened(rows: Rows, layers: tuple[str, ...]) -> NDArray[np.float32]:
    """The norms with a column for each of `layers`, among which are the rows' own."""
    if rows.layers == layers:
        return rows.norms
    wide = np.full((len(rows.steps), len(layers)), NO_GRADIENT, np.float32)
    places = {name: place for place, name in enumerate(layers)}
    wide[:, [places[name] for name in rows.layers]] = rows.norms
    return wide
