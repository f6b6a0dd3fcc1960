"""Gradients of unusual types, and devices that lack something."""

import math
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tb_sonify import SonifyWriter
from tb_sonify.schema.notes import NO_GRADIENT
from tb_sonify.training.grad_norms import LayerNorms
from tb_sonify.training.tensor_norms import tensor_norms, widest_float
from tests import recorded
from tests.training import network

VALUES = torch.tensor([[1.0, -2.0, 0.5], [3.0, 0.0, -4.0]])
KINDS = {
    "float8_e4m3fn": lambda: VALUES.to(torch.float8_e4m3fn),
    "float8_e5m2": lambda: VALUES.to(torch.float8_e5m2),
    "complex64": lambda: VALUES * (0.6 + 0.8j),
    "quantized": lambda: torch.quantize_per_tensor(VALUES, 0.5, 0, torch.qint8),
    "nested": lambda: torch.nested.nested_tensor([VALUES[0], VALUES[1, :1], VALUES[1, 1:]]),
    "jagged": lambda: torch.nested.nested_tensor([*VALUES], layout=torch.jagged),
    "sparse": lambda: VALUES.to_sparse(),
    "sparse by rows": lambda: VALUES.to_sparse_csr(),
    "mkldnn": lambda: VALUES.to_mkldnn(),
}


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")  # unstable layouts
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_unusual_types_have_norms(kind):
    gradient = KINDS[kind]()
    for norm_type in (1.0, 2.0, math.inf):
        norm = torch.linalg.vector_norm(VALUES.double(), norm_type).item()
        found = tensor_norms([gradient, gradient], norm_type)
        assert found.tolist() == pytest.approx([norm, norm], rel=1e-6)


class Opaque(torch.Tensor):
    """A gradient of a library of its own, of which torch can do nothing."""

    @staticmethod
    def __new__(cls, shape):
        return torch.Tensor._make_wrapper_subclass(cls, shape)

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        raise NotImplementedError(f"{function} of an opaque tensor")


def test_a_gradient_that_cannot_be_reduced_leaves_its_layer_out_with_one_warning(tmp_path):
    model = network()
    odd = nn.Linear(2, 2)
    model.add_module("odd", odd)
    model.add_module("float8", nn.Linear(2, 2).to(torch.float8_e4m3fn))
    with SonifyWriter(str(tmp_path)) as writer, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for step in range(3):
            for p in model.parameters():
                p.grad = torch.full(p.shape, 1.0 + step).to(p.dtype)
            odd.bias.grad = Opaque((2,))
            writer.add_gradient_norms(model, step)
    rows = [[(1 + step) * math.sqrt(n) for n in (40, 18)] for step in range(3)]
    (warning,) = warned
    assert str(warning.message) == "layers whose gradients torch cannot reduce are left out: odd"
    block = recorded.all_rows(tmp_path)
    assert block.layers == ("0", "2", "odd", "float8")
    np.testing.assert_allclose(block.norms[:, :2], rows, rtol=0.004)
    assert (block.norms[:, 2] == NO_GRADIENT).all()
    np.testing.assert_allclose(block.norms[:, 3], np.sqrt(6) * np.arange(1, 4), rtol=0.004)


@pytest.mark.parametrize(
    ("change", "value", "back"),
    [
        (torch.set_default_device, "meta", None),
        (torch.set_default_dtype, torch.float64, torch.float32),
        (torch.set_default_dtype, torch.float16, torch.float32),
    ],
    ids=["device", "float64", "float16"],
)
def test_defaults_of_the_process_have_no_part_in_norms(change, value, back, tmp_path):
    model = network()
    with SonifyWriter(str(tmp_path)) as writer:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        writer.watch(model, optimizer)
        change(value)
        try:
            for _ in range(3):
                for p in model.parameters():
                    p.grad = torch.ones_like(p)
                optimizer.step()
                writer.flush()
        finally:
            change(back)
    block = recorded.all_rows(tmp_path)
    assert block.steps.tolist() == [0, 1, 2]
    np.testing.assert_allclose(block.norms, [np.sqrt([40, 18])] * 3, rtol=0.004)


class WithoutFloat64(TorchDispatchMode):
    """Has the device "meta" refuse float64, as MPS does."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for each in tree_leaves(result):
            if isinstance(each, torch.Tensor) and (each.device.type, each.dtype) == (
                "meta",
                torch.float64,
            ):
                raise TypeError("Cannot convert a MPS Tensor to float64 dtype")
        return result


def test_a_device_without_float64_is_never_asked_for_it():
    model = nn.Linear(3, 2, device="meta")
    layers = {"there": [*model.parameters()], "here": [*nn.Linear(3, 2).parameters()]}
    for p in (p for owned in layers.values() for p in owned):
        p.grad = torch.ones_like(p)
    widest_float.cache_clear()
    try:
        with WithoutFloat64():
            for norm_type in (1.0, 2.0, math.inf):
                assert tensor_norms([*model.parameters()], norm_type).dtype == torch.float32
                assert LayerNorms(layers, norm_type=norm_type)().dtype == torch.float32
        assert widest_float(torch.device("cpu")) == torch.float64
    finally:
        widest_float.cache_clear()
