"""Where rows are lacking, the scalars of the norms fill in, and coverage says where."""

import numpy as np
import pytest

from tests.logs import LAYERS, norms_of, row_events, scalar_events, write_events

STEPS = 300
BLOCK = 10


@pytest.fixture
def norms():
    return norms_of(STEPS)


def opened(open_client, logdir, norms, *, scalars, limit="sonify=5"):
    """A run of 30 blocks, of which TensorBoard keeps 5, and scalars at some steps."""
    events = row_events(norms, np.arange(STEPS), block_rows=BLOCK)
    for layer, name in enumerate(LAYERS):
        points = [(step, norms[step, layer]) for step in scalars]
        events += scalar_events(f"grad_norm/{name}", points)
    write_events(logdir / "run", events)
    return open_client(logdir, f"--samples_per_plugin={limit}")


def steps_of(ranges):
    return sum(1 + last - first for first, last in ranges)


def test_scalars_fill_in_where_rows_are_lacking(tmp_path, open_client, norms):
    client = opened(open_client, tmp_path, norms, scalars=range(STEPS))
    coverage = client.block_of("coverage", run="run").header
    assert (coverage["notes"], coverage["missing"]) == (STEPS, [])
    assert coverage["layers"] == list(LAYERS)
    assert steps_of(coverage["sampled"]) == STEPS - 5 * BLOCK
    notes = client.block_of("notes", run="run", first_note=0, notes=STEPS).arrays
    assert np.array_equal(notes["max"], norms)
    assert np.array_equal(notes["steps"][:-1], np.arange(STEPS))
    landmarks = client.json_of("landmarks", run="run")["landmarks"]
    assert "restart" not in {each["kind"] for each in landmarks}


def test_fewer_scalars_fill_in_what_they_know(tmp_path, open_client, norms):
    every = range(0, STEPS, 4)
    client = opened(open_client, tmp_path, norms, scalars=every)
    coverage = client.block_of("coverage", run="run")
    kept = {
        step
        for step in range(STEPS)
        if not any(first <= step <= last for first, last in coverage.header["sampled"])
    }
    assert coverage.arrays["steps"][:-1].tolist() == sorted(kept | set(every))


def test_scalars_fill_in_for_a_block_that_cannot_be_read(tmp_path, open_client, norms):
    events = row_events(norms, np.arange(STEPS), block_rows=100)
    (tensor,) = (value.tensor for value in events[1].summary.value)
    tensor.string_val[0] = b"TBSN" + bytes(40)
    for layer, name in enumerate(LAYERS):
        events += scalar_events(f"grad_norm/{name}", enumerate(norms[:, layer]))
    write_events(tmp_path / "run", events)
    client = open_client(tmp_path)
    coverage = client.block_of("coverage", run="run").header
    assert (coverage["notes"], coverage["missing"]) == (STEPS, [])
    assert coverage["sampled"] == [[100, 199]]
    notes = client.block_of("notes", run="run", first_note=0, notes=STEPS).arrays
    assert np.array_equal(notes["max"], norms)


def test_without_scalars_such_steps_are_missing(tmp_path, open_client, norms):
    coverage = (
        opened(open_client, tmp_path, norms, scalars=()).block_of("coverage", run="run").header
    )
    assert (coverage["notes"], coverage["sampled"]) == (5 * BLOCK, [])
    assert steps_of(coverage["missing"]) == STEPS - 5 * BLOCK


def test_with_all_rows_nothing_is_filled_in(tmp_path, open_client, norms):
    client = opened(open_client, tmp_path, norms, scalars=range(STEPS), limit="sonify=0")
    coverage = client.block_of("coverage", run="run").header
    assert (coverage["notes"], coverage["missing"], coverage["sampled"]) == (STEPS, [], [])
