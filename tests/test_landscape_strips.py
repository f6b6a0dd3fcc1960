"""The loss along a step is what a closed form says."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from tb_sonify.landscape import Landscape, Strip
from tb_sonify.landscape.strip import alphas_of
from tb_sonify.schema.landscape import decode_strips, encode_strips


class Valley(nn.Module):
    """Half of the curvature times the square of its one weight."""

    def __init__(self, curvature=1.0, at=2.0):
        super().__init__()
        self.curvature = curvature
        self.weight = nn.Parameter(torch.tensor([at], dtype=torch.float64))

    def forward(self):
        return self.curvature * self.weight.square().sum() / 2


def loss_of(model):
    return model()


def step(model, optimizer):
    optimizer.zero_grad()
    model().backward()
    optimizer.step()


@pytest.mark.parametrize("rate", [0.05, 0.4, 1.0, 1.9, 2.0, 3.0, 8.0])
def test_headroom_of_gradient_descent_is_two_divided_by_rate_and_curvature(rate):
    model = Valley()
    measure = Landscape(loss_of).begin(model)
    step(model, torch.optim.SGD(model.parameters(), lr=rate))
    strip = measure()
    np.testing.assert_allclose(strip.losses, (2 - strip.alphas * rate * 2) ** 2 / 2)
    assert strip.here == 2
    assert strip.headroom == pytest.approx(min(2 / rate, 32))
    assert strip.floor == pytest.approx(min(1 / rate, 32))
    assert strip.update_norm == pytest.approx(2 * rate)
    assert strip.walls == pytest.approx(
        (strip.losses[0] - min(strip.losses), strip.losses[-1] - min(strip.losses))
    )
    assert model.weight.item() == pytest.approx(2 - 2 * rate)


def strip_of(losses, alphas=9):
    return Strip(alphas_of(alphas), np.array(losses, np.float64), 1.0)


@pytest.mark.parametrize(
    ("losses", "headroom"),
    [
        ([3, 2, 1, 0, 0, 0, 0, 0, 0], 32),  # never back
        ([2, 2, 2, 2, 2, 2, 2, 2, 2], 32),  # flat
        ([1, 2, 3, 4, 5, 6, 7, 8, 9], 0),  # uphill
        ([3, 2, 1, 0, math.nan, 0, 0, 0, 0], 1),  # a wall of NaN
        ([3, 2, math.inf, 0, 0, 0, 0, 0, 0], 0),
        ([3, math.nan, 1, 0, 0, 0, 0, 0, 0], math.nan),
        ([3, 2, 1.5, 2, 3, 4, 5, 6, 7], 1),
        ([3, 2, 2.25, 3, 4, 5, 6, 7, 8], 0),  # uphill, ever steeper
    ],
)
def test_headroom_of_odd_losses(losses, headroom):
    strip = strip_of(losses)
    assert strip.headroom == pytest.approx(headroom, nan_ok=True)
    assert strip.words()


def test_a_strip_without_a_finite_loss_has_words_too():
    strip = strip_of([math.nan] * 9)
    assert math.isnan(strip.floor)
    assert "nan" in strip.words()


def test_nothing_is_measured_where_nothing_moved():
    model = Valley()
    measure = Landscape(loss_of).begin(model)
    assert measure() is None


def test_a_step_to_nan_has_its_loss_before():
    model = Valley()
    measure = Landscape(loss_of).begin(model)
    with torch.no_grad():
        model.weight.fill_(math.nan)
    strip = measure()
    assert strip.here == 2
    assert strip.headroom == 0
    assert np.isnan(strip.losses[strip.alphas != 0]).all()


def test_alphas_are_a_number_or_a_list():
    assert alphas_of([2, 0, 1.5]).tolist() == [0, 1.5, 2]
    for wrong in (3, [1, 2], [0], [0, math.inf], [-1, 0]):
        with pytest.raises(ValueError, match="alphas"):
            Landscape(loss_of, alphas=wrong)
    with pytest.raises(ValueError, match="every"):
        Landscape(loss_of, every=0)
    with pytest.raises(TypeError, match="loss must be callable"):
        Landscape(3)


def test_strips_are_the_same_in_their_block():
    strips = [strip_of(range(9)), strip_of([math.nan, 1, math.inf, 0, 0, 0, 0, 0, 0])]
    steps, found = decode_strips(encode_strips([0, 100], strips))
    assert steps == [0, 100]
    for one, other in zip(strips, found, strict=True):
        np.testing.assert_array_equal(one.losses, other.losses)
        np.testing.assert_array_equal(one.alphas, other.alphas)
        assert one.update_norm == other.update_norm
    for broken in (b"TBSN", encode_strips([0], strips[:1])[:40]):
        with pytest.raises(ValueError):
            decode_strips(broken)
