"""CSV files of others: which column is the step, which are values, which cells are empty."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_DELIMITERS = (",", ";", "\t")
# Names of the column that counts, the finest first; what comes before a slash does not matter.
_COUNTERS = (
    *("step", "steps", "global_step", "train_step", "trainer_step", "iteration", "iterations"),
    *("iter", "iters", "it", "update", "updates", "batch", "total_timesteps", "timesteps"),
    *("timestep", "total_steps", "env_steps", "epoch", "epochs", "index", "row"),
)
_NO_VALUES = re.compile(r"(wall|relative)_?time.*|_?timestamp|_?runtime|time|date|datetime")


@dataclass(frozen=True)
class CsvTable:
    """Columns of numbers over steps that increase.

    Attributes
    ----------
    steps
        From the column of that meaning, else the number of the row, from 0: shape ``(rows,)``.
    columns
        Values by name, shape ``(rows,)``; counters, wall times and text are left out.
    present
        Where a cell is not empty, by name, shape ``(rows,)``.
    step_first
        Whether the first column is named ``step``, as in files for tb_sonify.
    """

    steps: NDArray[np.float64]
    columns: dict[str, NDArray[np.float64]]
    present: dict[str, NDArray[np.bool_]]
    step_first: bool


def read_csv_file(path: Path) -> CsvTable:
    """A table of TensorBoard, W&B, Lightning, Keras, Ultralytics, Stable-Baselines3 and the like.

    Cells are separated by commas, semicolons or tabs. Rows of the same step become one, which has
    the last value of each column.

    Raises
    ------
    ValueError
        If the file has no columns of numbers, a line of another length, or text among numbers.
    """
    text = path.read_text(encoding="utf-8-sig")
    first_line = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first_line.count)
    reader = csv.reader(text.splitlines(), delimiter=delimiter, skipinitialspace=True)
    header, *lines = [line for line in reader if any(map(str.strip, line))] or [[]]
    names = [name.strip() for name in header]
    for number, line in enumerate(lines, 2):
        if len(line) != len(names):
            raise ValueError(
                f"{path}, line {number} must have {len(names)} columns, got {len(line)}"
            )
    cells = {name: [line[i].strip() for line in lines] for i, name in enumerate(names) if name}
    values = {name: _numbers(path, name, column) for name, column in cells.items()}
    numeric = {name: column for name, column in values.items() if column is not None}
    step_name = _step_column(tuple(numeric))
    columns = {
        name: column
        for name, column in numeric.items()
        if name != step_name and not _is_no_value(name, step_name)
    }
    if not columns:
        raise ValueError(f"{path} must have columns of numbers under a header, got {header!r}")
    steps = np.arange(len(lines), dtype=np.float64)
    if step_name is not None:
        steps = _filled(numeric[step_name])
    present = {name: np.array([bool(cell) for cell in cells[name]], bool) for name in columns}
    return _by_step(steps, columns, present, step_first=names[0] == "step")


def _numbers(path: Path, name: str, cells: Sequence[str]) -> NDArray[np.float64] | None:
    """A column as numbers, NaN where a cell is empty; `None`: it is text."""
    numbers = [_number(cell) for cell in cells]
    wrong = [i for i, cell in enumerate(cells) if cell and numbers[i] is None]
    if wrong and all(number is None for number in numbers):
        return None
    if wrong:
        raise ValueError(
            f"{path}, line {wrong[0] + 2} must hold numbers: {name!r} has {cells[wrong[0]]!r}"
        )
    return np.array([np.nan if number is None else number for number in numbers], np.float64)


def _number(cell: str) -> float | None:
    try:
        return float(cell.replace(",", "."))  # a decimal comma, where commas do not separate
    except ValueError:
        return None


def _step_column(names: Sequence[str]) -> str | None:
    words = {name: _words(name.rpartition("/")[2]) for name in names}
    found = [name for name in names if words[name] in _COUNTERS]
    return min(found, key=lambda name: _COUNTERS.index(words[name]), default=None)


def _is_no_value(name: str, step_name: str | None) -> bool:
    words = _words(name)
    return bool(_NO_VALUES.fullmatch(words)) or (step_name is not None and words in _COUNTERS)


def _words(name: str) -> str:
    """A name in lower case, its words joined by underscores, as ``global_step``."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def _filled(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Steps, with the one before in place of each that is not finite."""
    known = np.maximum.accumulate(np.where(np.isfinite(steps), np.arange(len(steps)), -1))
    return np.where(known >= 0, steps[known], 0.0)


def _by_step(
    steps: NDArray[np.float64],
    columns: dict[str, NDArray[np.float64]],
    present: dict[str, NDArray[np.bool_]],
    *,
    step_first: bool,
) -> CsvTable:
    """One row for each step, with the last value of each column."""
    unique, row_of = np.unique(np.floor(steps), return_inverse=True)
    merged, some = {}, {}
    for name, column in columns.items():
        merged[name] = np.full(len(unique), np.nan)
        some[name] = np.zeros(len(unique), bool)
        rows = row_of[present[name]]
        merged[name][rows] = column[present[name]]
        some[name][rows] = True
    return CsvTable(unique, merged, some, step_first)
