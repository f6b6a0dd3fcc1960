"""Surfaces and paths are what a closed form says, and the model is left as it was."""

import gzip
import hashlib
import operator
import pickle
import random
import runpy
import signal
import sys
import threading
from pathlib import Path as FilePath

import numpy as np
import pytest
import torch
from torch import nn

from tb_sonify.landscape import Path, estimate, load_path, plane, record_path, surface
from tb_sonify.landscape.evaluation import Evaluation
from tb_sonify.schema.landscape import Surface
from tests import recorded

ROOT = FilePath(__file__).parent.parent

SIGNS = {"bowl": 1.0, "saddle": -1.0}


class Quadratic(nn.Module):
    """A loss of which every value is known: v^T H v / 2 + g^T v, of two tensors of parameters."""

    def __init__(self, sign=1.0, dtype=torch.float32):
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.weight = nn.Parameter(torch.randn(4, 3, generator=generator, dtype=dtype))
        self.bias = nn.Parameter(torch.randn(5, generator=generator, dtype=dtype))
        scale = torch.linspace(0.5, 2, 17, dtype=torch.float64)
        scale[::2] *= sign
        self.h = torch.diag(scale) + 0.1 * torch.ones(17, 17, dtype=torch.float64)

    def at(self, vector):
        return float(vector @ self.h @ vector / 2 + vector.sum())

    def forward(self):
        vector = torch.cat([self.weight.reshape(-1), self.bias]).double()
        return vector @ self.h @ vector / 2 + vector.sum()


def loss_of(model):
    return model()


def trained(model, steps, lr=0.05, **options):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    with record_path(model, **options) as recorder:
        weights = [vector_of(model)]
        for _ in range(steps):
            optimizer.zero_grad()
            model().backward()
            optimizer.step()
            weights.append(vector_of(model))
    return recorder.path, weights


def vector_of(model):
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()]).double()


def planes(path):
    return {
        "filter": plane.random(1),
        "layer": plane.random(2, normalise="layer"),
        "none": plane.random(3, normalise="none"),
        "path": plane.through_path(path),
    }


@pytest.mark.parametrize("kind", ["filter", "layer", "none", "path"])
@pytest.mark.parametrize("sign", SIGNS.values(), ids=SIGNS)
def test_a_quadratic_is_its_closed_form_on_any_plane(sign, kind):
    model = Quadratic(sign)
    path, _ = trained(model, 20)
    chosen = planes(path)[kind]
    axes = chosen.axes(model)
    found = surface(model, loss_of, plane=chosen, size=7, paths=[path])
    origin, one, two = (each.double() for each in (axes.origin, *axes.directions))
    expected = [[model.at(origin + x * one + y * two) for x in found.x] for y in found.y]
    np.testing.assert_allclose(found.losses, expected, rtol=1e-5, atol=1e-5)
    assert found.here == pytest.approx(model.at(origin), rel=1e-5)


def test_a_path_has_exact_coordinates_distances_and_losses():
    model = Quadratic(dtype=torch.float64)
    path, weights = trained(model, 30, dtype=torch.float64)
    found = surface(model, loss_of, plane=plane.through_path(path), size=5)
    [beside] = found.paths
    assert beside.steps.tolist() == list(range(31))
    assert beside.points[0].tolist() == [0, 0]
    np.testing.assert_allclose(beside.points[-1], [1, 0], atol=1e-12)
    chord = weights[-1] - weights[0]
    along = [float((w - weights[0]) @ chord / (chord @ chord)) for w in weights]
    np.testing.assert_allclose(beside.points[:, 0], along, atol=1e-12)
    away = torch.stack([w - weights[0] for w in weights])
    rest = away - torch.outer(torch.tensor(along, dtype=torch.float64), chord)
    _, _, components = torch.linalg.svd(rest)
    across = (rest @ components[0]).numpy()
    sign = np.sign(across @ beside.points[:, 1])
    length = float(chord.norm())
    np.testing.assert_allclose(beside.points[:, 1] * length, sign * across, atol=1e-9)
    left = rest - torch.outer(torch.from_numpy(across), components[0])
    np.testing.assert_allclose(beside.distance, left.norm(dim=1), atol=1e-8)
    np.testing.assert_allclose(beside.losses, [model.at(w) for w in weights], rtol=1e-12)
    centred = (left - left.mean(0)).square().sum() / (away - away.mean(0)).square().sum()
    assert beside.explained == pytest.approx(1 - float(centred), abs=1e-9)
    assert found.options["norms"] == pytest.approx([length, length])


