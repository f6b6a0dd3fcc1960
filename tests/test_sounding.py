"""Sound as a listener wants it: speed, pitch zoom, muted streams, guides, files, legends."""

import io
import sys
from dataclasses import replace
from urllib.parse import unquote

import numpy as np
import pytest
import soundfile

from tb_sonify import SonifyWriter
from tb_sonify.plugin.responses import attachment
from tb_sonify.schema.notes import aggregate
from tb_sonify.sound import PRESETS, Encoding, legend, render
from tests.client import opened_client
from tests.logs import LAYERS, OPTIONS, norms_of, row_events, scalar_events, write_events

SMOOTH = PRESETS["smooth"]


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """One run of 200 notes, with a scalar."""
    logdir = tmp_path_factory.mktemp("logs")
    write_events(logdir / "sgd/1", row_events(norms_of(200), range(200)))
    losses = scalar_events("loss", [(step, 2.0 - step / 100) for step in range(200)])
    write_events(logdir / "sgd/1", losses)
    with opened_client(logdir, "slow") as opened:
        yield opened


def heard(client, route="clip", **query):
    """The samples of an answer, and the answer."""
    query = {"run": "sgd/1", "preset": "smooth", "first_note": 0, "notes": 60, **query}
    response = client.sonify(route, **query)
    assert response.status_code == 200, response.text
    return soundfile.read(io.BytesIO(response.data), dtype="int16")[0].astype(int), response


@pytest.mark.parametrize("speed", [4, 10.5, 32])
def test_notes_of_another_speed_join_as_their_preset_says(client, speed):
    presets = client.block_of("coverage", run="sgd/1", speed=speed).header["presets"]
    hops = {preset["name"]: preset["hop"] for preset in presets}
    assert hops["smooth"] == round(24_000 / speed)
    assert hops["classic"] == PRESETS["classic"].hop(len(LAYERS))
    hop = hops["smooth"]
    whole, _ = heard(client, speed=speed)
    assert len(whole) == 60 * hop + SMOOTH.tail
    joined = np.zeros_like(whole)
    for first, notes in ((0, 13), (13, 40), (53, 7)):
        part, _ = heard(client, speed=speed, first_note=first, notes=notes)
        joined[first * hop :][: notes * hop + SMOOTH.tail] += part
    assert np.abs(joined - whole).max() <= 2


def test_pitch_zoom_muted_streams_and_the_reference_are_as_the_preset_renders_them(client):
    notes = aggregate(norms_of(200)[:60], rows_per_note=1)
    for query, preset in (
        ({"zoom": 4, "center": 0.5, "polarity": "down"}, {"encoding": Encoding(4, 0.5, "down")}),
        ({"polarity": "down"}, {"encoding": Encoding(polarity="down")}),
        ({"muted": "0,2"}, {"muted": (0, 2)}),
        ({"reference": 1}, {"reference": 0.015}),
    ):
        expected = render(notes, preset=replace(SMOOTH, **preset))
        np.testing.assert_array_equal(heard(client, **query)[0], expected)


def test_streams_alone_sound_as_they_do_together_wherever_a_clip_begins(client):
    whole, _ = heard(client, first_note=150, notes=20)
    alone = [
        heard(client, first_note=150, notes=20, muted=muted)[0] for muted in ("1,2", "0,2", "0,1")
    ]
    assert np.abs(sum(alone) - whole).max() <= 3


def test_a_tick_sounds_where_an_epoch_begins(client):
    plain, _ = heard(client, first_note=20, notes=30)
    ticked, _ = heard(client, first_note=20, notes=30, epoch=16)
    hop = SMOOTH.hop(len(LAYERS))
    different = np.abs(ticked - plain).max(axis=1)[: 30 * hop].reshape(30, hop).max(axis=1) > 100
    assert (np.flatnonzero(different) + 20).tolist() == [32, 48]


@pytest.mark.parametrize(
    "query", [{"speed": 8}, {"zoom": 2}, {"muted": 0}, {"reference": 1}, {"epoch": 9}]
)
def test_the_classic_preset_plays_as_it_is(client, query):
    span = {"run": "sgd/1", "preset": "classic", "first_note": 0, "notes": 1}
    response = client.sonify("clip", **span, **query)
    assert response.status_code == 400
    assert "classic" in response.text


