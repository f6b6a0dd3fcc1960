"""All runs at once: how far each got, where it stands, and where it broke."""

import math
import time

import pytest

from tests.logs import scalar_events, write_events

LOSSES = {
    "<b>dead": [(10_000_000, math.nan), (10_000_001, math.nan)],
    "adam": [(0, 4.0), (7, math.nan), (8, math.inf), (9, 3.0)],
    "one point": [(3, -math.inf)],
    "sgd": [(0, 4.0), (5, 2.0), (9, 0.5)],
}


def summaries_of(client):
    """The header, and what is said of each run by its name."""
    block = client.block_of("summaries", tag="loss")
    columns = {name: array.tolist() for name, array in block.arrays.items()}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return block.header, dict(zip(block.header["runs"], rows, strict=True))


def test_every_run_that_has_the_scalar_is_summed_up(tmp_path, open_client):
    for run, points in LOSSES.items():
        write_events(tmp_path / run, scalar_events("loss", points))
    write_events(tmp_path / "another", scalar_events("accuracy", [(0, 0.5)]))
    header, found = summaries_of(open_client(tmp_path))
    assert header["tag"] == "loss"
    assert header["now"] == pytest.approx(time.time(), abs=60)
    assert header["runs"] == sorted(LOSSES)
    assert found["sgd"] == {
        "last_steps": 9,
        "last_values": 0.5,
        "last_times": 1_002,
        "first_broken": pytest.approx(math.nan, nan_ok=True),
        "broken_values": pytest.approx(math.nan, nan_ok=True),
        "points": 3,
        "finite": 3,
        "ended": 0,
    }
    firsts = {run: row["first_broken"] for run, row in found.items() if run != "sgd"}
    assert firsts == {"<b>dead": 10_000_000, "adam": 7, "one point": 3}
    assert {run: row["finite"] for run, row in found.items()} == {
        "<b>dead": 0,
        "adam": 2,
        "one point": 0,
        "sgd": 3,
    }
    assert math.isnan(found["<b>dead"]["last_values"])
    assert math.isnan(found["adam"]["broken_values"])
    assert found["one point"]["broken_values"] == -math.inf
    assert found["one point"]["last_values"] == -math.inf


def test_a_resumed_run_is_summed_up_by_what_was_written_last(tmp_path, open_client):
    write_events(tmp_path / "run", scalar_events("loss", [(0, 4.0), (5, math.nan), (9, 3.0)]))
    write_events(tmp_path / "run", scalar_events("loss", [(4, 1.0), (6, 0.5)], start=9_000.0))
    _, found = summaries_of(open_client(tmp_path))
    assert (found["run"]["points"], found["run"]["finite"]) == (3, 3)
    assert (found["run"]["last_steps"], found["run"]["last_values"]) == (6, 0.5)
    assert found["run"]["last_times"] == 9_001


def test_all_runs_are_read_in_one_call_which_spares_that_of_the_curve(
    tmp_path, open_client, monkeypatch
):
    for run in range(20):
        write_events(tmp_path / f"run {run}", scalar_events("loss", [(0, 1.0), (1, run)]))
    client = open_client(tmp_path)
    calls = []
    read = client.provider.read_scalars
    monkeypatch.setattr(
        type(client.provider),
        "read_scalars",
        staticmethod(lambda *args, **options: calls.append(1) or read(*args, **options)),
    )
    _, found = summaries_of(client)
    assert [found[f"run {run}"]["last_values"] for run in range(20)] == list(range(20))
    client.block_of("curve", run="run 7", tag="loss")
    assert len(calls) == 1


@pytest.mark.usefixtures("prompt_news")
def test_what_was_logged_since_is_there_when_it_is_asked_for_again(tmp_path, open_client):
    write_events(tmp_path / "run", scalar_events("loss", [(0, 1.0)]))
    client = open_client(tmp_path)
    summaries_of(client)
    write_events(tmp_path / "run", scalar_events("loss", [(1, 2.0)], start=2_000.0))
    write_events(tmp_path / "later", scalar_events("loss", [(0, 3.0)]))
    client.reload()
    _, found = summaries_of(client)
    assert sorted(found) == ["later", "run"]
    assert found["run"]["last_steps"] == 1


@pytest.mark.parametrize("tag", ["no such tag", "", "sonify/rows", "a\0b"])
def test_a_scalar_that_no_run_has_is_not_found_by_its_name(tmp_path, open_client, tag):
    write_events(tmp_path / "run", scalar_events("loss", [(0, 1.0)]))
    response = open_client(tmp_path).sonify("summaries", tag=tag)
    assert (response.status_code, response.text) == (
        404,
        f"Not found: no scalar {tag!r} in any run",
    )


def test_summaries_without_a_scalar_are_refused(tmp_path, open_client):
    write_events(tmp_path / "run", scalar_events("loss", [(0, 1.0)]))
    response = open_client(tmp_path).sonify("summaries")
    assert response.status_code == 400
    assert "missing query argument 'tag'" in response.text
