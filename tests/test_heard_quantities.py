"""Updates, weights and ratios, as they are heard, seen and told."""

import csv
import io
import math
import shutil
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from tb_sonify.cli.main import main
from tb_sonify.rendering import render
from tb_sonify.schema.block import round_norms
from tb_sonify.schema.metadata import ROWS_TAG, SEGMENTS_TAG
from tb_sonify.schema.notes import NO_GRADIENT, aggregate
from tb_sonify.schema.quantities import update_ratio
from tb_sonify.sound import PRESETS
from tb_sonify.sound import render as render_notes
from tb_sonify.training.run_log import NOT_LOGGED, RowBatch, RowSchema
from tests import recorded
from tests.batches import batches, norms_of, record
from tests.client import opened_client
from tests.hearing import notes_of
from tests.logs import write_events

LAYERS = ("conv", "frozen", "lora")
ALL = ("gradient", "update", "weight", "ratio")
STEPS = np.append(np.arange(120), np.arange(120, 500))


def measured():
    """Gradients, updates and weights of rows: a layer is frozen, another zero at first."""
    random = np.random.default_rng(3)
    norms = np.exp2(random.uniform(-4, 4, (380, 3, 3))).astype(np.float32)
    norms[:, 0, 1] = NO_GRADIENT  # but weight decay moves it
    norms[:, 1] *= 1e-3
    norms[7, 1, 0], norms[9, 1, 0] = math.nan, math.inf
    norms[:, 2] = np.repeat(norms[::16, 2], 16, axis=0)[:380]
    norms[:32, 2, 2] = 0.0
    return norms


@pytest.fixture(scope="module")
def logdir(tmp_path_factory):
    logdir = tmp_path_factory.mktemp("logs")
    record(logdir / "plain", *batches(norms_of(150)))
    before, norms = norms_of(150, 3), measured()
    schema = RowSchema(LAYERS, {}, quantities=ALL[:3])
    rows = norms.copy()
    rows[np.arange(380) % 16 > 0, 2] = NOT_LOGGED
    steps = np.arange(120, 500)
    once = RowBatch(RowSchema(LAYERS), np.arange(150), np.arange(150) + 100.0, lambda: before)
    record(logdir / "all", once, session=10.0)
    again = RowBatch(schema, steps, steps + 1_000.0, lambda: rows.reshape(380, 9))
    record(logdir / "all", again, session=1_000.0, presets=[PRESETS["smooth"]])
    shutil.copytree(Path(__file__).parent / "golden" / "version_2", logdir / "old")
    return logdir


@pytest.fixture(scope="module", params=["fast", "slow"])
def client(request, logdir):
    with opened_client(logdir, request.param) as client:
        yield client


def table_of(quantity):
    """What is stored of a quantity of the run ``all``, at each of its steps."""
    norms = round_norms(measured())
    own = {name: norms[:, i] for i, name in enumerate(ALL[:3])}
    own["ratio"] = round_norms(update_ratio(own["update"], own["weight"]))
    before = round_norms(norms_of(150, 3)[:120])
    none = np.full((120, 3), NO_GRADIENT, np.float32)
    return np.concatenate([before if quantity == "gradient" else none, own[quantity]])


@pytest.mark.parametrize("quantity", ALL)
def test_each_quantity_of_a_resumed_run_is_heard_at_the_same_steps(client, quantity):
    coverage, tables = notes_of(client, "all", quantity=quantity)
    header = coverage.header
    assert (header["quantity"], header["layers"]) == (quantity, list(LAYERS))
    assert header["at_440_hz"] == (0.001 if quantity == "ratio" else 1)
    assert header["missing"] == header["sampled"] == []
    np.testing.assert_array_equal(coverage.arrays["steps"], [*STEPS, 499])
    expected = aggregate(table_of(quantity), rows_per_note=1)
    for name, table in vars(expected).items():
        np.testing.assert_array_equal(tables[name], table)


def test_the_list_of_runs_says_what_each_has(client):
    runs = {run["run"]: run["quantities"] for run in client.json_of("runs")["runs"]}
    assert runs == {"all": list(ALL), "plain": ["gradient"], "old/run": ["gradient"]}


def test_a_ratio_of_a_thousandth_sounds_as_a_norm_of_one(client):
    arguments = {"run": "all", "preset": "smooth", "first_note": 0, "notes": 100}
    clip = client.sonify("clip", quantity="ratio", **arguments)
    assert clip.headers["X-Sonify-Source"] == "rendered"
    norms = table_of("ratio")[:100]
    heard = np.where(norms > 0, norms * np.float32(1_000), norms)
    pcm = render_notes(aggregate(heard, rows_per_note=1), preset=PRESETS["smooth"])
    assert clip.data[-pcm.nbytes :] == pcm.tobytes()
    answer = client.sonify("legend", preset="smooth", quantity="ratio", zoom=2, center=0.002)
    words = unquote(answer.headers["X-Sonify-Legend"])
    assert words.startswith("ratios of update and weight: ")
    assert (
        "0.001 is 208, 415 and 831 Hz" in words
    )  # an octave's twelfth below 0.002, and so twice as far
    words = unquote(client.sonify("legend", preset="smooth").headers["X-Sonify-Legend"])
    assert words.startswith("gradient norms: ")


