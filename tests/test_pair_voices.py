"""A training loss and its validation loss are heard together, an octave apart where equal."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tb_sonify.schema.notes import Notes
from tb_sonify.sound import PAIR, Scale
from tb_sonify.sound.earcons import Earcon
from tb_sonify.sound.voicing import stream_controls
from tests.controls import panel, reveal
from tests.hearing import notes_of
from tests.logs import norms_of, row_events, scalar_events, write_events
from tests.looks import look
from tests.pages import wait_until

SCALE = Scale("log", 0.1, 10.0)
QUERY = {"scale": "log", "low": 0.1, "high": 10.0}


def losses(training, validation, *, every):
    """Events of a training loss at each step, and of a validation loss at every few."""
    return [
        *scalar_events("loss/train", list(enumerate(training))),
        *scalar_events("loss/val", [(every * (at + 1) - 1, v) for at, v in enumerate(validation)]),
    ]


def loudest_hz(wav):
    """Pitch of the strongest partial of a clip's left channel."""
    pcm = np.frombuffer(wav[44:], "<i2").reshape(-1, PAIR.channels)[:, 0].astype(float)
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm)), 1 << 18))
    return np.argmax(spectrum) * PAIR.sample_rate / (1 << 18)


def as_norms(values):
    return SCALE(np.array(values, float))


def test_the_pairs_of_a_run_are_listed_with_its_scalars(tmp_path, open_slow_client):
    write_events(tmp_path / "run", losses([1.0, 2.0], [3.0], every=2))
    write_events(tmp_path / "other", scalar_events("loss", [(0, 1.0)]))
    client = open_slow_client(tmp_path)
    assert client.json_of("signals", run="run")["pairs"] == [["loss/train", "loss/val"]]
    assert client.json_of("signals", run="other")["pairs"] == []


def test_the_pairs_of_the_user_are_those_that_are_heard(tmp_path, open_slow_client):
    write_events(tmp_path / "run", losses([1.0], [2.0], every=1))
    client = open_slow_client(tmp_path, "--sonify_pairs=loss/val:loss/train")
    assert client.json_of("signals", run="run")["pairs"] == [["loss/val", "loss/train"]]


def test_a_validation_loss_holds_on_the_notes_of_the_training_loss(tmp_path, open_slow_client):
    write_events(tmp_path / "run", losses([4.0, 3.0, 2.0, 1.0, 0.5], [5.0, np.nan], every=2))
    client = open_slow_client(tmp_path)
    view = {"tag": "loss/train", "beside": "loss/val", **QUERY}
    coverage, tables = notes_of(client, "run", **view)
    header = coverage.header
    assert header["layers"] == ["loss/train", "loss/val"]
    assert [stream["name"] for stream in header["streams"]] == ["training", "validation"]
    assert [preset["name"] for preset in header["presets"]] == ["pair"]
    assert not header["presets"][0]["custom"]
    np.testing.assert_allclose(tables["median"][:, 0], as_norms([4, 3, 2, 1, 0.5]), rtol=1e-6)
    np.testing.assert_allclose(tables["median"][1:3, 1], as_norms([5, 5]), rtol=1e-6)
    assert tables["median"][0, 1] < 0  # there is none yet
    assert tables["nan"][:, 1].tolist() == [0, 0, 0, 1, 1]


@pytest.mark.usefixtures("prompt_news")
def test_beside_norms_both_lie_on_the_notes_of_the_norms(tmp_path, open_slow_client):
    rows = row_events(norms_of(6), np.arange(6))
    write_events(tmp_path / "run", [*rows, *losses([1.0] * 6, [3.0, 4.0, 5.0], every=2)])
    client = open_slow_client(tmp_path)
    coverage, tables = notes_of(client, "run", tag="loss/train", beside="loss/val", **QUERY)
    assert coverage.header["notes"] == 6
    np.testing.assert_allclose(tables["median"][1:, 1], as_norms([3, 3, 4, 4, 5]), rtol=1e-6)
    query = {"run": "run", "tag": "loss/train"}
    before = client.json_of("news", **query)["states"]
    write_events(tmp_path / "run", scalar_events("loss/val", [(6, 9.0)]))
    client.reload()
    assert client.json_of("news", **query)["states"] != before


