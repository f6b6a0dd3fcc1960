"""Which notes a run has: from segments, from rows, while it runs and when it has ended."""

import numpy as np
import pytest

from tb_sonify import SonifyWriter
from tests.hearing import assert_hears
from tests.logs import (
    LAYERS,
    norms_of,
    row_events,
    run_events,
    scalar_events,
    segment_events,
    write_events,
)


@pytest.mark.parametrize("rows", [1, 99, 100, 101, 3_000, 3_333, 9_999])
def test_a_closed_run_is_heard_from_its_segments(tmp_path, open_client, rows):
    norms, steps = norms_of(rows), np.arange(rows)
    # Without rows, which are therefore not needed.
    write_events(tmp_path / "run", segment_events(norms, steps, presets=()))
    coverage = assert_hears(open_client(tmp_path), "run", norms, steps, logged=1_000)
    assert coverage.header["layers"] == list(LAYERS)
    assert coverage.header["missing"] == []


@pytest.mark.parametrize("rows", [1, 100, 1_001, 3_333, 9_999])
def test_rows_alone_give_the_same_notes(tmp_path, open_client, rows):
    norms, steps = norms_of(rows), np.arange(rows)
    write_events(tmp_path / "run", row_events(norms, steps, block_rows=700))
    coverage = assert_hears(open_client(tmp_path), "run", norms, steps, logged=0)
    assert coverage.header["missing"] == []


@pytest.mark.usefixtures("prompt_news")
def test_a_live_run_is_heard_to_its_last_row_while_it_grows(tmp_path, open_client):
    norms, steps = norms_of(5_000), np.arange(5_000) * 3 + 17
    segments = segment_events(norms, steps, presets=())
    client = None
    rows_before = segments_before = 0
    for rows, logged in ((60, 0), (1_250, 12), (1_260, 12), (3_700, 20), (4_999, 40), (5_000, 41)):
        new = slice(rows_before, rows)
        write_events(tmp_path / "run", segments[segments_before:logged])
        write_events(tmp_path / "run", row_events(norms[new], steps[new], first_row=rows_before))
        rows_before, segments_before = rows, logged
        if client is None:
            client = open_client(tmp_path)
        client.reload()
        coverage = assert_hears(client, "run", norms[:rows], steps[:rows], logged=logged)
        assert coverage.header["missing"] == []


@pytest.mark.usefixtures("prompt_news")
def test_a_run_whose_writer_is_still_open_is_heard(tmp_path, open_client):
    norms = norms_of(250)
    writer = SonifyWriter(tmp_path / "run")
    for step, row in enumerate(norms):
        writer.add_norms(dict(zip(LAYERS, row, strict=True)), step)
    writer.flush()
    client = open_client(tmp_path)
    assert_hears(client, "run", norms, np.arange(250), logged=2)
    writer.close()
    client.reload()
    assert_hears(client, "run", norms, np.arange(250), logged=3)


def test_steps_may_start_and_leap_anywhere(tmp_path, open_client):
    steps = np.array([10**12, 10**12 + 1, 2 * 10**12, 2 * 10**12 + 5])
    norms = norms_of(4)
    write_events(tmp_path / "run", run_events(norms, steps, presets=()))
    assert_hears(open_client(tmp_path), "run", norms, steps, logged=1)


def test_layers_that_come_later_have_no_gradient_before(tmp_path, open_client):
    norms = norms_of(250, 3)
    early, late = ("a", "b"), ("a", "b", "c")
    events = row_events(norms[:150, :2], range(150), layers=early)
    events += row_events(norms[150:], range(150, 250), layers=late, first_row=150)
    write_events(tmp_path / "run", events)
    expected = norms.copy()
    expected[:150, 2] = -1
    client = open_client(tmp_path)
    coverage = assert_hears(client, "run", expected, np.arange(250), logged=0)
    assert coverage.header["layers"] == ["a", "b", "c"]
    streams = [(stream["name"], stream["layers"]) for stream in coverage.header["streams"]]
    assert streams == [("early", ["a"]), ("middle", ["b"]), ("late", ["c"])]


def test_a_run_of_scalars_alone_has_no_notes(tmp_path, open_client):
    write_events(tmp_path / "run", scalar_events("loss", [(0, 1.0)]))
    client = open_client(tmp_path)
    coverage = client.block_of("coverage", run="run")
    assert coverage.header["notes"] == 0
    assert coverage.header["segments"] == coverage.header["layers"] == []
    assert coverage.arrays["steps"].shape == (0,)
    signals = client.json_of("signals", run="run")
    assert signals == {"run": "run", "scalars": ["loss"], "loss": "loss", "pairs": []}
    response = client.sonify("notes", run="run", first_note=0, notes=1)
    assert (response.status_code, response.text) == (
        404,
        "Not found: no note 0 in run 'run', which has 0",
    )
