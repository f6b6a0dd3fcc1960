"""Runs of very many layers: worked on in parts, of bounded memory, with the same results."""

import time
import tracemalloc

import numpy as np
import pytest

from tb_sonify.landmarks import find_landmarks
from tb_sonify.reading.limits import MAX_LAYERS
from tb_sonify.schema.notes import aggregate
from tests.client import opened_client
from tests.eventful_runs import SCENARIOS
from tests.labelled_runs import labelled_run, landmarks_of
from tests.logs import norms_of, row_events, write_events

SPAN = {"from": 100, "to": 2_900}
MIB = 2**20


@pytest.fixture
def small_parts(monkeypatch):
    """Makes parts of so many numbers."""
    return lambda values: monkeypatch.setattr("tb_sonify.schema.notes.CHUNK_VALUES", values)


@pytest.fixture
def logdir(tmp_path):
    """A run whose layers are others from its middle on, with a NaN and a spike."""
    norms = norms_of(3_000, 7)
    norms[700, 2], norms[1_200, 4], norms[2_000:, 3] = np.nan, 1e9, 0
    first = row_events(norms[:1_500], np.arange(1_500), layers=tuple("abcdefg"))
    steps = np.arange(1_500, 3_000)
    second = row_events(norms[1_500:], steps, layers=tuple("gfexyza"), session=9_000.0)
    write_events(tmp_path / "run", [*first, *second])
    return tmp_path


def answers(client):
    heatmap = client.block_of("heatmap", run="run", columns=50, **SPAN)
    layers = client.block_of("layers", run="run", **SPAN)
    landmarks = client.json_of("landmarks", run="run")
    words = client.sonify("describe", run="run").text
    return heatmap.header, layers.header, landmarks, words, {**heatmap.arrays, **layers.arrays}


def test_answers_in_parts_are_those_of_the_whole(logdir, small_parts):
    with opened_client(logdir, "slow") as client:
        *whole, arrays = answers(client)
    small_parts(3_000)  # one layer, or a few hundred notes
    with opened_client(logdir, "slow") as client:
        *parts, arrays_of_parts = answers(client)
    assert parts == whole
    assert len(whole[2]["landmarks"]) > 1
    for name, array in arrays.items():
        np.testing.assert_array_equal(arrays_of_parts[name], array)


def test_landmarks_in_parts_are_those_of_the_whole(small_parts):
    runs = [labelled_run(scenario, seed) for scenario in SCENARIOS for seed in range(2_000, 2_005)]
    whole = [landmarks_of(run) for run in runs]
    small_parts(500)
    assert [landmarks_of(run) for run in runs] == whole
    assert sum(map(len, whole)) > len(runs)


@pytest.mark.statistics
def test_landmarks_take_little_memory_however_many_layers_there_are():
    notes = aggregate(norms_of(2_000, 3_000), rows_per_note=1)
    names = [str(layer) for layer in range(notes.layers)]
    tracemalloc.start()
    find_landmarks(notes, steps=np.arange(2_001), layers=names)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 96 * MIB  # a table of the 6,000,000 norms has 23, of which there were a dozen


def test_layers_beyond_what_a_run_may_have_are_missing(tmp_path, open_client, caplog):
    rows, at_once, blocks = 10, 500, 24
    events = []
    for block in range(blocks + 1):
        first = 0 if block == blocks else block * at_once  # the last has those of the first again
        layers = tuple(f"layer{number}" for number in range(first, first + at_once))
        steps = np.arange(block * rows, (block + 1) * rows)
        norms = norms_of(rows, at_once)
        events += row_events(norms, steps, layers=layers, first_row=block * rows)
    write_events(tmp_path / "run", events)
    client = open_client(tmp_path)
    start = time.process_time()
    heatmap = client.block_of("heatmap", run="run", **{"from": 0, "to": 250}, columns=25)
    client.json_of("landmarks", run="run")
    assert time.process_time() - start < 5
    assert len(heatmap.header["layers"]) == MAX_LAYERS
    held = MAX_LAYERS // at_once
    assert client.block_of("coverage", run="run").header["missing"] == [[held * rows, 239]]
    seen = (heatmap.arrays["max"] >= 0).any(axis=1)
    assert seen.tolist() == [True] * held + [False] * (blocks - held) + [True]
    told = [record.message for record in caplog.records if "more than 10,000" in record.message]
    assert len(told) == 1


def test_a_block_of_too_many_layers_is_missing(tmp_path, open_client, caplog):
    layers = tuple(f"layer{number}" for number in range(MAX_LAYERS + 1))
    few = row_events(norms_of(10, 2), np.arange(10), layers=layers[:2])
    many = row_events(norms_of(10, len(layers)), np.arange(10, 20), layers=layers, first_row=10)
    write_events(tmp_path / "run", [*few, *many])
    client = open_client(tmp_path)
    coverage = client.block_of("coverage", run="run")
    assert coverage.header["missing"] == [[10, 10]]  # where it ends, nobody can tell
    assert "at most 10,000 layers, got 10,001" in caplog.text
