"""Requests for what is not there, and requests that make no sense."""

import numpy as np
import pytest

from tb_sonify.sound import PRESETS
from tests.client import opened_client
from tests.logs import norms_of, run_events, scalar_events, write_events

ROUTES = ("signals", "curve", "coverage", "notes", "clip", "sound", "legend")
ROUTES += ("heatmap", "layers", "landmarks", "describe", "table")
GOOD = {"preset": "smooth", "first_note": 0, "notes": 1, "from": 0, "to": 9, "columns": 1}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A run of 150 notes and a scalar, and one of a scalar alone."""
    logdir = tmp_path_factory.mktemp("logs")
    events = run_events(norms_of(150), np.arange(150), presets=())
    write_events(logdir / "sgd", [*events, *scalar_events("accuracy", [(0, 0.5)])])
    write_events(logdir / "plain", scalar_events("accuracy", [(0, 0.5)]))
    with opened_client(logdir, "slow") as opened:
        yield opened


def test_a_query_that_is_no_text_is_answered(client):
    response = client.get("/data/plugin/sonify/coverage?run=%ff%fe")
    assert response.status_code == 404


@pytest.mark.parametrize("route", ROUTES)
def test_an_unknown_run_is_not_found_by_its_name(client, route):
    for run in ("no such run", "", "sgd/", "学習", "a\0b"):
        response = client.sonify(route, run=run, tag="x", **GOOD)
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
        (
            "clip",
            {"preset": "smooth", "tag": "accuracy", "first_note": 0, "notes": 1},
            "no preset 'smooth', there are single",
        ),
        ("coverage", {"tag": "nothing"}, "no scalar 'nothing' in run 'sgd'"),
        ("coverage", {"along": "nobody"}, "no run 'nobody'"),
        ("coverage", {"along": "plain", "lead_tag": "x"}, "no scalar 'x' in run 'plain'"),
        ("table", {"tag": "nothing"}, "no scalar 'nothing' in run 'sgd'"),
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
        ("table", {"run": "sgd", "from": 2, "to": 1}, "'from' must be at most 'to'"),
        ("layers", {"run": "sgd", "from": 2, "to": 1}, "'from' must be at most 'to'"),
        ("heatmap", {"run": "sgd", "to": 1, "columns": 1}, "missing query argument 'from'"),
        ("heatmap", {"run": "sgd", "from": 1, "to": 1, "columns": 1}, "'from' must be below 'to'"),
        ("legend", {}, "missing query argument 'preset'"),
        ("legend", {"preset": "classic"}, "the preset 'classic' has no legend"),
        ("coverage", {"run": "sgd", "scale": "log", "low": 1, "high": 2}, "it needs 'tag'"),
        ("coverage", {"run": "sgd", "tag": "accuracy", "scale": "log", "low": 1}, "'high'"),
        ("coverage", {"run": "sgd", "tag": "accuracy", "low": 1, "high": 2}, "'scale'"),
        (
            "coverage",
            {"run": "sgd", "tag": "accuracy", "scale": "log", "low": 0, "high": 2},
            "a log scale must begin above 0",
        ),
        (
            "coverage",
            {"run": "sgd", "tag": "accuracy", "scale": "linear", "low": 2, "high": 2},
            "low must be below high",
        ),
        ("coverage", {"run": "sgd", "by": "time"}, "need 'along'"),
        ("coverage", {"run": "sgd", "lead_tag": "x"}, "need 'along'"),
        ("coverage", {"run": "sgd", "along": "plain"}, "'lead_tag' must name a scalar of 'plain'"),
        ("coverage", {"run": "sgd", "together": 3}, "must be a power of two up to 4096, got 3"),
        ("clip", {"run": "sgd", "speed": 3.9, **GOOD}, "notes per second must be 4 to 32"),
        ("clip", {"run": "sgd", "zoom": 3, **GOOD}, "zoom must be 1, 2 or 4"),
        ("clip", {"run": "sgd", "center": 1e9, **GOOD}, "center must be within"),
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
        ("clip", "notes", ["0", "10001", "x"]),
        ("clip", "first_note", ["-1", "1" + "0" * 16, "0x10", "1_0", "x"]),
        ("curve", "points", ["1", "20001", "x", ""]),
        ("curve", "from", ["x", "nan", "inf", "-inf", "1e999", "", "0x1"]),
        ("curve", "to", ["x", "nan"]),
        ("layers", "from", ["x", "nan", ""]),
        ("heatmap", "from", ["x", "nan", "-1e20", ""]),
        ("heatmap", "columns", ["0", "4001", "x", ""]),
        ("coverage", "together", ["0", "8192", "-2", "x", ""]),
        ("coverage", "by", ["", "steps"]),
        ("coverage", "scale", ["", "LOG"]),
        ("coverage", "low", ["x", "1e301", "nan"]),
        ("clip", "speed", ["x", "inf", ""]),
        ("clip", "muted", ["x", "-1", "32", "1,,2", ","]),
        ("clip", "epoch", ["0", "-1", "1.5", ""]),
        ("clip", "reference", ["2", "", "true"]),
        ("clip", "polarity", ["", "left"]),
        ("sound", "format", ["", "mp3"]),
    ],
)
def test_a_malformed_argument_is_refused_with_what_must_hold(client, route, name, values):
    good = {"run": "sgd", "tag": "accuracy", "along": "sgd", **GOOD}
    scale = {"scale": "log", "low": 1, "high": 2} if name in ("scale", "low") else {}
    for value in values:
        response = client.sonify(route, **{**good, **scale, name: value})
        assert response.status_code == 400, (value, response.text)
        assert f"query argument {name!r} must be" in response.text
        assert f"got {value!r}" in response.text
