"""What is to be rendered: norms or a scalar over steps, from a log directory or a CSV file."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tb_sonify.sound import Notes, Scale, aggregate


@dataclass(frozen=True)
class Piece:
    """Notes to be rendered, and what they are of."""

    name: str
    steps: NDArray[np.int64]  # first step of each note, shape ``(notes,)``
    notes: Notes
    scale: Scale | None  # of a scalar; None: norms on their own scale

    def between(self, first: int | None, last: int | None) -> "Piece":
        """The notes that begin at steps from `first` to `last`, both included."""
        low = 0 if first is None else int(np.searchsorted(self.steps, first))
        high = len(self.steps)
        if last is not None:
            high = int(np.searchsorted(self.steps, last, "right"))
        return Piece(self.name, self.steps[low:high], self.notes[low:high], self.scale)

    def summed_up(self, most_notes: int) -> "Piece":
        """At most so many notes, each of 1, 2, 4, ... notes of these."""
        together = 1
        while -(-len(self.notes) // together) > most_notes:
            together *= 2
        return Piece(self.name, self.steps[::together], self.notes.merged(together), self.scale)


def read_csv(path: Path, *, column: str | None, as_norms: bool) -> Piece:
    """A CSV file whose first column is ``step``: one column per layer, or one signal.

    Parameters
    ----------
    column
        The signal, where it is not `as_norms`; by default the first after the steps.

    Raises
    ------
    ValueError
        If the file is anything else.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        header, *lines = [line for line in csv.reader(file) if line] or [[]]
    if len(header) < 2 or header[0].strip() != "step":
        raise ValueError(f"{path} must begin with a column 'step' and have others, got {header!r}")
    table = np.array([_numbers(path, number, line, header) for number, line in enumerate(lines, 2)])
    table = table.reshape(-1, len(header))
    table = table[np.argsort(table[:, 0], kind="stable")]
    names = [name.strip() for name in header[1:]]
    if as_norms:
        if (table[:, 1:] < 0).any():
            raise ValueError(f"norms in {path} must be at least 0: choose --preset single")
        return _norms(path.stem, table[:, 0], table[:, 1:])
    if column is not None and column not in names:
        raise ValueError(f"no column {column!r} in {path}; there are: {', '.join(names)}")
    return scalar_piece(path.stem, table[:, 0], table[:, 1 + names.index(column or names[0])])


def scalar_piece(name: str, steps: NDArray[np.float64], values: NDArray[np.float64]) -> Piece:
    """A scalar on a scale of its own range."""
    scale = Scale.of([values])
    notes = aggregate(scale(values)[:, None], rows_per_note=1)
    return Piece(name, steps.astype(np.int64), notes, scale)


def _norms(name: str, steps: NDArray[np.float64], norms: NDArray[np.float64]) -> Piece:
    with np.errstate(over="ignore"):  # beyond float32 is infinite
        notes = aggregate(norms.astype(np.float32), rows_per_note=1)
    return Piece(name, steps.astype(np.int64), notes, None)


def _numbers(path: Path, number: int, line: list[str], header: list[str]) -> list[float]:
    if len(line) != len(header):
        raise ValueError(f"{path}, line {number} must have {len(header)} columns, got {len(line)}")
    try:
        return [float(cell) if cell.strip() else np.nan for cell in line]
    except ValueError as error:
        raise ValueError(f"{path}, line {number} must hold numbers: {error}") from None
