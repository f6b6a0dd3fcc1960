"""Norms of what an optimizer changes: exact, or from a sample, and of the weights themselves."""

import copy
import warnings

import pytest
import torch
from torch import nn

from tb_sonify import SonifyWriter, clip_grad_norm_
from tb_sonify.training import update_norms
from tb_sonify.training.update_norms import UpdateNorms
from tests import recorded
from tests.reference import norm_of

EVERY_WEIGHT = 16


class Plain(torch.optim.Optimizer):
    """Without any help of torch's: moves all parameters, also those without a gradient."""

    def __init__(self, parameters):
        super().__init__(parameters, {})

    @torch.no_grad()
    def step(self, _=None):
        for p in [p for group in self.param_groups for p in group["params"]]:
            p.mul_(0.99)
            if p.grad is not None:
                p.sub_(0.1 * p.grad)


class Replacing(Plain):
    """Gives parameters new memory, as some optimizers do that offload."""

    @torch.no_grad()
    def step(self, _=None):
        for p in [p for group in self.param_groups for p in group["params"]]:
            p.data = p.data - 0.1 * p.grad


class Outer(Plain):
    """Steps another optimizer, twice."""

    def __init__(self, parameters):
        parameters = list(parameters)
        super().__init__(parameters)
        self.inner = torch.optim.SGD(parameters, lr=0.01)

    def step(self, _=None):
        self.inner.step()
        self.inner.step()
        super().step()


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "adamw": lambda p: torch.optim.AdamW(p, lr=1e-3),
    "adamw, one by one": lambda p: torch.optim.AdamW(p, lr=1e-3, foreach=False),
    "adamw, fused": lambda p: torch.optim.AdamW(p, lr=1e-3, fused=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=1e-3),
    "adafactor": lambda p: torch.optim.Adafactor(p, lr=1e-2),
    "lbfgs": lambda p: torch.optim.LBFGS(p, lr=0.1, max_iter=3),
    "plain": Plain,
    "memory replaced": Replacing,
    "of an optimizer": Outer,
}


def network():
    torch.manual_seed(0)
    sizes = [(30, 200), (200, 50), (50, 50), (50, 50), (50, 2)]
    return nn.Sequential(*(nn.Linear(*size) for size in sizes))


def layer_values(model):
    return {
        name: [p.detach().double().clone() for p in module.parameters(recurse=False)]
        for name, module in model.named_modules()
        if list(module.parameters(recurse=False))
    }


class Expected:
    """Ratios of update and weights as plainly as can be: float64, one layer at a time."""

    def __init__(self, norm_type=2.0):
        self.norm_type = norm_type
        self.ratios = []
        self._weights = {}

    def around(self, model, step):
        """Take a step, and note what it changed."""
        before = layer_values(model)
        step()
        if len(self.ratios) % EVERY_WEIGHT == 0:
            self._weights = {n: norm_of(values, self.norm_type) for n, values in before.items()}
        moved = {
            name: norm_of([b - a for b, a in zip(before[name], after, strict=True)], self.norm_type)
            for name, after in layer_values(model).items()
        }
        self.ratios.append({n: norm / self._weights[n] for n, norm in moved.items()})

    def check(self, directory, layers=("0", "1", "2", "3", "4"), *, rel=1e-5):
        for layer in layers:
            found = [ratio for _, ratio in recorded.scalars(directory, f"update_ratio/{layer}")]
            assert found == pytest.approx([ratios[layer] for ratios in self.ratios], rel=rel), layer


def train(directory, model, optimizer, *, steps=18, **options):
    expected = Expected(options.get("norm_type", 2.0))
    with SonifyWriter(str(directory)) as writer:
        writer.watch(model, optimizer, **options)
        for _ in range(steps):
            inputs = torch.randn(8, 30, dtype=next(model.parameters()).dtype)

            def closure(inputs=inputs):
                optimizer.zero_grad()
                loss = model(inputs).square().mean()
                loss.backward()
                return loss

            if isinstance(optimizer, torch.optim.LBFGS):
                expected.around(model, lambda closure=closure: optimizer.step(closure))
            else:
                closure()
                expected.around(model, optimizer.step)
    return expected


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_updates_are_what_the_optimizer_changes(name, tmp_path):
    model = network()
    train(tmp_path, model, OPTIMIZERS[name](model.parameters()), updates="exact").check(tmp_path)


