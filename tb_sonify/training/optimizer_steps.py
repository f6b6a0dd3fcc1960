"""Steps of a training that may have several optimizers, and the layers that each of them holds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary, ref

from torch import Tensor
from torch.optim import Optimizer

from tb_sonify.training.grad_norms import LayerNorms, MeasuredLayers, step_of
from tb_sonify.training.warn import WarnOnce, warn


@dataclass(frozen=True)
class _HeldLayers:
    groups: tuple[Any, ...]  # by which it is seen that an optimizer got other parameters
    parameters: frozenset[Tensor]
    part: MeasuredLayers | None


class OptimizerLayers:
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

    def __init__(self, find: Callable[[], MeasuredLayers], *, only: Optimizer | None) -> None:
        self._find = find
        self._all = find()
        self._only = ref(only) if only is not None else None
        self._known: WeakKeyDictionary[Optimizer, _HeldLayers] = WeakKeyDictionary()

    @property
    def names(self) -> tuple[str, ...]:
        """The layers of the model."""
        return self._all.norms.names

    @property
    def norms(self) -> LayerNorms:
        """The norms of all of them."""
        return self._all.norms

    def for_optimizer(self, optimizer: Optimizer) -> MeasuredLayers | None:
        """What is measured when the optimizer steps; `None`: it holds none of the layers."""
        if self._only is not None and self._only() is not optimizer:
            return None
        known = self._known.get(optimizer)
        groups = groups_of(optimizer)
        if known is None or known.groups != groups:
            known = self._find_part(optimizer, groups)
        return known.part

    def _find_part(self, optimizer: Optimizer, groups: tuple[Any, ...]) -> _HeldLayers:
        found = self._find()
        if found is not self._all:
            self._all = found
            self._known.clear()
        self._known.pop(optimizer, None)
        parameters = frozenset(parameters_of(optimizer))
        part: MeasuredLayers | None = None
        if not parameters.isdisjoint(found.norms.parameters):
            part = found if self._only is not None else self._part(parameters)
        known = self._known[optimizer] = _HeldLayers(groups, parameters, part)
        return known

    def _part(self, parameters: frozenset[Tensor]) -> MeasuredLayers | None:
        layers = self._all.norms.layers
        held = {name for name, owned in layers.items() if not parameters.isdisjoint(owned)}
        for other in self._known.values():
            if other.part and other.parameters.isdisjoint(parameters):
                held.difference_update(other.part.names)
        if len(held) == len(layers):
            return self._all
        return self._all.part(held) if held else None


def groups_of(optimizer: Optimizer) -> tuple[Any, ...]:
    """What changes when an optimizer gets other parameters."""
    return tuple([(id(group["params"]), len(group["params"])) for group in optimizer.param_groups])


def parameters_of(optimizer: Optimizer) -> list[Tensor]:
    """All parameters that an optimizer holds, in its order."""
    return [p for group in optimizer.param_groups for p in group["params"]]


class StepCounter:
    """Counts the steps of a training.

    Optimizers that hold different parameters step together: a step ends when one of them steps
    again, or another one that holds some of the same parameters. So a generator and its critic
    share steps, and so do two optimizers of one model; where a critic steps five times for each
    step of the generator, the steps are the critic's.

    Attributes
    ----------
    step
        The number of the present step.
    count
        How many steps were before it; -1 before the first.
    """

    def __init__(self, first_step: int) -> None:
        self.first_step = self.step = first_step
        self.count = -1
        self._number: Callable[[], Any] | None = None
        self._given = 0  # by it, the last time
        self._warn = WarnOnce()
        self._stepped: list[tuple[ref[object], ref[Optimizer]]] = []  # in this step, seen by whom
        self._parameters: WeakKeyDictionary[Optimizer, tuple[Any, frozenset[Tensor]]]
        self._parameters = WeakKeyDictionary()

    def number_by(self, number: Callable[[], Any]) -> None:
        """Have the steps numbered by a callable, as `SonifyWriter.watch` says."""
        if not callable(number):
            raise TypeError(f"step must be callable without arguments, got {number!r}")
        self._number = number

    def step_of(self, watch: object, optimizer: Optimizer) -> int:
        """Count a step of an optimizer that a watch sees; gives the training step it is part of."""
        if self.count < 0 or any(self._ends(watch, optimizer, *each) for each in self._stepped):
            self.count += 1
            self.step = self._next_number()
            self._stepped.clear()
        self._stepped.append((ref(watch), ref(optimizer)))
        return self.step

    def _next_number(self) -> int:
        counted = self.first_step if self.count == 0 else self.step + 1
        if self._number is None:
            return counted
        try:
            given = step_of(self._number(), name="step()")
        except Exception as error:  # noqa: BLE001 - the callable is the user's
            self._number = None
            warn(
                f"steps are counted from {counted} on, as step cannot number them: "
                f"{type(error).__name__}: {error}"
            )
            return counted
        before, self._given = self._given, given
        if self.count == 0 or given < before:  # the training went back
            return given
        if before < given < counted:
            self._warn(
                f"step() must grow by 1 or more for each optimizer step, got {given} after "
                f"{before} where rows are at step {self.step}: their numbers run ahead"
            )
        return max(given, counted)

    def _ends(
        self, watch: object, optimizer: Optimizer, by: "ref[object]", other: "ref[Optimizer]"
    ) -> bool:
        stepped = other()
        if stepped is None or stepped is optimizer:
            return by() is watch
        return not self._held(stepped).isdisjoint(self._held(optimizer))

    def _held(self, optimizer: Optimizer) -> frozenset[Tensor]:
        groups = groups_of(optimizer)
        known = self._parameters.get(optimizer)
        if known is None or known[0] != groups:
            known = self._parameters[optimizer] = (groups, frozenset(parameters_of(optimizer)))
        return known[1]
