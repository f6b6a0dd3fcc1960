"""Which runs there are, which must cost little where nothing has changed."""

import numpy as np
import pytest

from tests.logs import norms_of, row_events, scalar_events, write_events

LISTINGS = ("list_scalars", "list_blob_sequences")


@pytest.fixture
def listed(monkeypatch):
    """Notes of a client's provider which runs are listed with their data; `None`: all."""

    def note(client):
        asked = []

        def noted(listing):
            def list_noted(*arguments, run_tag_filter=None, **options):
                wanted = None if run_tag_filter is None else run_tag_filter.runs
                asked.append(None if wanted is None else set(wanted))
                return listing(*arguments, run_tag_filter=run_tag_filter, **options)

            return list_noted

        for name in LISTINGS:
            listing = noted(getattr(client.provider, name))
            monkeypatch.setattr(type(client.provider), name, staticmethod(listing))
        return asked

    return note


def test_of_runs_that_have_norms_nothing_is_listed_again(tmp_path, open_client, listed):
    rows = row_events(norms_of(50), np.arange(50))
    for name in ("a", "b"):
        write_events(tmp_path / name, rows)
    for layer in ("conv", "fc"):
        write_events(tmp_path / "norms", scalar_events(f"grad_norm/{layer}", [(0, 1.0)]))
    write_events(tmp_path / "loss", scalar_events("loss", [(0, 1.0)]))
    write_events(tmp_path / "empty", [])
    client = open_client(tmp_path)
    asked = listed(client)

    def runs():
        asked.clear()
        return {run["run"]: run["norms"] for run in client.json_of("runs")["runs"]}

    expected = {"a": True, "b": True, "loss": False, "norms": True}
    assert runs() == expected
    assert runs() == expected
    assert asked == [{"loss", "empty"}] * 2

    asked.clear()
    client.json_of("news")
    assert asked == [{"empty"}] * 2

    write_events(tmp_path / "loss", rows)
    write_events(tmp_path / "empty", scalar_events("loss", [(0, 1.0)]))
    client.reload()
    assert runs() == {**expected, "loss": True, "empty": False}
    assert runs() == {**expected, "loss": True, "empty": False}
    assert asked == [{"empty"}] * 2
