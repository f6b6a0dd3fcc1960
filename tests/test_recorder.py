import math
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

from tb_sonify.schema.block import round_norms
from tb_sonify.schema.metadata import ROWS_TAG as ROWS
from tb_sonify.schema.metadata import SEGMENTS_TAG as CLIPS
from tb_sonify.schema.notes import NO_GRADIENT
from tb_sonify.schema.records import Rows, Segment
from tb_sonify.sound import PRESETS, VERSIONS
from tb_sonify.training.event_writer import EventFileWriter
from tb_sonify.training.recorder import Recorder
from tb_sonify.training.run_log import STEP_SKIPPED, RunLog
from tests import recorded
from tests.batches import LAYERS, batch, batches, norms_of, record

pytestmark = pytest.mark.usefixtures("no_timers")

SMOOTH = PRESETS["smooth"]


def test_every_row_is_stored_in_blocks_of_a_thousand(tmp_path):
    norms = norms_of(3000)
    record(tmp_path, *batches(norms), session=7.5)
    blocks = recorded.rows(tmp_path)
    assert [len(block.steps) for block in blocks] == [1000, 1000, 1000]
    assert [block.first_row for block in blocks] == [0, 1000, 2000]
    assert {(block.session, block.layers) for block in blocks} == {(7.5, LAYERS)}
    assert [step for block in blocks for step in block.steps] == list(range(3000))
    np.testing.assert_array_equal(recorded.steps_and_norms(tmp_path)[1], round_norms(norms))


def test_blocks_and_clips_are_keyed_by_the_first_step_they_cover(tmp_path):
    record(tmp_path, batch(norms_of(1050), range(40, 2140, 2)), presets=[SMOOTH])
    rows = recorded.values(tmp_path, "sonify/rows")
    segments = recorded.values(tmp_path, "sonify/segments")
    clips = recorded.values(tmp_path, "sonify/smooth")
    assert [step for step, _ in rows] == [40, 2040]
    assert [step for step, _ in segments] == [step for step, _ in clips]
    assert [step for step, _ in segments] == list(range(40, 2140, 200))
    walls = {e.step: e.wall_time for e in recorded.events(tmp_path) if e.step}
    assert walls[2040] == 2140.0


def test_layers_logged_apart_for_the_same_step_become_one_row(tmp_path):
    norms = norms_of(20)
    apart = [
        batch(norms[row : row + 1, [column]], [row], layers=(LAYERS[column],))
        for row in range(20)
        for column in (0, 1)
    ]
    record(tmp_path, *apart)
    (block,) = recorded.rows(tmp_path)
    assert block.steps.tolist() == list(range(20))
    np.testing.assert_array_equal(block.norms, round_norms(norms))


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (1, 0, 2)])
def test_a_step_is_one_row_however_long_its_layers_take_to_come(order, monkeypatch):
    """As with two optimizers of which one is slow: what waits is written between the two."""
    monkeypatch.setattr("tb_sonify.training.run_log._BLOCK_SECONDS", 0)
    norms, stored = norms_of(250, layers=3), []
    norms[3, 0] = math.nan
    log = RunLog(session=1.0, presets=(), scalar_every=None, emit=stored.append)
    for row in range(250):
        for column in order[: None if row % 5 == 0 else 2]:  # the third optimizer steps less often
            layer = f"layer{column}"
            log.add(batch(norms[row : row + 1, [column]], [row], layers=(layer,)))
            if log.is_due():
                log.write_rows()
    log.finish()
    values = [value for event in stored for value in event.summary.value]
    blobs = {
        tag: [v.tensor.string_val[0] for v in values if v.tag.startswith(tag)]
        for tag in (ROWS, CLIPS)
    }
    blocks = [Rows.decode(blob) for blob in blobs[ROWS]]
    assert [step for block in blocks for step in block.steps] == list(range(250))
    for column in order[:2]:
        found = [block.norms[:, block.layers.index(f"layer{column}")] for block in blocks]
        np.testing.assert_array_equal(np.concatenate(found), round_norms(norms[:, column]))
    for segment in map(Segment.decode, blobs[CLIPS]):
        assert (np.diff(segment.steps[:-1]) > 0).all()


def test_a_complete_row_does_not_wait_for_the_next_step(monkeypatch):
    monkeypatch.setattr("tb_sonify.training.run_log._BLOCK_SECONDS", 0)
    stored = []
    log = RunLog(session=1.0, presets=(), scalar_every=None, emit=stored.append)
    for row in range(4):
        log.add(batch(norms_of(1), [row]))
        assert log.is_due() == (row > 0)  # at the first, nobody knows which layers there are
        log.write_rows()
    scalars = [event.step for event in stored if not event.summary.value[0].HasField("tensor")]
    assert scalars == [0, 1, 2, 3]


def test_a_step_that_one_of_two_optimizers_leaves_out_keeps_the_layers_of_the_other(tmp_path):
    norms = np.array([[1.0, 2.0], [STEP_SKIPPED, 3.0], [STEP_SKIPPED, STEP_SKIPPED], [4.0, 5.0]])
    record(tmp_path, batch(norms))
    steps, found = recorded.steps_and_norms(tmp_path)
    assert steps == [0, 1, 3]
    np.testing.assert_array_equal(found, [[1.0, 2.0], [NO_GRADIENT, 3.0], [4.0, 5.0]])


