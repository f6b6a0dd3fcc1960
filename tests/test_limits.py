"""What depends on the size of a run is bounded too; arguments are tried by the specification."""

import re
from pathlib import Path

import numpy as np
import pytest

from tb_sonify.reading import limits
from tests.logs import norms_of, run_events, write_events


@pytest.fixture
def client(tmp_path, open_client):
    """Two runs of four layers, of 150 and of 300 notes."""
    for name, rows in (("short", 150), ("long", 300)):
        write_events(tmp_path / name, run_events(norms_of(rows), np.arange(rows), presets=()))
    return open_client(tmp_path)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"run": "short", "together": 2}, 200),
        ({"run": "long", "together": 2}, 400),
        ({"run": "short", "along": "long"}, 400),
        ({"run": "short", "along": "short"}, 200),
        ({"run": "long"}, 200),
    ],
)
def test_a_run_that_is_heard_in_another_way_is_not_too_large(client, monkeypatch, query, status):
    monkeypatch.setattr("tb_sonify.reading.limits.MAX_SELECTION_VALUES", 4 * 200)
    response = client.sonify("coverage", **query)
    assert response.status_code == status
    if status == 400:
        assert "must be at most 800, got 300 notes of 4 layers" in response.text


def test_numbers_of_notes_are_fewer_where_there_are_many_layers(client, monkeypatch):
    monkeypatch.setattr("tb_sonify.reading.limits.MAX_TABLE_VALUES", 4 * 30)
    query = {"run": "long", "first_note": 290, "notes": 100}
    assert client.block_of("notes", **query).arrays["max"].shape == (10, 4)
    query["first_note"] = 200
    assert client.block_of("notes", **query).arrays["max"].shape == (30, 4)
    monkeypatch.setattr("tb_sonify.reading.limits.MAX_TABLE_VALUES", 3)
    assert client.block_of("notes", **query).arrays["max"].shape == (1, 4)


def test_every_bound_is_in_the_documentation_with_its_value_and_no_other():
    """In each table row that names one, its value is there too: 10,000, 0.2 or, of bytes, MiB."""
    bounds = {name: value for name, value in vars(limits).items() if name.isupper()}
    del bounds["MIB"]
    named = {}
    for row in Path("docs/limits.md").read_text().splitlines():
        for name in re.findall(r"`([A-Z]+_[A-Z_]+)`", row) if row.startswith("|") else ():
            named[name] = {number.replace(",", "") for number in re.findall(r"[0-9][\d,.e]*", row)}
    assert set(named) == set(bounds)
    for name, value in bounds.items():
        unit = limits.MIB if name.endswith("BYTES") else 1
        assert any(float(number) == value / unit for number in named[name]), name
