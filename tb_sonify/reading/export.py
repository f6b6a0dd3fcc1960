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
from tb_sonify.schema.landscape import Table
from tb_sonify.schema.notes import NO_GRADIENT, Notes

# Spreadsheets take a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_INF, _NAN = -2.0, -3.0  # keys of what is no norm, beside `NO_GRADIENT`


def csv_of_notes(
    source: Timeline, notes: range, tag: str | None, series: Series | None
) -> Iterator[str]:
    """CSV of some notes of a run, in pieces: one line per note.

    Parameters
    ----------
    tag, series
        A scalar of the run, for a column beside the norms.
    """
    yield _lines([_harmless(("step", *([] if tag is None else [tag]), *source.layers))])
    medians = None if series is None else _medians(series, *points_of_notes(series, source))
    at_once, texts = _lines_at_once(1 + len(source.layers)), _NormTexts()
    for first in range(notes.start, notes.stop, at_once):
        part = slice(first, min(first + at_once, notes.stop))
        steps = map(str, source.steps[part].tolist())
        before = [steps] if medians is None else [steps, map(_number, medians[part])]
        norms = texts.rows(source.table(first, part.stop - first))
        # Numbers need no quotes, and joining them takes a fifth of the time of a CSV writer.
        yield "".join(f"{','.join(line)}\r\n" for line in zip(*before, norms, strict=True))


def csv_of_table(table: Table) -> str:
    """A table of numbers and names."""
    rows = (
        [_harmless([each])[0] if isinstance(each, str) else each for each in row]
        for row in table.rows
    )
    text = io.StringIO()
    Table(table.names, list(rows)).write_csv(text)
    return text.getvalue()


def csv_of_points(tag: str, series: Series) -> Iterator[str]:
    """CSV of a scalar of a run without norms, in pieces: one line per point."""
    yield _lines([_harmless(("step", tag))])
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


def _harmless(names: Iterable[str]) -> list[str]:
    return ["'" + name if name.startswith(_FORMULA) else name for name in names]


class _NormTexts(dict[float, str]):
    """Norms as text, each written once: stored norms are bfloat16, so few are distinct."""

    def __init__(self) -> None:
        super().__init__({NO_GRADIENT: "", _INF: "inf", _NAN: "nan"})

    def __missing__(self, norm: float) -> str:
        self[norm] = text = _number(norm)
        return text

    def rows(self, notes: Notes) -> Iterator[str]:
        """The largest norm of each layer, a line for each note; empty for no gradient."""
        keys = np.where(notes.nan > 0, _NAN, np.where(notes.inf > 0, _INF, notes.max))
        return (",".join(map(self.__getitem__, row)) for row in keys.tolist())


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
