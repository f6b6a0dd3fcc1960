"""What the plugin says of a whole run: its heat-map, its landmarks, its words, its numbers."""

import csv
import io
from itertools import pairwise
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
import pytest

from tb_sonify import SonifyWriter
from tests.commands import tb_sonify as command
from tests.logs import LAYERS, norms_of, row_events, run_events, scalar_events, write_events
from tests.serving import served
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def norms():
    """Rows with a NaN, an infinity and a layer without gradient."""
    norms = norms_of(3_600)
    norms[1_234, 1] = np.nan
    norms[3_333, 2] = np.inf
    norms[:500, 3] = -1
    return norms


@pytest.fixture(scope="module")
def logdir(tmp_path_factory, norms):
    """These rows as run ``run``, at every other step from 1,000 on, and a scalar without norms."""
    directory = tmp_path_factory.mktemp("runs")
    losses = [(1_000 + 200 * point, 2.0 - point / 20) for point in range(37)]
    events = [
        *run_events(norms, range(1_000, 8_200, 2), presets=()),
        *scalar_events("loss", losses),
    ]
    write_events(directory / "run", events)
    write_events(directory / "plain", scalar_events("=x", [(3, 0.1), (4, np.nan), (5, -2.5)]))
    return directory


def heatmap(client, run="run", *, low, high, columns):
    """The block of a heat-map."""
    return client.block_of("heatmap", run=run, **{"from": low, "to": high}, columns=columns)


@pytest.mark.parametrize(
    ("low", "high", "columns"),
    [(1_000, 8_200, 40), (0, 10_000, 1_000), (3_400, 3_500, 7), (7_000, 7_001, 3), (-5, 1_000, 2)],
)
def test_a_column_has_the_largest_norm_of_all_that_it_touches(
    logdir, open_client, norms, low, high, columns
):
    answer = heatmap(open_client(logdir), low=low, high=high, columns=columns)
    edges = np.linspace(low, high, columns + 1)
    edges[-1] += 1e-9  # which the last column holds
    steps = 1_000 + 2 * np.arange(len(norms))
    starts, ends = steps.copy(), steps + 2
    # The rows from 3,200 on are notes of two.
    starts[3_200:] = np.repeat(starts[3_200::2], 2)
    ends[3_200:] = np.repeat(ends[3_201::2], 2)
    ends[-2:] = steps[-1] + 1e-9
    expected = np.full((columns, len(LAYERS)), -1, np.float32)
    for column, (left, right) in enumerate(pairwise(edges)):
        touched = norms[(starts < right) & (ends > left)]
        if len(touched):
            expected[column] = touched.max(axis=0)  # in which NaN stays
    np.testing.assert_array_equal(answer.arrays["max"], expected)
    positive = norms[np.isfinite(norms) & (norms > 0)]
    assert answer.header["high"] == positive.max()
    assert positive.min() <= answer.header["low"] <= 2 * positive.min()


def test_the_last_column_holds_the_last_step(tmp_path, open_client):
    norms = norms_of(10)
    write_events(tmp_path / "run", row_events(norms, range(10)))
    answer = heatmap(open_client(tmp_path), low=0, high=9, columns=9)
    np.testing.assert_array_equal(answer.arrays["max"][:8], norms[:8])
    np.testing.assert_array_equal(answer.arrays["max"][8], norms[8:].max(axis=0))


def test_what_was_not_logged_is_left_blank(tmp_path, open_client):
    norms = norms_of(300)
    events = row_events(norms, range(300), block_rows=100)
    write_events(tmp_path / "run", [events[0], events[2]])
    client = open_client(tmp_path)
    assert client.block_of("coverage", run="run").header["missing"] == [[100, 199]]
    norms[100:200] = -1
    columns = heatmap(client, low=0, high=300, columns=300).arrays["max"]
    np.testing.assert_array_equal(columns, norms)


def test_a_heatmap_of_many_layers_is_bounded(tmp_path, open_client):
    layers = tuple(map(str, range(1_001)))
    write_events(tmp_path / "run", row_events(norms_of(2, 1_001), range(2), layers=layers))
    client = open_client(tmp_path)
    assert heatmap(client, low=0, high=1, columns=3_000).arrays["max"].shape == (3_000, 1_001)
    query = {"run": "run", "from": 0, "to": 1, "columns": 4_000}
    response = client.sonify("heatmap", **query)
    assert response.status_code == 400
    assert "must be at most 4000000, got 4000 columns of 1001 layers" in response.text


def test_a_run_without_norms_has_a_heatmap_of_no_layers_and_no_landmarks(logdir, open_client):
    client = open_client(logdir)
    answer = heatmap(client, "plain", low=0, high=1, columns=5)
    assert answer.arrays["max"].shape == (5, 0)
    assert (answer.header["low"], answer.header["high"]) == (None, None)
    assert client.json_of("landmarks", run="plain")["landmarks"] == []


def test_landmarks_tell_what_happened_where(logdir, open_client):
    client = open_client(logdir)
    first, again = (client.json_of("landmarks", run="run")["landmarks"] for _ in range(2))
    assert first == again
    (nan,) = [landmark for landmark in first if landmark["kind"] == "nan"]
    assert nan["step"] == 1_000 + 2 * 1_234
    assert (nan["note"], nan["layer"]) == (1_234, "conv2")
    assert nan["sentence"] == "NaN, first in conv2"


