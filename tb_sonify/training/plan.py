"""How to take norms of many tensors at once, for one combination of devices and dtypes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor

from tb_sonify.training.norms import (
    goes_by_piece,
    is_one_piece,
    one_piece_norms,
    owners_of_pieces,
    piece_norms,
    tensor_norms,
)

Gradients: TypeAlias = Sequence[Tensor | None]


@dataclass(frozen=True)
class Plan:
    """The sums of powers of tensors, those of one owner together, on the device where most are.

    Attributes
    ----------
    groups
        Those of the device where the sums end up come first.
    home
        That device.
    """

    groups: "list[_Group]"
    home: torch.device
    owners: int

    @classmethod
    def of(cls, gradients: Gradients, owner_of: Sequence[int], owners: int) -> "Plan":
        """A plan for gradients like these; `owner_of` has the owner of each, ``[0, owners)``."""
        kinds: dict[object, list[int]] = {}
        for i, g in enumerate(gradients):
            if g is not None:
                kinds.setdefault((g.device, g.dtype, g.layout), []).append(i)
        groups = [_group(positions, gradients, owner_of) for positions in kinds.values()]
        groups.sort(key=lambda group: group.owner_of.device.type == "cpu")
        return cls(groups, groups[0].owner_of.device if groups else torch.device("cpu"), owners)

    def sums(self, gradients: Gradients, norm_type: float) -> Tensor:
        """For each owner the norm to the power of `norm_type`; the norm itself, if infinite."""
        total = torch.zeros(self.owners, dtype=torch.float64) if not self.groups else None
        for group in self.groups:
            part = group.sums(gradients, norm_type, self.owners)
            total = part if total is None else plus(total, part, norm_type)
        assert total is not None
        return total


def kinds_of(gradients: Gradients) -> tuple[object, ...]:
    """What a plan depends on."""
    return tuple(
        [None if g is None else (g.device, g.dtype, g.layout, g.numel()) for g in gradients]
    )


def summed(norms: Tensor, owner_of: Tensor, owners: int, norm_type: float) -> Tensor:
    """The sums of powers of some norms, those of one owner together."""
    return summed_powers(to_power(norms, norm_type), owner_of, owners, norm_type)


def summed_powers(powers: Tensor, owner_of: Tensor, owners: int, norm_type: float) -> Tensor:
    """The same of what `to_power` gave."""
    zeros = powers.new_zeros(owners)
    if norm_type == math.inf:
        return zeros.scatter_reduce_(0, owner_of, powers, "amax")
    return zeros.index_add_(0, owner_of, powers)


def to_power(norms: Tensor, norm_type: float) -> Tensor:
    """Norms as numbers that add up to the norm of all; infinite ones do so by their maximum."""
    return norms if norm_type == math.inf else norms.pow(norm_type)


def to_root(sums: Tensor, norm_type: float) -> Tensor:
    """The norms again."""
    return sums if norm_type == math.inf else sums.pow(1 / norm_type)


def plus(total: Tensor, part: Tensor, norm_type: float) -> Tensor:
    """Two sums of powers as one, on the device of the first."""
    part = moved(part.to(total.dtype), total.device)
    return torch.maximum(total, part) if norm_type == math.inf else total + part


def moved(tensor: Tensor, device: torch.device) -> Tensor:
    """A copy on `device`; a GPU is not waited for, which pageable memory could make us do."""
    if device.type == "cuda" and tensor.device.type == "cpu":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=device.type == "cuda")


@dataclass(frozen=True)
class _Group:
    """Gradients of one device, dtype and layout."""

    positions: list[int]
    owner_of: Tensor  # of each gradient
    owner_of_piece: Tensor | None  # of each piece of them; `None`: none is cut

    def sums(self, gradients: Gradients, norm_type: float, owners: int) -> Tensor:
        tensors: list[Any] = [gradients[i] for i in self.positions]
        if goes_by_piece(tensors[0], norm_type):
            if self.owner_of_piece is None:
                return summed(one_piece_norms(tensors), self.owner_of, owners, norm_type)
            return summed(piece_norms(tensors), self.owner_of_piece, owners, norm_type)
        norms = tensor_norms([_stored_values(tensor) for tensor in tensors], norm_type)
        return summed(norms, self.owner_of, owners, norm_type)


def _group(positions: list[int], gradients: Gradients, owner_of: Sequence[int]) -> _Group:
    tensors: list[Any] = [gradients[i] for i in positions]
    owners = [owner_of[i] for i in positions]
    device = tensors[0].device
    whole = all(map(is_one_piece, tensors))
    by_piece = None if whole else torch.tensor(owners_of_pieces(tensors, owners))
    return _Group(positions, moved(torch.tensor(owners), device), by_piece)


def _stored_values(gradient: Tensor) -> Tensor:
    """The values that a gradient stores: those of a sparse one add up first."""
    if gradient.layout == torch.strided:
        return gradient
    return gradient.coalesce().values() if gradient.is_sparse else gradient.values()