def test_snapshots_are_thinned_by_doubling_and_rounded_but_at_the_ends():
    model = Quadratic()
    path, weights = trained(model, 300, lr=0.003)
    assert len(path) <= 64
    assert path.every == 8
    steps = [step for step, _ in path.weights()]
    assert steps == [*range(0, 300, 8), 300]
    for step, found in path.weights():
        error = (found.double() - weights[step]).abs().max()
        assert error <= 0.004 * (weights[step] - weights[0]).abs().max() + 1e-6
        if step in (0, 300):
            torch.testing.assert_close(found.double(), weights[step], rtol=0, atol=0)
    assert path.nbytes == 17 * (2 * (len(path) - 1) + 2 * 4)


def test_a_path_survives_its_file(tmp_path):
    path, _ = trained(Quadratic(), 100, name="sgd")
    path.save(tmp_path / "path.pt")
    loaded = load_path(tmp_path / "path.pt")
    assert (loaded.name, loaded.shapes) == ("sgd", path.shapes)
    for (step, one), (other_step, other) in zip(path.weights(), loaded.weights(), strict=True):
        assert step == other_step
        assert torch.equal(one, other)


def test_filters_of_a_random_direction_have_the_norms_of_the_weights_and_vectors_are_fixed():
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3, 4))
    axes = plane.random(0).axes(model)
    for direction in axes.directions:
        parts = direction.split([p.numel() for p in model.parameters()])
        for part, p in zip(parts, model.parameters(), strict=True):
            if p.dim() < 2:
                assert not part.any()
            else:
                norms = part.reshape(p.shape).flatten(1).norm(dim=1)
                torch.testing.assert_close(norms, p.detach().flatten(1).norm(dim=1))
    again = plane.random(0).axes(model)
    assert all(map(torch.equal, axes.directions, again.directions))
    assert not torch.equal(axes.directions[0], plane.random(1).axes(model).directions[0])


def test_nothing_of_a_path_plane_is_normalised():
    model = Quadratic()
    path, weights = trained(model, 10)
    one, two = plane.through_path(path).axes(model).directions
    torch.testing.assert_close(one.double(), weights[-1] - weights[0], atol=1e-6, rtol=0)
    assert float(one.double() @ two.double()) == pytest.approx(0, abs=1e-6)


def test_several_runs_lie_on_one_plane_however_far_one_goes():
    one, other = Quadratic(), Quadratic(-1.0)
    paths = [trained(one, 40, name="calm")[0], trained(other, 40, lr=1.0, name="wild")[0]]
    found = surface(one, loss_of, plane=plane.through_path(*paths), size=5)
    assert [path.name for path in found.paths] == ["calm", "wild"]
    calm, wild = found.paths
    assert found.options["paths"] == ["calm"]
    assert calm.explained > 0.9
    assert np.linalg.norm(calm.points, axis=1).max() == pytest.approx(1, rel=0.01)
    assert np.abs(wild.points).max() > 1e3
    assert max(found.x) < 2
    paths[1] = trained(Quadratic(), 40, lr=0.1, name="near")[0]
    found = surface(one, loss_of, plane=plane.through_path(*paths), size=5)
    assert found.options["paths"] == ["calm", "near"]
    assert min(path.explained for path in found.paths) > 0.9


def test_a_path_that_turns_nan_keeps_its_nan_and_is_said_once():
    model = Quadratic()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with record_path(model) as recorder:
        for step in range(10):
            optimizer.zero_grad()
            model().backward()
            if step == 7:
                model.bias.grad[0] = torch.nan
            optimizer.step()
    with pytest.warns(RuntimeWarning, match="3 snapshots of the paths are NaN"):
        found = surface(model, loss_of, plane=plane.through_path(recorder.path), size=3)
    [path] = found.paths
    assert np.isnan(path.losses).tolist() == [False] * 8 + [True] * 3
    assert np.isnan(path.points).any(axis=1).tolist() == [False] * 8 + [True] * 3
    assert np.isfinite(found.losses).all()
    assert any("3 snapshots are not finite" in line for line in found.words())


def test_cells_that_are_nan_or_infinite_stay_so_and_others_are_as_without():
    model = Quadratic()
    flat = surface(model, loss_of, size=5)

    def broken(model):
        value = float(model())
        return {flat.losses[0, 1]: np.nan, flat.losses[2, 2]: np.inf}.get(value, value)

    found = surface(model, broken, size=5)
    expected = flat.losses.copy()
    expected[0, 1], expected[2, 2] = np.nan, np.inf
    np.testing.assert_array_equal(found.losses, expected)
    assert "2 cells are NaN or infinite" in found.words()
    nowhere = surface(model, lambda _: torch.tensor(torch.nan), size=3)
    assert np.isnan(nowhere.losses).all()
    assert np.isnan(nowhere.here)
    assert nowhere.words()[-1] == "9 cells are NaN or infinite"


