"""Logs that other people's writers wrote: every scalar of every run plays, by both loaders."""

import io
import json
import wave
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
from playwright.sync_api import expect

from tb_sonify.schema.block import decode_block
from tests import foreign_logs
from tests.client import opened_client
from tests.dashboard import fetch
from tests.foreign_logs import POINTS
from tests.forked import ForkServer
from tests.logs import scalar_events, write_events
from tests.serving import served
from tests.waiting import wait_until

pytestmark = pytest.mark.server

POINTS_ROUTE = "/data/plugin/scalars/scalars"

WRITERS = {
    "torch": foreign_logs.write_by_torch,
    "tensorboardX": foreign_logs.write_by_tensorboardx,
    "tensorboard": foreign_logs.write_by_tensorboard,
    "keras run 1/läuft": foreign_logs.write_by_tensorflow,
}
EXPECTED = {  # run: some of its scalars
    "torch": {"loss", "new/style"},
    "torch/both_dev set": {"both"},
    "tensorboardX": {"train/loss", "gradients/blocks.10.attn"},
    "tensorboard": {"loss"},
    "keras run 1/läuft/train": {"epoch_loss", "epoch_learning_rate", "simple_value"},
    "keras run 1/läuft/validation": {"epoch_loss", "evaluation_loss_vs_iterations"},
    "lightning/lightning_logs/version_0": {"train_loss_step", "grad_2.0_norm/stem.weight", "epoch"},
    "hugging face": {"train/loss", "train/grad_norm", "eval/loss"},
}


@pytest.fixture(scope="module")
def foreign(fork_server: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log directory with a run of each writer."""
    logdir = tmp_path_factory.mktemp("logs")
    for name, write in WRITERS.items():
        write(logdir / name)
    scripts = tmp_path_factory.mktemp("scripts")
    for name, script in (
        ("lightning", foreign_logs.LIGHTNING),
        ("hugging face", foreign_logs.HUGGING_FACE),
    ):
        foreign_logs.trained(fork_server, scripts / name, script, logdir / name)
    return logdir


def test_every_scalar_of_every_writer_plays(foreign, open_client):
    client = open_client(foreign)
    shown = client.get("/data/plugin/scalars/tags").json
    for run, some in EXPECTED.items():
        assert set(shown[run]) >= some
    assert {run["run"] for run in client.json_of("runs")["runs"]} == set(shown)
    for run, tags in shown.items():
        assert set(client.json_of("signals", run=run)["scalars"]) == set(tags)
        for tag in tags:
            points = client.get(POINTS_ROUTE, query_string={"run": run, "tag": tag}).json
            assert_plays(client, run, tag, steps=len({step for _, step, _ in points}))


def assert_plays(client, run, tag, *, steps):
    """A scalar is heard: each step has its note, or those of the run's norms."""
    header = client.block_of("coverage", run=run, tag=tag).header
    notes = header["notes"]
    assert notes >= steps if has_norms(client, run) else notes == steps
    preset = header["presets"][0]
    clip = client.sonify("clip", run=run, tag=tag, preset="single", first_note=0, notes=notes)
    assert clip.status_code == 200, clip.text
    samples = pcm(clip.data)
    assert len(samples) == notes * preset["hop"] + preset["tail"]
    assert np.abs(samples).max() > 300, (run, tag)


def has_norms(client, run):
    (found,) = [each for each in client.json_of("runs")["runs"] if each["run"] == run]
    return found["norms"]


def pcm(wav):
    with wave.open(io.BytesIO(wav)) as reader:
        return np.frombuffer(reader.readframes(reader.getnframes()), "<i2").reshape(
            -1, reader.getnchannels()
        )


@pytest.mark.parametrize("load_fast", ["true", "false"])
def test_whatever_type_tensorboard_reads_as_a_scalar_plays(tmp_path, load_fast):
    # Its fast loader reads float32 alone, which is what TensorFlow's summaries are. The other one
    # fails on a bfloat16, which here has no points, whatever else is asked for.
    foreign_logs.write_types(tmp_path / "types")
    with served(tmp_path, f"--load_fast={load_fast}") as address:
        wait_until(
            lambda: "float32" in scalars(address, "types") and complete(address), "all is read"
        )
        tags = scalars(address, "types")
        with urlopen(f"{address}data/plugin/scalars/tags", timeout=30) as response:
            assert set(tags) == set(json.load(response)["types"])
        assert len(tags) == (1 if load_fast == "true" else 9)
        for tag in tags:
            header = decode_block(fetch(address, "coverage", run="types", tag=tag)).header
            assert header["notes"] == (0 if tag == "bfloat16" else POINTS), tag
            if header["notes"]:
                span = {"preset": "single", "first_note": 0, "notes": POINTS}
                samples = pcm(fetch(address, "clip", run="types", tag=tag, **span))
                assert np.abs(samples).max() > 300, tag


def complete(address):
    coverage = fetch(address, "coverage", run="types", tag="float32")
    return decode_block(coverage).header["notes"] == POINTS


def scalars(address, run):
    if not json.loads(fetch(address, "runs"))["runs"]:
        return []
    return json.loads(fetch(address, "signals", run=run))["scalars"]


def test_runs_of_several_files_of_any_name_and_those_that_are_empty(tmp_path, open_client):
    values = [(step, 1 / (1 + step)) for step in range(30)]
    names = [".", "a b/c  d", "über/🎵", "a b", "x" * 100, "%20&tag=1"]
    tags = ["loss", "odd / tag: <b>?&=%20#+\"'", "höhe 🎵", "-"]
    for name in names:
        for tag in tags:
            write_events(tmp_path / name, scalar_events(tag, values[:15]))
            write_events(tmp_path / name, scalar_events(tag, values[15:], start=1_015.0))
    (tmp_path / "empty").mkdir()
    write_events(tmp_path / "without scalars", [])
    (tmp_path / "no bytes").mkdir()
    (tmp_path / "no bytes" / "events.out.tfevents.1.test").touch()
    client = open_client(tmp_path)
    assert {run["run"] for run in client.json_of("runs")["runs"]} == set(names)
    for name in names:
        for tag in tags:
            assert_plays(client, name, tag, steps=30)


def test_a_scalar_of_a_foreign_log_plays_in_the_browser(show, logdir):
    foreign_logs.write_by_tensorflow(logdir / "keras")
    tab = show()
    page = tab.page
    page.get_by_role("combobox", name="Curve").select_option(value="epoch_loss")
    expect(page.locator(".curve canvas")).to_be_visible()
    place = tab.place()
    page.mouse.click(place.x(POINTS / 2), place.y)
    tab.wait_for_sound()
    assert abs(tab.heard_from() - POINTS / 2) <= 1


def test_a_table_of_all_runs_leaves_out_no_more_than_the_one_that_cannot_be_read(tmp_path):
    foreign_logs.write_types(tmp_path / "types")
    values = [(step, 1.0) for step in range(5)]
    write_events(tmp_path / "good", scalar_events("bfloat16", values))
    with opened_client(tmp_path, "slow") as client:
        assert client.block_of("summaries", tag="bfloat16").header["runs"] == ["good"]
