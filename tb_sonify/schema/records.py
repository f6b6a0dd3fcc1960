"""Rows and segments, the two kinds of block that a run stores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_sonify.schema.block import Block, decode_block, encode_block, from_bfloat16, to_bfloat16
from tb_sonify.schema.notes import Notes, align_layers


@dataclass(frozen=True)
class Rows:
    """Consecutive rows: the norm of every layer at every step.

    Attributes
    ----------
    session
        Start of the writer that wrote the rows, in seconds since the epoch. A resumed run has
        rows of several sessions; where steps overlap, the latest session holds.
    first_row
        Number of the first row, counted from 0 at the start of the session.
    layers
        Names, in the order of depth.
    steps
        Strictly increasing, int64, shape ``(rows,)``.
    norms
        float32, shape ``(rows, layers)``, stored as bfloat16; `NO_GRADIENT` where a layer had
        none.
    options
        How the norms were taken (``norm_type`` and the like), for display.
    """

    session: float
    first_row: int
    layers: tuple[str, ...]
    steps: NDArray[np.int64]
    norms: NDArray[np.float32]
    options: Mapping[str, Any]

    def encode(self) -> bytes:
        """The rows as a block."""
        arrays: dict[str, NDArray[Any]] = {"steps": self.steps, "norms": to_bfloat16(self.norms)}
        return encode_block(Block(_header("rows", self), arrays), packed=True)

    @classmethod
    def decode(cls, data: bytes) -> "Rows":
        """The rows in a block; raises `ValueError` if it does not hold any."""
        block = decode_block(data)
        steps, norms = block.arrays.get("steps"), block.arrays.get("norms")
        common = _common("rows", block)
        if (
            steps is None
            or norms is None
            or steps.ndim != 1
            or norms.shape != (len(steps), len(common["layers"]))
        ):
            raise ValueError("the arrays of rows must be steps (rows) and norms (rows, layers)")
        return cls(**common, steps=steps, norms=from_bfloat16(norms))


@dataclass(frozen=True)
class Segment:
    """Up to 100 notes, each of which sums up 1, 2, 4, ... rows (see `Grid`).

    Attributes
    ----------
    session, layers, options
        As in `Rows`.
    segment
        Number of the segment, counted from 0 at the start of the session.
    rows
        How many rows the notes cover; less than the grid has where the run ended.
    steps
        First step of each note and, at the end, the last step of all: int64, ``(notes + 1,)``.
    notes
        Of all `layers`; medians and maxima are numbers that bfloat16 can hold.
    wall_time
        Of the first row, where its writer told it. In an event file it is that of the event.
    """

    session: float
    segment: int
    rows: int
    layers: tuple[str, ...]
    steps: NDArray[np.int64]
    notes: Notes
    options: Mapping[str, Any]
    wall_time: float = 0.0

    def encode(self) -> bytes:
        """The segment as a block."""
        median = to_bfloat16(self.notes.median)
        tables: dict[str, NDArray[Any]] = {
            "median": median,
            "above": to_bfloat16(self.notes.max) - median,  # so much alike, they pack better
            "nan": self.notes.nan,
            "inf": self.notes.inf,
        }
        block = Block(_header("segment", self), {"steps": self.steps, **tables})
        return encode_block(block, packed=True)

    @classmethod
    def decode(cls, data: bytes) -> "Segment":
        """The segment in a block; raises `ValueError` if it does not hold one."""
        block = decode_block(data)
        common = _common("segment", block)
        steps = block.arrays.get("steps", np.empty(0, np.int64))
        shape = (max(steps.size - 1, 0), len(common["layers"]))
        names = ("median", "above", "nan", "inf")
        tables = {name: block.arrays.get(name, np.empty(0)) for name in names}
        if steps.ndim != 1 or any(table.shape != shape for table in tables.values()):
            raise ValueError(f"{', '.join(names)} of a segment must have shape {shape}")
        median = from_bfloat16(tables["median"])
        largest = from_bfloat16(tables["median"] + tables["above"])
        notes = Notes(median, largest, tables["nan"], tables["inf"])
        return cls(**common, steps=steps, notes=notes)


_FIELDS = {
    "rows": {"session": float, "first_row": int, "options": dict},
    "segment": {"session": float, "segment": int, "rows": int, "options": dict},
}


def _header(kind: str, record: Rows | Segment) -> dict[str, Any]:
    fields = {name: getattr(record, name) for name in _FIELDS[kind]}
    return {"kind": kind, **fields, "layers": list(record.layers)}


def _common(kind: str, block: Block) -> dict[str, Any]:
    header = block.header
    if header.get("kind") != kind:
        raise ValueError(f"expected a block of kind {kind!r}, got {header.get('kind')!r}")
    fields = {}
    for name, expected in _FIELDS[kind].items():
        if not isinstance(header.get(name), expected):
            raise ValueError(  # noqa: TRY004 - what came is data, not a caller's argument
                f"{name} of {kind} must be {expected.__name__}, got {header.get(name)!r}"
            )
        fields[name] = header[name]
    layers = header.get("layers")
    if not isinstance(layers, list) or not all(isinstance(layer, str) for layer in layers):
        raise ValueError(f"layers of {kind} must be a list of names, got {layers!r}")
    return {**fields, "layers": tuple(layers)}


def slice_rows(rows: Rows, start: int, stop: int | None) -> Rows:
    """Some of the rows."""
    return replace(rows, steps=rows.steps[start:stop], norms=rows.norms[start:stop])


def rows_between(rows: Rows, first_step: int, end: int) -> Rows:
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
    return slice_rows(rows, low, high)


def concatenate_rows(blocks: Sequence[Rows]) -> Rows:
    """Rows as one block, with a column for each layer of any of them."""
    layers = tuple(dict.fromkeys(name for rows in blocks for name in rows.layers))
    steps = np.concatenate([rows.steps for rows in blocks])
    norms = np.concatenate([align_layers(rows.norms, rows.layers, layers) for rows in blocks])
    return replace(blocks[0], layers=layers, steps=steps, norms=norms)