class Fussy(nn.Module):
    """Batch normalisation, dropout, a tied and a frozen weight, a buffer that is not stored."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(6, 6)
        self.norm = nn.BatchNorm1d(6)
        self.dropout = nn.Dropout(0.5)
        self.second = nn.Linear(6, 6)
        self.second.weight = self.first.weight
        self.frozen = nn.Linear(6, 2).requires_grad_(False)
        self.register_buffer("calls", torch.zeros(()), persistent=False)
        self.inputs = torch.randn(8, 6, generator=torch.Generator().manual_seed(0))

    def forward(self):
        self.calls += 1
        hidden = self.dropout(torch.relu(self.norm(self.first(self.inputs))))
        return self.frozen(self.second(hidden)).square().mean()


def fussy():
    torch.manual_seed(5)
    model = Fussy()
    model().backward()
    model.dropout.eval()  # modes that differ
    return model


def checksum(model):
    """Of all that must be left as it was."""
    state = hashlib.sha256()
    for tensor in [*model.parameters(), *model.buffers()]:
        state.update(str((tensor.data_ptr(), tensor.requires_grad)).encode())
        state.update(tensor.detach().numpy().tobytes())
        gradient = tensor.grad
        state.update(b"" if gradient is None else gradient.numpy().tobytes())
        state.update(str(gradient if gradient is None else gradient.data_ptr()).encode())
    state.update(str([module.training for module in model.modules()]).encode())
    for each in (torch.get_rng_state().numpy(), random.getstate(), np.random.get_state()):  # noqa: NPY002
        state.update(pickle.dumps(each))
    state.update(str(signal.getsignal(signal.SIGINT)).encode())
    return state.hexdigest()


def meddling(model):
    """A loss that changes all that it can get at."""
    model.train()
    np.random.random(3)  # noqa: NPY002 - as scripts do
    random.random()
    torch.rand(2)
    with torch.enable_grad():
        loss = model()
        loss.backward()
    for p in list(model.parameters()):
        if p.requires_grad:
            p.data = p.data + p.grad
            p.requires_grad_(False)
    return loss


def test_a_loss_with_side_effects_leaves_none_and_is_the_same_at_each_call():
    model = fussy()
    before = checksum(model)
    found = surface(model, meddling, size=3)
    assert checksum(model) == before
    with Evaluation(model, meddling) as evaluation:
        assert evaluation.here() == evaluation.here()
    assert checksum(model) == before
    np.testing.assert_array_equal(found.losses, surface(model, meddling, size=3).losses)


def converted(model):
    return model.double()()


def halved(model):
    loss = model()
    model.half()
    return loss


def offloaded(model):
    loss = model()
    model.to("meta")
    return loss


def replaced(model):
    loss = model()
    model.weight = nn.Parameter(torch.zeros(4, 3))
    return loss


def removed(model):
    loss = model()
    del model.bias
    return loss


@pytest.mark.parametrize("moving", [converted, halved, offloaded, replaced, removed])
def test_a_loss_that_moves_the_model_finds_it_where_it_was_at_each_call(moving):
    model = Quadratic()
    parameters, before = list(model.parameters()), checksum(model)
    found = surface(model, moving, size=3)
    np.testing.assert_array_equal(found.losses, surface(Quadratic(), loss_of, size=3).losses)
    assert all(map(operator.is_, parameters, model.parameters()))
    assert checksum(model) == before


def test_a_model_that_is_partly_on_another_device_moves_what_has_values():
    model = nn.Sequential(Quadratic(), nn.Linear(2, 2, device="meta"))
    with pytest.raises(ValueError, match=r"'1.weight' is on the meta device"):
        surface(model, lambda m: m[0]())
    model[1].requires_grad_(False)
    found = surface(model, lambda m: m[0](), size=3)
    np.testing.assert_array_equal(found.losses, surface(Quadratic(), loss_of, size=3).losses)


def test_dropout_is_off_and_tied_weights_move_once():
    model = fussy()
    surfaces = [surface(model, loss_of, size=3).losses for _ in range(2)]
    np.testing.assert_array_equal(*surfaces)
    axes = plane.random(0).axes(model)
    assert axes.names == ["first.weight", "first.bias", "norm.weight", "norm.bias", "second.bias"]


def test_batch_normalisation_is_by_the_batch_or_by_running_statistics():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    inputs = torch.randn(16, 4)

    def loss(model):
        return model(inputs).square().mean()

    with torch.no_grad():
        model.train()
        running = model[1].running_mean.clone()
        by_batch = float(loss(model))
        model[1].running_mean.copy_(running)
        model.eval()
        by_running = float(loss(model))
    assert surface(model, loss, size=3).here == pytest.approx(by_batch, rel=1e-6)
    assert surface(model, loss, size=3, batch_norm="running").here == by_running


@pytest.fixture
def interruptible():
    """Ctrl+C interrupts, also where the tests were started in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("kind", ["exception", "signal"])
