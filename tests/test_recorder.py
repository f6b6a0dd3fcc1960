import io
import math
import subprocess
import sys
import warnings
import wave
from dataclasses import replace

import numpy as np
import pytest

from tb_sonify.contract import NO_GRADIENT, Grid, clip_tag, round_norms
from tb_sonify.sound import PRESETS, Notes, advance, aggregate, render
from tb_sonify.training.batch import Batch, Source
from tb_sonify.training.event_file import EventFile
from tb_sonify.training.recorder import Recorder
from tests import recorded

LAYERS = ("conv", "fc")
SMOOTH, CLASSIC = PRESETS["smooth"], PRESETS["classic"]


@pytest.fixture
def record(tmp_path):
    """Records batches in a new session and closes it."""

    def record(*batches, **options):
        events = EventFile(tmp_path)
        recorder = Recorder(events, session=options.pop("session", 1.0), **options)
        for batch in batches:
            recorder.put(batch)
        recorder.close()
        events.close()

    return record


def batch(norms, steps=None, layers=LAYERS, **options):
    norms = np.asarray(norms, np.float32)
    steps = range(len(norms)) if steps is None else steps
    steps = np.asarray(steps, np.int64)
    return Batch(Source(layers, options), steps, 100.0 + steps, lambda: norms)


def batches(norms, first_step=0):
    return [
        batch(norms[start : start + 64], range(start, min(start + 64, len(norms))))
        for start in range(first_step, len(norms), 64)
    ]


def norms_of(rows, layers=2, seed=0):
    random = np.random.default_rng(seed)
    return np.exp2(random.uniform(-20, 20, (rows, layers))).astype(np.float32)


def joined(blocks):
    return np.concatenate([block.norms for block in blocks])


def pcm_of(value):
    with wave.open(io.BytesIO(value.audio.encoded_audio_string)) as clip:
        frames = np.frombuffer(clip.readframes(clip.getnframes()), "<i2")
        return frames.reshape(-1, clip.getnchannels())


def notes_of(segment):
    return Notes(segment.median, segment.max, segment.nan, segment.inf)


def test_every_row_is_stored_in_blocks_of_a_thousand(record, tmp_path):
    norms = norms_of(3000)
    record(*batches(norms), session=7.5)
    blocks = recorded.rows(tmp_path)
    assert [len(block.steps) for block in blocks] == [1000, 1000, 1000]
    assert [block.first_row for block in blocks] == [0, 1000, 2000]
    assert {(block.session, block.layers) for block in blocks} == {(7.5, LAYERS)}
    assert [step for block in blocks for step in block.steps] == list(range(3000))
    np.testing.assert_array_equal(joined(blocks), round_norms(norms))


def test_blocks_and_clips_are_keyed_by_the_first_step_they_cover(record, tmp_path):
    record(batch(norms_of(1500), range(40, 3040, 2)), presets=[SMOOTH])
    rows = recorded.values(tmp_path, "sonify/rows")
    segments = recorded.values(tmp_path, "sonify/segments")
    clips = recorded.values(tmp_path, "sonify/smooth")
    assert [step for step, _ in rows] == [40, 2040]
    assert [step for step, _ in segments] == [step for step, _ in clips]
    assert [step for step, _ in segments] == list(range(40, 3040, 200))
    walls = {e.step: e.wall_time for e in recorded.events(tmp_path) if e.step}
    assert walls[2040] == 2140.0


def test_three_thousand_steps_have_thirty_segments_and_as_many_clips(record, tmp_path):
    record(*batches(norms_of(3000)), presets=[SMOOTH])
    segments = recorded.segments(tmp_path)
    assert [segment.segment for segment in segments] == list(range(30))
    assert {segment.rows for segment in segments} == {100}
    assert len(recorded.values(tmp_path, "sonify/smooth")) == 30


def test_notes_of_a_long_run_cover_more_rows_as_the_grid_says(record, tmp_path):
    norms = norms_of(3650)
    norms[3201::3] = math.nan
    norms[3302] = math.inf
    record(*batches(norms))
    segments = recorded.segments(tmp_path)
    assert [segment.rows for segment in segments] == [100] * 32 + [200, 200, 50]
    stored = round_norms(norms)
    for segment in segments:
        grid = Grid.of_segment(segment.segment)
        part = slice(grid.first_row, grid.first_row + segment.rows)
        expected = aggregate(stored[part], rows_per_note=grid.rows_per_note)
        for name, table in vars(expected).items():
            np.testing.assert_array_equal(getattr(segment, name), table)
        starts = np.arange(part.start, part.stop, grid.rows_per_note)
        assert segment.steps.tolist() == [*starts, part.stop - 1]


