"""What a client of the plugin hears of a run."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_sonify.schema.block import Block
from tb_sonify.schema.notes import aggregate
from tb_sonify.schema.segments import Grid
from tests.client import TensorBoardClient


def notes_of(
    client: TensorBoardClient, run: str, **view: Any
) -> tuple[Block, dict[str, NDArray[Any]]]:
    """Coverage, and all notes of a view of a run: steps, and the four tables by name."""
    coverage = client.block_of("coverage", run=run, **view)
    parts = [
        client.block_of("notes", run=run, first_note=first, notes=1_000, **view)
        for first in range(0, coverage.header["notes"], 1_000)
    ]
    tables = {
        name: np.concatenate([part.arrays[name] for part in parts])
        for name in ("median", "max", "nan", "inf")
    }
    return coverage, tables


def assert_hears(
    client: TensorBoardClient,
    run: str,
    norms: NDArray[np.float32],
    steps: NDArray[np.int64],
    *,
    logged: int | None,
) -> Block:
    """The notes are those of just these rows, in segments of which so many are logged.

    `logged` may be `None`: however many.
    """
    coverage, tables = notes_of(client, run)
    segment = 0
    widths = set()
    while (grid := Grid.of_segment(segment)).first_row < len(steps):
        part = slice(grid.first_row, grid.first_row + grid.rows)
        expected = aggregate(norms[part], rows_per_note=grid.rows_per_note)
        listed = coverage.header["segments"][segment]
        first = listed["first_note"]
        assert listed["notes"] == len(expected)
        if logged is not None:
            assert listed["state"] == ("logged" if segment < logged else "open")
        widths.add(grid.rows_per_note)
        found = slice(first, first + len(expected))
        starts = steps[part][:: grid.rows_per_note]
        np.testing.assert_array_equal(coverage.arrays["steps"][found], starts)
        for name, table in vars(expected).items():
            np.testing.assert_array_equal(tables[name][found], table)
        segment += 1
    assert len(coverage.header["segments"]) == segment
    assert coverage.arrays["steps"][-1] == steps[-1]
    assert coverage.header["rows_per_note"] == [min(widths), max(widths)]
    times = coverage.arrays["times"]
    assert len(times) == coverage.header["notes"] + 1
    assert (np.diff(times) >= 0).all()
    return coverage