def test_a_logged_clip_is_of_gradients_alone(client):
    sources = [
        client.sonify(
            "clip", run="all", preset="smooth", first_note=120, notes=100, quantity=quantity
        ).headers["X-Sonify-Source"]
        for quantity in ("update", "weight")
    ]
    assert sources == ["rendered", "rendered"]


@pytest.mark.parametrize("quantity", ["update", "ratio"])
def test_heat_map_layers_and_table_are_of_the_quantity(client, quantity):
    expected = table_of(quantity)
    options = {"run": "all", "quantity": quantity}
    heatmap = client.block_of("heatmap", **options, **{"from": 0, "to": 500, "columns": 500})
    np.testing.assert_array_equal(heatmap.arrays["max"], expected)
    layers = client.block_of("layers", **options)
    finite = np.where(np.isfinite(expected), expected, -1)
    np.testing.assert_array_equal(layers.arrays["max"], finite.max(axis=0))
    assert layers.arrays["nan"].tolist() == [1, 0, 0]
    answer = client.sonify("table", **options)
    assert f"all-{quantity}.csv" in answer.headers["Content-Disposition"]
    lines = list(csv.reader(io.StringIO(answer.text)))
    assert lines[0] == ["step", *LAYERS]
    assert lines[1] == ["0", "", "", ""]
    assert [lines[128][1], lines[130][1]] == ["nan", "inf"]
    assert float(lines[-1][2]) == pytest.approx(expected[-1, 1])


def test_a_frozen_layer_that_decays_has_an_update_and_no_gradient(client):
    for quantity, some in (("gradient", False), ("update", True), ("ratio", True)):
        _, tables = notes_of(client, "all", quantity=quantity)
        assert (tables["max"][120:, 1] > 0).all() == some


def test_runs_are_compared_by_a_quantity_that_the_reference_need_not_have(client):
    for reference, edges in (("plain", 150), ("all", 500)):
        view = {"quantity": "ratio", "along": reference}
        coverage, tables = notes_of(client, "all", **view)
        assert (coverage.header["notes"], coverage.header["quantity"]) == (edges, "ratio")
        np.testing.assert_array_equal(
            tables["max"][130], aggregate(table_of("ratio"), rows_per_note=1).max[130]
        )


@pytest.mark.parametrize(
    "route", ["coverage", "notes", "clip", "heatmap", "layers", "landmarks", "describe", "table"]
)
@pytest.mark.parametrize("run", ["plain", "old/run"])
def test_a_run_without_the_quantity_says_what_it_has_and_what_to_do(client, route, run):
    rest = {"first_note": 0, "notes": 1, "preset": "smooth", "from": 0, "to": 9, "columns": 3}
    answer = client.sonify(route, run=run, quantity="update", **rest)
    assert answer.status_code == 404
    assert f"run '{run}' has no update norms, it has: gradient" in answer.text
    assert "unless updates=False" in answer.text


def test_what_is_no_quantity_is_refused(client):
    answer = client.sonify("coverage", run="all", quantity="loss")
    assert answer.status_code == 400
    assert "must be one of gradient, update, weight, ratio, got 'loss'" in answer.text


def test_a_scalar_is_of_no_quantity(client):
    scalar = {"run": "all", "tag": "grad_norm/conv", "quantity": "ratio"}
    header = client.block_of("coverage", **scalar).header
    assert (header["quantity"], header["at_440_hz"], header["layers"]) == (
        None,
        None,
        [scalar["tag"]],
    )
    words = client.sonify("legend", preset="single", **scalar).headers["X-Sonify-Legend"]
    assert "scale" in words


def test_a_run_of_version_2_is_heard_as_before(client):
    coverage, tables = notes_of(client, "old/run")
    assert coverage.header["missing"] == []
    assert coverage.header["layers"] == ["conv", "fc", "head"]
    np.testing.assert_array_equal(coverage.arrays["steps"][:-1], np.arange(300))
    assert tables["max"][180:, 0].tolist() == [1.0] * 120
    assert tables["max"][21, 1] == NO_GRADIENT
    assert tables["nan"][30].tolist() == [0, 1, 0]


def test_landmarks_and_words_are_of_the_quantity(client, logdir, capsys):
    kinds = {
        each["kind"]
        for each in client.json_of("landmarks", run="all", quantity="ratio")["landmarks"]
    }
    assert kinds >= {"nan", "inf", "restart"}
    assert "ratios of the early layers" not in client.sonify("describe", run="all").text
    text = client.sonify("describe", run="all", quantity="update").text
    assert "update norms of the early layers (conv): start without a finite one" in text
    assert main(["describe", str(logdir), "--run", "all"]) == 0
    text = capsys.readouterr().out
    ratio = table_of("ratio")
    peak = np.where(np.isfinite(ratio), ratio, -1)
    step, layer = np.unravel_index(peak.argmax(), peak.shape)
    assert f"to {peak.max():.3g} (step {step}, in {LAYERS[layer]})".replace(", in", " in") in text
    assert "no such ratio while the weights are zero: lora" in text
    assert len(text.splitlines()) <= 25


