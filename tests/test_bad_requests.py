"""Requests for what is not there, and requests that make no sense."""

import numpy as np
import pytest

from tb_sonify.sound import PRESETS
from tests.logs import norms_of, run_events, scalar_events, write_events


@pytest.fixture
def client(tmp_path, open_client):
    """One run, of 150 notes and a scalar."""
    events = run_events(norms_of(150), np.arange(150), presets=())
    write_events(tmp_path / "sgd", [*events, *scalar_events("accuracy", [(0, 0.5)])])
    return open_client(tmp_path)


def test_a_query_that_is_no_text_is_answered(client):
    response = client.get("/data/plugin/sonify/coverage?run=%ff%fe")
    assert response.status_code == 404


@pytest.mark.parametrize("route", ["signals", "coverage", "curve", "notes", "clip"])
@pytest.mark.parametrize("run", ["no such run", "", "sgd/", "学習", "a\0b"])
def test_an_unknown_run_is_not_found_by_its_name(client, route, run):
    response = client.sonify(route, run=run, tag="x", preset="smooth", first_note=0, notes=1)
    assert response.status_code == 404
    assert response.text == f"Not found: no run {run!r}"
    assert response.content_type == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("route", "query", "message"),
    [
        ("curve", {"tag": "no such tag"}, "no scalar 'no such tag' in run 'sgd'"),
        ("curve", {"tag": "sonify/rows"}, "no scalar 'sonify/rows' in run 'sgd'"),
        ("notes", {"first_note": 150, "notes": 1}, "no note 150 in run 'sgd', which has 150"),
        (
            "clip",
            {"preset": "smooth", "first_note": 10**15, "notes": 1},
            "no note 1000000000000000 in run 'sgd', which has 150",
        ),
        (
            "clip",
            {"preset": "loud", "first_note": 0, "notes": 1},
            f"no preset 'loud', there are {', '.join(PRESETS)}",
        ),
    ],
)
def test_what_a_run_does_not_have_is_not_found_by_its_name(client, route, query, message):
    response = client.sonify(route, run="sgd", **query)
    assert (response.status_code, response.text) == (404, f"Not found: {message}")


@pytest.mark.parametrize(
    ("route", "query", "message"),
    [
        ("signals", {}, "missing query argument 'run'"),
        ("coverage", {}, "missing query argument 'run'"),
        ("curve", {"run": "sgd"}, "missing query argument 'tag'"),
        ("clip", {"run": "sgd", "first_note": 0, "notes": 1}, "missing query argument 'preset'"),
        ("notes", {"run": "sgd", "notes": 1}, "missing query argument 'first_note'"),
        ("notes", {"run": "sgd", "first_note": 0}, "missing query argument 'notes'"),
        ("curve", {"run": "sgd", "tag": "x", "from": 2, "to": 1}, "'from' must be at most 'to'"),
    ],
)
def test_a_missing_or_contradictory_argument_is_refused(client, route, query, message):
    response = client.sonify(route, **query)
    assert response.status_code == 400
    assert message in response.text


@pytest.mark.parametrize(
    ("route", "name", "values"),
    [
        ("notes", "notes", ["0", "1001", "-1", "1.0", "1e2", "", " 1", "٣", "9" * 40, "nan", "x"]),
        ("clip", "first_note", ["-1", "1" + "0" * 16, "0x10", "1_0", "x"]),
        ("curve", "points", ["1", "20001", "x", ""]),
        ("curve", "from", ["x", "nan", "inf", "-inf", "1e999", "", "0x1"]),
        ("curve", "to", ["x", "nan"]),
    ],
)
def test_a_malformed_argument_is_refused_with_what_must_hold(client, route, name, values):
    good = {"run": "sgd", "tag": "accuracy", "preset": "smooth", "first_note": 0, "notes": 1}
    for value in values:
        response = client.sonify(route, **{**good, name: value})
        assert response.status_code == 400, (value, response.text)
        assert f"query argument {name!r} must be" in response.text
        assert f"got {value!r}" in response.text
