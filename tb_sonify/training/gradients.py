"""The norm of each layer's gradient, on the gradients' device and without waiting for it."""

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from tb_sonify.contract import NO_GRADIENT
from tb_sonify.training.layers import Layers
from tb_sonify.training.norms import (
    goes_by_piece,
    owners_of_pieces,
    piece_norms,
    tensor_norms,
)

Gradients: TypeAlias = Sequence[Tensor | None]

_MAX_PLANS = 64  # a model whose gradients look different at every step must not fill memory


class LayerNorms:
    """The norms of layers, as if the gradients of a layer were one vector.

    Parameters
    ----------
    layers
        By `find_layers`.
    norm_type
        p of the p-norm, above 0; may be infinite.
    """

    def __init__(self, layers: Layers, *, norm_type: float = 2.0) -> None:
        self.names = tuple(layers)
        self.norm_type = float(norm_type)
        if not self.norm_type > 0:
            raise ValueError(f"norm_type must be above 0, got {norm_type!r}")
        self.parameters: list[nn.Parameter] = [p for owned in layers.values() for p in owned]
        self._layer_of = [i for i, owned in enumerate(layers.values()) for _ in owned]
        self._plans: dict[object, _Plan] = {}

    def is_of(self, other: "LayerNorms") -> bool:
        """Whether the other has the same layers, made of the same parameters."""
        return self.names == other.names and all(
            map(operator.is_, self.parameters, other.parameters)
        )

    @torch.no_grad()
    def __call__(self) -> Tensor:
        """The norms as they are now: float32, shape ``(layers,)``.

        `NO_GRADIENT` where no parameter of a layer has a gradient.
        """
        gradients = [p.grad for p in self.parameters]
        # Building this key and looking it up is all that a step pays for mixed models.
        kinds = tuple(
            [None if g is None else (g.device, g.dtype, g.layout, g.numel()) for g in gradients]
        )
        plan = self._plans.get(kinds)
        if plan is None:
            if len(self._plans) >= _MAX_PLANS:
                self._plans.clear()
            plan = self._plans[kinds] = _Plan.of(gradients, self._layer_of, len(self.names))
        return plan.norms(gradients, self.norm_type)


@dataclass(frozen=True)
class _Group:
    """Gradients of one device, dtype and layout."""

    positions: list[int]
    layer_of: Tensor  # of each gradient
    layer_of_piece: Tensor  # of each piece of them

    def powers(self, gradients: Gradients, norm_type: float, layers: int) -> Tensor:
        """Each layer's norm to the power of `norm_type`, before the root is taken."""
        tensors: list[Any] = [gradients[i] for i in self.positions]
        if goes_by_piece(tensors[0], norm_type):
            layer_of, norms = self.layer_of_piece, piece_norms(tensors)
        else:
            layer_of = self.layer_of
            norms = tensor_norms([_stored_values(tensor) for tensor in tensors], norm_type)
        zeros = norms.new_zeros(layers)
        if norm_type == math.inf:
            return zeros.scatter_reduce_(0, layer_of, norms, "amax")
        return zeros.index_add_(0, layer_of, norms.pow(norm_type))


@dataclass(frozen=True)
class _Plan:
    """How to take the norms, for one combination of devices, dtypes and missing gradients."""

    groups: list[_Group]  # those of the device where the norms end up come first
    absent: Tensor | None  # which layers have no gradient at all
    layers: int

    @classmethod
    def of(cls, gradients: Gradients, layer_of: Sequence[int], layers: int) -> "_Plan":
        kinds: dict[object, list[int]] = {}
        for i, g in enumerate(gradients):
            if g is not None:
                kinds.setdefault((g.device, g.dtype, g.layout), []).append(i)
        groups = [_group(positions, gradients, layer_of) for positions in kinds.values()]
        groups.sort(key=lambda group: group.layer_of.device.type == "cpu")
        present = {layer for layer, g in zip(layer_of, gradients, strict=True) if g is not None}
        home = groups[0].layer_of.device if groups else torch.device("cpu")
        absent = _moved(torch.tensor([i not in present for i in range(layers)]), home)
        return cls(groups, absent if len(present) < layers else None, layers)

    def norms(self, gradients: Gradients, norm_type: float) -> Tensor:
        if not self.groups:
            return torch.full((self.layers,), NO_GRADIENT)
        total, *others = (g.powers(gradients, norm_type, self.layers) for g in self.groups)
        for part in others:
            part = _moved(part.to(total.dtype), total.device)
            total = torch.maximum(total, part) if norm_type == math.inf else total + part
        norms = (total if norm_type == math.inf else total.pow(1 / norm_type)).float()
        return norms if self.absent is None else norms.masked_fill_(self.absent, NO_GRADIENT)


def _group(positions: list[int], gradients: Gradients, layer_of: Sequence[int]) -> _Group:
    tensors: list[Any] = [gradients[i] for i in positions]
    layers = [layer_of[i] for i in positions]
    device = tensors[0].device
    by_piece = torch.tensor(owners_of_pieces(tensors, layers))
    return _Group(positions, _moved(torch.tensor(layers), device), by_piece)


def _moved(tensor: Tensor, device: torch.device) -> Tensor:
    """A copy on `device`; a GPU is not waited for, which pageable memory could make us do."""
    if device.type == "cuda" and tensor.device.type == "cpu":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=device.type == "cuda")


def _stored_values(gradient: Tensor) -> Tensor:
    """The values that a gradient stores: those of a sparse one add up first."""
    if gradient.layout == torch.strided:
        return gradient
    return gradient.coalesce().values() if gradient.is_sparse else gradient.values()
