"""Views: a scalar, a run laid on another, several notes as one."""

import numpy as np
import pytest

from tb_sonify.reading.timeline import StepTimes
from tb_sonify.schema.notes import aggregate
from tb_sonify.sound import PRESETS, Scale
from tests.hearing import notes_of
from tests.logs import LAYERS, norms_of, row_events, run_events, scalar_events, write_events


@pytest.fixture
def logdir(tmp_path):
    """Run ``a`` of steps 0 to 299, ``b`` of 100 to 398 in twos, and ``plain`` without norms."""
    broken = norms_of(300)
    broken[134, 2] = np.nan
    losses = [(step, 4.0 - step / 100) for step in range(10, 300, 10)]
    write_events(tmp_path / "a", [*run_events(broken, range(300)), *scalar_events("loss", losses)])
    other = norms_of(150, seed=1)
    other[7, 1] = np.inf
    write_events(tmp_path / "b", run_events(other, range(100, 400, 2), session=5_000.0))
    values = [(0, 1.0), (5, 100.0), (6, np.nan), (20, 10.0)]
    write_events(tmp_path / "plain", scalar_events("loss", values))
    return tmp_path


def test_every_point_of_a_scalar_is_a_note_where_there_are_no_norms(logdir, open_client):
    client = open_client(logdir)
    coverage, tables = notes_of(client, "plain", tag="loss")
    assert coverage.header["layers"] == ["loss"]
    assert coverage.header["scale"] == {"kind": "log", "low": 1.0, "high": 100.0}
    assert [preset["name"] for preset in coverage.header["presets"]] == ["single"]
    assert coverage.arrays["steps"].tolist() == [0, 5, 6, 20, 20]
    assert np.diff(coverage.arrays["times"]).tolist() == [1, 1, 1, 0]
    heard = Scale("log", 1, 100)(np.array([1.0, 100.0, 10.0]))
    assert tables["median"][[0, 1, 3], 0].tolist() == heard.tolist()
    assert tables["nan"].ravel().tolist() == [0, 0, 1, 0]