@pytest.mark.parametrize("norm_type", [1.0, 3.0, float("inf")])
def test_updates_have_the_norm_type_of_the_watch(tmp_path, norm_type):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train(tmp_path, model, optimizer, norm_type=norm_type, updates="exact").check(tmp_path)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_updates_of_every_float_type(tmp_path, dtype):
    model = network().to(dtype)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    train(tmp_path, model, optimizer, updates="exact").check(tmp_path)


@pytest.mark.parametrize("name", ["momentum", "adamw"])
def test_a_sample_of_large_tensors_is_near(name, tmp_path, monkeypatch):
    monkeypatch.setattr(update_norms, "_EXACT", 4_096)
    model = network()
    expected = train(tmp_path, model, OPTIMIZERS[name](model.parameters()))
    expected.check(tmp_path, ["0", "1"], rel=0.12)
    expected.check(tmp_path, ["2", "3", "4"])  # small, so all of them is compared


def test_a_sample_meets_all_parts_of_a_tensor_alike():
    for shape in ((512, 512), (2048, 64), (64, 64, 3, 3), (4097,), (5000, 1), (3, 70_001)):
        before = torch.zeros(shape)
        for dim, size in enumerate(shape):
            if size < 64:
                continue
            for half in (slice(0, size // 2), slice(size // 2, size)):
                norms = UpdateNorms(2.0, exact=False)
                after = before.clone()
                norms.start([after])
                after[(slice(None),) * dim + (half,)] = 1.0
                power = norms.powers([after]).item()
                assert power == pytest.approx(after.sum().item(), rel=0.05), (shape, dim, half)


def test_without_updates_there_are_gradients_alone(tmp_path):
    model = network()
    train(tmp_path, model, torch.optim.SGD(model.parameters(), lr=0.1), updates=False)
    assert not [tag for tag in recorded.tags(tmp_path) if tag.startswith("update_ratio/")]
    assert recorded.steps_and_norms(tmp_path)[0] == list(range(18))


def test_an_unknown_way_to_measure_updates_is_an_error(writer):
    model = network()
    with pytest.raises(ValueError, match="updates must be True, False or 'exact', got 'some'"):
        writer.watch(model, updates="some")


def test_accumulated_gradients_and_skipped_steps(tmp_path):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    expected, steps = Expected(), []
    with SonifyWriter(str(tmp_path)) as writer:
        writer.watch(model, optimizer, updates="exact")
        for step in range(12):
            optimizer.zero_grad()
            for _ in range(2):
                loss = model(torch.randn(8, 30)).square().mean()
                scaler.scale(loss * (float("inf") if step % 5 == 3 else 1.0)).backward()
            if step % 5 == 3:
                scaler.step(optimizer)
            else:
                steps.append(step)
                expected.around(model, lambda: scaler.step(optimizer))
            scaler.update()
    assert recorded.steps_and_norms(tmp_path)[0] == steps
    expected.check(tmp_path)


def test_optimizers_in_backward_and_of_parts_make_one_row(tmp_path):
    model = network()
    optimizers = [torch.optim.SGD([p], lr=0.1) for p in model.parameters()]
    twin = copy.deepcopy(model)
    reference = torch.optim.SGD(twin.parameters(), lr=0.1)
    for p, optimizer in zip(model.parameters(), optimizers, strict=True):
        p.register_post_accumulate_grad_hook(lambda _, step=optimizer.step: step())
    expected = Expected()
    with SonifyWriter(str(tmp_path)) as writer:
        writer.watch(model, updates="exact")
        for _ in range(10):
            inputs = torch.randn(8, 30)
            model.zero_grad()
            model(inputs).square().mean().backward()
            reference.zero_grad()
            twin(inputs).square().mean().backward()
            expected.around(twin, reference.step)
    expected.check(tmp_path)
    assert recorded.steps_and_norms(tmp_path)[0] == list(range(10))


def test_a_step_that_fails_leaves_its_update_out_and_others_go_on(tmp_path):
    class Failing(torch.optim.SGD):
        fails = False

        def step(self, closure=None):
            super().step(closure)
            if self.fails:
                raise RuntimeError("out of memory")

    model = network()
    optimizer = Failing(model.parameters(), lr=0.1)
    expected = Expected()
    with SonifyWriter(str(tmp_path)) as writer:
        writer.watch(model, optimizer, every=2, updates="exact")
        for step in range(8):
            optimizer.zero_grad()
            model(torch.randn(8, 30)).square().mean().backward()
            optimizer.fails = step == 4
            if step == 4:
                with pytest.raises(RuntimeError, match="out of memory"):
                    optimizer.step()
            elif step % 2:
                optimizer.step()
            else:
                expected.around(model, optimizer.step)
    assert recorded.steps_and_norms(tmp_path)[0] == [0, 2, 4, 6]
    expected.check(tmp_path)
    assert [step for step, _ in recorded.scalars(tmp_path, "update_ratio/0")] == [0, 2, 6]


def test_a_layer_that_does_not_move_has_no_update_and_one_that_decays_has(tmp_path):
    model = network()
    model[0].requires_grad_(False)
    decaying = Plain(model.parameters())
    train(tmp_path / "decay", model, decaying, updates="exact").check(tmp_path / "decay")
    still = torch.optim.SGD(model.parameters(), lr=0.1)
    expected = train(tmp_path / "still", model, still, updates="exact")
    expected.check(tmp_path / "still", ["1", "2", "3", "4"])
    assert recorded.scalars(tmp_path / "still", "update_ratio/0") == []


def test_parameters_that_cannot_be_compared_are_left_out(tmp_path):
    model = network()
    model[2].gaps = nn.Parameter(torch.randn(40, 2)[:, 0])
    model[2].whole = nn.Parameter(torch.arange(4), requires_grad=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = train(tmp_path, model, optimizer, updates="exact")
    expected.check(tmp_path, ["0", "1", "3", "4"])
    assert len(recorded.scalars(tmp_path, "update_ratio/2")) == 18


def test_parameters_that_are_replaced_are_followed(tmp_path):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    expected = Expected()
    with SonifyWriter(str(tmp_path)) as writer:
        writer.watch(model, optimizer, updates="exact")
        for step in range(6):
            if step == 3:
                model[4] = nn.Linear(50, 2)
                optimizer.param_groups[0]["params"][-2:] = list(model[4].parameters())
            optimizer.zero_grad()
            model(torch.randn(8, 30)).square().mean().backward()
            expected.around(model, optimizer.step)
    found = [ratio for _, ratio in recorded.scalars(tmp_path, "update_ratio/0")]
    assert found == pytest.approx([ratios["0"] for ratios in expected.ratios], rel=1e-5)
    assert len(recorded.scalars(tmp_path, "update_ratio/4")) == 6


@pytest.mark.parametrize("clip", [None, torch.nn.utils.clip_grad_norm_, clip_grad_norm_])
@pytest.mark.parametrize("some", [False, True])
def test_many_optimizers_are_measured_together_and_as_truly(tmp_path, clip, some):
    torch.manual_seed(0)
    model = nn.ModuleDict({f"layer{i}": nn.Linear(12, 12) for i in range(12)})
    optimizers = {n: torch.optim.SGD(layer.parameters(), 0.1) for n, layer in model.items()}
    gradients, ratios, weights = {}, {}, {}
    with SonifyWriter(str(tmp_path)) as writer:
        writer.watch(model)
        for step in range(8):
            stepped = [n for i, n in enumerate(model) if not (some and step % 3 == 1 and i % 2)]
            hidden = torch.randn(5, 12)
            for layer in model.values():
                hidden = torch.tanh(layer(hidden))
            model.zero_grad()
            hidden.square().sum().backward()
            for name in stepped:
                parameters = list(model[name].parameters())
                before = [p.detach().clone() for p in parameters]
                norm = norm_of([p.grad for p in parameters])
                if clip is not None and len(ratios) % 2:
                    clip(parameters, 0.1 * norm)
                    if clip is not clip_grad_norm_:
                        norm = norm_of([p.grad for p in parameters])
                optimizers[name].step()
                weights.setdefault(name, norm_of(before))
                moved = norm_of([p - b for p, b in zip(parameters, before, strict=True)])
                gradients[name, step], ratios[name, step] = norm, moved / weights[name]
    for tag, expected in (("grad_norm", gradients), ("update_ratio", ratios)):
        found = {
            (name, step): value
            for name in model
            for step, value in recorded.scalars(tmp_path, f"{tag}/{name}")
        }
        assert found == pytest.approx(expected, rel=1e-5), tag
    assert recorded.steps_and_norms(tmp_path)[0] == list(range(8))
