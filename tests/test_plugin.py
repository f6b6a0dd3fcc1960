"""What the plugin answers."""

import time
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tensorboard.plugins.base_plugin import TBContext
from torch.utils.tensorboard import SummaryWriter

from tb_sonify.plugin.assets import read_script
from tb_sonify.plugin.loader import SonifyLoader
from tb_sonify.schema.metadata import PLUGIN_NAME
from tb_sonify.sound import PRESETS
from tests.logs import LAYERS, norms_of, row_events, run_events, scalar_events, write_events
from tests.waiting import wait_until

ODD_NAMES = ("nested/run/deep", "with space & ampersand=1?", "ünïcode-学習-🎵", "per%20cent+plus")


@pytest.fixture
def client(tmp_path, open_client):
    """A run with everything, and one with scalars alone."""
    write_events(
        tmp_path / "sgd",
        [
            *run_events(norms_of(150), np.arange(150)),
            *scalar_events("grad_norm/conv1", [(0, 1.0)]),
            *scalar_events("accuracy", [(0, 0.5), (149, 0.75)]),
            *scalar_events("Loss/train", [(0, 2.0), (149, 1.0)]),
        ],
    )
    write_events(tmp_path / "adam", scalar_events("x", [(0, 1.0)]))
    return open_client(tmp_path)


def test_runs_are_listed_by_name_with_what_they_have(client):
    runs = client.json_of("runs")["runs"]
    assert [(run["run"], run["norms"]) for run in runs] == [("adam", False), ("sgd", True)]
    assert all(isinstance(run["start_time"], float) for run in runs)


def test_an_empty_log_directory_has_no_runs(tmp_path, open_client):
    client = open_client(tmp_path)
    assert client.json_of("runs") == {"runs": []}


def test_a_run_of_neither_scalars_nor_norms_is_left_out(tmp_path, open_client):
    write_events(tmp_path / "empty", [])
    client = open_client(tmp_path)
    assert client.json_of("runs") == {"runs": []}


def test_signals_name_the_loss(client):
    assert client.json_of("signals", run="sgd") == {
        "run": "sgd",
        "scalars": ["Loss/train", "accuracy", "grad_norm/conv1"],
        "loss": "Loss/train",
        "pairs": [],
    }


def test_coverage_names_the_layers_and_the_streams(client):
    header = client.block_of("coverage", run="sgd").header
    assert header["layers"] == list(LAYERS)
    assert header["streams"] == [
        {"name": "early", "layers": ["conv1", "conv2"]},
        {"name": "middle", "layers": ["fc1"]},
        {"name": "late", "layers": ["fc2"]},
    ]


@pytest.mark.parametrize(
    ("tags", "drawn"),
    [
        (["b", "a_loss", "loss"], "loss"),
        (["b", "a_loss", "val/loss"], "a_loss"),
        (["grad_norm/a", "z", "b"], "b"),
        (["grad_norm/b", "grad_norm/a"], "grad_norm/a"),
    ],
)
def test_the_tag_to_draw_first_is_a_loss_if_there_is_one(tmp_path, open_client, tags, drawn):
    events = [event for tag in tags for event in scalar_events(tag, [(0, 1.0)])]
    write_events(tmp_path / "run", events)
    assert open_client(tmp_path).json_of("signals", run="run")["loss"] == drawn


def test_coverage_lists_the_presets_with_their_measures(client):
    presets = client.block_of("coverage", run="sgd").header["presets"]
    assert [preset["name"] for preset in presets] == list(PRESETS)
    for answer, preset in zip(presets, PRESETS.values(), strict=True):
        streamed = preset.name != "classic"
        assert answer == {
            "name": preset.name,
            "title": preset.title,
            "sample_rate": preset.sample_rate,
            "hop": preset.hop(len(LAYERS)),
            "note_frames": 1_440 if streamed else preset.hop(len(LAYERS)),
            "tail": preset.tail,
            "channels": preset.channels,
            "streams": {"smooth": 3, "calm": 3, "single": 1}.get(preset.name, len(LAYERS)),
            "speed": streamed,
            "zoom": streamed,
            "custom": False,
        }


def test_a_run_of_rows_alone_makes_the_tab_active(tmp_path, open_client):
    write_events(tmp_path / "run", row_events(norms_of(3), range(3)))
    client = open_client(tmp_path)
    listing = client.get("/data/plugins_listing").json["sonify"]
    assert listing["enabled"] is True
    assert listing["tab_name"] == "Sonify"
    assert listing["loading_mechanism"]["module_path"] == "/data/plugin/sonify/index.js"


def test_a_run_of_scalars_alone_makes_the_tab_active(tmp_path, open_client):
    write_events(tmp_path / "run", scalar_events("x", [(0, 1.0)]))
    client = open_client(tmp_path)
    assert client.get("/data/plugins_listing").json["sonify"]["enabled"] is True


def test_the_tab_is_active_while_nothing_has_been_read_but_not_for_what_it_cannot_use(
    tmp_path, open_client
):
    client = open_client(tmp_path)
    assert client.get("/data/plugins_listing").json["sonify"]["enabled"] is True
    with SummaryWriter(str(tmp_path / "run")) as writer:
        writer.add_text("remark", "nothing to hear")
    client.reload()
    # `reload` does not wait for texts
    listing = "/data/plugins_listing"
    wait_until(lambda: not client.get(listing).json["sonify"]["enabled"], "the tab is hidden")


