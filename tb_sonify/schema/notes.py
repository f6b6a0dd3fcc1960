"""Notes: what is heard at once, and how the rows of a note become one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Notes:
    """Consecutive notes, per note and layer.

    Attributes
    ----------
    median, max
        Over the finite norms of a note's rows, float32, shape ``(notes, layers)``; negative
        where the layer has none.
    nan, inf
        How many rows of the note are NaN, infinite: uint32, shape ``(notes, layers)``.
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

    def __getitem__(self, part: slice | tuple[slice, slice]) -> "Notes":
        """Some of the notes, and of these some of the layers."""
        return Notes(self.median[part], self.max[part], self.nan[part], self.inf[part])

    def after(self, before: "Notes") -> "Notes":
        """These notes with those `before` them, which may tell of fewer layers."""
        new = self.layers - before.layers
        if new < 0:
            raise ValueError(f"layers can be added, not taken away: {before.layers}, {self.layers}")
        gap = ((0, 0), (0, new))
        return Notes(
            np.concatenate([np.pad(before.median, gap, constant_values=-1), self.median]),
            np.concatenate([np.pad(before.max, gap, constant_values=-1), self.max]),
            np.concatenate([np.pad(before.nan, gap), self.nan]),
            np.concatenate([np.pad(before.inf, gap), self.inf]),
        )

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

    @property
    def layers(self) -> int:
        """How many layers the notes tell of."""
        return int(self.median.shape[1])


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
    padded = np.concatenate([norms, np.full((short, layers), -1, np.float32)])
    grouped = padded.reshape(len(padded) // rows_per_note, rows_per_note, layers)
    finite = np.isfinite(grouped) & (grouped >= 0)
    count = finite.sum(axis=1)
    ordered = np.sort(np.where(finite, grouped, np.inf), axis=1)
    middle = np.take_along_axis(ordered, (count // 2)[:, None].clip(max=rows_per_note - 1), axis=1)
    return Notes(
        median=np.where(count > 0, middle[:, 0], -1).astype(np.float32),
        max=np.where(finite, grouped, -1).max(axis=1, initial=-1).astype(np.float32),
        nan=np.isnan(grouped).sum(axis=1, dtype=np.uint32),
        inf=np.isposinf(grouped).sum(axis=1, dtype=np.uint32),
    )
