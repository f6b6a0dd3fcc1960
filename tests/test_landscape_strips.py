"""The loss along a step is what a closed form says."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from tb_sonify import SonifyWriter, render
from tb_sonify.landscape import Landscape, Strip, Surface, plane, surface
from tb_sonify.landscape.strip import alphas_of
from tb_sonify.reading.logdir import open_logdir
from tb_sonify.reading.run_landmarks import scalar_landmarks
from tb_sonify.reading.runs import RunCatalog
from tb_sonify.reading.timeline_builder import Timelines
from tb_sonify.schema.landscape import decode_strips, encode_strips
from tb_sonify.schema.metadata import HEADROOM_TAG, MEAN_HEADROOM_TAG, STRIPS_TAG, SURFACE_TAG
from tests import recorded

AROUND = plane.random(0, normalise="none")


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
    assert len(strip.losses) == {0.05: 9, 0.4: 8, 1.0: 7, 1.9: 6, 2.0: 6}.get(rate, 5)
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


def train(model, optimizer, steps):
    for _ in range(steps):
        step(model, optimizer)


def strips_of(directory):
    blocks = [decode_strips(blob) for blob in recorded.blobs(directory, STRIPS_TAG)]
    return {
        step: strip for steps, strips in blocks for step, strip in zip(steps, strips, strict=True)
    }


def test_a_watched_training_has_strips_and_their_headroom_and_is_what_it_was(writer, tmp_path):
    model, other = Valley(), Valley()
    writer.watch(model, landscape=Landscape(loss_of, every=3), first_step=10)
    train(model, torch.optim.SGD(model.parameters(), lr=0.4, momentum=0.0), 7)
    train(other, torch.optim.SGD(other.parameters(), lr=0.4), 7)
    writer.close()
    assert torch.equal(model.weight, other.weight)
    strips = strips_of(tmp_path)
    assert list(strips) == [10, 13, 16]
    assert [strip.here for strip in strips.values()] == pytest.approx(
        [2 * 0.6 ** (2 * step) for step in (0, 3, 6)]
    )
    headroom = recorded.scalars(tmp_path, HEADROOM_TAG)
    assert headroom == [(step, pytest.approx(5)) for step in (10, 13, 16)]
    assert recorded.steps_and_norms(tmp_path)[0] == list(range(10, 17))


def test_a_strip_is_along_what_all_optimizers_of_the_model_change(writer, tmp_path):
    model = nn.ModuleList([Valley(), Valley()])
    optimizers = [torch.optim.SGD(part.parameters(), lr=0.5) for part in model]
    landscape = Landscape(lambda model: model[0]() + model[1](), every=1)
    writer.watch(model, updates=False, landscape=landscape)
    for _ in range(3):
        for part, optimizer in zip(model, optimizers, strict=True):
            step(part, optimizer)
    writer.close()
    strips = strips_of(tmp_path)
    assert list(strips) == [0, 1, 2]
    assert strips[1].update_norm == pytest.approx(math.sqrt(2) * 0.5)
    assert strips[1].headroom == pytest.approx(4)


def test_a_step_with_a_closure_has_a_strip(writer, tmp_path):
    model = Valley()
    optimizer = torch.optim.LBFGS(model.parameters(), lr=1, max_iter=3)
    writer.watch(model, optimizer, landscape=Landscape(loss_of, every=1))

    def closure():
        optimizer.zero_grad()
        loss = model()
        loss.backward()
        return loss

    optimizer.step(closure)
    writer.close()
    [strip] = strips_of(tmp_path).values()
    assert (strip.here, strip.headroom) == (2, pytest.approx(2))


def test_a_loss_that_fails_is_said_once_and_norms_are_logged_on(writer, tmp_path):
    model = Valley()

    def wrong(_):
        raise RuntimeError("probe on another device")

    writer.watch(model, landscape=Landscape(wrong, every=2))
    with pytest.warns(RuntimeWarning, match="no longer measured.*another device") as caught:
        train(model, torch.optim.SGD(model.parameters(), lr=0.1), 10)
    writer.close()
    assert len(caught) == 1
    assert len(recorded.steps_and_norms(tmp_path)[0]) == 10
    assert strips_of(tmp_path) == {}


def test_a_loop_of_its_own_logs_strips_and_steps_that_move_nothing_have_none(writer, tmp_path):
    model = Valley()
    landscape = Landscape(loss_of, alphas=[0, 1, 2, 3])
    for number, rate in enumerate([0.5, 0.0, 0.8]):
        measure = landscape.begin(model)
        step(model, torch.optim.SGD(model.parameters(), lr=rate))
        writer.add_landscape_strip(measure(), number)
    writer.close()
    strips = strips_of(tmp_path)
    assert list(strips) == [0, 2]
    assert recorded.scalars(tmp_path, HEADROOM_TAG) == [(0, 3), (2, pytest.approx(2.5))]


def test_steps_that_raise_the_loss_on_average_are_told_once_live_and_of_the_run(tmp_path):
    told = []
    for name, rate in (("calm", 1.0), ("edge", 2.2)):
        model = Valley()
        with SonifyWriter(tmp_path / name, presets=(), on_landmark=told.append) as writer:
            writer.watch(model, landscape=Landscape(loss_of, every=1))
            train(model, torch.optim.SGD(model.parameters(), lr=rate), 20)
    edges = [each for each in told if each.kind == "edge"]
    assert [(each.step, each.quantity) for each in edges] == [(15, MEAN_HEADROOM_TAG)]
    assert recorded.scalars(tmp_path / "edge", MEAN_HEADROOM_TAG)[0] == (
        15,
        pytest.approx(2 / 2.2, rel=1e-4),
    )
    store, scope = open_logdir(tmp_path)
    for name, count in (("calm", 0), ("edge", 1)):
        timeline = Timelines(store).get(scope, name)
        found = scalar_landmarks(store, scope, timeline, name)
        assert [each.step for each in found if each.kind == "edge"] == [15] * count


def test_headroom_is_heard_as_any_scalar(writer, tmp_path):
    model = Valley()
    writer.watch(model, landscape=Landscape(loss_of, every=1))
    train(model, torch.optim.SGD(model.parameters(), lr=0.3), 30)
    writer.close()
    sound = render(tmp_path, tag=HEADROOM_TAG)
    assert np.abs(sound.pcm).max() > 0


def test_a_surface_is_stored_in_a_run_that_has_no_norms_by_it(tmp_path):
    model = Valley()
    with SonifyWriter(tmp_path / "map") as writer:
        writer.add_landscape(surface(model, loss_of, plane=AROUND, size=3), 7, name="end")
        writer.add_landscape(surface(model, loss_of, plane=AROUND, size=4), 7, name="end")
        writer.add_scalar("loss", 1.0, 7)
    store, scope = open_logdir(tmp_path)
    [run] = RunCatalog(store).runs(scope)
    assert (run.name, run.norms, run.trouble) == ("map", False, None)
    blobs = store.blocks(scope, "map", f"{SURFACE_TAG}/end")
    found = [Surface.decode(store.read(scope, blob)) for blob in blobs]
    assert [(blob.step, each.losses.shape) for blob, each in zip(blobs, found, strict=True)] == [
        (7, (3, 3)),
        (7, (4, 4)),
    ]


def test_what_is_no_landscape_is_refused(writer):
    with pytest.raises(TypeError, match="landscape must be a"):
        writer.watch(Valley(), landscape=loss_of)


def test_a_step_that_a_scaler_skips_has_no_strip_and_half_precision_has_one(writer, tmp_path):
    torch.manual_seed(0)
    model, inputs = nn.Linear(4, 1), torch.randn(8, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)

    def loss(model):
        with torch.autocast("cpu", torch.bfloat16):
            return model(inputs).square().mean()

    writer.watch(model, optimizer, landscape=Landscape(loss, every=1))
    for number in range(4):
        optimizer.zero_grad()
        scaler.scale(loss(model)).backward()
        if number == 1:
            model.weight.grad[0, 0] = math.inf
        scaler.step(optimizer)
        scaler.update()
    writer.close()
    strips = strips_of(tmp_path)
    assert list(strips) == [0, 2, 3]
    assert all(strip.headroom > 1 for strip in strips.values())
