"""What the plugin answers of the loss landscapes that are stored in runs, by both loaders."""

import io
import math

import numpy as np
import pytest

from tb_sonify.reading.landscape import read_surface
from tb_sonify.reading.logdir import open_logdir
from tb_sonify.schema.block import Block, encode_block
from tb_sonify.schema.landscape import PlanePath, Strip, Surface
from tb_sonify.schema.metadata import STRIPS_TAG, SURFACE_TAG, session_tag
from tb_sonify.training.summary import blob_event, surface_event
from tests.landscapes import ALPHAS, path_of, surface_of, valley
from tests.logs import norms_of, run_events, scalar_events, strip_events, write_events
from tests.waiting import wait_until


@pytest.fixture
def client(tmp_path, open_client):
    """A run with strips that was resumed, one with a surface alone, one whose blobs are damaged."""
    flat = Strip(ALPHAS[:5], np.array([1, math.nan, 1, math.inf, 1]), 2.0)
    events = [
        *run_events(norms_of(150), np.arange(150), presets=()),
        *scalar_events("loss", [(0, 1.0)]),
        *strip_events([0, 50, 100], [valley(2, 1), valley(1, 2, 7), valley(9, 1)]),
        *strip_events([100, 140], [valley(0.5, 4), flat], session=2_000.0),
    ]
    write_events(tmp_path / "strips", events)
    both = surface_of(path_of("=a", 0.3), path_of("b", -0.2), broken=True)
    older = surface_of()
    write_events(
        tmp_path / "surface",
        [surface_event("deep/plane", each, step=at) for at, each in ((7, older), (7, both))],
    )
    damaged = [
        blob_event(session_tag(STRIPS_TAG, 1.0), b"no block", step=0, wall_time=1.0),
        blob_event(session_tag(f"{SURFACE_TAG}/cut", 1.0), both.encode()[:90], step=0, wall_time=1),
        *scalar_events("loss", [(0, 1.0)]),
    ]
    write_events(tmp_path / "damaged", damaged)
    return open_client(tmp_path)


def test_strips_are_those_that_were_written_last(client):
    found = client.block_of("strips", run="strips", columns=1_000)
    assert (found.header["strips"], found.header["missing"]) == (4, 0)
    arrays = found.arrays
    np.testing.assert_array_equal(arrays["steps"], [0, 50, 100, 140])
    np.testing.assert_array_equal(arrays["first"], [0, 9, 16, 25, 30])
    np.testing.assert_allclose(arrays["floors"][:3], [1, 2, 4], atol=1e-6)
    np.testing.assert_allclose(arrays["headrooms"][:3], [2, 4, 8])
    assert math.isnan(arrays["headrooms"][3])
    np.testing.assert_array_equal(arrays["alphas"][9:16], ALPHAS[:7])
    np.testing.assert_array_equal(arrays["losses"][16:25], valley(0.5, 4).losses)
    np.testing.assert_array_equal(arrays["losses"][25:], [1, math.nan, 1, math.inf, 1])


def test_of_many_strips_the_least_headroom_of_each_column_is_kept(client):
    two = client.block_of("strips", run="strips", columns=2)
    assert two.header["strips"] == 4
    np.testing.assert_array_equal(two.arrays["steps"], [0, 140])
    some = client.block_of("strips", run="strips", columns=9, **{"from": 1, "to": 100})
    np.testing.assert_array_equal(some.arrays["steps"], [50, 100])


def test_a_surface_comes_with_its_paths_and_words(client):
    found = client.block_of("surface", run="surface", surface="deep/plane")
    expected = surface_of(path_of("=a", 0.3), path_of("b", -0.2), broken=True)
    assert found.header["paths"] == [
        {"name": "=a", "points": 21, "explained": 0.87},
        {"name": "b", "points": 21, "explained": 0.88},
    ]
    assert found.header["step"] == 7
    assert found.header["words"] == expected.words()
    for name in ("x", "y", "losses"):
        np.testing.assert_array_equal(found.arrays[name], getattr(expected, name))
    np.testing.assert_array_equal(found.arrays["points"][21:], expected.paths[1].points)
    np.testing.assert_array_equal(found.arrays["path_steps"][:21], expected.paths[0].steps)
    assert found.arrays["here"].tolist() == [0.55]


def test_a_surface_is_saved_as_csv_and_npz(client):
    def saved(form):
        response = client.sonify("surface", run="surface", surface="deep/plane", form=form)
        assert "attachment" in response.headers["Content-Disposition"]
        return response

    expected = surface_of(path_of("=a", 0.3), path_of("b", -0.2), broken=True)
    cells = np.genfromtxt(io.StringIO(saved("csv").text), delimiter=",", names=True)
    np.testing.assert_array_equal(cells["loss"], expected.losses.ravel())
    lines = saved("paths").text.splitlines()
    assert lines[0] == "path,step,x,y,distance,loss"
    assert lines[1].startswith("'=a,0,0.0,0.0,")  # no formula
    arrays = np.load(io.BytesIO(saved("npz").data))
    np.testing.assert_array_equal(arrays["losses"], expected.losses)
    np.testing.assert_array_equal(arrays["b/points"], expected.paths[1].points)