@pytest.mark.parametrize("name", ODD_NAMES)
def test_runs_and_tags_of_any_name_are_found(tmp_path, open_client, name):
    events = run_events(norms_of(120), np.arange(120))
    write_events(tmp_path / name, [*events, *scalar_events(name, [(0, 1.0)])])
    client = open_client(tmp_path)
    (run,) = client.json_of("runs")["runs"]
    assert run["run"] == name
    assert client.json_of("signals", run=name)["scalars"] == [name]
    assert client.block_of("curve", run=name, tag=name).arrays["max"].tolist() == [1.0]
    assert client.block_of("coverage", run=name).header["notes"] == 120
    query = {"run": name, "preset": "smooth", "first_note": 0, "notes": 100}
    assert client.sonify("clip", **query).headers["X-Sonify-Source"] == "logged"


def test_what_is_stored_shows_in_the_stock_tabs(client):
    time_series = client.get("/data/plugin/timeseries/tags").json["scalars"]["runTagInfo"]
    assert set(time_series["sgd"]) == {"Loss/train", "accuracy", "grad_norm/conv1"}
    audio = client.get("/data/plugin/audio/tags").json
    assert audio["sgd"]["sonify/smooth"]["samples"] == 1
    listed = client.get("/data/plugin/audio/audio?run=sgd&tag=sonify/smooth").json
    assert [clip["step"] for clip in listed] == [0, 100]
    data = client.get(f"/data/plugin/audio/individualAudio?{listed[0]['query']}").data
    query = {"run": "sgd", "preset": "smooth", "first_note": 0, "notes": 100}
    assert data == client.sonify("clip", **query).data


def test_the_script_is_a_module_that_renders(client):
    response = client.get("/data/plugin/sonify/index.js")
    assert response.status_code == 200
    assert response.content_type == "text/javascript; charset=utf-8"
    assert response.data == read_script()
    assert b"render" in response.data
    page = client.get("/data/plugin_entry.html?name=sonify").text
    assert 'import("./index.js")' in page


def test_the_parts_of_the_script_are_served_and_nothing_else(client, tmp_path, monkeypatch):
    parts = tmp_path / "static" / "parts"
    parts.mkdir(parents=True)
    (parts / "part-AB12.js").write_text("export default 1")
    (tmp_path / "static" / "secret.js").write_text("secret")
    monkeypatch.setattr("tb_sonify.plugin.assets.PARTS", parts)
    response = client.get("/data/plugin/sonify/parts/part-AB12.js")
    assert response.data == b"export default 1"
    assert response.content_type == "text/javascript; charset=utf-8"
    assert "max-age=31536000" in response.headers["Cache-Control"]
    for name in (
        "",
        "other.js",
        "../secret.js",
        "..%2Fsecret.js",
        "%2E%2E/secret.js",
        "x/../../secret.js",
    ):
        refused = client.get(f"/data/plugin/sonify/parts/{name}")
        assert refused.status_code == 404, name
        assert b"secret" not in refused.data.replace(b"secret.js", b"")


def test_many_requests_at_once_are_answered_alike(client):
    routes = ["runs", "signals?run=sgd", "coverage?run=sgd", "curve?run=sgd&tag=accuracy"]
    routes += [f"clip?run=sgd&preset=smooth&first_note={note}&notes=60" for note in (0, 50, 149)]
    paths = [f"/data/plugin/sonify/{route}" for route in routes] * 8
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda path: client.get(path).data, paths))
    assert answers == [client.get(path).data for path in paths]


def test_news_of_a_run_come_within_a_second(tmp_path, open_client):
    write_events(tmp_path / "run", row_events(norms_of(3), range(3)))
    client = open_client(tmp_path)
    assert client.block_of("coverage", run="run").header["notes"] == 3
    write_events(tmp_path / "run", row_events(norms_of(4), range(3, 7), first_row=3))
    client.reload()
    time.sleep(1)
    assert client.block_of("coverage", run="run").header["notes"] == 7


def test_a_checkout_without_the_dashboard_says_how_to_build_it(monkeypatch, tmp_path):
    monkeypatch.setattr("tb_sonify.plugin.assets.BUNDLE", tmp_path / "index.js")
    assert b"make frontend" in read_script()
    (tmp_path / "index.js").write_text("export const render = () => {};")
    assert read_script() == b"export const render = () => {};"


def test_the_loader_keeps_all_blocks_unless_the_user_says_otherwise():
    flags = Namespace(samples_per_plugin={})
    SonifyLoader().fix_flags(flags)
    assert flags.samples_per_plugin == {PLUGIN_NAME: 0}
    flags = Namespace(samples_per_plugin={PLUGIN_NAME: 7, "audio": 3})
    SonifyLoader().fix_flags(flags)
    assert flags.samples_per_plugin == {PLUGIN_NAME: 7, "audio": 3}
    SonifyLoader().fix_flags(Namespace())


def test_without_a_data_provider_there_is_no_plugin():
    assert SonifyLoader().load(TBContext(data_provider=None)) is None
