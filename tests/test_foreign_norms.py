"""Norms of layers in logs that were written without us: heard as those of tb_sonify are."""

import numpy as np
import pytest
from playwright.sync_api import expect
from torch.utils.tensorboard import SummaryWriter

from tb_sonify.schema.norm_tags import norm_layers
from tests import foreign_logs
from tests.controls import panel, reveal
from tests.logs import LAYERS, norms_of, run_events, scalar_events, write_events

STEPS = 250


def write_norms(run, norms, tag="gradients/{}", layers=LAYERS, steps=None):
    """Log norms as people do: a call of `add_scalar` for each layer of each step."""
    with SummaryWriter(str(run)) as writer:
        for step, row in zip(range(len(norms)) if steps is None else steps, norms, strict=True):
            writer.add_scalar("loss", 1 / (1 + step), step)
            for layer, norm in zip(layers, row, strict=True):
                if norm != -1:
                    writer.add_scalar(tag.format(layer), norm, step)


def broken_norms():
    """Calm norms, but one layer turns NaN, and then all do."""
    norms = np.exp(np.random.default_rng(0).normal(0, 0.1, (STEPS, len(LAYERS))))
    norms[150, 2] = np.nan
    norms[151:] = np.nan
    return norms


def test_scalars_of_layers_sound_as_the_same_norms_in_rows(tmp_path, open_client):
    norms = norms_of(STEPS)
    write_norms(tmp_path / "foreign", norms)
    write_events(tmp_path / "ours", run_events(norms, np.arange(STEPS)))
    client = open_client(tmp_path)
    runs = client.json_of("runs")["runs"]
    assert [(run["run"], run["norms"]) for run in runs] == [("foreign", True), ("ours", True)]
    foreign, ours = (client.block_of("coverage", run=run) for run in ("foreign", "ours"))
    for field in ("layers", "streams", "notes", "presets", "rows_per_note", "missing", "sampled"):
        assert foreign.header[field] == ours.header[field], field
    assert np.array_equal(foreign.arrays["steps"], ours.arrays["steps"])
    span = {"first_note": 0, "notes": STEPS}
    for preset in ("smooth", "arpeggio", "classic"):
        clips = [
            client.sonify("clip", run=run, preset=preset, **span) for run in ("foreign", "ours")
        ]
        assert clips[0].data == clips[1].data
    at = {"from": 0, "to": STEPS, "columns": 50}
    maps = [client.block_of("heatmap", run=run, **at).arrays["max"] for run in ("foreign", "ours")]
    assert np.array_equal(*maps)
    assert client.sonify("describe", run="foreign").text.count("norms of the") == 3


@pytest.mark.parametrize(
    ("tag", "layer_tag"), [("grad_norm", "grad_norm/{}"), ("train/grads", "train/grads/{}.weight")]
)
def test_norms_that_add_scalars_wrote_into_runs_of_their_own_are_layers_of_one_run(
    tmp_path, open_client, tag, layer_tag
):
    norms = norms_of(STEPS)
    for run in (tmp_path / "logs", tmp_path / "logs/nested"):
        with SummaryWriter(str(run)) as writer:
            names = [layer_tag.removeprefix(f"{tag}/").format(layer) for layer in LAYERS]
            for step, row in enumerate(norms):
                row_of = {name: norm for name, norm in zip(names, row, strict=True) if norm != -1}
                writer.add_scalars(tag, row_of, step)
                writer.add_scalars("loss", {"train": 1.0, "test": 2.0}, step)
    for number in range(3):  # trainings that are named after what they try
        events = scalar_events("grad_norm", [(0, 1.0)]) + scalar_events("loss", [(0, 1.0)])
        write_events(tmp_path / f"logs/sweep/grad_norm_{number}", events)
    write_norms(tmp_path / "logs/alike", norms, tag=layer_tag)
    client = open_client(tmp_path / "logs")
    runs = {run["run"]: run["norms"] for run in client.json_of("runs")["runs"]}
    others = [f"sweep/grad_norm_{number}" for number in range(3)]
    others += ["loss_test", "loss_train", "nested/loss_test", "nested/loss_train"]
    assert runs == {".": True, "nested": True, "alike": True, **dict.fromkeys(others, False)}
    alike = client.block_of("coverage", run="alike")
    tags = [layer_tag.format(layer) for layer in LAYERS]
    at = {"from": 0, "to": STEPS, "columns": STEPS}
    for run in (".", "nested"):
        joined = client.block_of("coverage", run=run)
        assert joined.header["layers"] == alike.header["layers"]
        assert np.array_equal(joined.arrays["steps"], alike.arrays["steps"])
        maps = [client.block_of("heatmap", run=each, **at).arrays["max"] for each in (run, "alike")]
        assert np.array_equal(*maps)
        assert client.json_of("signals", run=run)["scalars"] == sorted(tags)
        curve = client.block_of("curve", run=run, tag=tags[1])
        assert curve.header["points"] == (norms[:, 1] != -1).sum()


