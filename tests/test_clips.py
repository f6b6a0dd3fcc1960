"""Clips: logged or rendered, they are the same sound, and they join."""

import io
import wave

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from tb_sonify import SonifyWriter
from tb_sonify.schema.metadata import clip_tag
from tb_sonify.schema.notes import aggregate
from tb_sonify.sound import PRESETS, advance_state, render
from tests.logs import (
    LAYERS,
    norms_of,
    row_events,
    run_events,
    segment_events,
    write_events,
)


def samples_of(wav, preset):
    """The samples of a WAV file, which must be in the format of a preset."""
    with wave.open(io.BytesIO(wav)) as reader:
        assert reader.getframerate() == preset.sample_rate
        assert reader.getsampwidth() == 2
        assert reader.getnchannels() == preset.channels
        data = reader.readframes(reader.getnframes())
    return np.frombuffer(data, "<i2").reshape(-1, preset.channels).astype(int)


def clip(client, run, first_note, notes, preset=PRESETS["smooth"]):
    """The samples of a clip, and where they come from."""
    query = {"preset": preset.name, "first_note": first_note, "notes": notes}
    response = client.sonify("clip", run=run, **query)
    assert response.status_code == 200, response.text
    assert response.content_type == "audio/wav"
    samples = samples_of(response.data, preset)
    played = int(response.headers["X-Sonify-Notes"])
    assert len(samples) == played * preset.hop(len(LAYERS)) + preset.tail
    return samples, response.headers["X-Sonify-Source"]


def eventful_norms(rows):
    """Norms with a NaN, growth that is rough, and a layer that is dead for a while."""
    norms = norms_of(rows)
    norms[193:213] *= np.exp2(0.6 * np.arange(20, dtype=np.float32))[:, None]
    norms[134, 2] = np.nan
    norms[245:300, 1] = 0
    return norms


@pytest.fixture(scope="module")
def long_run(tmp_path_factory):
    """A log directory with a run of 3,000 steps, written as a user would."""
    logdir = tmp_path_factory.mktemp("logs")
    with SonifyWriter(logdir / "run", presets=("smooth", "calm")) as writer:
        for step, row in enumerate(eventful_norms(3_000)):
            writer.add_norms(dict(zip(LAYERS, row, strict=True)), step)
    return logdir


@pytest.fixture(scope="module")
def logged_clips(long_run):
    """All clips that were logged of it, by preset and step."""
    (path,) = (long_run / "run").iterdir()
    values = [(event.step, event.summary.value) for event in EventFileLoader(str(path)).Load()]
    return {
        name: {
            step: value.tensor.string_val[0]
            for step, summary in values
            for value in summary
            if value.tag == clip_tag(name)
        }
        for name in ("smooth", "calm")
    }


@pytest.mark.parametrize("name", ["smooth", "calm"])
def test_every_segment_plays_and_sounds_as_it_was_logged(long_run, logged_clips, open_client, name):
    preset, logged_clips = PRESETS[name], logged_clips[name]
    client = open_client(long_run)
    segments = client.block_of("coverage", run="run").header["segments"]
    assert [segment["first_note"] for segment in segments] == list(range(0, 3_000, 100))
    assert len(logged_clips) == 14
    sources = []
    for segment in segments:
        played, source = clip(client, "run", segment["first_note"], 100, preset)
        assert np.abs(played).max() > 100
        if segment["first_note"] in logged_clips:
            logged = samples_of(logged_clips[segment["first_note"]], preset)
            assert np.abs(played - logged).max() <= 1
        sources.append(source)
    assert len(sources) == 30
    assert sources.count("rendered") >= 20  # TensorBoard keeps 10
    assert "logged" in sources


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_clips_join_wherever_they_are_cut(tmp_path, open_client, preset):
    write_events(tmp_path / "run", row_events(eventful_norms(400), range(400)))
    client = open_client(tmp_path)
    hop, tail = preset.hop(len(LAYERS)), preset.tail
    whole, _ = clip(client, "run", 90, 180, preset)
    joined = np.zeros_like(whole)
    for first, notes in ((90, 1), (91, 9), (100, 100), (200, 27), (227, 43)):
        part, _ = clip(client, "run", first, notes, preset)
        joined[(first - 90) * hop :][: notes * hop + tail] += part
    assert np.abs(joined - whole).max() <= 2  # each of two clips that overlap is rounded


def test_a_clip_ends_where_the_run_does(tmp_path, open_client):
    write_events(tmp_path / "run", row_events(norms_of(130), range(130)))
    preset = PRESETS["smooth"]
    samples, _ = clip(open_client(tmp_path), "run", 120, 1_000)
    assert len(samples) == 10 * preset.hop(len(LAYERS)) + preset.tail