def test_a_model_is_restored_bit_for_bit_after_any_of_100_interruptions(kind):
    """Signals come at any line of the landscape's code and of the loss, exceptions out of it."""
    model = fussy()
    before = checksum(model)
    place = np.random.default_rng(0)
    lines = 0

    def count(frame, event, _):
        nonlocal lines
        file = frame.f_code.co_filename
        if "/landscape/" not in file and frame.f_code is not meddling.__code__:
            return None
        lines += event == "line"
        if lines == at and event == "line":
            signal.raise_signal(signal.SIGINT)
        return count

    def loss(model):
        nonlocal lines
        lines += kind == "exception"
        if kind == "exception" and lines == at:
            raise ArithmeticError
        return meddling(model)

    def run():
        nonlocal lines
        lines, trace = 0, sys.gettrace()
        sys.settrace(count if kind == "signal" else trace)
        try:
            surface(model, loss, size=2)
        except (KeyboardInterrupt, ArithmeticError):
            return True
        finally:
            sys.settrace(trace)
        return False

    at = -1
    assert not run()
    total, states = lines, random.getstate()
    interrupted = 0
    for at in place.integers(1, total + 1, 100 if kind == "signal" else 5).tolist():
        random.setstate(states)
        interrupted += run()
        assert checksum(model) == before, at
    assert interrupted >= (90 if kind == "signal" else 5)


def test_in_another_thread_signals_are_left_alone():
    model, found = Quadratic(), []
    thread = threading.Thread(target=lambda: found.append(surface(model, loss_of, size=3)))
    thread.start()
    thread.join()
    np.testing.assert_array_equal(found[0].losses, surface(model, loss_of, size=3).losses)


def test_under_autocast_each_cell_has_its_own_weights():
    model = nn.Sequential(nn.Linear(4, 4, bias=False))
    inputs = torch.randn(8, 4)

    def loss(model):
        return model(inputs).float().square().mean().detach()

    with torch.autocast("cpu", torch.bfloat16):
        loss(model)  # copies of the weights are kept within autocast
        found = surface(model, loss, size=3)
        after = float(loss(model))
    plain = surface(model, loss, size=3)
    np.testing.assert_allclose(found.losses, plain.losses, rtol=0.05)
    assert len(np.unique(found.losses)) > 5
    assert after == pytest.approx(float(loss(model)), rel=0.05)


def test_half_precision_weights_are_restored_and_move():
    model = nn.Linear(4, 2).to(torch.bfloat16)
    before = checksum_of_weights(model)
    inputs = torch.randn(8, 4, dtype=torch.bfloat16)
    found = surface(model, lambda m: m(inputs).square().mean(), size=3)
    assert checksum_of_weights(model) == before
    assert len(np.unique(found.losses)) > 5


def checksum_of_weights(model):
    return [p.detach().float().tolist() for p in model.parameters()]


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: surface("model", loss_of), "must be a torch.nn.Module"),
        (lambda: surface(nn.ReLU(), loss_of), "must have a parameter"),
        (lambda: surface(Quadratic().requires_grad_(False), loss_of), "that is trained"),
        (lambda: surface(Quadratic(), 3), "loss must be callable"),
        (lambda: surface(Quadratic(), lambda m: m.weight), "must give one number"),
        (lambda: surface(Quadratic(), lambda _: "low"), "must give one number"),
        (lambda: surface(Quadratic(), loss_of, size=1), "size must be at least 2"),
        (lambda: surface(Quadratic(), loss_of, batch_norm="none"), "'batch' or 'running'"),
        (lambda: surface(nn.LazyLinear(2), loss_of), "call it once"),
        (lambda: surface(nn.BatchNorm1d(3), lambda _: 1.0), "leaves no direction"),
        (lambda: plane.random(0, normalise="all"), "normalise must be"),
        (lambda: plane.random(0, span=0), "span must be above 0"),
        (lambda: plane.through_path(), "at least one path"),
        (lambda: record_path(Quadratic(), every=0), "every must be at least 1"),
        (
            lambda: surface(
                nn.Linear(2, 2), loss_of, plane=plane.through_path(trained(Quadratic(), 3)[0])
            ),
            "another shape",
        ),
        (
            lambda: surface(
                nn.Linear(2, 2), loss_of, plane=plane.through_path(still(nn.Conv1d(2, 2, 1)))
            ),
            "another shape",
        ),
        (
            lambda: surface(
                nn.ReLU(), loss_of, plane=plane.through_path(trained(Quadratic(), 3)[0])
            ),
            "has no parameter 'weight'",
        ),
        (
            lambda: plane.through_path(still(nn.Linear(2, 2)), still(nn.Linear(3, 2))),
            "same parameters",
        ),
        (
            lambda: surface(
                nn.Linear(2, 2), loss_of, plane=plane.through_path(still(nn.Linear(2, 2)))
            ),
            "must lead somewhere",
        ),
    ],
)
def test_mistakes_are_said(make, error):
    with pytest.raises((TypeError, ValueError), match=error):
        make()


