"""Gradients of unusual types, and devices that lack something."""

import math

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tb_sonify.training.tensor_norms import tensor_norms, widest_float

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
    widest_float.cache_clear()
    try:
        with WithoutFloat64():
            for norm_type in (1.0, 2.0, math.inf):
                norms = tensor_norms([*model.parameters()], norm_type)
                assert norms.dtype == torch.float32
        assert widest_float(torch.device("cpu")) == torch.float64
    finally:
        widest_float.cache_clear()
