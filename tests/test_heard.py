"""What the route `heard` says is what its clip sounds like: pitches, texture and earcons."""

import io
import wave
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.heard import Part, compare, logged_runs
from tb_sonify.schema.notes import aggregate
from tb_sonify.sound import EARCON_NAMES, PRESETS, context_notes, heard, render
from tests.logs import norms_of, run_events, scalar_events, write_events

ROWS = 260
LAYERS = tuple(f"layer{number}" for number in range(12))


def eventful_norms():
    """Twelve layers with calm, growth and oscillation, and every earcon's cause."""
    norms = norms_of(ROWS, 12)
    norms[60:75] *= np.exp2(2 * np.arange(15))[:, None].astype(np.float32)  # beyond the range
    norms[90, 5] = np.nan
    norms[105, 0] = np.inf
    norms[110:126, 4] = 0
    norms[126:134, 8:] = -1
    norms[140:156:2] *= 30
    norms[170:182, :4] = 1e-10
    norms[230, 9] *= 500
    norms[250, 2] *= 12
    return norms


@pytest.fixture(scope="module")
def notes():
    return aggregate(eventful_norms(), rows_per_note=1)


@pytest.mark.statistics
@pytest.mark.parametrize(
    "preset",
    [PRESETS["smooth"], PRESETS["calm"], replace(PRESETS["arpeggio"], streams=3)],
    ids=lambda preset: preset.name,
)
def test_pitches_and_earcons_are_those_of_the_clip(notes, preset):
    notes = notes[50:] if preset.name == "smooth" else notes[80:180]
    found = compare(notes, preset)
    assert len(found.cents) > 0.8 * found.notes
    assert np.abs(found.cents).max() <= 5
    assert (found.silent, found.wrong) == (0, 0)
    if preset.name == "smooth":
        said = heard(notes, notes[:0], preset=preset, first_note=0)
        assert names_of(said.earcons) == set(EARCON_NAMES) - {"none"}


def names_of(masks):
    """Names of all earcons in some masks."""
    return {name for bit, name in enumerate(EARCON_NAMES) if (masks >> bit & 1).any()}


def test_a_pitch_that_is_wrong_is_measured_as_it_sounds(notes):
    """The measurement does not start from what is said."""
    preset = PRESETS["single"]
    tone = render(notes, preset=replace(preset, earcon_level=0.0))[:, 0] / 32767
    said = heard(notes, notes[:0], preset=preset, first_note=0).hz_mean[:30, 0]
    measured = Part(preset, 0, 1).pitches(tone, 30)
    np.testing.assert_allclose(measured, said, rtol=1e-4)
    slower = replace(preset, sample_rate=24_400, note_frames=1_440)
    apart = 1200 * np.log2(Part(slower, 0, 1).pitches(tone, 30) / said)
    np.testing.assert_allclose(apart, 1200 * np.log2(24_400 / 24_000), atol=0.5)


@pytest.mark.parametrize("name", ["smooth", "calm", "arpeggio", "classic"])
def test_a_part_of_a_run_is_said_as_within_the_whole(notes, name):
    preset = PRESETS[name]
    whole = heard(notes, notes[:0], preset=preset, first_note=0)
    before = notes[201 - context_notes(preset) : 201]
    part = heard(notes[201:], before, preset=preset, first_note=201)
    for field, table in vars(part).items():
        np.testing.assert_array_equal(table, getattr(whole, field)[201:])


@pytest.fixture
def client(tmp_path, open_slow_client):
    """The run ``run``, with a loss, and one without norms, ``plain``."""
    norms = eventful_norms()
    losses = scalar_events("loss", [(step, 2.0 - step / 300) for step in range(len(norms))])
    events = run_events(norms, range(len(norms)), layers=LAYERS, presets=())
    write_events(tmp_path / "run", [*events, *losses])
    write_events(tmp_path / "plain", scalar_events("loss", [(0, 1.0), (1, 0.5)]))
    return open_slow_client(tmp_path)


def samples(client, **query):
    """The clip of a request, shape ``(frames, channels)``, as a share of full scale."""
    with wave.open(io.BytesIO(client.sonify("clip", **query).data)) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return pcm.reshape(-1, file.getnchannels()) / 32767