def test_the_command_renders_a_quantity(logdir, tmp_path, capsys):
    output = str(tmp_path / "ratio.wav")
    options = ["render", str(logdir), "--run", "all", "--quantity", "ratio", "-o", output]
    assert main(options) == 0
    words = "ratio 0.001 is 220, 440 and 880 Hz from early to late layers, a semitone up is twice"
    assert words in capsys.readouterr().out
    assert main([*options, "--zoom", "2", "--center", "0.004"]) == 0
    assert "ratio 0.004 is 247, 494 and 988 Hz" in capsys.readouterr().out
    assert main([*options[:3], "plain", *options[4:]]) == 2
    assert "it has: gradient" in capsys.readouterr().err
    sound = render(logdir, run="all", quantity="ratio", steps=(120, None))
    pcm = render_notes(
        aggregate(
            np.where(
                table_of("ratio")[120:] > 0,
                table_of("ratio")[120:] * np.float32(1e3),
                table_of("ratio")[120:],
            ),
            rows_per_note=1,
        ),
        preset=PRESETS["smooth"],
    )
    np.testing.assert_array_equal(sound.pcm, pcm)


def test_a_table_that_was_exported_is_rendered_as_its_quantity(client, tmp_path):
    path = tmp_path / "ratio.csv"
    path.write_text(client.sonify("table", run="all", quantity="ratio").text)
    sound = render(path, quantity="ratio")
    assert "ratio 0.001 is 220, 440 and 880 Hz" in sound.legend
    with pytest.raises(ValueError, match="quantity 'ratio' is of layers"):
        render(path, quantity="ratio", tag="conv")


def test_scalars_of_ratios_are_neither_losses_nor_gradient_norms(client):
    tags = client.json_of("signals", run="all")
    assert tags["loss"] == "grad_norm/conv"
    assert "update_ratio/conv" in tags["scalars"]


@pytest.mark.parametrize("sessions", [2, 3])
def test_writers_that_begin_at_the_same_step_hide_nothing_of_each_other(
    tmp_path, open_client, sessions
):
    for session in range(sessions):
        rows = norms_of(250 - 20 * session, seed=session)
        steps = np.arange(len(rows))
        record(
            tmp_path / "run",
            RowBatch(
                RowSchema(("a", "b")), steps, 1_000.0 * session + steps, lambda rows=rows: rows
            ),
            session=1_000.0 * session + 5,
        )
    coverage, tables = notes_of(open_client(tmp_path), "run")
    np.testing.assert_array_equal(tables["max"], round_norms(rows))
    assert coverage.header["segments"][0]["state"] == "logged"


def test_gaps_of_ratios_are_filled_from_their_scalars_and_those_of_updates_are_missing(tmp_path):
    norms = np.abs(np.random.default_rng(4).normal(1, 0.1, (2_500, 9))).astype(np.float32)
    schema = RowSchema(LAYERS, {}, quantities=ALL[:3])
    record(
        tmp_path / "whole", RowBatch(schema, np.arange(2_500), np.arange(2_500.0), lambda: norms)
    )
    events = [
        event
        for event in recorded.events(tmp_path / "whole")
        if not any(value.tag.startswith(SEGMENTS_TAG) for value in event.summary.value)
    ]
    _, block, _ = (
        each
        for each in events
        if each.summary.value[:1] and each.summary.value[0].tag.startswith(ROWS_TAG)
    )
    block.summary.value[0].tensor.string_val[0] = b"damaged"
    write_events(tmp_path / "logs" / "run", events)
    with opened_client(tmp_path / "logs", "slow") as client:
        headers = {
            quantity: client.block_of("coverage", run="run", quantity=quantity).header
            for quantity in ALL
        }
    for quantity, filled in zip(ALL, (True, False, False, True), strict=True):
        known, unknown = ("sampled", "missing") if filled else ("missing", "sampled")
        assert headers[quantity][known] == [[1_000, 1_999]], quantity
        assert headers[quantity][unknown] == [], quantity


def test_rows_that_go_back_replace_those_of_all_quantities(tmp_path):
    norms = np.abs(np.random.default_rng(5).normal(1, 0.1, (400, 9))).astype(np.float32)
    schema = RowSchema(LAYERS, {}, quantities=ALL[:3])
    steps = np.append(np.arange(250), np.arange(100, 250))
    record(tmp_path / "run", RowBatch(schema, steps, np.arange(400.0), lambda: norms))
    kept = round_norms(np.append(norms[:100], norms[250:], axis=0))
    with opened_client(tmp_path, "slow") as client:
        for quantity, expected in (
            ("update", kept[:, 3:6]),
            ("ratio", round_norms(kept[:, 3:6] / kept[:, 6:])),
        ):
            coverage, tables = notes_of(client, "run", quantity=quantity)
            assert coverage.header["missing"] == []
            np.testing.assert_array_equal(tables["max"], expected)
