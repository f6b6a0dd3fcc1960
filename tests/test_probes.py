"""Receptive fields are what a closed form says."""

import math
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tb_sonify import SonifyWriter
from tb_sonify.cli.demo.training import Network
from tb_sonify.probes import GradientCheck, check_gradients, effective_receptive_field
from tb_sonify.sound.earcons import Earcon, earcon_waveform
from tests import recorded

EXAMPLE = Path(__file__).parent.parent / "examples" / "receptive_field.py"


def ones(count, side, *, stride=1):
    """Convolutions without bias whose weights are all 1."""
    layers = [nn.Conv2d(1, 1, side, stride, bias=False) for _ in range(count)]
    for layer in layers:
        nn.init.ones_(layer.weight)
    return nn.Sequential(*layers).double()


def field_of(model, layer, side=28, images=2, **options):
    torch.manual_seed(0)
    dtype = next(model.parameters()).dtype
    return effective_receptive_field(
        model, layer, torch.randn(images, 1, side, side, dtype=dtype), **options
    )


def test_two_convolutions_of_ones_are_a_pyramid():
    field = field_of(ones(2, 3), "1", side=9, probes=4)
    pyramid = np.outer([1, 2, 3, 2, 1], [1, 2, 3, 2, 1])
    np.testing.assert_array_equal(field.map[2:7, 2:7], pyramid)
    assert field.map.sum() == pyramid.sum()
    assert (field.theoretical, field.clipped) == ((5, 5), False)
    power = np.square(pyramid).astype(float)
    assert field.size == pytest.approx(math.sqrt(power.sum() ** 2 / np.square(power).sum()))
    assert field.two_sigma_size == 5
    assert field.half_mass_size == 3  # 49 of 81
    assert "of the 5 x 5 that can count" in field.words()


@pytest.mark.parametrize(("count", "side"), [(1, 3), (3, 3), (4, 5), (2, 7)])
def test_the_variance_of_a_stack_is_that_of_its_layers(count, side):
    field = field_of(ones(count, side), str(count - 1), side=41, probes=1)
    expected = math.sqrt(count * (side**2 - 1) / 12)
    assert field.sigma == pytest.approx((expected, expected))
    assert field.theoretical == (count * (side - 1) + 1,) * 2


def test_a_uniform_field_is_as_large_as_its_square_of_pixels():
    field = field_of(ones(1, 7), "0", probes=1)
    assert field.size == pytest.approx(7)


def test_strides_and_dilation_widen_what_can_count():
    assert field_of(ones(3, 3, stride=2), "2", probes=1).theoretical == (15, 15)
    model = nn.Sequential(nn.Conv2d(1, 1, 3, dilation=4))
    assert field_of(model, model[0], probes=1).theoretical == (9, 9)


def test_the_network_of_the_demo_has_its_field_and_is_left_as_it_was():
    model = Network()
    model.train()
    field = field_of(model, "conv2", images=8)
    assert field.theoretical == (14, 14)
    assert 5 < field.size < 14
    again = field_of(model, "conv2", images=8)
    np.testing.assert_array_equal(field.map, again.map)
    assert all(p.grad is None for p in model.parameters())
    assert all(module.training for module in model.modules())
    assert not any(module._forward_hooks for module in model.modules())


def test_signs_of_gradients_and_what_follows_in_place_do_not_matter():
    model = ones(2, 3)
    nn.init.constant_(model[1].weight, -1.0)
    plain = field_of(model, "1", probes=2)
    changed = field_of(nn.Sequential(*model, nn.ReLU(inplace=True)), "1", probes=2)
    np.testing.assert_array_equal(plain.map, changed.map)
    assert plain.map.max() == 9


def test_dead_units_and_broken_ones_have_no_field_and_say_so():
    dead = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
    nn.init.constant_(dead[0].bias, -1e6)
    field = field_of(dead, "1")
    assert math.isnan(field.size)
    assert math.isnan(field.half_mass_size)
    assert math.isnan(field.two_sigma_size)
    assert all(map(math.isnan, field.sigma))
    assert "dead" in field.words()
    nn.init.constant_(dead[0].weight, math.nan)
    assert "not finite" in field_of(dead, "0").words()