def test_a_run_with_a_surface_alone_is_listed(client):
    runs = {each["run"]: each for each in client.json_of("runs")["runs"]}
    assert [runs[name]["surfaces"] for name in ("strips", "surface")] == [[], ["deep/plane"]]
    assert [runs[name]["strips"] for name in ("strips", "surface")] == [True, False]
    assert not runs["surface"]["norms"]
    assert runs["surface"]["compared"] is None
    assert client.json_of("signals", run="surface")["scalars"] == []


def test_what_is_not_there_or_cannot_be_read_is_said(client, caplog):
    empty = client.block_of("strips", run="surface", columns=9)
    assert empty.header["strips"] == 0
    assert empty.arrays.pop("first").tolist() == [0]
    assert {len(each) for each in empty.arrays.values()} == {0}
    assert client.block_of("strips", run="damaged", columns=9).header["missing"] == 1
    for route, query, words in (
        ("strips", {"run": "none", "columns": 9}, "no run 'none'"),
        ("surface", {"run": "none", "surface": "x"}, "no run 'none'"),
        ("surface", {"run": "surface", "surface": "x"}, "no surface 'x', it has: 'deep/plane'"),
        ("surface", {"run": "damaged", "surface": "cut"}, "'cut' of run 'damaged' cannot be read"),
    ):
        response = client.sonify(route, **query)
        assert response.status_code == 404
        assert words in response.text
    assert sum("cannot be read" in record.message for record in caplog.records) >= 2


def test_paths_are_called_as_their_runs_where_these_have_other_names(tmp_path):
    paths = [path_of(name, 0) for name in ("secret", "old/other", "unknown")]
    write_events(tmp_path / "old" / "secret", [surface_event("map", surface_of(*paths), step=0)])
    write_events(tmp_path / "old" / "other", scalar_events("loss", [(0, 1.0)]))
    names = {"old/secret": "run-1", "old/other": "run-2"}
    store, scope = open_logdir(tmp_path, names=names)
    _, surface = read_surface(store, scope, "run-1", "map")
    assert [path.name for path in surface.paths] == ["run-1", "run-2", "path-3"]


def test_a_surface_that_is_too_large_is_refused(client, monkeypatch):
    monkeypatch.setattr("tb_sonify.reading.limits.MAX_SURFACE_CELLS", 624)
    response = client.sonify("surface", run="surface", surface="deep/plane")
    assert response.status_code == 404
    assert "at most 624 cells, 'deep/plane' of run 'surface' has 625" in response.text


def test_words_do_not_tell_what_there_is_not():
    """Twice a loss that is no number, or not above 0; the variance of a single snapshot."""
    bowl = surface_of()
    for below, here in ((0, math.nan), (0, math.inf), (5, -4.5), (0.05, 0)):
        said = Surface(bowl.x, bowl.y, bowl.losses - below, here).words()
        assert "twice the loss at (0, 0)" not in said[1]
        assert any("twice the lowest loss" in line for line in said) == (below == 0)
    losses = np.where(bowl.losses == bowl.losses.max(), math.nan, bowl.losses)
    losses[0, 0] = math.nan
    point = np.zeros(1)
    lone = PlanePath("lone", point.astype(np.int64), np.zeros((1, 2)), point, point + 1, math.nan)
    said = Surface(bowl.x[:1], bowl.y[:1], losses[:1, :1], 1.0, (lone,)).words()
    assert said[1] == "1 cell is NaN or infinite"
    assert said[2].startswith("lone: 1 snapshot, ")
    assert "variance" not in said[2]


def test_a_surface_and_its_paths_are_told_in_words():
    over, around = path_of("over", 0, ridge=True), path_of("around", -0.3)
    said = surface_of(over, around, broken=True).words()
    assert (
        said[2]
        == "sharp up and down: twice the lowest loss lies 0.33 right, 0.33 left, 0.19 up, 0.19 down"
    )
    assert said[3] == "22 cells are NaN or infinite"
    assert said[4].startswith(
        "over: 21 snapshots, from the left to (1, 0), loss 0.05, 0 from the plane"
    )
    assert "over a ridge of 1.23 at step 160, from 0.261" in said[4]
    assert "over no ridge; the plane holds 87% of the variance" in said[5]


def test_a_new_surface_is_news(tmp_path, open_client):
    write_events(tmp_path / "run", scalar_events("loss", [(0, 1.0)]))
    client = open_client(tmp_path)
    before = client.json_of("news")["runs"]
    write_events(tmp_path / "run", [surface_event("plane", surface_of(), step=0)])
    client.reload()
    # Lists are kept for a while.
    wait_until(lambda: client.json_of("news")["runs"] != before, "the surface is news")
    assert client.json_of("runs")["runs"][0]["surfaces"] == ["plane"]


@pytest.mark.parametrize(
    "change",
    [
        {"x": np.arange(3.0)},
        {"losses": np.zeros(4)},
        {"x": np.array([0.0, 0.0])},
        {"0/points": np.zeros((1, 2))},
        {"0/explained": np.zeros(0)},
        {"here": np.zeros(0)},
    ],
)
def test_a_surface_whose_arrays_do_not_fit_is_refused(change):
    block = Surface(np.arange(2.0), np.arange(2.0), np.zeros((2, 2)), 0, (path_of("a", 0),)).block()
    assert Surface.decode(encode_block(block)).paths[0].name == "a"
    with pytest.raises(ValueError, match=r"must|shape|increase"):
        Surface.decode(encode_block(Block(block.header, {**block.arrays, **change})))
