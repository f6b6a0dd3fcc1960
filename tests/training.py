"""A small network in real training."""

import gc

import numpy as np
import torch
from torch import nn

from tb_sonify.training.grad_norms import LayerNorms
from tests.reference import layer_norms


def network():
    """Two layers with parameters, `0` and `2`."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))


def sgd(model):
    """An optimizer that changes little."""
    return torch.optim.SGD(model.parameters(), lr=0.01)


def watched(writer, **options):
    """A network and its optimizer, which the writer watches."""
    model = network()
    optimizer = sgd(model)
    writer.watch(model, optimizer, **options)
    return model, optimizer


def backward(model):
    """Fresh gradients; gives their norms, computed one layer at a time in float64."""
    model.zero_grad()
    model(torch.randn(3, 4)).square().sum().backward()
    return layer_norms(model)


def pre_clip_sums():
    """What is kept of gradients that were clipped, of each layer of all models."""
    gc.collect()
    norms = [each for each in gc.get_objects() if type(each) is LayerNorms]
    return [kept for each in norms for kept in each.versions.values()]


def train(model, optimizer, steps):
    """Train, and give the norms of each step, computed one layer at a time in float64."""
    norms = []
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(3, 4)).square().sum().backward()
        norms.append([_norm(layer) for layer in model if list(layer.parameters())])
        optimizer.step()
    return np.array(norms)


def _norm(layer):
    values = torch.cat([p.grad.double().flatten() for p in layer.parameters()])
    return values.norm().item()
