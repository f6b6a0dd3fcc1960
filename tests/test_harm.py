"""Whatever is wrong with what is watched: the weights are those of a training without us."""

import math
import shutil
import time
import warnings
from dataclasses import dataclass, field
from itertools import count

import numpy as np
import pytest
import torch
from torch import nn

from tb_sonify import SonifyWriter
from tests import recorded
from tests.reference import assert_norms, layer_norms
from tests.training import network

STEPS = 12
CHANGE = 5  # the step before which a model is changed


def nothing(_):
    """What else might be done."""


class Network(nn.ModuleDict):
    """Layers in a row, of which any may be missing."""

    def __init__(self):
        super().__init__({"a": nn.Linear(3, 4), "b": nn.Linear(4, 4), "c": nn.Linear(4, 2)})
        self.unused = nn.Parameter(torch.ones(3))

    def forward(self, values):
        for name in ("a", "b", "c", "d"):
            values = self[name](values).tanh() if name in self else values
        return values


@dataclass
class Training:
    """A training that is watched, or not; `change` is called before step `CHANGE`."""

    model: nn.Module = field(default_factory=Network)
    watched: nn.Module | None = None  # another model
    steps: int = STEPS
    norms: dict[int, dict[str, float]] = field(default_factory=dict)

    def __post_init__(self):
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)

    def run(self, change, before_step=nothing):
        for step in range(self.steps):
            before_step(step)
            if step == CHANGE:
                change(self)
            self.optimizer.zero_grad()
            dtype = next(self.model.parameters()).dtype
            loss = self.model(torch.randn(5, 3, dtype=dtype)).square().sum()
            if loss.requires_grad:
                loss.backward()
            self.norms[step] = layer_norms(self.model)
            self.optimizer.step()
        return [p.detach().clone() for p in self.model.parameters()]


def trained(change=nothing, make=Training, watch=nothing, before_step=nothing):
    torch.manual_seed(0)
    training = make()
    watch(training)
    return training, training.run(change, before_step)


def assert_unharmed(writer, change=nothing, make=Training, *, warns=(), **watch):
    """Train with and without a watch; gives the watched training."""
    _, plain = trained(change, make)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        training, weights = trained(
            change, make, lambda t: writer.watch(t.watched or t.model, t.optimizer, **watch)
        )
        writer.close()
    said = [str(each.message) for each in caught]
    assert len(said) == len(warns), said
    for message, expected in zip(said, warns, strict=True):
        assert expected in message
    for mine, theirs in zip(weights, plain, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=0, equal_nan=True)
    return training


def poison(training):
    training.model["b"].weight.data[0, 0] = math.nan


def freeze(training):
    training.model["b"].requires_grad_(False)


def freeze_all(training):
    training.model.requires_grad_(False)


def widen(training):
    training.model.double()


def add(training):
    training.model["d"] = nn.Linear(2, 2)
    training.optimizer.add_param_group({"params": training.model["d"].parameters()})


def remove(training):
    del training.model["b"]
    training.optimizer = torch.optim.SGD(training.model.parameters(), lr=0.1)


def replace(training):
    training.model["b"] = nn.Linear(4, 4)
    training.optimizer.param_groups[0]["params"] = list(training.model.parameters())


@pytest.mark.parametrize("change", [poison, freeze, freeze_all, widen, add, replace])
def test_a_model_that_changes_while_it_is_watched(writer, tmp_path, change):
    training = assert_unharmed(writer, change)
    assert_norms(tmp_path, training.norms)


def test_a_model_that_changes_with_its_optimizer(writer, tmp_path):
    _, plain = trained(remove)
    training, weights = trained(remove, watch=lambda t: writer.watch(t.model))
    writer.close()
    assert all(map(torch.equal, weights, plain))
    assert_norms(tmp_path, training.norms)


def test_a_layer_that_is_replaced_without_its_optimizer_knowing_has_no_gradient(writer, tmp_path):
    def forget(training):
        training.model["b"] = nn.Linear(4, 4)

    training = assert_unharmed(writer, forget)
    for step in range(CHANGE, STEPS):
        training.norms[step].pop("b")  # which no optimizer is given
    assert_norms(tmp_path, training.norms)


