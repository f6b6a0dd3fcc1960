"""What is watched is copied, saved and exported as ever, and nothing stays once it is not."""

import copy
import gc
import io
import pickle
import weakref

import pytest
import torch
from torch import nn
from torch.amp import GradScaler
from torch.optim.optimizer import _global_optimizer_pre_hooks

from tb_sonify import clip_grad_norm_
from tb_sonify.training import amp, clip_grad
from tests.training import network, pre_clip_sums, train

INPUTS = torch.ones(3, 4)


@pytest.fixture
def optimizer(model):
    return torch.optim.Adam(model.parameters(), lr=0.01)


@pytest.fixture(params=["optimizer", "any"])
def watched(request, writer, model, optimizer):
    """A model in training, all of whose gradients have just been clipped."""
    watch = writer.watch(model, optimizer if request.param == "optimizer" else None)
    train(model, optimizer, 3)
    clip_grad_norm_(model.parameters(), 1e-3)
    return watch


def pickled(thing):
    return pickle.loads(pickle.dumps(thing))


def saved(thing):
    buffer = io.BytesIO()
    torch.save(thing, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=False)


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize("twin_of", [copy.deepcopy, copy.copy, pickled, saved])
def test_model_and_optimizer_have_twins_that_train_unwatched(model, optimizer, twin_of):
    twin = twin_of(model)
    assert torch.equal(twin(INPUTS), model(INPUTS))
    assert vars(twin).keys() == vars(network()).keys()
    other = twin_of(optimizer)
    assert other.state_dict().keys() == optimizer.state_dict().keys()
    if twin_of is not copy.copy:
        assert not getattr(other, "_optimizer_step_pre_hooks", None)
    assert not any("sonify" in str(key) for thing in (twin, other) for key in vars(thing))


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize("twin_of", [copy.deepcopy, pickled, saved])
def test_states_are_those_of_an_unwatched_training(model, optimizer, twin_of):
    unwatched = torch.optim.Adam(model.parameters(), lr=0.01)
    unwatched.load_state_dict(twin_of(optimizer.state_dict()))
    assert unwatched.state_dict().keys() == optimizer.state_dict().keys()
    scaler = GradScaler("cpu")
    assert twin_of(scaler).state_dict() == scaler.state_dict()
    model.load_state_dict(twin_of(model.state_dict()))
    train(model, optimizer, 2)


@pytest.mark.usefixtures("watched")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # of jit
def test_a_watched_model_is_scripted_traced_and_exported(model):
    exports = [
        torch.jit.script(model),
        torch.jit.trace(model, INPUTS),
        torch.export.export(model, (INPUTS,)).module(),
        torch.fx.symbolic_trace(model),
    ]
    for exported in exports:
        assert torch.equal(exported(INPUTS), model(INPUTS))


def test_once_removed_there_is_no_trace(watched, writer, model, optimizer):
    fresh = torch.optim.Adam(network().parameters(), lr=0.01)
    watched.remove()
    watched.remove()
    assert vars(optimizer).keys() == vars(fresh).keys()
    assert not optimizer._optimizer_step_pre_hooks
    assert not _global_optimizer_pre_hooks
    assert GradScaler.step.__module__ == "torch.amp.grad_scaler"
    assert not hasattr(GradScaler.step, "__wrapped__")
    assert not clip_grad._listeners
    assert not pre_clip_sums()
    assert not amp._counters
    for module in model.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
    for parameter in model.parameters():
        assert not parameter._backward_hooks
        assert not vars(parameter)
        assert not vars(parameter.grad)
    writer.close()


def test_models_and_optimizers_are_freed_when_they_are_gone(writer):
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    watch = writer.watch(model, optimizer)
    model(INPUTS).sum().backward()
    clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    watch.remove()
    gone = [weakref.ref(model), weakref.ref(optimizer), weakref.ref(model.weight)]
    del model, optimizer, watch
    gc.collect()
    writer.add_norms({"a": 1.0}, 1)  # hands the last row on
    assert [each() for each in gone] == [None] * 3
