"""Blocks that cannot be read, or that TensorBoard does not keep."""

import numpy as np
import pytest

from tb_sonify.schema.block import Block, encode_block
from tb_sonify.schema.metadata import ROWS_TAG, SEGMENTS_TAG
from tb_sonify.training.summary import blob_event
from tests.hearing import assert_hears, notes_of
from tests.logs import (
    norms_of,
    row_events,
    run_events,
    scalar_events,
    segment_events,
    write_events,
)


@pytest.mark.parametrize(
    ("damaged", "missing"),
    [
        ([0], [[0, 499]]),
        ([1], [[500, 999]]),
        ([1, 2], [[500, 1_499]]),
        ([0, 2], [[0, 499], [1_000, 1_499]]),
    ],
)
@pytest.mark.usefixtures("prompt_news")
def test_rows_that_cannot_be_read_are_told_and_the_rest_is_heard(
    tmp_path, open_client, caplog, damaged, missing
):
    norms, steps = norms_of(2_000), np.arange(2_000)
    events = row_events(norms[:-1], steps[:-1], block_rows=500)
    last = row_events(norms[-1:], steps[-1:], first_row=1_999)
    for block in damaged:
        cut_short(events[block])
    write_events(tmp_path / "run", events)
    client = open_client(tmp_path)
    for rows in (1_999, 2_000):
        kept = ~np.isin(steps // 500, damaged) & (steps < rows)
        coverage = assert_hears(client, "run", norms[kept], steps[kept], logged=0)
        assert coverage.header["missing"] == missing
        write_events(tmp_path / "run", last)
        client.reload()
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


def test_where_a_last_block_that_cannot_be_read_ends_nobody_can_tell(tmp_path, open_client):
    norms, steps = norms_of(1_000), np.arange(1_000)
    events = row_events(norms, steps, block_rows=500)
    cut_short(events[1])
    write_events(tmp_path / "run", events)
    coverage = assert_hears(open_client(tmp_path), "run", norms[:500], steps[:500], logged=0)
    assert coverage.header["missing"] == [[500, 500]]


def test_blocks_that_are_well_formed_and_make_no_sense_are_passed_over(tmp_path, open_client):
    rows = {"kind": "rows", "session": 1.0, "first_row": 0, "layers": ["a"], "options": {}}
    segment = {**rows, "kind": "segment", "segment": 0, "rows": 2}
    one, two = np.arange(1), np.arange(2)
    norms = {"norms": np.zeros((2, 1), np.uint16)}
    table = np.zeros((2, 1), np.uint16)
    tables = dict.fromkeys(("median", "above"), table) | dict.fromkeys(("nan", "inf"), table + 0)
    odd_rows = [
        (rows, {"steps": np.array(0), "norms": np.zeros((1, 1), np.uint16)}),
        (rows, {"steps": two.astype(float), **norms}),
        (rows, {"steps": two[::-1], **norms}),
        (rows, {"steps": one, "norms": np.zeros(1, np.uint16)}),
        (rows, {"steps": one[:0], "norms": np.zeros((0, 1), np.uint16)}),
        (rows, {"steps": two + 10**6, **norms}),
        ({**rows, "first_row": -1}, {"steps": two, **norms}),
        ({**rows, "layers": ["a", "a"]}, {"steps": two, "norms": np.zeros((2, 2), np.uint16)}),
        ({**rows, "layers": []}, {"steps": two, "norms": np.zeros((2, 0), np.uint16)}),
        ({**rows, "layers": "a"}, {"steps": two, **norms}),
        ({**rows, "session": "now"}, {"steps": two, **norms}),
        ({**rows, "kind": "columns"}, {"steps": two, **norms}),
        ({**rows, "version": 3}, {"steps": two, **norms}),
        ({}, {}),
    ]
    odd_segments = [
        ({**segment, "segment": 10**18}, {"steps": np.arange(3), **tables}),
        ({**segment, "segment": -1}, {"steps": np.arange(3), **tables}),
        ({**segment, "rows": 10**18}, {"steps": np.arange(3), **tables}),
        ({**segment, "rows": 0}, {"steps": one, **{name: t[:0] for name, t in tables.items()}}),
        (segment, {"steps": np.array([0, 0, 1]), **tables}),
        (segment, {"steps": np.array([0, 5, 1]), **tables}),
        (segment, {"steps": np.array(0), **tables}),
        (segment, {}),
    ]
    for tag, odd in ((ROWS_TAG, odd_rows), (SEGMENTS_TAG, odd_segments)):
        for number, (header, arrays) in enumerate(odd):
            blob = encode_block(Block(header, arrays))
            # In a run of its own, and before the rows of one that is all right.
            event = blob_event(tag, blob, step=0, wall_time=900.0)
            run = tmp_path / f"{tag} {number}"
            write_events(run, [event, *row_events(norms_of(7), range(10, 17))])
    client = open_client(tmp_path)
    for tag, odd in ((ROWS_TAG, odd_rows), (SEGMENTS_TAG, odd_segments)):
        for number in range(len(odd)):
            assert_hears(client, f"{tag} {number}", norms_of(7), np.arange(10, 17), logged=0)


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


@pytest.mark.parametrize("name", ['a "quoted" name', "back\\slash", "tab\tstop"])
def test_norms_that_the_name_of_a_run_hides_are_told_and_its_scalars_are_heard(
    tmp_path, open_client, name
):
    events = run_events(norms_of(120), np.arange(120))
    write_events(tmp_path / name, [*events, *scalar_events("loss", [(0, 1.0), (1, 0.5)])])
    client = open_client(tmp_path)
    (run,) = client.json_of("runs")["runs"]
    assert run["norms"] is (run["trouble"] is None)
    assert client.json_of("signals", run=name)["scalars"] == ["loss"]
    if run["norms"]:
        assert client.block_of("coverage", run=name).header["notes"] == 120
    else:  # by the fast loader
        assert "start TensorBoard with --load_fast=false" in run["trouble"]
        scale = {"scale": "linear", "low": 0, "high": 1}
        assert client.block_of("coverage", run=name, tag="loss", **scale).header["notes"] == 2


@pytest.mark.parametrize(("content", "known_as"), [(b"4", "4"), (b"", "1"), (b"\xff4", "\ufffd4")])
def test_norms_of_another_version_are_told_once_and_heard_as_scalars(
    tmp_path, open_client, caplog, content, known_as
):
    events = row_events(norms_of(50), np.arange(50), block_rows=5)
    for event in events:
        event.summary.value[0].metadata.plugin_data.content = content
        blob = event.summary.value[0].tensor.string_val
        blob[0] = blob[0].replace(b'"version":2', b'"version":3')
    scalars = [scalar_events(f"grad_norm/{name}", [(0, 1.0), (1, 0.5)]) for name in ("a", "b")]
    write_events(tmp_path / "run", [*events, *scalars[0], *scalars[1]])
    client = open_client(tmp_path)
    (run,) = client.json_of("runs")["runs"]
    assert run["norms"]
    assert f"format {known_as} of tb_sonify, and this one reads 3" in run["trouble"]
    assert client.block_of("coverage", run="run").header["notes"] == 2
    told = [record.getMessage() for record in caplog.records if "cannot be read" in record.message]
    assert len(told) == 1
