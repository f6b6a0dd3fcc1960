"""Where a note sums up many rows, each row of a stretch can be heard and seen by itself."""

import io
import wave

import numpy as np
import pytest

from tb_sonify.schema.notes import Notes, aggregate
from tb_sonify.sound import PRESETS, advance_state, render
from tests.hearing import notes_of
from tests.logs import LAYERS, norms_of, row_events, run_events, write_events

ROWS = 20_000  # the last notes sum up 4


@pytest.fixture
def norms():
    return norms_of(ROWS)


@pytest.fixture
def client(tmp_path, open_slow_client, norms):
    norms[15_003, 1] = np.nan
    norms[15_004, 2] = 2.0**20
    write_events(tmp_path / "run", run_events(norms, np.arange(ROWS) * 2, presets=()))
    return open_slow_client(tmp_path)


def test_each_row_of_a_stretch_is_a_note_and_the_others_stay(client, norms):
    whole, logged = notes_of(client, "run")
    coverage, tables = notes_of(client, "run", rows_from=30_000, rows_to=31_000)
    steps = coverage.arrays["steps"]
    (within,) = np.nonzero((steps >= 30_000) & (steps <= 31_000))
    np.testing.assert_array_equal(steps[within], np.arange(30_000, 31_001, 2))
    rows = aggregate(norms[15_000:15_501], rows_per_note=1)
    for name, table in vars(rows).items():
        np.testing.assert_array_equal(tables[name][within], table)
    first, more = within[0], coverage.header["notes"] - whole.header["notes"]
    for name, table in logged.items():
        np.testing.assert_array_equal(tables[name][:first], table[:first])
        after = within[-1] + 1 - more + 4
        np.testing.assert_array_equal(tables[name][after + more :], table[after:])
    assert coverage.header["rows_per_note"] == [1, 4]
    assert (np.diff(coverage.arrays["times"]) > 0).all()


def test_clips_of_rows_join_those_of_the_notes_around(client):
    view = {"rows_from": 30_000, "rows_to": 31_000}
    coverage, tables = notes_of(client, "run", **view)
    assert sum(each["notes"] for each in coverage.header["segments"]) == coverage.header["notes"]
    state, preset = None, PRESETS["smooth"]
    for segment in coverage.header["segments"]:
        first, notes = segment["first_note"], segment["notes"]
        part = Notes(**{name: table[first : first + notes] for name, table in tables.items()})
        query = {"preset": "smooth", "first_note": first, "notes": notes}
        response = client.sonify("clip", run="run", **query, **view)
        with wave.open(io.BytesIO(response.data)) as clip:
            heard = np.frombuffer(clip.readframes(clip.getnframes()), "<i2").astype(int)
        expected = render(part, preset=preset, state=state).ravel()
        assert np.abs(heard - expected).max() <= 1
        state = advance_state(part, preset=preset, state=state)


def test_what_is_heard_before_the_stretch_keeps_its_digest(client):
    whole = client.block_of("coverage", run="run").header["segments"]
    view = {"rows_from": 30_000, "rows_to": 31_000}
    apart = client.block_of("coverage", run="run", **view).header["segments"]
    same = [each for each in whole if each["first_note"] + each["notes"] <= 7_000]
    assert same
    assert [each for each in same if each not in apart] == []
    assert whole[-1]["digest"] != apart[-1]["digest"]


def test_a_heat_map_of_a_short_stretch_shows_each_row(client, norms):
    view = {"from": 30_000, "to": 30_020, "columns": 10}
    seen = client.block_of("heatmap", run="run", **view).arrays["max"]
    np.testing.assert_array_equal(seen[:9], norms[15_000:15_009])  # the last also has its end


def test_numbers_of_a_short_stretch_are_those_of_its_rows(client, norms):
    stretch = {"from": 30_008, "to": 30_108}
    layers = client.block_of("layers", run="run", **stretch)
    rows = norms[15_004:15_055]
    assert (layers.header["notes"], layers.header["most_rows"]) == (51, 1)
    np.testing.assert_array_equal(layers.arrays["max"], rows.max(axis=0))
    np.testing.assert_array_equal(layers.arrays["min"], rows.min(axis=0))
    assert layers.arrays["step_of_max"][2] == 30_008
    lines = client.sonify("table", run="run", **stretch).text.splitlines()
    assert lines[0] == ",".join(("step", *LAYERS))
    assert [int(line.split(",")[0]) for line in lines[1:]] == list(range(30_008, 30_109, 2))


def test_too_many_rows_stay_in_their_notes(client):
    whole = client.block_of("coverage", run="run")
    apart = client.block_of("coverage", run="run", rows_from=0, rows_to=2 * ROWS)
    assert apart.header == whole.header


def test_rows_that_cannot_be_read_stay_in_their_notes(tmp_path, open_client, norms):
    events = run_events(norms, np.arange(ROWS), presets=())
    lost = row_events(norms[15_000:16_000], range(15_000, 16_000), first_row=15_000)
    write_events(tmp_path / "run", [event for event in events if event not in lost])
    client = open_client(tmp_path)
    whole = client.block_of("coverage", run="run")
    apart = client.block_of("coverage", run="run", rows_from=15_500, rows_to=15_600)
    assert apart.header == whole.header
    around = client.block_of("coverage", run="run", rows_from=14_500, rows_to=14_600)
    assert around.header["notes"] > whole.header["notes"]


def test_a_run_along_another_is_taken_apart_where_that_is(tmp_path, open_slow_client, norms):
    write_events(tmp_path / "lead", run_events(norms, np.arange(ROWS), presets=()))
    write_events(tmp_path / "other", run_events(norms, np.arange(ROWS) * 3, presets=()))
    client = open_slow_client(tmp_path)
    view = {"rows_from": 15_000, "rows_to": 15_050}
    lead, own = notes_of(client, "lead", **view)
    _, along = notes_of(client, "other", along="lead", by="fraction", **view)
    first = int(np.flatnonzero(lead.arrays["steps"] == 15_000)[0])
    for name, table in own.items():
        np.testing.assert_array_equal(along[name][first : first + 50], table[first : first + 50])


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"rows_from": 1}, "missing query argument 'rows_to'"),
        ({"rows_from": 2, "rows_to": 1}, "'rows_from' must be at most 'rows_to', got 2 and 1"),
    ],
)
def test_a_stretch_has_two_ends_in_order(client, query, message):
    response = client.sonify("coverage", run="run", **query)
    assert response.status_code == 400
    assert message in response.text
