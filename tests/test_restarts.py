"""Runs that go back to an earlier step: what was written last is what is heard."""

import numpy as np
import pytest

from tb_sonify.schema.metadata import split_session
from tests.client import opened_client
from tests.hearing import assert_hears
from tests.logs import norms_of, row_events, run_events, segment_events, write_events


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("resumed_at", [1, 99, 100, 1_234, 2_400, 2_425, 2_450, 2_700])
def test_a_resumed_run_is_heard_as_it_went_in_the_end(tmp_path, open_client, resumed_at, closed):
    first, again = norms_of(2_450, seed=1), norms_of(1_300, seed=2)
    steps, later = np.arange(2_450), np.arange(resumed_at, resumed_at + 1_300)
    write_events(tmp_path / "run", run_events(first, steps, presets=()))
    events = row_events(again, later, session=9_000.0)
    if closed:
        events += segment_events(again, later, session=9_000.0, presets=())
    write_events(tmp_path / "run", events)
    kept = steps < resumed_at
    norms = np.concatenate([first[kept], again])
    all_steps = np.concatenate([steps[kept], later])
    logged = min(resumed_at, 2_450) // 100  # the 50 rows of the last segment are not all of it
    coverage = assert_hears(open_client(tmp_path), "run", norms, all_steps, logged=logged)
    assert coverage.header["missing"] == []


@pytest.mark.parametrize("before", [1, 29, 99])
def test_what_was_logged_before_a_first_segment_is_heard_with_the_run_that_goes_on(
    tmp_path, open_client, before
):
    # It was killed, so that its last segment was not stored, and it has no other.
    first, again = norms_of(before, seed=1), norms_of(250, seed=2)
    write_events(tmp_path / "run", row_events(first, np.arange(before)))
    later = np.arange(before, before + 250)
    write_events(tmp_path / "run", run_events(again, later, session=9_000.0, presets=()))
    norms = np.concatenate([first, again])
    assert_hears(open_client(tmp_path), "run", norms, np.arange(before + 250), logged=0)


def test_a_run_resumed_twice_and_further_back_is_heard_as_it_went(tmp_path, open_client):
    starts = (0, 1_500, 700)
    norms = [norms_of(2_000, seed=seed) for seed in range(3)]
    for session, (start, own) in enumerate(zip(starts, norms, strict=True)):
        steps = np.arange(start, start + 2_000)
        options = {"session": 10_000.0 * (session + 1), "presets": ()}
        write_events(tmp_path / "run", run_events(own, steps, **options))
    heard = np.concatenate([norms[0][:700], norms[2]])
    assert_hears(open_client(tmp_path), "run", heard, np.arange(2_700), logged=7)


def test_rows_that_go_back_within_a_session_replace_those_before(tmp_path, open_client):
    norms = norms_of(4_000)
    steps = np.concatenate([np.arange(2_000), np.arange(777, 2_777)])
    halves = [
        row_events(norms[:2_000], steps[:2_000]),
        row_events(norms[2_000:], steps[2_000:], first_row=2_000),
    ]
    before = segment_events(norms[:2_000], steps[:2_000], presets=())
    write_events(tmp_path / "run", [*before, *halves[0], *halves[1]])
    heard = np.concatenate([norms[:777], norms[2_000:]])
    coverage = assert_hears(open_client(tmp_path), "run", heard, np.arange(2_777), logged=7)
    assert coverage.header["missing"] == []


@pytest.mark.usefixtures("prompt_news")
def test_a_run_is_heard_as_it_goes_on_and_back_while_it_is_looked_at(tmp_path, open_client):
    heard, steps = norms_of(0), np.arange(0)
    client = None
    written = [
        # session, number of its first row, first step, rows
        (1, 0, 0, 300),
        (1, 300, 300, 300),
        (2, 0, 450, 350),
        (2, 350, 800, 1),
        (2, 351, 801, 419),
        (3, 0, 777, 500),
        (3, 500, 1_277, 423),
    ]
    for seed, (session, number, start, rows) in enumerate(written):
        norms, new = norms_of(rows, seed=seed), np.arange(start, start + rows)
        events = row_events(norms, new, session=10_000.0 * session, first_row=number)
        write_events(tmp_path / "run", events)
        heard = np.concatenate([heard[steps < start], norms])
        steps = np.concatenate([steps[steps < start], new])
        client = client or open_client(tmp_path)
        client.reload()
        coverage = assert_hears(client, "run", heard, steps, logged=0)
        assert coverage.header["missing"] == []


@pytest.mark.parametrize("version", [2, 3])
def test_a_block_at_the_step_of_one_before_is_heard(tmp_path, open_client, request, version):
    first, again = norms_of(2_000, seed=1), norms_of(2_000, seed=2)
    sessions = (
        run_events(first, np.arange(2_000), presets=()),
        row_events(again, np.arange(1_000, 3_000), session=9_000.0),
    )
    for events in sessions:
        for event in events if version == 2 else ():
            event.summary.value[0].tag = split_session(event.summary.value[0].tag)[0]
        write_events(tmp_path / "run", events)
    norms, logged, missing = np.concatenate([first[:1_000], again]), 10, []
    if version == 2 and "slow" in request.node.callspec.id:
        # Of two blobs of a tag that begin at the same step, the loader gives the first.
        norms, logged = np.concatenate([first, again[1_000:]]), 20
        missing = [[1_000, 1_999]]
    coverage = assert_hears(open_client(tmp_path), "run", norms, np.arange(3_000), logged=logged)
    assert coverage.header["missing"] == missing


@pytest.mark.usefixtures("prompt_news")
def test_a_second_run_in_the_same_directory_replaces_the_first(tmp_path):
    first, again = norms_of(900, seed=1), norms_of(350, seed=2)
    write_events(tmp_path / "run", run_events(first, np.arange(900)))
    with opened_client(tmp_path, "fast") as client:
        assert_hears(client, "run", first, np.arange(900), logged=9)
        write_events(tmp_path / "run", run_events(again, np.arange(350), session=9_000.0))
        client.reload()
        assert_hears(client, "run", again, np.arange(350), logged=4)
        for note in range(0, 350, 100):
            query = {"run": "run", "preset": "smooth", "first_note": note, "notes": 100}
            assert client.sonify("clip", **query).headers["X-Sonify-Source"] == "logged"
