"""Stored rows as one table: those that hold, within some steps."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tb_sonify.contract import NO_GRADIENT, Rows
from tb_sonify.reading.records import RunRecords
from tb_sonify.reading.store import Blob

NEVER = 2**63


def read_rows(records: RunRecords, first_step: int, last_step: int) -> Rows | None:
    """The rows of some steps that nothing has replaced, as far as they can be read."""
    needed = [
        (blob, end)
        for blob, end in with_ends(records.row_blobs)
        if blob.step <= last_step and first_step < end
    ]
    parts = []
    blocks = records.rows([blob for blob, _ in needed])
    for (_, end), rows in zip(needed, blocks, strict=True):
        if rows is not None:
            bounds = first_step, min(end, last_step + 1)
            parts.append(part(rows, *np.searchsorted(rows.steps, bounds).tolist()))
    return concatenate(parts) if parts else None


def with_ends(blobs: Sequence[Blob]) -> list[tuple[Blob, int]]:
    """The blobs that hold on, each with the first step of those written after it."""
    ends = []
    end = NEVER
    for blob in reversed(blobs):
        if blob.step < end:
            ends.append((blob, end))
        end = min(end, blob.step)
    return ends[::-1]


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
    wide[:, [layers.index(name) for name in rows.layers]] = rows.norms
    return wide
