"""Export to CSV: steps, a scalar, and the norm of every layer."""

import csv
import io
import math
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from tb_sonify.reading import limits
from tb_sonify.reading.scalars import Series
from tb_sonify.reading.selection import points_of_notes
from tb_sonify.reading.timeline import Timeline
from tb_sonify.schema.notes import Notes

# Spreadsheets take a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_of_notes(
    source: Timeline, notes: range, tag: str | None, series: Series | None
) -> Iterator[str]:
    """CSV of some notes of a run, in pieces: one line per note.

    Parameters
    ----------
    tag, series
        A scalar of the run, for a column beside the norms.
    """
    yield _lines([_header(("step", *([] if tag is None else [tag]), *source.layers))])
    medians = None if series is None else _medians(series, *points_of_notes(series, source))
    at_once = _lines_at_once(1 + len(source.layers))
    for first in range(notes.start, notes.stop, at_once):
        part = slice(first, min(first + at_once, notes.stop))
        columns = [[str(step) for step in source.steps[part].tolist()]]
        if medians is not None:
            columns.append([_number(value) for value in medians[part]])
        columns += _norm_cells(source.table(first, part.stop - first)).T.tolist()
        yield _lines(zip(*columns, strict=True))


def csv_of_points(tag: str, series: Series) -> Iterator[str]:
    """CSV of a scalar of a run without norms, in pieces: one line per point."""
    yield _lines([_header(("step", tag))])
    at_once = _lines_at_once(2)
    for first in range(0, len(series.steps), at_once):
        part = slice(first, first + at_once)
        steps = (str(int(step)) for step in series.steps[part])
        yield _lines(zip(steps, map(_number, series.values[part]), strict=True))


def count_pieces(lines: int, columns: int) -> int:
    """Number of pieces of a CSV file of so many lines and columns, the header included."""
    return 1 + math.ceil(lines / _lines_at_once(columns))


def _lines_at_once(columns: int) -> int:
    return max(limits.CHUNK_CELLS // columns, 1)


def _header(names: Iterable[str]) -> list[str]:
    return ["'" + name if name.startswith(_FORMULA) else name for name in names]


def _norm_cells(notes: Notes) -> NDArray[np.object_]:
    """The largest norm of each note and layer as text, empty where there is no gradient."""
    text = notes.max.astype(str).astype(object)
    text[notes.max < 0] = ""
    text[notes.inf > 0] = "inf"
    text[notes.nan > 0] = "nan"
    return text


def _medians(
    series: Series, starts: NDArray[np.intp], stops: NDArray[np.intp]
) -> list[float | None]:
    """The upper median of each note's finite points; of others, the first; `None` without any."""
    medians: list[float | None] = []
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        values = series.values[start:stop]
        finite = np.sort(values[np.isfinite(values)])
        if len(finite):
            medians.append(float(finite[len(finite) // 2]))
        else:
            medians.append(float(values[0]) if len(values) else None)
    return medians


def _number(value: float | None) -> str:
    """Shortest text that tells a float32 from all others."""
    return "" if value is None else str(np.float32(value))


def _lines(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
