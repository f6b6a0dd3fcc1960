"""Runs that were logged with a preset as it was: it has a name, and clips, of its own."""

import json

import numpy as np
import pytest

import tb_sonify
from tb_sonify import SonifyWriter
from tb_sonify.schema.metadata import VERSIONS_OPTION
from tb_sonify.sound import EARLIER_PRESETS, PRESETS, VERSIONS, preset_to_json
from tests import recorded
from tests.logs import norms_of, row_events, run_events, scalar_events, write_events
from tests.test_clips import samples_of

BEFORE = {"norm_type": 2.0}  # the options of rows when no preset had a version
SMOOTH, OLD = PRESETS["smooth"], EARLIER_PRESETS["smooth-1"]


def names(client, run, **view):
    return [each["name"] for each in client.block_of("coverage", run=run, **view).header["presets"]]


def clip(client, run, preset, first_note, notes):
    query = {"preset": preset.name, "first_note": first_note, "notes": notes}
    response = client.sonify("clip", run=run, **query)
    return samples_of(response.data, preset), response.headers["X-Sonify-Source"]


@pytest.fixture
def client(tmp_path, open_slow_client):
    norms, steps = norms_of(300), np.arange(300)
    write_events(tmp_path / "old", run_events(norms, steps, options=BEFORE))
    write_events(tmp_path / "new", run_events(norms, steps))
    later = {VERSIONS_OPTION: {"smooth": VERSIONS["smooth"] + 1}}
    write_events(tmp_path / "rows", row_events(norms, steps, options=BEFORE))
    scalars = ((f"grad_norm/{layer}", enumerate([1.0, 2.0])) for layer in "abc")
    write_events(tmp_path / "foreign", [e for s in scalars for e in scalar_events(*s)])
    for name, stored in (("later", later), ("odd", {VERSIONS_OPTION: [1]})):
        write_events(tmp_path / name, row_events(norms, steps, options=stored))
    return open_slow_client(tmp_path)


def test_the_earlier_preset_is_listed_last_where_a_run_was_logged_with_it(client):
    for run in ("old", "rows", "odd"):
        assert names(client, run) == [*PRESETS, "smooth-1"]
        assert names(client, run, along="old") == [*PRESETS, "smooth-1"]
    for run in ("new", "later", "foreign"):
        assert names(client, run) == list(PRESETS)


def test_logged_clips_are_those_of_the_preset_at_their_version(client):
    sources = {
        (run, preset.name): clip(client, run, preset, 100, 100)[1]
        for run, preset in (("old", SMOOTH), ("old", OLD), ("new", SMOOTH))
    }
    assert sources == {
        ("old", "smooth"): "rendered",
        ("old", "smooth-1"): "logged",
        ("new", "smooth"): "logged",
    }
    played = clip(client, "old", SMOOTH, 100, 100)[0]
    assert np.abs(played - clip(client, "new", SMOOTH, 100, 100)[0]).max() <= 1


def test_clips_join_whatever_they_were_logged_with(client):
    for run, preset in (("old", SMOOTH), ("old", OLD), ("new", SMOOTH)):
        hop, tail = preset.hop(4), preset.tail
        whole, _ = clip(client, run, preset, 50, 200)
        joined = np.zeros_like(whole)
        for first, notes in ((50, 50), (100, 100), (200, 50)):
            part, _ = clip(client, run, preset, first, notes)
            joined[(first - 50) * hop :][: notes * hop + tail] += part
        assert np.abs(joined - whole).max() <= 2


def test_a_writer_states_the_versions_of_its_presets(tmp_path):
    with SonifyWriter(str(tmp_path)) as writer:
        writer.add_norms({"a": 1.0}, 0)
    for block in [*recorded.rows(tmp_path), *recorded.segments(tmp_path)]:
        assert block.options[VERSIONS_OPTION] == VERSIONS


def test_an_earlier_preset_is_rendered_by_its_name(tmp_path):
    write_events(tmp_path / "run", row_events(norms_of(20), range(20), options=BEFORE))
    before, now = (tb_sonify.render(tmp_path, preset=name) for name in ("smooth-1", "smooth"))
    assert before.legend.endswith("norm 1 is 440 Hz, a semitone up is twice the norm")
    assert not np.array_equal(before.pcm, now.pcm)


def test_a_preset_of_ones_own_of_before_registers_sounds_as_it_did(tmp_path, open_slow_client):
    stored = json.loads(json.dumps({**preset_to_json(OLD), "name": "mine"}))
    options = {**BEFORE, "presets": [stored, {**stored, "name": "smooth"}]}
    write_events(tmp_path / "run", row_events(norms_of(60), range(60), options=options))
    client = open_slow_client(tmp_path)
    assert names(client, "run") == [*PRESETS, "mine", "smooth-1"]
    query = {"run": "run", "first_note": 0, "notes": 60}
    mine, old = (client.sonify("clip", preset=name, **query).data for name in ("mine", "smooth-1"))
    assert mine == old
