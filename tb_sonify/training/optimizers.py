"""Which layers are measured when an optimizer steps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary, ref

from torch import Tensor
from torch.optim import Optimizer

from tb_sonify.training.sources import Measured


@dataclass(frozen=True)
class _Holding:
    groups: tuple[Any, ...]  # by which it is seen that an optimizer got other parameters
    parameters: frozenset[Tensor]
    part: Measured | None


class Holdings:
    """Which part of the watched layers each optimizer steps.

    An optimizer of many holds some of the layers; a layer that two of them hold is measured with
    the first of the two. Parameters that a model or an optimizer gets later are found when an
    optimizer with other parameters steps.

    Parameters
    ----------
    find
        The layers of the model as they are now.
    only
        The one optimizer that counts, with all of the layers.
    """

    def __init__(self, find: Callable[[], Measured], *, only: Optimizer | None) -> None:
        self._find = find
        self._all = find()
        self._only = ref(only) if only is not None else None
        self._known: WeakKeyDictionary[Optimizer, _Holding] = WeakKeyDictionary()

    @property
    def names(self) -> tuple[str, ...]:
        """The layers of the model."""
        return self._all.norms.names

    @property
    def measured(self) -> list[Measured]:
        """All that is measured by now."""
        return [self._all, *(each.part for each in self._known.values() if each.part)]

    def of(self, optimizer: Optimizer) -> Measured | None:
        """What is measured when the optimizer steps; `None`: it holds none of the layers."""
        if self._only is not None and self._only() is not optimizer:
            return None
        known = self._known.get(optimizer)
        groups = groups_of(optimizer)
        if known is None or known.groups != groups:
            known = self._look(optimizer, groups)
        return known.part

    def _look(self, optimizer: Optimizer, groups: tuple[Any, ...]) -> _Holding:
        found = self._find()
        if found is not self._all:
            self._all = found
            self._known.clear()
        self._known.pop(optimizer, None)
        parameters = parameters_of(optimizer)
        part: Measured | None = None
        if not parameters.isdisjoint(found.norms.parameters):
            part = found if self._only is not None else self._part(parameters)
        known = self._known[optimizer] = _Holding(groups, parameters, part)
        return known

    def _part(self, parameters: frozenset[Tensor]) -> Measured | None:
        layers = self._all.norms.layers
        held = {name for name, owned in layers.items() if not parameters.isdisjoint(owned)}
        for other in self._known.values():
            if other.part and other.parameters.isdisjoint(parameters):
                held.difference_update(other.part.norms.names)
        if len(held) == len(layers):
            return self._all
        return self._all.part([name for name in layers if name in held]) if held else None


def groups_of(optimizer: Optimizer) -> tuple[Any, ...]:
    """What changes when an optimizer gets other parameters."""
    return tuple([(id(group["params"]), len(group["params"])) for group in optimizer.param_groups])


def parameters_of(optimizer: Optimizer) -> frozenset[Tensor]:
    """All parameters that an optimizer holds."""
    return frozenset(p for group in optimizer.param_groups for p in group["params"])