def test_landmarks_say_which_layer_broke(tmp_path, open_client):
    write_norms(tmp_path / "run", broken_norms(), tag="train/grad_norm/{}")
    landmarks = open_client(tmp_path).json_of("landmarks", run="run")["landmarks"]
    nan = next(each for each in landmarks if each["kind"] == "nan")
    assert (nan["step"], nan["layer"]) == (150, LAYERS[2])


def test_layers_are_in_the_order_in_which_they_were_written(tmp_path, open_client):
    layers = ("wte", "h.0", "h.2", "h.10", "lm_head")
    write_norms(tmp_path / "run", norms_of(5, 5), layers=layers)
    at_once = [(f"gradients/{layer}", 1.0) for layer in reversed(layers)]
    for step in range(5):  # all with the same wall time
        events = (scalar_events(tag, [(step, value)]) for tag, value in at_once)
        write_events(tmp_path / "at once", [event for each in events for event in each])
    client = open_client(tmp_path)
    assert client.block_of("coverage", run="run").header["layers"] == list(layers)
    natural = ["h.0", "h.2", "h.10", "lm_head", "wte"]
    assert client.block_of("coverage", run="at once").header["layers"] == natural


def test_a_layer_without_a_point_has_no_gradient(tmp_path, open_client):
    norms = norms_of(30)
    norms[10:20, 1] = -1
    write_norms(tmp_path / "run", norms)
    found = open_client(tmp_path).block_of("notes", run="run", first_note=0, notes=30)
    assert np.array_equal(found.arrays["max"] == -1, norms == -1)


@pytest.fixture(scope="module")
def long_run(tmp_path_factory):
    """A log directory, and the norms of its run of 2,500 steps."""
    # TensorBoard keeps other steps of a scalar that has fewer.
    norms = norms_of(2_500)
    norms[::2, 1] = -1
    logdir = tmp_path_factory.mktemp("logs")
    write_norms(logdir / "run", norms)
    return logdir, norms


def test_what_tensorboard_has_sampled_is_held_and_named(long_run, open_client):
    client = open_client(long_run[0])
    coverage = client.block_of("coverage", run="run")
    steps = coverage.arrays["steps"]
    assert coverage.header["sampled"] == [[steps[0], steps[-1]]]
    assert coverage.header["points_kept"] == 1_000
    assert 1_000 < coverage.header["notes"] < 2_000
    span = {"first_note": 0, "notes": 1_000}
    assert (client.block_of("notes", run="run", **span).arrays["max"][100:] > 0).all()
    loss = client.block_of("coverage", run="run", tag="loss").header
    assert loss["sampled"] == [
        [client.block_of("curve", run="run", tag="loss").arrays["steps"][0], 2_499]
    ]
    text = client.sonify("describe", run="run").text
    assert "TensorBoard keeps 1,000 points of a scalar: spikes between them can be missing" in text


def test_with_all_points_kept_nothing_is_sampled(long_run, open_client):
    logdir, norms = long_run
    client = open_client(logdir, "--samples_per_plugin", "scalars=0")
    coverage = client.block_of("coverage", run="run").header
    assert (coverage["notes"], coverage["sampled"], coverage["points_kept"]) == (2_500, [], None)
    found = client.block_of("notes", run="run", first_note=0, notes=1_000).arrays["max"]
    assert np.array_equal(found == -1, norms[:1_000] == -1)


def test_a_flag_names_more_scalars_that_are_norms(tmp_path, open_client):
    for run in ("two", "one"):
        write_norms(tmp_path / run, norms_of(5), tag="mine/{}/gn")
    client = open_client(tmp_path, "--sonify_norms", "other/*, mine/*/gn")
    assert client.block_of("coverage", run="one").header["layers"] == list(LAYERS)
    assert [run["norms"] for run in client.json_of("runs")["runs"]] == [True, True]