@pytest.mark.parametrize("rows", [1, 99, 100, 101])
def test_the_unfinished_segment_is_stored_at_the_end(record, tmp_path, rows):
    record(*batches(norms_of(rows)), presets=[SMOOTH])
    segments = recorded.segments(tmp_path)
    assert [segment.rows for segment in segments] == ([100] if rows > 99 else []) + (
        [rows % 100] if rows % 100 else []
    )
    lengths = [len(pcm_of(value)) for _, value in recorded.values(tmp_path, "sonify/smooth")]
    assert lengths == [s.rows * SMOOTH.hop(2) + SMOOTH.tail for s in segments]


@pytest.mark.parametrize("preset", [SMOOTH, CLASSIC], ids=lambda preset: preset.name)
def test_a_clip_is_what_its_segments_render_to(record, tmp_path, preset):
    norms = norms_of(350)
    norms[120:130, 0] = math.nan
    record(*batches(norms), presets=[preset])
    lead = None
    segments = recorded.segments(tmp_path)
    clips = recorded.values(tmp_path, clip_tag(preset.name))
    for segment, (_, value) in zip(segments, clips, strict=True):
        notes = notes_of(segment)
        np.testing.assert_array_equal(pcm_of(value), render(notes, preset=preset, lead=lead))
        lead = advance(notes, preset=preset, lead=lead)
        assert value.audio.content_type == "audio/wav"
        assert value.audio.sample_rate == preset.sample_rate
        assert value.audio.num_channels == preset.channels
        assert value.audio.length_frames == len(pcm_of(value))


def test_a_layer_that_appears_later_has_no_gradient_before(record, tmp_path):
    late = batch(norms_of(30, 3, seed=1), range(50, 80), layers=("fc", "new", "conv"))
    record(batch(norms_of(50)), late, presets=[SMOOTH])
    before, after = recorded.rows(tmp_path)
    assert (before.layers, len(before.steps)) == (LAYERS, 49)  # the newest row still waited
    assert (after.layers, len(after.steps)) == (("conv", "fc", "new"), 31)
    assert after.norms[0, 2] == NO_GRADIENT
    np.testing.assert_array_equal(after.norms[1:], round_norms(late.norms()[:, [2, 0, 1]]))
    (segment,) = recorded.segments(tmp_path)
    assert segment.layers == ("conv", "fc", "new")
    assert (segment.median[:50, 2] == NO_GRADIENT).all()
    assert (segment.median[50:, 2] >= 0).all()


def test_layers_logged_apart_for_the_same_step_become_one_row(record, tmp_path):
    norms = norms_of(20)
    apart = [
        batch(norms[row : row + 1, [column]], [row], layers=(LAYERS[column],))
        for row in range(20)
        for column in (0, 1)
    ]
    record(*apart)
    (block,) = recorded.rows(tmp_path)
    assert block.steps.tolist() == list(range(20))
    np.testing.assert_array_equal(block.norms, round_norms(norms))


@pytest.mark.parametrize("steps", [[0, 1, 2, 1, 2, 3], [0, 1, 1, 2]])
def test_steps_that_do_not_go_on_start_a_new_block(record, tmp_path, steps):
    norms = norms_of(len(steps))
    record(batch(norms, steps))
    blocks = recorded.rows(tmp_path)
    assert len(blocks) == 2
    assert all((np.diff(block.steps) > 0).all() for block in blocks)
    assert [block.first_row for block in blocks] == [0, len(blocks[0].steps)]
    np.testing.assert_array_equal(joined(blocks), round_norms(norms))


def test_scalars_of_a_step_share_one_event_and_are_not_rounded(record, tmp_path):
    norms = norms_of(10)
    norms[3] = [math.nan, NO_GRADIENT]
    norms[4] = [math.inf, 0.0]
    record(batch(norms))
    steps = [e for e in recorded.events(tmp_path) if e.summary.value[:1]]
    steps = [e for e in steps if e.summary.value[0].tag == "grad_norm/conv"]
    assert [len(e.summary.value) for e in steps] == [2, 2, 2, 1, 2, 2, 2, 2, 2, 2]
    conv = recorded.scalars(tmp_path, "grad_norm/conv")
    np.testing.assert_array_equal(conv, np.column_stack([range(10), norms[:, 0]]))
    fc = recorded.scalars(tmp_path, "grad_norm/fc")
    assert [step for step, _ in fc] == [0, 1, 2, 4, 5, 6, 7, 8, 9]


