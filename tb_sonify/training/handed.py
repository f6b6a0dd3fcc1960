"""Norms that clipping took anyway, kept for the optimizer's next step."""

from collections.abc import Sequence
from typing import Any
from weakref import ref

import torch
from torch import Tensor

from tb_sonify.training.norms import inexact
from tb_sonify.training.plan import Plan, to_power
from tb_sonify.training.shards import mesh_of, reduced


class Handed:
    """The norms of some gradients of one device, each to the power of the norm's type.

    They hold for as long as nothing but clipping changes a gradient.

    Parameters
    ----------
    norms
        Of each gradient, in a dtype that can hold it, by torch: one by one or as one tensor;
        `None`: they are measured now.
    """

    def __init__(
        self,
        gradients: Sequence[Tensor],
        norms: Tensor | Sequence[Tensor] | None,
        norm_type: float,
    ) -> None:
        self.norm_type = norm_type
        self._plain = all(type(gradient) is Tensor for gradient in gradients)
        whole = gradients if self._plain else [reduced(gradient) for gradient in gradients]
        here = whole if self._plain else [_local(gradient) for gradient in whole]
        self.powers = _powers(here, norms, norm_type)
        self._pieces = None if self._plain else [_piece(each) for each in norms or whole]
        # Of a gradient that is freed meanwhile nothing must stay.
        self._gradients = [ref(gradient) for gradient in gradients]
        self._versions: list[int] = []
        self._places = {id(gradient): i for i, gradient in enumerate(gradients)}

    def piece(self, place: int) -> tuple[Any, Any]:
        """Of what the norm is that of a piece: mesh and placements, `None` if it is of all."""
        return (None, None) if self._pieces is None else self._pieces[place]

    def place_of(self, gradient: Tensor) -> int | None:
        """Where the norm of a gradient is among `powers`, if it still holds."""
        place = self._places.get(id(gradient))
        if place is None or self._gradients[place]() is not gradient:
            return None
        return place if self._versions[place] == self._version(gradient) else None

    def holds(self, number: int) -> bool:
        """Whether the norm of the gradient with this `id` is still of use."""
        place = self._places.get(number)
        gradient = None if place is None else self._gradients[place]()
        return gradient is not None and self.place_of(gradient) is not None

    def keep(self, gradients: Sequence[Tensor]) -> None:
        """Hold on to the norms of gradients that were clipped: of all at first, then of some."""
        if not self._versions:
            self._versions = [self._version(gradient) for gradient in gradients]
            return
        for gradient in gradients:
            self._versions[self._places[id(gradient)]] = self._version(gradient)

    def _version(self, gradient: Any) -> int:
        """A number that grows whenever the values change in place."""
        if not self._plain and mesh_of(gradient) is not None:
            gradient = gradient.to_local()
        return -1 if gradient.is_inference() else gradient._version


def _powers(
    tensors: Sequence[Tensor], norms: Tensor | Sequence[Tensor] | None, norm_type: float
) -> Tensor:
    if norms is None or any(tensor.layout != torch.strided for tensor in tensors):
        return _measured(tensors, norm_type)
    if not isinstance(norms, Tensor):
        norms = torch.stack([_local(norm) for norm in norms])
    values = norms if norms.device.type == "mps" else norms.double()
    powers = to_power(values, norm_type)
    again = inexact(tensors, values, norm_type)
    if again:
        powers[again] = _measured([tensors[i] for i in again], norm_type)
    return powers


def _measured(tensors: Sequence[Tensor], norm_type: float) -> Tensor:
    return Plan.of(tensors, range(len(tensors)), len(tensors)).sums(tensors, norm_type)


def _local(tensor: Any) -> Tensor:
    """The piece that is here; of a norm, that of the piece."""
    return tensor if mesh_of(tensor) is None else tensor.to_local()


def _piece(tensor: Any) -> tuple[Any, Any]:
    """Of what a tensor here is a piece: mesh and placements."""
    return (None, None) if mesh_of(tensor) is None else (tensor.device_mesh, tensor.placements)
