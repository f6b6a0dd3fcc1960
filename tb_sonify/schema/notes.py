"""Notes: what is heard at once, and how the rows of a note become one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NO_GRADIENT = -1.0  # in place of a norm, which is never negative: the layer had no gradient
MEDIAN_CONTEXT = 17  # values before one, of which its recent median is: fifteen of them count most
CHUNK_VALUES = 1_000_000  # what is done with a chunk takes up to 60 bytes for each of them


@dataclass(frozen=True)
class Notes:
    """Consecutive notes, per note and layer.

    Attributes
    ----------
    median, max
        Over the finite norms of a note's rows, float32, shape ``(notes, layers)``; `NO_GRADIENT`
        where the layer has none. The median of an even number is the upper of the middle two.
    nan, inf
        How many rows of the note are NaN, infinite: uint32, shape ``(notes, layers)``. Where all
        are 0, they may be a broadcast scalar, which takes no memory (see `shared_zeros`).
    """

    median: NDArray[np.float32]
    max: NDArray[np.float32]
    nan: NDArray[np.uint32]
    inf: NDArray[np.uint32]

    def __post_init__(self) -> None:
        shapes = {table.shape for table in (self.median, self.max, self.nan, self.inf)}
        if len(shapes) > 1 or self.median.ndim != 2:
            raise ValueError(
                f"notes must be tables of one shape (notes, layers), got {sorted(shapes)}"
            )

    def __len__(self) -> int:
        return len(self.median)

    def __getitem__(self, part: slice | tuple[slice, slice] | NDArray[np.intp]) -> "Notes":
        """Some of the notes, and of these some of the layers."""
        return Notes(self.median[part], self.max[part], self.nan[part], self.inf[part])

    @property
    def layers(self) -> int:
        """Number of layers."""
        return int(self.median.shape[1])

    @property
    def nbytes(self) -> int:
        """Memory in bytes: none of a broadcast scalar, and once where median and max are one."""
        tables = [self.nan, self.inf, self.median]
        if not np.may_share_memory(self.median, self.max):
            tables.append(self.max)
        return sum(table.nbytes for table in tables if any(table.strides))

    def scaled(self, factor: float) -> "Notes":
        """The notes with all norms multiplied by a factor."""
        median, largest = (
            np.where(table > 0, table * np.float32(factor), table)
            for table in (self.median, self.max)
        )
        return Notes(median, largest, self.nan, self.inf)

    def align(self, own: tuple[str, ...], layers: tuple[str, ...]) -> "Notes":
        """The notes of the layers `own` with a column for each of `layers` instead."""
        if own == layers:
            return self
        columns = _common_columns(own, layers)
        return Notes(
            **{
                name: _moved(table, columns, len(layers), EMPTY[name])
                for name, table in vars(self).items()
            }
        )

    def after(self, before: "Notes") -> "Notes":
        """Concatenation of `before`, which may have fewer layers, and these notes."""
        if before.layers > self.layers:
            raise ValueError(f"layers can be added, not taken away: {before.layers}, {self.layers}")
        padded = {
            name: pad_layers(table, self.layers, EMPTY[name])
            for name, table in vars(before).items()
        }
        return concatenate_notes([Notes(**padded), self])

    def merged(self, count: int) -> "Notes":
        """Every `count` notes as one; no maximum and no count is lost.

        The median of notes of one row each is that of `aggregate`; of larger ones, it is the
        median of their medians.
        """
        median = aggregate(self.median, rows_per_note=count).median
        starts = np.arange(0, len(self), count)
        return Notes(
            median,
            np.maximum.reduceat(self.max, starts) if len(self) else self.max,
            np.add.reduceat(self.nan, starts, dtype=np.uint32) if len(self) else self.nan,
            np.add.reduceat(self.inf, starts, dtype=np.uint32) if len(self) else self.inf,
        )


# What each table of notes holds where a layer has no gradient.
EMPTY = {"median": NO_GRADIENT, "max": NO_GRADIENT, "nan": 0, "inf": 0}


def aggregate(norms: NDArray[np.float32], *, rows_per_note: int) -> Notes:
    """Sum up consecutive rows as notes; nothing that is not finite, and no maximum, gets lost.

    Parameters
    ----------
    norms
        Shape ``(rows, layers)``; negative where a layer had no gradient.
    rows_per_note
        At least 1. The last note may cover fewer rows.

    Returns
    -------
    notes
        The median of an even number of norms is the upper of the middle two: a norm that
        occurred, so that rounding the norms before or after makes no difference.
    """
    if rows_per_note < 1:
        raise ValueError(f"rows_per_note must be at least 1, got {rows_per_note}")
    rows, layers = norms.shape
    short = -rows % rows_per_note
    padded = np.concatenate([norms, np.full((short, layers), NO_GRADIENT, np.float32)])
    grouped = padded.reshape(len(padded) // rows_per_note, rows_per_note, layers)
    finite = np.isfinite(grouped) & (grouped >= 0)
    count = finite.sum(axis=1)
    ordered = np.sort(np.where(finite, grouped, np.inf), axis=1)
    middle = np.take_along_axis(ordered, (count // 2)[:, None].clip(max=rows_per_note - 1), axis=1)
    largest = np.where(finite, grouped, NO_GRADIENT).max(axis=1, initial=NO_GRADIENT)
    return Notes(
        median=np.where(count > 0, middle[:, 0], NO_GRADIENT).astype(np.float32),
        max=largest.astype(np.float32),
        nan=np.isnan(grouped).sum(axis=1, dtype=np.uint32),
        inf=np.isposinf(grouped).sum(axis=1, dtype=np.uint32),
    )


def concatenate_notes(parts: Sequence[Notes]) -> Notes:
    """Notes of the same layers, one after the other; counts that are all 0 stay broadcast."""
    return Notes(
        np.concatenate([part.median for part in parts]),
        np.concatenate([part.max for part in parts]),
        _concatenate_counts([part.nan for part in parts]),
        _concatenate_counts([part.inf for part in parts]),
    )


def _concatenate_counts(parts: Sequence[NDArray[np.uint32]]) -> NDArray[np.uint32]:
    if any(any(part.strides) for part in parts):
        return np.concatenate(parts)
    return np.broadcast_to(np.uint32(0), (sum(map(len, parts)), parts[0].shape[1]))


def chunks_of(count: int, size: int, *, multiple: int = 1) -> Iterator[slice]:
    """Consecutive slices of `count` items that have `size` values each; at least one slice.

    Parameters
    ----------
    multiple
        The length of each slice but the last is a multiple of it.
    """
    together = max(CHUNK_VALUES // max(size, 1) // multiple, 1) * multiple
    for start in range(0, max(count, 1), together):
        yield slice(start, min(start + together, count))


def shared_zeros(counts: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Counts as they are, or a broadcast 0, which takes no memory, where all are 0."""
    return counts if counts.any() else np.broadcast_to(np.uint32(0), counts.shape)


