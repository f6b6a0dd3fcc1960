"""Norms that are scalars, at the bounds of how many are read."""

import numpy as np

from tb_sonify.training.summary import scalars_event
from tests.logs import write_events

STEPS = 5


def write_layers(run, layers, steps):
    names = [f"grad_norm/layer{number}" for number in range(layers)]
    norms = np.exp2(np.random.default_rng(0).normal(0, 1, (steps, layers)))
    write_events(
        run,
        [
            scalars_event(zip(names, row, strict=True), step=step, wall_time=1_000.0 + step)
            for step, row in enumerate(norms)
        ],
    )
    return norms


def test_of_2001_layers_the_first_2000_are_heard(tmp_path, open_client):
    write_layers(tmp_path / "run", 2_001, STEPS)
    client = open_client(tmp_path)
    found = client.block_of("coverage", run="run").header
    assert found["layers"] == [f"layer{number}" for number in range(2_000)]
    assert found["notes"] == STEPS
    clip = client.sonify("clip", run="run", preset="smooth", first_note=0, notes=STEPS)
    assert clip.status_code == 200


def test_of_more_points_than_are_read_some_of_each_layer_are_heard(
    tmp_path, open_client, monkeypatch
):
    monkeypatch.setattr("tb_sonify.reading.limits.MAX_SCALAR_VALUES", 2_000)
    norms = write_layers(tmp_path / "run", 20, 600)
    client = open_client(tmp_path)
    found = client.block_of("coverage", run="run").header
    assert len(found["layers"]) == 20
    assert 100 <= found["notes"] <= 2_000
    notes = client.block_of("notes", run="run", first_note=0, notes=found["notes"])
    assert notes.arrays["max"].max() <= norms.max() * 1.01
    clip = client.sonify("clip", run="run", preset="smooth", first_note=0, notes=found["notes"])
    assert clip.status_code == 200
