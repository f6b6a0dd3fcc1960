"""Curves: however few the points, nothing that stands out gets lost."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb_sonify.reading.scalars import Series, bin_series
from tests.logs import scalar_events, write_events

VALUES = st.floats(width=32)
POINTS = st.lists(st.tuples(st.integers(1, 2**40), VALUES), min_size=1, max_size=200)


def series_of(points):
    steps = np.cumsum([gap for gap, _ in points])
    values = np.array([value for _, value in points])
    return Series(steps.astype(float), steps + 0.5, values)


@given(POINTS, st.integers(2, 50))
def test_every_bin_tells_of_its_extremes_and_of_what_is_not_finite(points, bins):
    series = series_of(points)
    curve = bin_series(series, bins)
    assert 0 < len(curve.steps) <= max(bins, 1)
    assert (np.diff(curve.steps) > 0).all()
    ends = [*curve.steps[1:], math.inf]
    for start, end, low, high in zip(curve.steps, ends, curve.min, curve.max, strict=True):
        inside = series.values[(series.steps >= start) & (series.steps < end)]
        broken = inside[~np.isfinite(inside)]
        telling = broken if len(broken) else inside
        np.testing.assert_equal((low, high), (telling.min(), telling.max()))


@given(POINTS)
def test_points_that_fit_are_left_as_they_are(points):
    series = series_of(points)
    curve = bin_series(series, len(points) + 1)
    np.testing.assert_array_equal(curve.steps, series.steps)
    np.testing.assert_array_equal(curve.wall_times, series.wall_times)
    np.testing.assert_array_equal(curve.min, series.values)
    np.testing.assert_array_equal(curve.max, series.values)


def test_a_spike_of_one_step_survives_two_points(tmp_path, open_client):
    points = [(step, 1e6 if step == 437 else 1.0) for step in range(900)]
    write_events(tmp_path / "run", scalar_events("loss", points))
    block = open_client(tmp_path).block_of("curve", run="run", tag="loss", points=2)
    assert block.header["points"] == 900
    assert block.header["last_step"] == 899
    assert block.arrays["steps"].tolist() == [0, 450]
    assert block.arrays["min"].tolist() == [1, 1]
    assert block.arrays["max"].tolist() == [1e6, 1]


def test_a_curve_keeps_nan_and_infinity(tmp_path, open_client):
    values = [1.0, math.nan, math.inf, -math.inf, 2.0]
    write_events(tmp_path / "run", scalar_events("loss", enumerate(values)))
    block = open_client(tmp_path).block_of("curve", run="run", tag="loss")
    for name in ("min", "max"):
        np.testing.assert_array_equal(block.arrays[name], values)
    assert block.arrays["wall_times"].tolist() == [1_000, 1_001, 1_002, 1_003, 1_004]


@pytest.mark.parametrize(
    ("query", "steps"),
    [
        ({}, [3, 5, 8, 13]),
        ({"from": 5}, [5, 8, 13]),
        ({"to": 8}, [3, 5, 8]),
        ({"from": 4.5, "to": 12.9}, [5, 8]),
        ({"from": -1e300, "to": 1e300}, [3, 5, 8, 13]),
        ({"from": 14}, []),
        ({"from": 6, "to": 7}, []),
    ],
)
def test_a_curve_holds_the_steps_asked_for(tmp_path, open_client, query, steps):
    write_events(tmp_path / "run", scalar_events("loss", [(s, float(s)) for s in (3, 5, 8, 13)]))
    block = open_client(tmp_path).block_of("curve", run="run", tag="loss", **query)
    assert block.arrays["steps"].tolist() == block.arrays["max"].tolist() == steps
    assert block.header["points"] == len(steps)
    assert block.header["last_step"] == (steps[-1] if steps else None)


def test_the_curve_of_a_resumed_run_is_what_was_written_last(tmp_path, open_client):
    first = [(step, 1.0) for step in range(0, 900, 3)]
    again = [(step, 2.0) for step in range(301, 601, 2)]
    write_events(tmp_path / "run", scalar_events("loss", first))
    write_events(tmp_path / "run", scalar_events("loss", again, start=9_000.0))
    block = open_client(tmp_path).block_of("curve", run="run", tag="loss")
    assert block.arrays["steps"].tolist() == [*range(0, 301, 3), *range(301, 601, 2)]
    assert block.arrays["max"].tolist() == [1.0] * 101 + [2.0] * 150
