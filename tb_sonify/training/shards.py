"""Which part of each gradient a process has to count, where parameters are sharded."""

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from torch import Tensor

from tb_sonify.training.plan import Gradients
from tb_sonify.training.ranks import rank


class Shards:
    """Counts each piece of a gradient in one process alone, so that sums over all are right.

    Attributes
    ----------
    ranks
        The processes that hold pieces, in order. The first also counts what is not sharded,
        which all of them have.
    """

    def __init__(self, meshes: Iterable[Any]) -> None:
        held = {id(mesh): frozenset(mesh.mesh.flatten().tolist()) for mesh in meshes}
        self.ranks = tuple(sorted(frozenset().union(*held.values())))
        self._is_first = rank() == self.ranks[0]
        self._counts: dict[tuple[Any, Any], bool] = {}

    @classmethod
    def of(cls, parameters: Iterable[Tensor]) -> "Shards | None":
        """The shards of a model; `None` if no parameter is sharded."""
        meshes = {id(mesh): mesh for p in parameters if (mesh := mesh_of(p)) is not None}
        return cls(meshes.values()) if meshes else None

    def counted(self, gradients: Gradients) -> list[Tensor | None]:
        """What this process has to count of each gradient."""
        return [None if gradient is None else self._counted(gradient) for gradient in gradients]

    def counts(self, mesh: Any, placements: Any) -> bool:
        """Whether this process counts its piece of a tensor; a copy counts in one place alone.

        Parameters
        ----------
        mesh, placements
            Of a `DTensor`; `None` for a plain tensor.
        """
        if mesh is None:
            return self._is_first
        key = (mesh, placements)
        known = self._counts.get(key)
        if known is None:
            place = mesh.get_coordinate()
            known = self._counts[key] = (
                place is not None
                # Where processes have meshes of their own, that of the first counts.
                and self.ranks[0] in mesh.mesh.flatten().tolist()
                and all(
                    at == 0 or not placement.is_replicate()
                    for at, placement in zip(place, placements, strict=True)
                )
            )
        return known

    def _counted(self, gradient: Tensor) -> Tensor | None:
        if mesh_of(gradient) is None:
            return gradient if self._is_first else None
        tensor = reduced(gradient)
        return tensor.to_local() if self.counts(tensor.device_mesh, tensor.placements) else None


def mesh_of(tensor: Tensor) -> Any:
    """The mesh over which a tensor is sharded, `None` if it is not."""
    return getattr(tensor, "device_mesh", None) if type(tensor) is not Tensor else None


def reduced(tensor: Any) -> Any:
    """A tensor without partial placements: their values are not known before they are added.

    All processes of the mesh must take part, as in the optimizer's own step.
    """
    if mesh_of(tensor) is None or not any(each.is_partial() for each in tensor.placements):
        return tensor
    # Before torch 2.5 there is no torch.distributed.tensor, and afterwards this is its alias.
    replicate = import_module("torch.distributed._tensor").Replicate()
    placements = [replicate if each.is_partial() else each for each in tensor.placements]
    return tensor.redistribute(placements=placements)