def test_without_the_flag_such_scalars_are_no_norms(tmp_path, open_client):
    write_norms(tmp_path / "run", norms_of(5), tag="mine/{}/gn")
    client = open_client(tmp_path)
    assert client.block_of("coverage", run="run").header["notes"] == 0
    assert [run["norms"] for run in client.json_of("runs")["runs"]] == [False]


def test_norms_that_grow_are_followed(tmp_path, open_client, prompt_news):
    del prompt_news
    client = None
    for last in (20, 45):
        write_norms(tmp_path / "run", norms_of(last)[last - 20 :], steps=range(last - 20, last))
        if client is None:
            client = open_client(tmp_path)
        else:
            client.reload()
    coverage = client.block_of("coverage", run="run")
    assert (coverage.header["notes"], coverage.arrays["steps"][-1]) == (40, 44)


def test_rows_that_come_later_take_the_place_of_scalars(tmp_path, open_client, prompt_news):
    del prompt_news
    for layer in LAYERS:
        write_events(tmp_path / "run", scalar_events(f"grad_norm/{layer}", enumerate([1.0] * 20)))
    client = open_client(tmp_path)
    assert client.block_of("coverage", run="run").header["notes"] == 20
    write_events(tmp_path / "run", run_events(norms_of(300), np.arange(300)))
    client.reload()
    coverage = client.block_of("coverage", run="run").header
    assert [segment["state"] for segment in coverage["segments"]] == ["logged"] * 3


def test_values_that_are_no_norms_count_by_their_size(tmp_path, open_client):
    values = np.array([[-2.0, 1.0, 0.0, np.inf], [1.0, -np.inf, np.nan, 1e300]])
    write_norms(tmp_path / "run", values)
    found = open_client(tmp_path).block_of("notes", run="run", first_note=0, notes=2).arrays
    assert found["max"].tolist() == [[2, 1, 0, -1], [1, -1, -1, -1]]
    assert (found["inf"].sum(), found["nan"].sum()) == (3, 1)


@pytest.mark.parametrize("write", [foreign_logs.write_by_tensorboardx])
def test_layers_of_other_writers_are_heard_by_depth(tmp_path, open_client, write):
    write(tmp_path / "run")
    coverage = open_client(tmp_path).block_of("coverage", run="run").header
    assert coverage["layers"] == list(foreign_logs.LAYERS)
    assert [stream["name"] for stream in coverage["streams"]] == ["early", "middle", "late"]


@pytest.mark.parametrize(
    ("tags", "layers"),
    [
        (["grad_norm/a", "grad_norm/b", "grad_norm/total", "loss"], ["a", "b"]),
        (
            ["grad_2.0_norm/fc.weight", "grad_2.0_norm/fc.bias", "grad_2.0_norm_total"],
            ["fc.bias", "fc.weight"],
        ),
        (["grads_norm/conv1/weight", "grads_norm/conv1/bias"], ["conv1/bias", "conv1/weight"]),
        (
            ["l2_norm/grad/a", "l2_norm/grad/b", "l2_norm/grad/global", "l2_norm/moment/a"],
            ["a", "b"],
        ),
        (
            [
                "gradients/a/norm",
                "gradients/a/mean",
                "gradients/a/max",
                "gradients/b/norm",
                "gradients/b/mean",
                "gradients/b/max",
            ],
            ["a", "b"],
        ),
        (["optim/grad/a.norm", "optim/grad/b.norm", "optim/grad/b.max"], ["a", "b"]),
        (
            ["conv1/kernel_gradient_norm", "conv2/kernel_gradient_norm", "global_gradient_norm"],
            ["conv1/kernel", "conv2/kernel"],
        ),
        (["train/actor_grad_norm", "train/critic_grad_norm"], ["train/actor", "train/critic"]),
        (["g/grad_norm/a", "g/grad_norm/b", "d/grad_norm/a"], ["d/a", "g/a", "g/b"]),
        (["Gradients/Layer 2", "Gradients/Layer 10"], ["Layer 2", "Layer 10"]),
        (["train/grad_norm", "eval/grad_norm", "train/loss"], []),
        (["grad_norm/total", "grad_norm/mean"], []),
        (["grad_norm/only one"], []),
        (["learning_rate", "gradient", "grad_norm/", "grad"], []),
        ([], []),
    ],
)
def test_scalars_are_norms_of_layers_by_their_names(tags, layers):
    assert list(norm_layers(tags).values()) == layers
    assert set(norm_layers(tags)) <= set(tags)


