"""The news: whether anything has changed since they were asked for last."""

import numpy as np
import pytest

from tests.logs import norms_of, row_events, scalar_events, write_events

pytestmark = pytest.mark.usefixtures("prompt_news")


def test_news_tell_of_runs_that_come_and_of_those_that_grow(tmp_path, open_client):
    norms, steps = norms_of(300), np.arange(300)
    write_events(tmp_path / "norms", row_events(norms[:100], steps[:100]))
    write_events(tmp_path / "scalar", scalar_events("loss", [(0, 1.0)]))
    write_events(tmp_path / "nothing", [])
    client = open_client(tmp_path)

    def news():
        found = client.json_of("news", run=["norms", "scalar"], tag="loss")
        return found["runs"], *(tuple(state.values()) for state in found["states"])

    runs, of_norms, of_scalar = first = news()
    assert (of_norms[1], of_scalar[0]) == (None, None)
    assert news() == first
    write_events(tmp_path / "norms", row_events(norms[100:], steps[100:], first_row=100))
    client.reload()
    assert news()[::2] == (runs, of_scalar)
    assert news()[1] != of_norms
    before = news()
    write_events(tmp_path / "scalar", scalar_events("loss", [(1, 1.0)], start=2_000.0))
    client.reload()
    assert news()[:2] == before[:2]
    assert news()[2] != before[2]
    before = news()
    write_events(tmp_path / "nothing", scalar_events("loss", [(0, 1.0)]))
    client.reload()
    assert news()[0] != before[0]
    assert news()[1:] == before[1:]
    before = news()
    write_events(tmp_path / "scalar", row_events(norms[:9], steps[:9], session=3_000.0))
    client.reload()
    assert news()[0] == before[0]  # nothing is there that was empty
    assert news()[2][0] is not None


def test_news_are_of_two_runs_at_most(tmp_path, open_client):
    write_events(tmp_path / "scalar", scalar_events("loss", [(0, 1.0)]))
    client = open_client(tmp_path)
    assert client.json_of("news")["states"] == []
    nothing = {"norms": None, "points": None}
    assert client.json_of("news", run="no such run")["states"] == [nothing]
    response = client.sonify("news", run=["a", "b", "c"])
    assert (response.status_code, "at most 2 runs, got 3" in response.text) == (400, True)