@pytest.mark.training
def test_five_thousand_layers(writer, tmp_path):
    def deep():
        layers = [nn.Linear(1, 1) for _ in range(4_998)]
        return Training(nn.Sequential(nn.Linear(3, 1), *layers, nn.Linear(1, 2)), steps=2)

    training = assert_unharmed(writer, make=deep)
    block = recorded.all_rows(tmp_path)
    assert len(block.layers) == 5_000
    expected = [[*norms.values()] for norms in training.norms.values()]
    np.testing.assert_allclose(block.norms, expected, rtol=0.004, atol=1e-37)


def test_no_layers(writer, tmp_path):
    make = lambda: Training(watched=nn.Sequential(nn.ReLU()))  # noqa: E731
    message = (
        "nothing is watched: a model must have a layer with parameters to be heard: Sequential"
    )
    assert_unharmed(writer, make=make, warns=[message])
    assert "sonify/rows" not in recorded.tags(tmp_path)


def test_patterns_that_leave_no_layer(writer, tmp_path):
    assert_unharmed(writer, warns=["include='conv*' and exclude=None leave none"], include="conv*")
    assert "sonify/rows" not in recorded.tags(tmp_path)


def test_after_backward_a_model_without_layers_is_said_once(writer):
    model = nn.Sequential(nn.ReLU())
    with pytest.warns(RuntimeWarning, match="nothing is logged: a model must have a layer"):
        writer.add_gradient_norms(model, 0)
    writer.add_gradient_norms(model, 1)  # a second warning would be an error here


def test_an_optimizer_of_other_parameters_until_it_gets_those_that_are_watched(writer, tmp_path):
    def adopt(training):
        training.optimizer.add_param_group({"params": training.watched.parameters()})

    make = lambda: Training(watched=network())  # noqa: E731
    message = "until the optimizer holds a parameter of the layers that are watched"
    assert_unharmed(writer, adopt, make, warns=[f"nothing is logged {message}"])
    block = recorded.all_rows(tmp_path)
    assert len(block.steps) == STEPS - CHANGE
    assert block.layers == ("0", "2")


def test_a_closed_writer(writer, tmp_path):
    writer.close()
    assert_unharmed(writer, warns=["they need an open writer, and this one is closed"])
    assert "sonify/rows" not in recorded.tags(tmp_path)


def test_a_directory_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.warns(RuntimeWarning, match="cannot write to .*NotADirectoryError"):
        writer = SonifyWriter(str(tmp_path / "file" / "run"))
    assert_unharmed(writer)
    assert (tmp_path / "file").read_text() == ""


def test_a_directory_that_is_deleted(writer, tmp_path):
    def delete(step):
        writer.flush()
        if step == CHANGE:
            shutil.rmtree(tmp_path)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _, weights = trained(watch=lambda t: writer.watch(t.model, t.optimizer), before_step=delete)
        writer.close()
    assert len(caught) == 1
    assert "FileNotFoundError" in str(caught[0].message)
    assert all(map(torch.equal, weights, trained()[1]))


@pytest.mark.parametrize("jump", [-7_200.0, 7_200.0])
def test_a_clock_that_jumps(tmp_path, monkeypatch, open_client, jump):
    real, calls = time.time, count()
    monkeypatch.setattr(time, "time", lambda: real() + (jump if next(calls) % 7 > 3 else 0.0))
    with SonifyWriter(str(tmp_path / "run")) as writer:
        training, weights = trained(
            watch=lambda t: writer.watch(t.model, t.optimizer),
            before_step=lambda _: writer.flush(),  # so that every row is a block
        )
    monkeypatch.undo()
    assert all(map(torch.equal, weights, trained()[1]))
    assert_norms(tmp_path / "run", training.norms)
    coverage = open_client(tmp_path).block_of("coverage", run="run")
    assert coverage.arrays["steps"].tolist() == [*range(STEPS), STEPS - 1]
    assert coverage.header["missing"] == []