def test_a_clip_that_would_not_fit_into_memory_has_fewer_notes(tmp_path, open_client):
    layers = tuple(f"layer {number}" for number in range(300))
    write_events(tmp_path / "run", row_events(norms_of(100, 300), range(100), layers=layers))
    query = {"run": "run", "preset": "classic", "first_note": 0, "notes": 100}
    response = open_client(tmp_path).sonify("clip", **query)
    preset = PRESETS["classic"]
    notes = 8_000_000 // preset.hop(300)
    assert response.headers["X-Sonify-Notes"] == str(notes)
    assert len(samples_of(response.data, preset)) == notes * preset.hop(300)


def test_every_run_is_rendered_with_its_own_past(tmp_path, open_client):
    runs = {f"run {seed}": norms_of(300, seed=seed) for seed in range(2)}
    for run, norms in runs.items():
        write_events(tmp_path / run, row_events(norms, range(300)))
    client = open_client(tmp_path)
    preset = PRESETS["smooth"]
    for run, norms in runs.items():
        state = advance_state(aggregate(norms[:200], rows_per_note=1), preset=preset)
        expected = render(aggregate(norms[200:], rows_per_note=1), preset=preset, state=state)
        played, _ = clip(client, run, 200, 100)
        assert np.abs(played - expected).max() <= 1


def test_a_live_run_sounds_as_it_does_when_it_has_ended(tmp_path, open_client):
    norms, steps = norms_of(340), np.arange(340)
    write_events(tmp_path / "live", row_events(norms, steps))
    write_events(tmp_path / "ended", run_events(norms, steps))
    client = open_client(tmp_path)
    for first in (0, 100, 200, 300):
        live, source = clip(client, "live", first, 100)
        ended, source_of_ended = clip(client, "ended", first, 100)
        assert (source, source_of_ended) == ("rendered", "logged")
        assert np.abs(live - ended).max() <= 1


def test_a_clip_that_no_longer_fits_is_rendered_anew(tmp_path, open_client):
    norms, steps = norms_of(300), np.arange(300)
    resumed = norms_of(150, seed=1)
    write_events(tmp_path / "run", run_events(norms, steps))
    write_events(tmp_path / "run", row_events(resumed, range(150, 300), session=9_000.0))
    heard = np.concatenate([norms[:150], resumed])
    write_events(tmp_path / "as heard", run_events(heard, steps))
    client = open_client(tmp_path)
    for first, source_expected in ((0, "logged"), (100, "rendered"), (200, "rendered")):
        played, source = clip(client, "run", first, 100)
        assert source == source_expected
        assert np.abs(played - clip(client, "as heard", first, 100)[0]).max() <= 1


@pytest.mark.parametrize("fault", ["too short", "no wav", "of an earlier session", "other rate"])
def test_audio_that_is_not_the_clip_of_its_segment_is_not_played(tmp_path, open_client, fault):
    norms, steps = norms_of(200), np.arange(200)
    write_events(tmp_path / "right", run_events(norms, steps))
    events = run_events(norms, steps)
    audio = next(event for event in events if event.summary.value[0].HasField("audio"))
    wav = audio.summary.value[0].audio
    if fault == "too short":
        other = segment_events(norms[:50], steps[:50])[1].summary.value[0].audio
        wav.encoded_audio_string = other.encoded_audio_string
    elif fault == "no wav":
        wav.encoded_audio_string = b"RIFF"
    elif fault == "other rate":
        data = bytearray(wav.encoded_audio_string)
        data[24:28] = (8_000).to_bytes(4, "little")
        wav.encoded_audio_string = bytes(data)
    else:
        audio.wall_time = 900.0
    write_events(tmp_path / "run", events)
    client = open_client(tmp_path)
    played, source = clip(client, "run", 0, 100)
    right, source_of_right = clip(client, "right", 0, 100)
    assert (source, source_of_right) == ("rendered", "logged")
    assert np.abs(played - right).max() <= 1


def test_where_layers_came_later_no_clip_of_before_is_used(tmp_path, open_client):
    norms = norms_of(300)
    with SonifyWriter(tmp_path / "run") as writer:
        for step, row in enumerate(norms):
            known = LAYERS[:3] if step < 150 else LAYERS
            writer.add_norms(dict(zip(known, row, strict=False)), step)
    norms[:150, 3] = -1
    write_events(tmp_path / "whole", row_events(norms, range(300)))
    client = open_client(tmp_path)
    assert client.block_of("coverage", run="run").header["layers"] == list(LAYERS)
    for first in (0, 100, 200):
        played, source = clip(client, "run", first, 100)
        assert source == "rendered"
        assert np.abs(played - clip(client, "whole", first, 100)[0]).max() <= 1
