import math
import warnings
from dataclasses import replace

import numpy as np
import pytest

from tb_sonify.schema.block import round_norms
from tb_sonify.schema.metadata import clip_tag
from tb_sonify.schema.notes import NO_GRADIENT, aggregate
from tb_sonify.schema.segments import Grid
from tb_sonify.sound import PRESETS, advance_state, render
from tests import recorded
from tests.batches import LAYERS, batch, batches, norms_of, record

pytestmark = pytest.mark.usefixtures("no_timers")

SMOOTH, CLASSIC = PRESETS["smooth"], PRESETS["classic"]


def test_of_thirty_segments_clips_thin_out_as_a_run_grows_and_the_last_has_one(tmp_path):
    record(tmp_path, *batches(norms_of(3000)), presets=[SMOOTH])
    segments = recorded.segments(tmp_path)
    assert [segment.segment for segment in segments] == list(range(30))
    assert {segment.rows for segment in segments} == {100}
    starts = [int(segment.steps[0]) for segment in segments]
    clips = recorded.values(tmp_path, "sonify/smooth")
    kept = [*range(10), 12, 16, 24, 29]
    assert [step for step, _ in clips] == [starts[segment] for segment in kept]


def test_notes_of_a_long_run_cover_more_rows_as_the_grid_says(tmp_path):
    norms = norms_of(3650)
    norms[3201::3] = math.nan
    norms[3302] = math.inf
    record(tmp_path, *batches(norms))
    segments = recorded.segments(tmp_path)
    assert [segment.rows for segment in segments] == [100] * 32 + [200, 200, 50]
    stored = round_norms(norms)
    for segment in segments:
        grid = Grid.of_segment(segment.segment)
        part = slice(grid.first_row, grid.first_row + segment.rows)
        expected = aggregate(stored[part], rows_per_note=grid.rows_per_note)
        for name, table in vars(expected).items():
            np.testing.assert_array_equal(getattr(segment.notes, name), table)
        starts = np.arange(part.start, part.stop, grid.rows_per_note)
        assert segment.steps.tolist() == [*starts, part.stop - 1]


@pytest.mark.parametrize("rows", [1, 99, 100, 101])
def test_the_unfinished_segment_is_stored_at_the_end(tmp_path, rows):
    record(tmp_path, *batches(norms_of(rows)), presets=[SMOOTH])
    segments = recorded.segments(tmp_path)
    assert [segment.rows for segment in segments] == ([100] if rows > 99 else []) + (
        [rows % 100] if rows % 100 else []
    )
    lengths = [len(recorded.pcm(value)) for _, value in recorded.values(tmp_path, "sonify/smooth")]
    assert lengths == [s.rows * SMOOTH.hop(2) + SMOOTH.tail for s in segments]


@pytest.mark.parametrize("preset", [SMOOTH, CLASSIC], ids=lambda preset: preset.name)
def test_a_clip_is_what_its_segments_render_to(tmp_path, preset):
    norms = norms_of(350)
    norms[120:130, 0] = math.nan
    record(tmp_path, *batches(norms), presets=[preset])
    state = None
    segments = recorded.segments(tmp_path)
    clips = recorded.values(tmp_path, clip_tag(preset.name))
    for segment, (_, value) in zip(segments, clips, strict=True):
        notes = segment.notes
        np.testing.assert_array_equal(
            recorded.pcm(value), render(notes, preset=preset, state=state)
        )
        state = advance_state(notes, preset=preset, state=state)
        assert value.audio.content_type == "audio/wav"
        assert value.audio.sample_rate == preset.sample_rate
        assert value.audio.num_channels == preset.channels
        assert value.audio.length_frames == len(recorded.pcm(value))


def test_a_layer_that_appears_later_has_no_gradient_before(tmp_path):
    late = batch(norms_of(30, 3, seed=1), range(50, 80), layers=("fc", "new", "conv"))
    record(tmp_path, batch(norms_of(50)), late, presets=[SMOOTH])
    before, after = recorded.rows(tmp_path)
    assert (before.layers, len(before.steps)) == (LAYERS, 49)  # the newest row still waited
    assert (after.layers, len(after.steps)) == (("conv", "fc", "new"), 31)
    assert after.norms[0, 2] == NO_GRADIENT
    np.testing.assert_array_equal(after.norms[1:], round_norms(late.norms()[:, [2, 0, 1]]))
    (segment,) = recorded.segments(tmp_path)
    assert segment.layers == ("conv", "fc", "new")
    assert (segment.notes.median[:50, 2] == NO_GRADIENT).all()
    assert (segment.notes.median[50:, 2] >= 0).all()


def test_clips_are_left_out_before_rows_are_and_the_others_keep_their_sound(tmp_path, monkeypatch):
    monkeypatch.setattr("tb_sonify.training.run_log._MAX_CLIPS", 8)
    norms = norms_of(1500)
    presets = [SMOOTH, CLASSIC, PRESETS["single"]]
    with pytest.warns(RuntimeWarning, match="some clips are left out") as caught:
        record(tmp_path, batch(norms), presets=presets)
    assert len(caught) == 1
    np.testing.assert_array_equal(recorded.steps_and_norms(tmp_path)[1], round_norms(norms))
    segments = recorded.segments(tmp_path)
    clips = dict(recorded.values(tmp_path, "sonify/smooth"))
    assert clips
    assert int(segments[0].steps[0]) not in clips
    state = None
    for segment in segments[:-1]:
        state = advance_state(segment.notes, preset=SMOOTH, state=state)
    last = render(segments[-1].notes, preset=SMOOTH, state=state)
    np.testing.assert_array_equal(recorded.pcm(clips[int(segments[-1].steps[0])]), last)


@pytest.mark.parametrize("as_errors", [False, True])
def test_rendering_that_fails_warns_once_and_keeps_the_norms(tmp_path, as_errors, caplog):
    norms = norms_of(500)
    broken = replace(SMOOTH, name="broken")
    object.__setattr__(broken, "voices", ())  # a fault that no check of presets has seen
    with warnings.catch_warnings(record=not as_errors) as caught:
        warnings.simplefilter("error" if as_errors else "always")
        record(tmp_path, *batches(norms), presets=[broken, SMOOTH])
    messages = (
        [r.message for r in caplog.records] if as_errors else [str(w.message) for w in caught]
    )
    assert len(messages) == 1
    assert "the norms are kept" in messages[0]
    np.testing.assert_array_equal(recorded.steps_and_norms(tmp_path)[1], round_norms(norms))
    assert len(recorded.values(tmp_path, "sonify/smooth")) == 5