def test_a_sound_is_saved_as_wav_or_flac_of_the_same_samples(client):
    clip, _ = heard(client, first_note=20)
    for kind in ("wav", "flac"):
        saved, response = heard(client, "sound", first_note=20, format=kind)
        assert response.content_type == f"audio/{kind}"
        disposition = response.headers["Content-Disposition"]
        assert disposition.startswith(f'attachment; filename="sgd_1-20-80.{kind}"')
        np.testing.assert_array_equal(saved, clip)


def test_without_libsndfile_flac_is_refused_with_what_to_install(client, monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    query = {"run": "sgd/1", "preset": "smooth", "first_note": 0, "notes": 1, "format": "flac"}
    response = client.sonify("sound", **query)
    assert response.status_code == 400
    assert "apt install libsndfile1" in response.text


@pytest.mark.parametrize(
    "name",
    [
        "a/b",
        '"; filename="x.exe',
        "a\r\nSet-Cookie: x",
        "学習 🎵",
        "",
        "...",
        "x" * 400,
        "\u202egnp",
    ],
)
def test_the_name_of_a_file_is_harmless_whatever_the_run_is_called(name):
    _, value = attachment(name, "csv")
    assert value.isascii()
    assert value.isprintable()
    plain, extended = value.removeprefix("attachment; filename=").split("; filename*=UTF-8''")
    assert plain.count('"') == 2
    for given in (plain.strip('"'), unquote(extended, errors="strict")):
        assert given.endswith(".csv")
        assert len(given) <= 130
        assert not set(given) & set('/\\:*?"<>|\r\n')
        assert not given.startswith(".")


def test_a_legend_plays_what_it_says(client):
    for query in ({"preset": "smooth"}, {"preset": "single", "zoom": 2}):
        response = client.sonify("legend", **query)
        encoding = Encoding(query.get("zoom", 1))
        preset = replace(PRESETS[query["preset"]], encoding=encoding)
        played = legend(preset)
        assert unquote(response.headers["X-Sonify-Legend"]) == played.words
        samples = soundfile.read(io.BytesIO(response.data), dtype="int16")[0]
        np.testing.assert_array_equal(samples, render(played.notes, preset=played.preset))
        assert played.preset == replace(preset, earcon_level=0.0)
    query = {"run": "sgd/1", "tag": "loss", "preset": "single"}
    words = unquote(client.sonify("legend", **query).headers["X-Sonify-Legend"])
    assert words.startswith("log scale: 0.01 is 110 Hz, 0.1414 is 440 Hz")
    query = {"preset": "single", "scale": "log", "low": 0.001, "high": 10}
    words = unquote(client.sonify("legend", **query).headers["X-Sonify-Legend"])
    assert words.startswith("log scale: 0.001 is 110 Hz, 0.1 is 440 Hz")


def test_a_preset_of_the_user_is_listed_and_heard(tmp_path, open_client):
    own = replace(SMOOTH, name="mine", title="Mine: wide", width=1.0)
    with SonifyWriter(tmp_path / "run", presets=("smooth", own)) as writer:
        for step, row in enumerate(norms_of(150)):
            writer.add_norms(dict(zip(LAYERS, row, strict=True)), step)
    client = open_client(tmp_path)
    for view in ({}, {"together": 2}, {"along": "run"}):
        listed = client.block_of("coverage", run="run", **view).header["presets"][-1]
        assert (listed["name"], listed["title"], listed["custom"]) == ("mine", "Mine: wide", True)
    query = {"run": "run", "preset": "mine", "notes": 50}
    logged = client.sonify("clip", **query, first_note=100)
    assert logged.headers["X-Sonify-Source"] == "logged"
    made = client.sonify("clip", **query, first_note=100, along="run")
    assert made.headers["X-Sonify-Source"] == "rendered"
    assert made.data == logged.data
    assert client.sonify("legend", run="run", preset="mine").status_code == 200


@pytest.mark.parametrize("stored", ["x", [1], [{"name": "evil"}], {"name": "x"}, [[]] * 100])
def test_what_is_no_preset_is_not_listed(tmp_path, open_client, stored):
    options = {**OPTIONS, "presets": stored}
    write_events(tmp_path / "run", row_events(norms_of(3), range(3), options=options))
    presets = open_client(tmp_path).block_of("coverage", run="run").header["presets"]
    assert [preset["name"] for preset in presets] == list(PRESETS)