def test_a_scalar_lies_on_the_notes_of_the_norms_and_holds_between_its_points(logdir, open_client):
    coverage, tables = notes_of(
        open_client(logdir), "a", tag="loss", scale="linear", low=1.0, high=4.0
    )
    assert coverage.header["scale"] == {"kind": "linear", "low": 1.0, "high": 4.0}
    assert coverage.arrays["steps"].tolist() == [*range(300), 299]
    assert (tables["median"][:10] == -1).all()
    expected = Scale("linear", 1.0, 4.0)(4.0 - np.arange(10, 300) // 10 * 10 / 100)
    np.testing.assert_allclose(tables["median"][10:, 0], expected, rtol=1e-5)


@pytest.mark.parametrize("together", [2, 64, 4_096])
def test_notes_together_lose_no_maximum_and_no_nan(logdir, open_client, together):
    client = open_client(logdir)
    _, single = notes_of(client, "a")
    coverage, tables = notes_of(client, "a", together=together)
    starts = np.arange(0, 300, together)
    assert coverage.arrays["steps"].tolist() == [*starts, 299]
    assert coverage.header["rows_per_note"] == [together, together]
    np.testing.assert_array_equal(tables["max"], np.maximum.reduceat(single["max"], starts))
    np.testing.assert_array_equal(tables["nan"], np.add.reduceat(single["nan"], starts))
    assert tables["nan"].sum() == 1


def test_a_run_lies_on_the_steps_of_another_and_is_silent_beside_them(logdir, open_client):
    client = open_client(logdir)
    _, own = notes_of(client, "b")
    coverage, tables = notes_of(client, "b", along="a")
    assert coverage.arrays["steps"].tolist() == [*range(300), 299]
    assert (tables["median"][:100] == -1).all()
    for name in ("median", "max", "nan", "inf"):
        np.testing.assert_array_equal(tables[name][100:], np.repeat(own[name][:100], 2, axis=0))
    _, lead = notes_of(client, "a", along="b")
    rows = norms_of(300)
    rows[134, 2] = np.nan
    pairs = aggregate(rows[100:], rows_per_note=2)
    np.testing.assert_array_equal(lead["max"][:100], pairs.max)
    np.testing.assert_array_equal(lead["nan"][:100], pairs.nan)
    assert (lead["median"][100:] == -1).all()


def test_runs_are_laid_side_by_side_by_time_and_by_their_fraction(logdir, open_client):
    client = open_client(logdir)
    _, own = notes_of(client, "b")
    # Both write a row a second, so the first 150 notes of the one are those of the other.
    coverage, by_time = notes_of(client, "b", along="a", by="time")
    np.testing.assert_array_equal(by_time["max"][:149], own["max"][:149])
    assert (by_time["max"][150:] == -1).all()
    np.testing.assert_allclose(coverage.arrays["steps"][:149], np.arange(100, 398, 2))
    coverage, whole = notes_of(client, "b", along="a", by="fraction")
    assert coverage.arrays["steps"][[0, -1]].tolist() == [100, 398]
    assert ((whole["median"] >= 0) | (whole["inf"] > 0)).all()
    assert whole["inf"].any()
    np.testing.assert_array_equal(whole["max"][[0, -1]], own["max"][[0, -1]])


def test_a_scalar_is_laid_on_the_points_of_another(logdir, open_client):
    client = open_client(logdir)
    coverage, tables = notes_of(client, "a", tag="loss", along="plain", lead_tag="loss")
    assert coverage.arrays["steps"].tolist() == [0, 5, 6, 20, 20]
    assert (tables["median"][:, 0] >= 0).tolist() == [False, False, True, True]


def test_what_is_laid_on_a_run_has_the_sample_frames_of_its_clips(logdir, open_client):
    client = open_client(logdir)
    for preset in ("smooth", "single"):
        query = {"preset": preset, "first_note": 90, "notes": 60, "together": 2}
        lead = client.sonify("clip", run="a", **query)
        other = client.sonify("clip", run="b", along="a", **query)
        assert len(lead.data) == len(other.data)
        assert lead.data != other.data
    own = {"run": "a", "preset": "smooth", "first_note": 130, "notes": 50}
    plain, along = client.sonify("clip", **own), client.sonify("clip", **own, along="a")
    assert along.headers["X-Sonify-Source"] == "rendered"
    assert along.data == plain.data


def test_the_logged_clip_is_played_only_as_it_was_logged(logdir, open_client):
    client = open_client(logdir)
    query = {"run": "a", "preset": "smooth", "first_note": 0, "notes": 100}
    assert client.sonify("clip", **query).headers["X-Sonify-Source"] == "logged"
    for changed in ({"together": 2}, {"speed": 8}, {"muted": "1"}, {"epoch": 50}, {"along": "b"}):
        response = client.sonify("clip", **{**query, **changed})
        assert response.headers["X-Sonify-Source"] == "rendered"


def test_a_digest_changes_with_the_sound_of_its_notes_or_of_any_before(tmp_path, open_client):
    norms = norms_of(350)
    changed = norms.copy()
    changed[150, 0] *= 2
    write_events(tmp_path / "a", row_events(norms, range(350)))
    write_events(tmp_path / "b", row_events(changed, range(350)))
    write_events(tmp_path / "longer", row_events(norms[:320], range(320)))
    client = open_client(tmp_path)
    digests = {
        run: [segment["digest"] for segment in coverage.header["segments"]]
        for run in ("a", "b", "longer")
        if (coverage := client.block_of("coverage", run=run))
    }
    assert len(set(digests["a"])) == 4
    assert [a == b for a, b in zip(digests["a"], digests["b"], strict=True)] == [True, *[False] * 3]
    same = [a == b for a, b in zip(digests["a"], digests["longer"], strict=True)]
    assert same == [True, True, True, False]


def test_times_are_those_of_rows_where_they_are_known_and_linear_between(tmp_path, open_client):
    norms = norms_of(400)
    write_events(tmp_path / "run", row_events(norms, range(0, 1_200, 3), block_rows=100))
    times = open_client(tmp_path).block_of("coverage", run="run").arrays["times"]
    np.testing.assert_allclose(times, [*range(1_000, 1_400), 1_399])


def test_the_time_between_two_sessions_is_no_part_of_either(tmp_path, open_client):
    tag, norms = f"grad_norm/{LAYERS[0]}", norms_of(400)
    first = row_events(norms[:250], range(250), block_rows=100)
    first += scalar_events(tag, [(step, 1.0) for step in range(250)])
    later = row_events(norms[210:], range(210, 400), session=4_600.0)
    later += scalar_events(tag, [(step, 1.0) for step in range(210, 400)], start=4_600.0)
    write_events(tmp_path / "run", [*first, *later])
    times = open_client(tmp_path).block_of("coverage", run="run").arrays["times"]
    np.testing.assert_allclose(times[:210], 1_000 + np.arange(210))
    np.testing.assert_allclose(times[210:], [*range(4_600, 4_790), 4_789])


def test_what_was_replaced_tells_when_the_run_had_got_so_far():
    points = np.array([(0, 1_000), (100, 1_100), (200, 1_200), (150, 5_000), (160, 5_010)], float)
    times = StepTimes.from_points(points).at(np.array([100, 149, 150, 155, 170]))
    np.testing.assert_allclose(times, [1_100, 1_149, 5_000, 5_005, 5_020])


def test_a_layer_of_any_name_can_be_a_scalar(tmp_path, open_client):
    for number, tag in enumerate(("a/b?c&d=#", "<b>'\"", "学習 🎵", "x" * 300)):
        write_events(tmp_path / str(number), scalar_events(tag, [(0, 1.0), (1, 2.0)]))
    client = open_client(tmp_path)
    for number, tag in enumerate(("a/b?c&d=#", "<b>'\"", "学習 🎵", "x" * 300)):
        query = {"run": str(number), "tag": tag}
        assert client.block_of("coverage", **query).header["layers"] == [tag]
        response = client.sonify("clip", **query, preset="single", first_note=0, notes=2)
        preset = PRESETS["single"]
        assert len(response.data) == 44 + 4 * (2 * preset.hop(1) + preset.tail)


def test_a_run_without_norms_has_no_notes_on_another(logdir, open_client):
    client = open_client(logdir)
    assert client.block_of("coverage", run="plain", along="a").header["notes"] == 0
    assert client.block_of("coverage", run="plain", together=8).header["notes"] == 0
    assert client.block_of("coverage", run="b", along="a").header["layers"] == list(LAYERS)