PARAMETERS = ("conv1.weight", "conv2.weight", "fc.bias")
SPELLINGS = (
    "GradNorm/{}", "GradientNorms/{}", "GRAD_NORM/{}", "grad-norm/{}", "Grad Norm/{}", "gnorm/{}",
    "train/gradient_l2_norm/{}", "l2_grad_norm/{}", "grad_2_norm/{}", "grad_inf_norm/{}",
    "norm_grad/{}", "layer_grad_norm/{}", "grad_norm_per_layer/{}", "gradient_norm_{}",
    "GradNorm_{}", "{}/grad_norm", "{}.grad_norm", "{}_gradnorm", "{}/GradNorm", "{}.grad",
    "gradients/{}/norm", "grad/{}/l2", "grad_iter/{}", "Grads/{}",
)  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_layers_are_known_in_any_spelling(spelling):
    tags = [spelling.format(name) for name in PARAMETERS]
    totals = [spelling.format(name) for name in ("total", "max", "mean")]
    found = norm_layers([*tags, *totals, "train/loss", "learning_rate"])
    assert found == dict(zip(tags, PARAMETERS, strict=True))


@pytest.mark.parametrize(
    "tags",
    [
        ["grad_norm_step", "grad_norm_epoch"],
        ["grad_norm/epoch_0", "grad_norm/epoch_1"],
        ["grad_norm/rank0", "grad_norm/rank1"],
        ["grad_norm/preclip", "grad_norm/postclip"],
        ["unclipped_grad_norm", "clipped_grad_norm"],
        ["grad_norm_before_clip", "grad_norm_after_clip"],
        ["min_grad_norm", "avg_gradient_norm", "total_gradient_norm"],
        ["grad_norm_p50", "grad_norm_p99"],
        ["grad_norm_l1", "grad_norm_l2"],
        ["grad/norm", "grad/mean_norm", "grad/max"],
        ["gradient/clip_fraction", "gradient/noise_scale"],
        ["grad_scaler/scale", "grad_scaler/growth"],
        ["weight_norm/conv1.weight", "weight_norm/fc.bias"],
        ["update_norm/conv1.weight", "update_norm/fc.bias"],
    ],
)
def test_totals_statistics_and_copies_are_no_layers(tags):
    assert norm_layers(tags) == {}


def test_of_a_layer_per_step_and_per_epoch_the_steps_count():
    tags = [f"grad_2.0_norm/{name}_{per}" for name in PARAMETERS for per in ("step", "epoch")]
    assert norm_layers(tags) == {f"grad_2.0_norm/{name}_step": name for name in PARAMETERS}


def test_what_says_that_it_is_a_norm_comes_before_what_does_not():
    parts = ("encoder", "policy_net", "value_net")
    tags = [f"Gradients/{part}_{kind}" for part in parts for kind in ("norm", "min", "max")]
    assert norm_layers(tags) == {f"Gradients/{part}_norm": part for part in parts}


def test_layers_of_a_sequential_model_are_numbers():
    assert list(norm_layers(["grad_norm/0", "grad_norm/2"]).values()) == ["0", "2"]


def test_in_the_browser_such_a_run_is_heard_and_seen_as_one_with_norms(show, logdir):
    norms = np.exp(np.random.default_rng(0).normal(0, 0.1, (1_200, len(LAYERS))))
    norms[900:, 2] = np.nan
    write_norms(logdir / "run", norms)
    tab = show()
    page = tab.page
    expect(reveal(page.get_by_label("Sound", exact=True)).first).to_contain_text("Arpeggio")
    expect(page.locator("[data-row='run'] .states")).not_to_contain_text("no norms")
    expect(page.get_by_role("region", name="Layers over time")).to_be_visible()
    panel(page, "Landmarks").get_by_role("button").filter(
        has_text=f"NaN, first in {LAYERS[2]}"
    ).click()
    tab.wait_for_sound()
    assert 880 <= tab.heard_from() <= 910
    expect(page.get_by_text("TensorBoard keeps 1,000 points of each scalar")).to_be_visible()
    expect(page.locator(".shades.heard")).to_contain_text("a sample of the points")


def test_norms_that_grow_are_news(tmp_path, open_client, prompt_news):
    del prompt_news
    news = []
    client = None
    for last in (20, 40):
        write_norms(tmp_path / "run", norms_of(last)[last - 20 :], steps=range(last - 20, last))
        client = client or open_client(tmp_path)
        client.reload()
        news += [client.json_of("news", run="run")["states"] for _ in range(2)]
    assert news[0] == news[1] != news[2] == news[3]
