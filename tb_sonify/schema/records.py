"""Rows and segments, the two kinds of block that a run stores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_sonify.schema.block import Block, decode_block, encode_block, from_bfloat16, to_bfloat16
from tb_sonify.schema.notes import NO_GRADIENT, Notes, align_layers, shared_zeros
from tb_sonify.schema.quantities import (
    GRADIENT,
    MEASURED,
    QUANTITIES,
    array_name,
    parts_of,
    quantity_of,
)


@dataclass(frozen=True)
class Rows:
    """Consecutive rows: one quantity of every layer at every step, the gradient norm as a rule.

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
        """The rows as a block, as those of gradients."""
        return encode_rows({GRADIENT: self})

    @classmethod
    def decode(cls, data: bytes, quantity: str = GRADIENT) -> "Rows":
        """The rows in a block; raises `ValueError` if it does not hold any.

        Where they have other quantities alone, no layer has a norm.
        """
        names = {part: array_name(part, "norms") for part in parts_of(quantity)}
        block = decode_block(data, {"steps", *names.values()})
        common = _common("rows", block)
        steps = block.arrays.get("steps", np.empty((0, 0)))
        shape = (steps.size, len(common["layers"]))
        tables = {part: block.arrays[name] for part, name in names.items() if name in block.arrays}
        if (
            steps.ndim != 1
            or any(table.shape != shape for table in tables.values())
            or shape not in _shapes(block, MEASURED, "norms")
        ):
            raise ValueError("the arrays of rows must be steps (rows) and norms (rows, layers)")
        if len(tables) < len(names):
            norms = np.full(shape, NO_GRADIENT, np.float32)
        else:
            norms = quantity_of({part: _norms(table) for part, table in tables.items()}, quantity)
        return cls(**common, steps=steps, norms=norms)


def encode_rows(rows: Mapping[str, Rows]) -> bytes:
    """A block of the same rows of some `MEASURED` quantities, each with the same layers."""
    first = next(iter(rows.values()))
    arrays: dict[str, NDArray[Any]] = {"steps": first.steps}
    for quantity, each in rows.items():
        arrays[array_name(quantity, "norms")] = to_bfloat16(each.norms)
    return encode_block(Block(_header("rows", first), arrays), packed=True)


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
        """The segment as a block, as that of gradients."""
        return encode_segment({GRADIENT: self})

    @classmethod
    def decode(cls, data: bytes, quantity: str = GRADIENT) -> "Segment":
        """The segment in a block; raises `ValueError` if it does not hold one.

        Where it has other quantities alone, no layer has a norm.
        """
        names = [array_name(quantity, name) for name in _TABLES]
        block = decode_block(data, {"steps", *names})
        common = _common("segment", block)
        steps = block.arrays.get("steps", np.empty(0, np.int64))
        shape = (max(steps.size - 1, 0), len(common["layers"]))
        if names[0] in block.arrays or shape not in _shapes(block, QUANTITIES, "median"):
            tables = [block.arrays.get(name, np.empty(0)) for name in names]
        else:
            none = to_bfloat16(np.full(shape, NO_GRADIENT, np.float32))
            count = shared_zeros(np.zeros(shape, np.uint32))
            tables = [none, np.zeros_like(none), count, count]
        if steps.ndim != 1 or any(table.shape != shape for table in tables):
            raise ValueError(f"{', '.join(names)} of a segment must have shape {shape}")
        median, above, nan, inf = tables
        notes = Notes(_norms(median), _norms(median + above), nan, inf)
        return cls(**common, steps=steps, notes=notes)


_TABLES = ("median", "above", "nan", "inf")  # above: maximum minus median, which packs better


def encode_segment(segments: Mapping[str, Segment]) -> bytes:
    """A block of the same segment of some quantities, each with the same layers."""
    first = next(iter(segments.values()))
    arrays: dict[str, NDArray[Any]] = {"steps": first.steps}
    for quantity, segment in segments.items():
        notes, median = segment.notes, to_bfloat16(segment.notes.median)
        above = to_bfloat16(notes.max) - median
        tables: list[NDArray[Any]] = [median, above, notes.nan, notes.inf]
        for name, table in zip(_TABLES, tables, strict=True):
            arrays[array_name(quantity, name)] = table
    return encode_block(Block(_header("segment", first), arrays), packed=True)


def _shapes(block: Block, quantities: Sequence[str], name: str) -> list[tuple[int, ...]]:
    """Shapes of an array of some quantities, decoded or not, as far as there are any."""
    listed = {str(listed): shape for listed, _, shape, *_ in block.header["arrays"]}
    names = [array_name(quantity, name) for quantity in quantities]
    return [tuple(listed[each]) for each in names if each in listed]


def _norms(table: NDArray[Any]) -> NDArray[np.float32]:
    if table.dtype != np.uint16:
        raise ValueError(f"norms are stored as bfloat16 in uint16, got {table.dtype}")
    return from_bfloat16(table)


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