def test_scalars_thin_out_as_a_run_grows(record, tmp_path):
    record(*batches(norms_of(7500)))
    steps = [step for step, _ in recorded.scalars(tmp_path, "grad_norm/fc")]
    assert steps == [
        *range(1000),
        *range(1000, 3000, 2),
        *range(3000, 7000, 4),
        *range(7000, 7500, 8),
    ]


def test_the_distance_of_scalars_can_be_fixed(record, tmp_path):
    record(*batches(norms_of(5000)), scalar_every=3)
    steps = [step for step, _ in recorded.scalars(tmp_path, "grad_norm/fc")]
    assert steps == list(range(0, 5000, 3))


def test_flush_stores_the_rows_so_far_and_the_run_goes_on(tmp_path):
    events = EventFile(tmp_path)
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
    np.testing.assert_array_equal(joined(recorded.rows(tmp_path)), round_norms(norms))


def test_a_producer_that_is_too_fast_waits_and_loses_nothing(record, tmp_path):
    norms = norms_of(40_000, layers=8)
    layers = tuple("abcdefgh")
    record(
        *[
            batch(norms[row : row + 20], range(row, row + 20), layers=layers)
            for row in range(0, 40_000, 20)
        ]
    )
    np.testing.assert_array_equal(joined(recorded.rows(tmp_path)), round_norms(norms))


def test_clips_are_left_out_before_rows_are_and_the_others_keep_their_sound(record, tmp_path):
    norms = norms_of(7000)
    with pytest.warns(RuntimeWarning, match="some clips are left out") as caught:
        record(batch(norms), presets=[SMOOTH, CLASSIC])
    assert len(caught) == 1
    np.testing.assert_array_equal(joined(recorded.rows(tmp_path)), round_norms(norms))
    segments = recorded.segments(tmp_path)
    clips = dict(recorded.values(tmp_path, "sonify/smooth"))
    assert len(clips) < len(segments)
    lead = None
    for segment in segments[:-1]:
        lead = advance(notes_of(segment), preset=SMOOTH, lead=lead)
    last = render(notes_of(segments[-1]), preset=SMOOTH, lead=lead)
    np.testing.assert_array_equal(pcm_of(clips[int(segments[-1].steps[0])]), last)


@pytest.mark.parametrize("as_errors", [False, True])
def test_rendering_that_fails_warns_once_and_keeps_the_norms(record, tmp_path, as_errors, caplog):
    norms = norms_of(500)
    broken = replace(SMOOTH, name="broken", voices=())
    with warnings.catch_warnings(record=not as_errors) as caught:
        warnings.simplefilter("error" if as_errors else "always")
        record(*batches(norms), presets=[broken, SMOOTH])
    messages = (
        [r.message for r in caplog.records] if as_errors else [str(w.message) for w in caught]
    )
    assert len(messages) == 1
    assert "the norms are kept" in messages[0]
    np.testing.assert_array_equal(joined(recorded.rows(tmp_path)), round_norms(norms))
    assert len(recorded.values(tmp_path, "sonify/smooth")) == 5


def test_norms_that_never_arrive_cost_their_batch_and_no_more(record, tmp_path):
    def lost():
        raise OSError("the device is gone")

    gone = replace(batch(norms_of(5), range(10, 15)), norms=lost)
    with pytest.warns(RuntimeWarning, match="the device is gone"):
        record(batch(norms_of(10)), gone, batch(norms_of(5), range(20, 25)))
    steps = [step for block in recorded.rows(tmp_path) for step in block.steps]
    assert steps == [*range(10), *range(20, 25)]


def test_a_closed_recorder_takes_no_rows(tmp_path):
    events = EventFile(tmp_path)
    recorder = Recorder(events, session=1.0)
    recorder.close()
    recorder.close()
    recorder.flush()
    with pytest.raises(ValueError, match="the writer is closed"):
        recorder.put(batch(norms_of(1)))
    events.close()


def test_the_options_of_the_source_are_stored(record, tmp_path):
    record(batch(norms_of(3), norm_type="inf", granularity="layer"))
    (block,), (segment,) = recorded.rows(tmp_path), recorded.segments(tmp_path)
    assert block.options == segment.options == {"norm_type": "inf", "granularity": "layer"}


def test_the_recorder_does_not_need_torch():
    script = "import sys, tb_sonify.training.recorder; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
