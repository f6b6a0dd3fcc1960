"""Which runs there are, which must cost little where nothing has changed."""

import numpy as np
import pytest

from tests.logs import norms_of, row_events, scalar_events, write_events

LISTINGS = ("list_scalars", "list_blob_sequences")


@pytest.fixture
def listed(monkeypatch):
    """Notes of a client's provider which runs are listed with all of their tags; `None`: all."""

    def note(client):
        asked = []

        def noted(listing):
            def list_noted(*arguments, run_tag_filter=None, **options):
                if run_tag_filter is None or run_tag_filter.tags is None:
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


@pytest.mark.usefixtures("prompt_news")
def test_the_runs_to_compare_are_those_that_went_best_and_worst(tmp_path, open_client):
    rows = row_events(norms_of(20), np.arange(20))
    losses = {
        "a": np.linspace(2.0, 1.0, 20),
        "b": np.linspace(2.0, 0.1, 20),
        "c": np.r_[2.0, 4e16, np.full(18, 2.4)],  # explodes, and ends as if nothing had been
        "d": np.linspace(2.0, 9.0, 20),
    }
    for name, values in losses.items():
        write_events(tmp_path / name, [*rows, *scalar_events("loss", enumerate(values))])
    write_events(tmp_path / "no norms", scalar_events("loss", [(0, np.nan)]))
    client = open_client(tmp_path)

    def compared():
        runs = client.json_of("runs")["runs"]
        return {run["compared"]: run["run"] for run in runs if run["compared"]}

    assert compared() == {"a": "b", "b": "c"}
    write_events(tmp_path / "e", [*rows, *scalar_events("loss", [(0, 1.0), (1, np.nan)])])
    client.reload()
    assert compared() == {"a": "b", "b": "e"}


def test_of_losses_alike_by_name_one_with_more_points_is_drawn_first(tmp_path, open_client):
    few, many = ([(step, 1.0) for step in range(0, 40, every)] for every in (10, 1))
    events = scalar_events("loss", few) + scalar_events("train_loss", many)
    write_events(tmp_path / "run", events + scalar_events("val_loss", many))
    client = open_client(tmp_path)
    assert client.json_of("signals", run="run")["loss"] == "train_loss"
    assert "train_loss: starts" in client.sonify("describe", run="run").text