@pytest.mark.parametrize(
    "how",
    [
        {"preset": "smooth"},
        {"preset": "smooth", "zoom": 2, "center": 0.1, "polarity": "down", "speed": 8},
        {"preset": "calm", "together": 2},
        {"preset": "single", "tag": "loss", "scale": "log", "low": 0.5, "high": 2},
    ],
)
def test_the_answer_has_the_pitches_of_the_clip_of_the_same_arguments(client, how):
    query = {"run": "run", "first_note": 12, "notes": 24, **how}
    answer = client.block_of("heard", columns=24, **query)
    assert answer.header["notes_per_column"] == 1
    streams = answer.header["streams"]
    preset = PRESETS[how["preset"]].at_speed(how.get("speed", PRESETS[how["preset"]].speed))
    for number, stream in enumerate(streams):
        muted = ",".join(str(other) for other in range(len(streams)) if other != number)
        clip = samples(client, muted=muted, **query)
        tone = clip[:, 0 if stream["pan"] <= 0 else 1]
        measured = Part(preset, number, len(streams)).pitches(tone, 24)
        said = answer.arrays["hz_mean"][:, number]
        begins = answer.arrays["earcons"][:, number] > 0
        quiet = np.convolve(begins, np.ones(5))[:24] == 0  # chimes last for four notes
        assert quiet.sum() > 12
        assert np.abs(1200 * np.log2(measured[quiet] / said[quiet])).max() <= 5
        assert stream["hz_low"] < said[quiet].min() <= said[quiet].max() < stream["hz_high"]
        silent = client.block_of("heard", columns=24, muted=str(number), **query)
        assert np.isnan(silent.arrays["hz_mean"][:, number]).all()
        assert not silent.arrays["earcons"][:, number].any()


def test_columns_lose_no_extreme_and_no_earcon(client):
    query = {"run": "run", "preset": "smooth", "first_note": 3, "notes": 10**15, "epoch": 25}
    notes = client.block_of("heard", columns=4_000, **query)
    columns = client.block_of("heard", columns=100, **query)
    assert notes.header["notes"] == columns.header["notes"] == ROWS - 3
    assert columns.header["notes_per_column"] == 3
    assert columns.header["earcons"] == list(EARCON_NAMES)
    assert columns.header["streams"][1]["layers"] == list(LAYERS[4:8])
    assert [stream["hz_at_1"] for stream in columns.header["streams"]] == [220, 440, 880]
    for column in range(86):
        part = slice(3 * column, 3 * column + 3)
        for name, fold in (
            ("hz_low", np.fmin),
            ("hz_high", np.fmax),
            ("level", np.maximum),
            ("roughness", np.maximum),
            ("tremolo", np.maximum),
            ("earcons", np.bitwise_or),
            ("ticks", np.maximum),
        ):
            expected = fold.reduce(notes.arrays[name][part])
            np.testing.assert_array_equal(columns.arrays[name][column], expected)
        sounding = notes.arrays["hz_mean"][part]
        known = ~np.isnan(sounding).all(axis=0)
        mean = np.exp(np.nanmean(np.log(sounding[:, known]), axis=0))
        np.testing.assert_allclose(columns.arrays["hz_mean"][column, known], mean, rtol=1e-6)
        assert np.isnan(columns.arrays["hz_mean"][column, ~known]).all()
    assert np.flatnonzero(notes.arrays["ticks"]).tolist() == [*range(22, ROWS - 3, 25)]


def test_layers_in_sequence_are_one_stream(client):
    query = {"run": "run", "preset": "classic", "first_note": 100, "notes": 60}
    answer = client.block_of("heard", columns=60, **query)
    clip = samples(client, **query).reshape(60, -1)
    loud = np.abs(clip).max(axis=1) > 0
    np.testing.assert_array_equal(~np.isnan(answer.arrays["hz_mean"][:, 0]), loud)
    norms = eventful_norms()[100]
    assert answer.arrays["hz_low"][0, 0] == pytest.approx(200 + 100 * norms.min())
    assert answer.arrays["hz_high"][0, 0] == pytest.approx(200 + 100 * norms.max())
    assert answer.header["slope"] is None


def test_a_run_without_notes_is_answered_as_by_a_clip(client):
    query = {"run": "plain", "preset": "smooth", "first_note": 0, "notes": 1, "columns": 1}
    for changed in ({}, {"run": "nobody"}, {"run": "run", "first_note": ROWS}, {"preset": "other"}):
        given = {**query, **changed}
        answers = [client.sonify(route, **given) for route in ("heard", "clip")]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].text == answers[1].text


@pytest.mark.training
def test_runs_of_the_demo_and_the_scenarios_are_said_as_they_sound():
    """The whole is in `benchmarks/heard.py`."""
    for _, notes in logged_runs(8, names=("sgd-1.0-batch10", "explosion-nan", "zero-init")):
        found = compare(notes, PRESETS["smooth"])
        assert np.abs(found.cents).max() <= 5
        assert (found.silent, found.wrong) == (0, 0)
        assert found.earcons