def test_steps_that_go_back_start_a_new_block(tmp_path):
    steps = [0, 1, 2, 1, 2, 3]
    norms = norms_of(len(steps))
    record(tmp_path, batch(norms, steps))
    blocks = recorded.rows(tmp_path)
    assert len(blocks) == 2
    assert all((np.diff(block.steps) > 0).all() for block in blocks)
    assert [block.first_row for block in blocks] == [0, len(blocks[0].steps)]
    np.testing.assert_array_equal(recorded.steps_and_norms(tmp_path)[1], round_norms(norms))


def test_scalars_of_a_step_share_one_event_and_are_not_rounded(tmp_path):
    norms = norms_of(10)
    norms[3] = [math.nan, NO_GRADIENT]
    norms[4] = [math.inf, 0.0]
    record(tmp_path, batch(norms))
    steps = [e for e in recorded.events(tmp_path) if e.summary.value[:1]]
    steps = [e for e in steps if e.summary.value[0].tag == "grad_norm/conv"]
    assert [len(e.summary.value) for e in steps] == [2, 2, 2, 1, 2, 2, 2, 2, 2, 2]
    conv = recorded.scalars(tmp_path, "grad_norm/conv")
    np.testing.assert_array_equal(conv, np.column_stack([range(10), norms[:, 0]]))
    fc = recorded.scalars(tmp_path, "grad_norm/fc")
    assert [step for step, _ in fc] == [0, 1, 2, 4, 5, 6, 7, 8, 9]


def test_scalars_thin_out_as_a_run_grows(tmp_path):
    record(tmp_path, *batches(norms_of(7500)))
    steps = [step for step, _ in recorded.scalars(tmp_path, "grad_norm/fc")]
    assert steps == [
        *range(1000),
        *range(1000, 2000, 4),
        *range(2000, 4000, 8),
        *range(4000, 7500, 16),
    ]


def test_the_distance_of_scalars_can_be_fixed(tmp_path):
    record(tmp_path, *batches(norms_of(5000)), scalar_every=3)
    steps = [step for step, _ in recorded.scalars(tmp_path, "grad_norm/fc")]
    assert steps == list(range(0, 5000, 3))


def test_flush_stores_the_rows_so_far_and_the_run_goes_on(tmp_path):
    events = EventFileWriter(tmp_path)
    recorder = Recorder(events, session=1.0, presets=[SMOOTH])
    norms = norms_of(150)
    recorder.put(batch(norms[:120]))
    recorder.flush()
    assert [len(block.steps) for block in recorded.rows(tmp_path)] == [120]
    assert len(recorded.values(tmp_path, "sonify/smooth")) == 1
    recorder.put(batch(norms[120:], range(120, 150)))
    recorder.close()
    events.close()
    assert [block.first_row for block in recorded.rows(tmp_path)] == [0, 120]
    assert [segment.rows for segment in recorded.segments(tmp_path)] == [100, 50]
    np.testing.assert_array_equal(recorded.steps_and_norms(tmp_path)[1], round_norms(norms))


def test_a_producer_waits_where_the_recorder_is_stuck(tmp_path):
    device = threading.Event()
    events = EventFileWriter(tmp_path)
    recorder = Recorder(events, session=1.0)
    sent = []

    def norms():
        assert device.wait(30)
        return np.ones((1, 2), np.float32)

    def produce():
        for step in range(500):
            recorder.put(replace(batch(np.ones((1, 2)), [step]), norms=norms))
            sent.append(step)

    producer = threading.Thread(target=produce)
    producer.start()
    producer.join(1.0)
    assert 0 < len(sent) < 100
    device.set()
    producer.join(30)
    recorder.close()
    events.close()
    assert recorded.steps_and_norms(tmp_path)[1].shape == (500, 2)


def test_a_producer_that_is_too_fast_loses_nothing(tmp_path):
    norms = norms_of(40_000, layers=8)
    layers = tuple("abcdefgh")
    record(
        tmp_path,
        *[
            batch(norms[row : row + 20], range(row, row + 20), layers=layers)
            for row in range(0, 40_000, 20)
        ],
    )
    np.testing.assert_array_equal(recorded.steps_and_norms(tmp_path)[1], round_norms(norms))


def test_norms_that_never_arrive_cost_their_batch_and_no_more(tmp_path):
    def lost():
        raise OSError("the device is gone")

    gone = replace(batch(norms_of(5), range(10, 15)), norms=lost)
    with pytest.warns(RuntimeWarning, match="the device is gone"):
        record(tmp_path, batch(norms_of(10)), gone, batch(norms_of(5), range(20, 25)))
    steps = [step for block in recorded.rows(tmp_path) for step in block.steps]
    assert steps == [*range(10), *range(20, 25)]


def test_a_closed_recorder_takes_no_rows(tmp_path):
    events = EventFileWriter(tmp_path)
    recorder = Recorder(events, session=1.0)
    recorder.close()
    recorder.close()
    recorder.flush()
    with pytest.raises(ValueError, match="the writer is closed"):
        recorder.put(batch(norms_of(1)))
    events.close()


def test_the_options_of_the_source_are_stored(tmp_path):
    record(tmp_path, batch(norms_of(3), norm_type="inf", granularity="layer"))
    (block,), (segment,) = recorded.rows(tmp_path), recorded.segments(tmp_path)
    assert (
        block.options
        == segment.options
        == {
            "norm_type": "inf",
            "granularity": "layer",
            "preset_versions": dict(VERSIONS),
        }
    )


def test_the_recorder_does_not_need_torch():
    script = "import sys, tb_sonify.training.recorder; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