def test_a_field_larger_than_the_image_is_said():
    model = nn.Sequential(nn.Conv2d(1, 2, 9, padding=4), nn.Conv2d(2, 2, 9, padding=4))
    field = field_of(model, "1", side=8)
    assert field.clipped
    assert field.theoretical == (8, 8)
    assert "may be larger than the image" in field.words()


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: field_of(Network(), "conv3"), "layer must be one of"),
        (lambda: field_of(Network(), nn.Conv2d(1, 1, 1)), "must be a submodule"),
        (lambda: field_of(Network(), "fc1"), "the layer must give"),
        (lambda: field_of(Network(), "conv1", probes=0), "probes must be at least 1"),
        (
            lambda: effective_receptive_field(Network(), "conv1", torch.zeros(28, 28)),
            "inputs must be images",
        ),
        (
            lambda: effective_receptive_field(
                nn.ModuleDict({"a": nn.Conv2d(1, 1, 1)}).requires_grad_(False), "b", torch.ones(1)
            ),
            "inputs must be images",
        ),
    ],
)
def test_mistakes_are_said(call, error):
    with pytest.raises(ValueError, match=error):
        call()


def test_the_example_logs_the_fields_of_two_blocks(tmp_path, monkeypatch, capsys):
    options = ["--logdir", str(tmp_path / "run"), "--steps", "3", "--every", "2"]
    monkeypatch.setattr("sys.argv", ["receptive_field.py", *options])
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    assert "step 2: block8" in capsys.readouterr().out
    means = []
    for layer in ("block4", "block8"):
        logged = recorded.scalars(tmp_path / "run", f"receptive_field/{layer}")
        assert [step for step, _ in logged] == [0, 2]
        means.append(np.mean([size for _, size in logged]))
    assert 4 < means[0] < 8 < means[1] < 10


class Halved(torch.autograd.Function):
    """The square, with a backward that is off by a factor."""

    factor = 1.0

    @staticmethod
    def forward(context, values):
        context.save_for_backward(values)
        return values**2

    @staticmethod
    def backward(context, gradient):
        (values,) = context.saved_tensors
        return 2 * values * gradient * Halved.factor


class Squares(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 5)
        self.norm = nn.BatchNorm1d(5)
        self.dropout = nn.Dropout(0.5)
        self.last = nn.Linear(5, 2)
        self.spare = nn.Parameter(torch.ones(3))

    def forward(self, inputs):
        return self.last(self.dropout(Halved.apply(self.norm(self.first(inputs)))))


@pytest.mark.parametrize(
    ("factor", "verdict"), [(1.0, "right"), (1 + 1e-4, "doubtful"), (0.5, "wrong")]
)
def test_gradients_that_are_wrong_are_told_with_their_layer(monkeypatch, factor, verdict):
    monkeypatch.setattr(Halved, "factor", factor)
    torch.manual_seed(0)
    model, inputs = Squares(), torch.randn(8, 4)
    before = [p.detach().clone() for p in model.parameters()]
    state = torch.get_rng_state()
    check = check_gradients(model, lambda m: torch.nn.functional.mse_loss(m(inputs), inputs[:, :2]))
    assert check.verdict == verdict
    assert check.errors["last.weight"] < 1e-7
    assert factor == 1 or check.worst.startswith(("first", "norm"))
    assert check.without == ("spare",)
    assert verdict in check.words()
    assert check.worst in check.words()
    assert all(map(torch.equal, before, model.parameters()))
    assert torch.equal(state, torch.get_rng_state())
    assert model.training
    assert all(p.grad is None for p in model.parameters())


def test_hypercolumns_have_all_layers_of_a_pixel_and_clusters_of_checkpoints_agree(
    tmp_path,
):
    example = runpy.run_path(str(EXAMPLE.with_name("hypercolumns.py")))
    model = nn.Sequential(nn.Conv2d(1, 3, 1), nn.AvgPool2d(2), nn.Conv2d(3, 5, 1))
    images = torch.randn(2, 1, 4, 6)
    columns = example["hypercolumns"](model, ["0", "2"], images)
    assert columns.shape == (2 * 4 * 6, 3 + 5)
    for block in (columns[:, :3], columns[:, 3:]):
        assert np.square(block).sum(axis=1).mean() == pytest.approx(1, rel=1e-5)
    first = model[0](images).movedim(1, -1).flatten(0, 2).detach().numpy()
    assert np.corrcoef(first.ravel(), columns[:, :3].ravel())[0, 1] == pytest.approx(1)
    with SonifyWriter(str(tmp_path)) as writer:
        example["of_the_demo"](writer, steps=5, every=2)
    agreements = recorded.scalars(tmp_path, "hypercolumns/agreement")
    assert [step for step, _ in agreements] == [2, 4]
    assert all(0.3 < value <= 1 for _, value in agreements)
    assert [step for step, _ in recorded.values(tmp_path, "hypercolumns")] == [0, 2, 4]


