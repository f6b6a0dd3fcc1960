"""The pitch of a norm, its zoom and its polarity."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb_sonify.sound import Encoding


def cents(encoding, norm, of):
    return 1200 * np.log2(encoding(np.array([norm])) / encoding(np.array([of]))).item()


@pytest.mark.parametrize("zoom", [1, 2, 4])
def test_a_doubling_is_as_many_semitones_as_the_zoom(zoom):
    assert cents(Encoding(zoom=zoom, center=0.3), 0.6, of=0.3) == pytest.approx(100 * zoom)


def test_down_mirrors_up():
    down = Encoding(polarity="down", center=2.0)
    assert cents(down, 4.0, of=2.0) == pytest.approx(-100)


@pytest.mark.parametrize("zoom", [1, 2, 4])
@pytest.mark.parametrize("polarity", ["up", "down"])
def test_the_center_keeps_its_pitch(zoom, polarity):
    zoomed = Encoding(zoom=zoom, center=0.01, polarity=polarity)
    assert zoomed(np.array([0.01])) == pytest.approx(Encoding()(np.array([0.01])))


@given(st.lists(st.floats(1e-8, 1e8), min_size=2, max_size=50))
def test_a_larger_norm_is_higher(norms):
    ordered = np.unique(norms)
    ordered = ordered[np.insert(np.diff(np.log(ordered)) > 1e-9, 0, True)]
    assert (np.diff(Encoding()(ordered)) > 0).all()


@pytest.mark.parametrize("encoding", [Encoding(), Encoding(4, 3.0), Encoding(2, 5.0, "down")])
def test_the_pitch_holds_beyond_the_norm_range_and_not_within(encoding):
    low, high = encoding.norm_range
    at = lambda norm: encoding(np.array([norm])).item()  # noqa: E731
    assert at(low / 10) == pytest.approx(at(low))
    assert at(high * 10) == pytest.approx(at(high))
    assert at(low * 1.01) != pytest.approx(at(low))
    assert at(high / 1.01) != pytest.approx(at(high))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"zoom": 3}, "got 3"), ({"center": 0.0}, "got 0.0"), ({"polarity": "left"}, "'left'")],
)
def test_what_no_encoding_can_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Encoding(**options)