def still(model) -> Path:
    return record_path(model).close()


def test_what_a_loss_raises_goes_through_and_the_model_is_as_before():
    model = fussy()
    before = checksum(model)
    with pytest.raises(RuntimeError, match="device"):
        surface(model, lambda m: m.first(torch.ones(2, 6, device="meta")).sum(), size=3)
    assert checksum(model) == before


def test_an_estimate_comes_first_and_progress_is_told(caplog):
    model, told = Quadratic(), []
    expected = estimate(model, loss_of, size=25)
    assert expected.evaluations == 625
    assert expected.nbytes == 17 * 4 * 4
    assert "625 evaluations" in str(expected)
    with caplog.at_level("INFO", logger="tb_sonify"):
        surface(model, loss_of, size=3, progress=lambda done, total: told.append((done, total)))
    assert "10 evaluations" in caplog.text
    assert told == [(done, 10) for done in range(2, 11)]


def test_a_surface_is_the_same_in_its_block_and_in_its_files(tmp_path):
    model = Quadratic()
    path, _ = trained(model, 10, name="sgd")
    found = surface(model, loss_of, plane=plane.through_path(path), size=4)
    found.losses[0, 0] = np.nan
    same = Surface.decode(found.encode())
    assert same.options == found.options
    for name in ("x", "y", "losses", "here"):
        np.testing.assert_array_equal(getattr(same, name), getattr(found, name))
    for name in ("name", "steps", "points", "distance", "losses", "explained"):
        one, other = getattr(same.paths[0], name), getattr(found.paths[0], name)
        np.testing.assert_array_equal(one, other)
    found.write_csv(tmp_path / "map.csv")
    table = np.genfromtxt(tmp_path / "map.csv", delimiter=",", names=True)
    np.testing.assert_array_equal(table["loss"].reshape(4, 4), found.losses)
    np.testing.assert_array_equal(table["x"][:4], found.x)
    steps = np.genfromtxt(tmp_path / "map-paths.csv", delimiter=",", names=True)["step"]
    np.testing.assert_array_equal(steps, found.paths[0].steps)
    found.write_npz(tmp_path / "map.npz")
    with np.load(tmp_path / "map.npz") as arrays:
        np.testing.assert_array_equal(arrays["losses"], found.losses)
        np.testing.assert_array_equal(arrays["sgd/points"], found.paths[0].points)
    for broken in (b"", found.encode()[:-9]):
        with pytest.raises(ValueError):
            Surface.decode(broken)


def test_the_example_maps_a_network_on_the_test_split_of_mnist(tmp_path, monkeypatch, capsys):
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, 16 + 30 * 784, np.uint8)
    (raw / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(pixels.tobytes()))
    (raw / "t10k-labels-idx1-ubyte").write_bytes(bytes(range(8)) + bytes([1, 7, 3]) * 10)
    logdir = tmp_path / "run"
    options = ["--data", tmp_path / "data", "--logdir", logdir, "--steps", 2, "--size", 3]
    monkeypatch.setattr("sys.argv", ["landscape.py", *map(str, options)])
    runpy.run_path(str(ROOT / "examples" / "landscape.py"), run_name="__main__")
    assert "9 evaluations" in capsys.readouterr().out
    stored = {"sonify/landscape/surface/path", "sonify/landscape/surface/around"}
    assert stored | {"sonify/landscape/strips"} <= recorded.tags(logdir)
    assert {each.name for each in logdir.glob("*.csv")} == {
        *("path.csv", "path-paths.csv", "around.csv", "around-paths.csv")
    }