def test_landmarks_tell_where_a_run_parts_from_another(tmp_path, open_client):
    losses = 2.0 * np.exp(-np.arange(300) / 200)
    for name, factor in (("one", 1.0), ("other", 1.5)):
        values = np.where(np.arange(300) < 150, losses, factor * losses)
        write_events(tmp_path / name, scalar_events("loss", list(enumerate(values.tolist()))))
    client = open_client(tmp_path)
    assert client.json_of("landmarks", run="other")["landmarks"] == []
    (parting,) = client.json_of("landmarks", run="other", against="one")["landmarks"]
    assert (parting["kind"], parting["quantity"]) == ("parting", "loss")
    assert abs(parting["step"] - 150) <= 15
    for against in ("other", "nobody"):
        assert client.json_of("landmarks", run="other", against=against)["landmarks"] == []


@pytest.mark.usefixtures("prompt_news")
def test_landmarks_follow_a_live_run(tmp_path, open_client):
    calm = 0.5 * np.exp(np.random.default_rng(0).normal(0, 0.3, (300, 4))).astype(np.float32)
    write_events(tmp_path / "run", row_events(calm[:200], range(200)))
    client = open_client(tmp_path)
    assert client.json_of("landmarks", run="run")["landmarks"] == []
    calm[250, 2] = np.nan
    write_events(tmp_path / "run", row_events(calm[200:], range(200, 300), first_row=200))
    client.reload()
    found = client.json_of("landmarks", run="run")["landmarks"]
    assert [(landmark["kind"], landmark["step"]) for landmark in found] == [("nan", 250)]


@pytest.mark.parametrize("run", ["run", "plain"])
def test_a_run_is_described_as_on_the_command_line(logdir, open_client, run):
    response = open_client(logdir).sonify("describe", run=run)
    assert response.content_type == "text/plain; charset=utf-8"
    name, steps, *lines = command("describe", logdir, "--run", run).stdout.splitlines()
    steps = steps.partition(", ")[0]  # the tab tells when a run was written where it lists runs
    assert response.text.splitlines() == [name, steps, *lines]


def table(client, run, **query):
    """The lines of a table, each as its cells."""
    response = client.sonify("table", run=run, **query)
    assert response.status_code == 200
    assert response.content_type == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"].startswith(f'attachment; filename="{run}.csv"')
    return list(csv.reader(io.StringIO(response.text, newline="")))


def test_a_table_has_the_numbers_of_every_row(logdir, open_client, norms):
    client = open_client(logdir)
    header, *rows = table(client, "run", tag="loss")
    assert header == ["step", "loss", *LAYERS]
    assert [int(row[0]) for row in rows] == list(range(1_000, 8_200, 2))
    found = np.array([[float(cell or -1) for cell in row[2:]] for row in rows], np.float32)
    np.testing.assert_array_equal(found, norms)
    assert rows[0][-1] == ""
    assert [row[1] for row in rows[:300:50]] == ["2.0", "", "1.95", "", "1.9", ""]


@pytest.mark.server
def test_a_table_comes_whole_through_a_real_server(tmp_path):
    norms = norms_of(2_500)
    write_events(tmp_path / "run", row_events(norms, range(2_500)))
    with served(tmp_path) as address:
        url = f"{address}data/plugin/sonify/table?run=run"
        wait_until(lambda: len(lines_at(url)) >= 2_501, "TensorBoard has read the run")
        lines = lines_at(url)
    assert len(lines) == 2_501
    last = [np.float32(cell) for cell in lines[-1].split(",")]
    assert last == [2_499, *norms[-1]]


def lines_at(url):
    try:
        with urlopen(url) as response:
            return response.read().decode().splitlines()
    except HTTPError:
        return []


def test_a_table_is_of_the_steps_that_were_asked_for(logdir, open_client):
    client = open_client(logdir)
    rows = table(client, "run", **{"from": 1_003, "to": 1_006})
    assert [row[0] for row in rows] == ["step", "1002", "1004", "1006"]
    for nowhere in ({"from": 9_000}, {"to": 999}):
        assert len(table(client, "run", **nowhere)) == 1


def test_a_run_without_norms_has_a_table_of_its_points(logdir, open_client):
    client = open_client(logdir)
    rows = table(client, "plain", tag="=x", to=4)
    assert rows == [["step", "'=x"], ["3", "0.1"], ["4", "nan"]]
    assert table(client, "plain", tag="=x")[-1] == ["5", "-2.5"]
    assert table(client, "plain") == [["step"]]


def test_names_are_quoted_and_are_no_formulas(tmp_path, open_client):
    layers = ('a,"b"', "=cmd()", "@x", "two\nlines", "-1")
    write_events(tmp_path / "run", row_events(norms_of(2, 5), range(2), layers=layers))
    (header, *_) = table(open_client(tmp_path), "run")
    assert header == ["step", 'a,"b"', "'=cmd()", "'@x", "two\nlines", "'-1"]


def test_a_table_of_too_many_lines_is_refused_with_what_to_do(tmp_path, open_client, monkeypatch):
    monkeypatch.setattr("tb_sonify.reading.limits.MAX_CSV_LINES", 10)
    with SonifyWriter(tmp_path / "run") as writer:
        for step, row in enumerate(norms_of(11)):
            writer.add_norms(dict(zip(LAYERS, row, strict=True)), step)
    client = open_client(tmp_path)
    response = client.sonify("table", run="run")
    assert response.status_code == 400
    assert "at most 10 lines, got 11: narrow 'from' and 'to'" in response.text
    assert len(table(client, "run", **{"from": 1})) == 11