@pytest.mark.training
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--steps", "-1"], "--steps: must be at least 1, got -1"),
        (["--network", "vgg16", "--weights", "nowhere.pth"], "nowhere.pth: .*No such file"),
        (["--network", "vgg16", "--weights", "other.pth"], "(?s)other.pth: .*Missing key"),
        (["--network", "vgg16", "--weights", "text.pth"], "--weights must be a state dict"),
    ],
)
def test_options_of_hypercolumns_that_cannot_be_are_said(options, message, tmp_path, monkeypatch):
    torch.save(nn.Linear(1, 1).state_dict(), tmp_path / "other.pth")
    (tmp_path / "text.pth").write_text("weights")
    monkeypatch.chdir(tmp_path)
    script = EXAMPLE.with_name("hypercolumns.py")
    done = subprocess.run(
        [sys.executable, script, *options], capture_output=True, text=True, check=False
    )
    assert done.returncode
    assert re.search(message, done.stderr)
    assert "Traceback" not in done.stderr


def test_a_check_is_heard_parameter_by_parameter_from_left_to_right():
    errors = {"early": 1e-8, "middle": 1e-4, "late": float("nan"), "last": 1e-9}
    sound = GradientCheck(errors, ()).sound()
    rate = sound.sample_rate
    knock, chime, clash = (round(seconds * rate) for seconds in (0.1, 0.3, 0.3))
    parts = np.split(sound.pcm / 32_767, np.cumsum([knock, chime, clash]))
    for part, earcon in zip(parts[1:3], (Earcon.CHIME, Earcon.NAN), strict=True):
        expected = earcon_waveform(earcon, frames=len(part), sample_rate=rate)
        assert np.corrcoef(part.sum(axis=1), expected)[0, 1] > 0.999
    left, right = np.sqrt([np.square(part).mean(axis=0) for part in parts]).T
    assert (np.diff(right / left) > 0).all()
    assert 0.01 < np.abs(parts[0]).max() < np.abs(parts[2]).max() < 0.5
    assert "gradients of middle, late are wrong" in sound.legend


@pytest.mark.training
def test_a_check_of_hundreds_of_layers_says_first_what_it_takes_and_then_how_far_it_is(caplog):
    layers = [nn.Linear(3, 3, dtype=torch.float64) for _ in range(200)]
    model, told = nn.Sequential(*layers), []

    def loss(network):
        logged.append(caplog.text)
        return network(torch.ones(2, 3, dtype=torch.float64)).square().mean()

    logged = []
    with caplog.at_level("INFO", logger="tb_sonify"):
        check = check_gradients(
            model, loss, samples=3, progress=lambda *counts: told.append(counts)
        )
    assert logged[:2] == ["", ""]
    assert "check_gradients: 2,401 evaluations, about" in logged[2]
    assert told == [(done, 2_401) for done in range(2, 2_402)]
    assert len(check.errors) == 400


def test_gradients_of_a_network_are_right():
    torch.manual_seed(0)
    images, labels = torch.randn(4, 1, 28, 28), torch.tensor([1, 2, 3, 4])
    check = check_gradients(
        Network().to(memory_format=torch.channels_last),
        lambda m: torch.nn.functional.nll_loss(m(images), labels),
        samples=3,
    )
    assert check.verdict == "right"
    assert len(check.errors) == 8


@pytest.mark.parametrize(
    ("model", "loss", "error"),
    [
        (nn.ReLU(), lambda _: torch.ones(()), "must have a parameter"),
        (nn.Linear(1, 1), lambda _: torch.ones(()), "must depend on the model"),
        (nn.Linear(1, 1), lambda m: m.weight.sum() * math.nan, "one finite number"),
        (nn.Linear(2, 1), lambda m: m.weight, "one finite number"),
    ],
)
def test_what_cannot_be_checked_is_said(model, loss, error):
    with pytest.raises(ValueError, match=error):
        check_gradients(model, loss)