def align_layers(
    norms: NDArray[np.float32], own: tuple[str, ...], layers: tuple[str, ...]
) -> NDArray[np.float32]:
    """Norms of the layers `own` with a column for each of `layers`, shape ``(rows, layers)``."""
    if own == layers:
        return norms
    return _moved(norms, _common_columns(own, layers), len(layers), NO_GRADIENT)


def pad_layers(table: NDArray[Any], layers: int, value: float) -> NDArray[Any]:
    """A table ``(rows, fewer layers)`` with columns of `value` for the layers that came later."""
    rows, present = table.shape
    if present == layers:
        return table
    return np.concatenate([table, np.full((rows, layers - present), value, table.dtype)], axis=1)


def _common_columns(
    own: tuple[str, ...], layers: tuple[str, ...]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where the layers that both have are among `layers`, and where among `own`."""
    columns = {name: column for column, name in enumerate(own)}
    pairs = [(to, columns[name]) for to, name in enumerate(layers) if name in columns]
    to, column = np.array(pairs, np.intp).reshape(-1, 2).T
    return to, column


def _moved(
    table: NDArray[Any],
    columns: tuple[NDArray[np.intp], NDArray[np.intp]],
    layers: int,
    value: float,
) -> NDArray[Any]:
    if table.size and not any(table.strides):
        return np.broadcast_to(table.dtype.type(0), (len(table), layers))
    to, column = columns
    moved = np.full((len(table), layers), value, table.dtype)
    moved[:, to] = table[:, column]
    return moved


def recent_median(logs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Median of the medians of five threes before each value [1]_, along the first axis.

    Values that are NaN are left out; where all are, so is the median.

    Parameters
    ----------
    logs
        Shape ``(MEDIAN_CONTEXT + values, ...)``; there is a median for each of the values.

    References
    ----------
    .. [1] Rousseeuw and Bassett, "The remedian", J. Am. Stat. Assoc. 85 (1990): a tenth of the
       time of a median of all, and as robust.
    """
    threes = _median_of_three(logs[:-2], logs[1:-1], logs[2:])[:-1]  # each ends a value before
    count = len(logs) - MEDIAN_CONTEXT
    a, b, c, d, e = (threes[len(threes) - count - 3 * i :][:count] for i in range(5))
    # The median of five is that of e, and of the two in the middle of the others.
    low = np.fmax(np.fmin(a, b), np.fmin(c, d))
    high = np.fmin(np.fmax(a, b), np.fmax(c, d))
    return _median_of_three(low, high, e)


def _median_of_three(
    a: NDArray[np.float32], b: NDArray[np.float32], c: NDArray[np.float32]
) -> NDArray[np.float32]:
    return np.fmax(np.fmin(a, b), np.fmin(np.fmax(a, b), c))