def test_a_validation_loss_that_counts_epochs_lies_on_the_steps_by_time(tmp_path, open_slow_client):
    training = scalar_events("loss/train", [(step, 2.0) for step in range(100)])
    epochs = [
        event
        for epoch in range(4)
        for event in scalar_events("loss/val", [(epoch, 1.0 + epoch)], start=1_024.5 + 25 * epoch)
    ]
    write_events(tmp_path / "run", [*training, *epochs])
    client = open_slow_client(tmp_path)
    _, tables = notes_of(client, "run", tag="loss/train", beside="loss/val", **QUERY)
    heard = tables["median"][:, 1]
    assert (heard[:24] < 0).all()
    np.testing.assert_allclose(heard[[24, 48, 49, 73, 74, 98]], as_norms([1, 1, 2, 2, 3, 3]), 1e-6)


def test_equal_losses_sound_an_octave_apart(tmp_path, open_slow_client):
    write_events(tmp_path / "run", losses([1.0] * 40, [1.0] * 40, every=1))
    client = open_slow_client(tmp_path)
    view = {"run": "run", "tag": "loss/train", "beside": "loss/val", **QUERY}
    for muted, hz in ((1, 440.0), (0, 880.0)):
        clip = client.sonify("clip", preset="pair", first_note=0, notes=40, muted=muted, **view)
        assert clip.status_code == 200, clip.text
        assert loudest_hz(clip.data) == pytest.approx(hz, rel=0.003)


def test_two_tones_mark_where_validation_rises_above_training(tmp_path, open_slow_client):
    steps = np.arange(240)
    training = np.where(steps < 150, 4.0, 40.0) * 0.99**steps  # equals 2 at step 69
    write_events(tmp_path / "run", losses(training, np.full(240, 2.0), every=1))
    client = open_slow_client(tmp_path)
    _, tables = notes_of(client, "run", tag="loss/train", beside="loss/val", **QUERY)
    beside = stream_controls(Notes(**tables), preset=PAIR, first_note=0).beside
    rises, falls = np.flatnonzero(beside[:, 1])
    assert beside[[rises, falls], 1].tolist() == [Earcon.RISES, Earcon.FALLS]
    assert 69 < rises < 69 + 16
    assert 150 < falls < 150 + 16
    assert not beside[:, 0].any()


def test_a_second_scalar_needs_a_first(tmp_path, open_slow_client):
    write_events(tmp_path / "run", losses([1.0], [1.0], every=1))
    client = open_slow_client(tmp_path)
    answer = client.sonify("coverage", run="run", beside="loss/val")
    assert (answer.status_code, "'beside' is for a scalar" in answer.text) == (400, True)
    answer = client.sonify("coverage", run="run", tag="loss/train", beside="gone")
    assert (answer.status_code, "no scalar 'gone'" in answer.text) == (404, True)
    both = notes_of(client, "run", tag="loss/train", beside="loss/train")[0]
    assert both.header["layers"] == ["loss/train"]


def write_overfitting(logdir):
    steps = np.arange(200)
    training = 2.0 * np.exp(-steps / 60) + 0.2
    validation = 2.0 * np.exp(-steps[9::10] / 60) + 0.3 + (steps[9::10] / 120) ** 2 / 2
    write_events(logdir / "overfits", losses(training, validation, every=10))


def test_the_tab_plays_shows_and_silences_both(serve_once, open_tab):
    tab = open_tab(serve_once(write_overfitting))
    asked = []
    tab.page.on("request", lambda request: asked.append(request.url))
    tab.page.locator(".timeline").focus()
    tab.page.keyboard.press("Space")
    wait_until(tab.page, lambda: any("clip?" in url for url in asked))
    assert all("beside=loss%2Fval" in url for url in asked if "clip?" in url)
    expect(tab.page.locator(".legend")).to_contain_text("loss/val")
    panel(tab.page, "Values")
    expect(tab.page.locator(".readout .beside")).to_contain_text("loss/val")
    expect(tab.page.locator(".readout .beside .number")).not_to_have_text("—")
    validation = reveal(
        tab.page.get_by_role("button", name=re.compile("^Mute validation"), include_hidden=True)
    )
    validation.click()
    wait_until(tab.page, lambda: any("muted=1" in url for url in asked))
    look(tab.page, "pair")
