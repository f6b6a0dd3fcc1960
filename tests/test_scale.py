"""Signals without a scale of their own are heard on one that is shared and named."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tb_sonify.sound import Encoding, Scale


def pitches(scale, values):
    return Encoding()(scale(np.array(values, float)).astype(float))


def test_a_positive_signal_wider_than_a_decade_is_heard_on_a_log_scale():
    scale = Scale.fit([np.array([0.01, 0.1, 1.0])])
    assert scale.kind == "log"
    assert pitches(scale, [0.01, 0.1, 1.0]) == pytest.approx([110, 440, 1760], rel=1e-4)


@pytest.mark.parametrize("values", [[0.3, 0.6, 0.9], [-1.0, 0.0, 1.0], [0.0, 50.0, 100.0]])
def test_other_signals_are_heard_on_a_linear_scale(values):
    scale = Scale.fit([np.array(values)])
    assert scale.kind == "linear"
    assert pitches(scale, values) == pytest.approx([110, 440, 1760], rel=1e-4)


def test_signals_that_are_compared_share_one_range():
    scale = Scale.fit([np.array([1.0, 2.0]), np.array([1.5, 3.0, np.nan])])
    assert (scale.low, scale.high) == (1.0, 3.0)


def test_a_constant_is_heard_in_the_middle():
    assert pitches(Scale.fit([np.array([7.0, 7.0])]), [7.0]) == pytest.approx([440], rel=1e-4)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_largest_numbers_have_a_scale(sign):
    for value in (8.98846567431158e307, 1.7e308, np.finfo(float).max):
        assert np.isfinite(pitches(Scale.fit([np.array([sign * value])]), [sign * value])).all()
    both = np.array([-1.7e308, 0.0, 1.7e308])
    assert pitches(Scale.fit([both]), both) == pytest.approx([110, 440, 1760], rel=1e-4)


def test_the_range_is_named():
    assert str(Scale("log", 0.01, 2.5)) == "log scale, 0.01 (110 Hz) to 2.5 (1,760 Hz)"


@given(hnp.arrays(np.float64, st.integers(0, 30)))
def test_any_signal_has_a_scale_that_keeps_its_order(signal):
    finite = np.sort(signal[np.isfinite(signal)])
    scale = Scale.fit([signal])
    with np.errstate(over="ignore"):
        norms = scale(finite)
    assert (np.diff(norms) >= 0).all()
    assert np.isfinite(norms).all()
    assert np.isnan(scale(signal)[np.isnan(signal)]).all()


@pytest.mark.parametrize("ends", [(1.0, 1.0), (2.0, 1.0), (0.0, np.inf)])
def test_a_scale_needs_two_ends(ends):
    with pytest.raises(ValueError, match="low must be below high"):
        Scale("linear", *ends)


def test_a_log_scale_needs_a_positive_end():
    with pytest.raises(ValueError, match=r"above 0, got 0\.0"):
        Scale("log", 0.0, 1.0)
