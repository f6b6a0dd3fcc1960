"""Blocks that cannot be read, or that TensorBoard does not keep."""

import time

import numpy as np
import pytest

from tests.hearing import assert_hears, notes_of
from tests.logs import norms_of, row_events, segment_events, write_events


@pytest.mark.parametrize(
    ("damaged", "missing"),
    [
        ([0], [[0, 499]]),
        ([1], [[500, 999]]),
        ([1, 2], [[500, 1_499]]),
        ([0, 2], [[0, 499], [1_000, 1_499]]),
        ([3], [[1_500, 1_500]]),  # where the last block ends, nobody can tell
    ],
)
def test_rows_that_cannot_be_read_are_told_and_the_rest_is_heard(
    tmp_path, open_client, caplog, damaged, missing
):
    norms, steps = norms_of(2_000), np.arange(2_000)
    events = row_events(norms, steps, block_rows=500)
    for block in damaged:
        cut_short(events[block])
    write_events(tmp_path / "run", events)
    client = open_client(tmp_path)
    kept = ~np.isin(steps // 500, damaged)
    for _ in range(2):
        coverage = assert_hears(client, "run", norms[kept], steps[kept], logged=0)
        assert coverage.header["missing"] == missing
        time.sleep(1.05)
    told = [record.getMessage() for record in caplog.records if "cannot be read" in record.message]
    assert len(told) == len(damaged)
    assert "'run'" in told[0]
    assert f"step {500 * damaged[0]}" in told[0]


def test_a_segment_that_cannot_be_read_is_made_from_rows(tmp_path, open_client):
    norms, steps = norms_of(1_000), np.arange(1_000)
    segments = segment_events(norms, steps, presets=())
    cut_short(segments[4])
    write_events(tmp_path / "run", [*segments, *row_events(norms, steps)])
    coverage = assert_hears(open_client(tmp_path), "run", norms, steps, logged=4)
    assert coverage.header["missing"] == []


def test_no_damage_to_what_is_stored_fails_a_request(tmp_path, open_client):
    random = np.random.default_rng(0)
    norms, steps = norms_of(6_000), np.arange(6_000)
    events = row_events(norms, steps, block_rows=20)
    events += segment_events(norms, steps, presets=())
    for event in events:
        blob = bytearray(event.summary.value[0].tensor.string_val[0])
        for place in random.integers(0, min(len(blob), 400), random.integers(0, 4)):
            blob[place] = random.integers(0, 256)
        event.summary.value[0].tensor.string_val[0] = bytes(blob)
    write_events(tmp_path / "run", events)
    coverage, tables = notes_of(open_client(tmp_path), "run")
    assert 0 < coverage.header["notes"] == len(tables["median"])
    assert coverage.header["missing"]


def test_what_a_limit_of_the_user_leaves_out_is_told_as_missing(tmp_path, open_client):
    norms, steps = norms_of(2_000), np.arange(2_000)
    write_events(tmp_path / "run", row_events(norms, steps, block_rows=100))
    client = open_client(tmp_path, "--samples_per_plugin", "sonify=5")
    coverage = client.block_of("coverage", run="run")
    heard = set(range(2_000))
    for first, last in coverage.header["missing"]:
        heard -= set(range(first, last + 1))
    assert set(coverage.arrays["steps"].astype(int)) == heard
    assert coverage.header["notes"] == len(heard) == 500


def cut_short(event):
    """Take the last bytes from the block that an event holds."""
    tensor = event.summary.value[0].tensor
    tensor.string_val[0] = tensor.string_val[0][:-9]
