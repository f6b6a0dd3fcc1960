"""What an answer costs follows what is asked for, not how long the run is."""

import numpy as np
import pytest
from tensorboard.context import RequestContext

from tb_sonify.reading.store import Scope, Store
from tb_sonify.reading.timeline_builder import Timelines
from tb_sonify.schema.block import decode_block
from tests.logs import norms_of, row_events, scalar_events, segment_events, write_events

ROWS = 20_000  # the last notes sum up 4
BLOCK = 100  # rows


@pytest.fixture
def client(tmp_path, open_client):
    norms = norms_of(ROWS)
    segments = segment_events(norms, np.arange(ROWS), presets=())
    rows = row_events(norms, np.arange(ROWS), block_rows=BLOCK)
    losses = scalar_events("loss", [(0, 1.0), (9, 0.5)])
    write_events(tmp_path / "run", [*segments, *rows, *losses])
    return open_client(tmp_path)


@pytest.fixture
def read(client, monkeypatch):
    """What was read of the data provider since it was cleared: the kind of each block."""
    kinds = []
    read_blob = client.provider.read_blob

    def noted(*arguments, **options):
        data = read_blob(*arguments, **options)
        kinds.append(decode_block(data).header["kind"])
        return data

    # Of the class: the plugin has a provider of its own where TensorBoard reads by a data server.
    monkeypatch.setattr(type(client.provider), "read_blob", staticmethod(noted))
    return kinds


def test_the_first_curve_reads_no_block(client, read):
    client.json_of("signals", run="run")
    client.block_of("curve", run="run", tag="loss")
    client.block_of("summaries", tag="loss")
    assert read == []


def test_a_whole_run_is_read_from_its_segments(client, read):
    segments = len(client.block_of("coverage", run="run").header["segments"])
    client.block_of("heatmap", run="run", **{"from": 0, "to": ROWS}, columns=500)
    client.json_of("landmarks", run="run")
    assert read.count("segment") == segments
    assert read.count("rows") <= 2  # whether it ever went back, and whether it goes on


def test_zooming_in_reads_the_rows_that_are_seen_and_once(client, read):
    client.block_of("coverage", run="run")
    for first in (12_345, 17_777):
        read.clear()
        client.block_of("heatmap", run="run", **{"from": first, "to": first + 250}, columns=500)
        client.block_of("layers", run="run", **{"from": first, "to": first + 250})
        view = {"rows_from": first, "rows_to": first + 250}
        steps = client.block_of("coverage", run="run", **view).arrays["steps"]
        note = int(np.searchsorted(steps, first))
        clip = {"preset": "smooth", "first_note": note, "notes": 100, **view}
        assert client.sonify("clip", run="run", **clip).status_code == 200
        assert read.count("segment") == 0
        assert 0 < len(read) <= 250 // BLOCK + 2


def test_a_timeline_takes_the_memory_of_two_numbers_for_each_note_and_layer(client):
    scope = Scope(RequestContext(), "")
    timeline = Timelines(Store(client.provider)).get(scope, "run")
    values = timeline.notes * len(timeline.layers)
    held = sum(
        table.nbytes
        for each in timeline.segments
        for table in vars(each.segment.notes).values()
        if any(table.strides)
    )
    assert held == 8 * values
    beside = 5_000 * (len(timeline.segments) + 1) + 64 * timeline.notes
    assert held < timeline.nbytes < held + beside
