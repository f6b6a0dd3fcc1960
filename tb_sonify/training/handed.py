"""Norms that clipping took anyway, kept for the optimizer's next step."""

from collections.abc import Iterable, Sequence
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
        Of each gradient, in a dtype that can hold it, by torch; `None`: they are measured now.
    """

    def __init__(
        self, gradients: Sequence[Tensor], norms: Sequence[Tensor] | None, norm_type: float
    ) -> None:
        self.norm_type = norm_type
        whole = [reduced(gradient) for gradient in gradients]
        self.powers = _powers([_local(gradient) for gradient in whole], norms, norm_type)
        self.pieces = [_piece(each) for each in (whole if norms is None else norms)]
        # Of a gradient that is freed meanwhile nothing must stay.
        self._gradients = [ref(gradient) for gradient in gradients]
        self._versions = [_version(gradient) for gradient in gradients]
        self._places = {id(gradient): i for i, gradient in enumerate(gradients)}

    def place_of(self, gradient: Tensor) -> int | None:
        """Where the norm of a gradient is among `powers`, if it still holds."""
        place = self._places.get(id(gradient))
        if place is None or self._gradients[place]() is not gradient:
            return None
        return place if self._versions[place] == _version(gradient) else None

    def holds(self) -> bool:
        """Whether it is still of use, as far as its first gradient can tell."""
        first = self._gradients[0]()
        return first is not None and self.place_of(first) is not None

    def keep(self, gradients: Iterable[Tensor]) -> None:
        """Hold on to the norms of gradients that were clipped."""
        for gradient in gradients:
            place = self._places.get(id(gradient))
            if place is not None and self._gradients[place]() is gradient:
                self._versions[place] = _version(gradient)


def _powers(tensors: list[Tensor], norms: Sequence[Tensor] | None, norm_type: float) -> Tensor:
    if norms is None or any(tensor.layout != torch.strided for tensor in tensors):
        return _measured(tensors, norm_type)
    values = torch.stack([_local(norm) for norm in norms])
    values = values if values.device.type == "mps" else values.double()
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


def _version(gradient: Any) -> int:
    """A number that grows whenever the values change in place."""
    if type(gradient) is not Tensor and mesh_of(gradient) is not None:
        gradient = gradient.to_local()
    return -1 if gradient.is_inference() else gradient._version
