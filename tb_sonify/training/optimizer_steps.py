"""Steps of a training with any number of optimizers, and the parameters that each of them holds."""

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary, ref

from torch import Tensor
from torch.optim import Optimizer

from tb_sonify.training.grad_norms import MeasuredLayers, ModelPart, step_of
from tb_sonify.training.warn import WarnOnce, warn


@dataclass(frozen=True)
class _Held:
    ids: list[int]
    parameters: frozenset[int]
    references: "list[ref[Tensor]]"
    gone: "list[ref[Tensor]]"  # of those: the id of one may be that of another tensor now


_held: WeakKeyDictionary[Optimizer, _Held] = WeakKeyDictionary()


def held_by(optimizer: Optimizer) -> frozenset[int]:
    """The parameters of an optimizer, by `id`: the same object as long as it holds these."""
    ids = [id(p) for group in optimizer.param_groups for p in group["params"]]
    known = _held.get(optimizer)
    if known is None or known.gone or known.ids != ids:
        gone: list[ref[Tensor]] = []
        references = [ref(p, gone.append) for p in parameters_of(optimizer)]
        known = _held[optimizer] = _Held(ids, frozenset(ids), references, gone)
    return known.parameters


def parameters_of(optimizer: Optimizer) -> list[Tensor]:
    """All parameters that an optimizer holds, in its order."""
    return [p for group in optimizer.param_groups for p in group["params"]]


def calls_hooks(optimizer: object) -> bool:
    """Whether the steps of an optimizer call hooks: torch sees to it in its constructor."""
    return (
        isinstance(optimizer, Optimizer)
        and getattr(type(optimizer).step, "hooked", False)
        and hasattr(optimizer, "_optimizer_step_pre_hooks")
    )


_WRAPPED = ("optimizer", "_optimizer", "base_optimizer", "_base_optimizer", "optim", "_optim")
_DEPTH = 4


def hooked_optimizers(optimizer: object) -> list[Optimizer]:
    """The optimizers whose steps call hooks, out of one and all that it wraps."""
    found: dict[int, Optimizer] = {}
    for each in _wrapped(optimizer, _DEPTH):
        if calls_hooks(each):
            found[id(each)] = each  # type: ignore[assignment]
    return list(found.values())


def _wrapped(thing: object, depth: int) -> Iterator[object]:
    yield thing
    if not depth:
        return
    inside: list[object] = []
    for name in _WRAPPED:
        with suppress(Exception):  # whatever it is, it may compute its attributes
            inside.append(getattr(thing, name, None))
    for value in list(getattr(thing, "__dict__", {}).values()):
        values = value.values() if isinstance(value, dict) else value
        if isinstance(value, list | tuple | dict):
            inside += [each for each in values if isinstance(each, Optimizer)]
        elif isinstance(value, Optimizer):
            inside.append(value)
    for each in inside:
        if each is not None:
            yield from _wrapped(each, depth - 1)


class OptimizerParts:
    """Which of the watched parameters each optimizer steps.

    Parameters that a model or an optimizer gets later are found when an optimizer with other
    parameters steps.

    Parameters
    ----------
    find
        The layers of the model as they are now.
    only
        The optimizers that count; `None`: all.

    Attributes
    ----------
    measured
        The layers of the model.
    """

    def __init__(self, find: Callable[[], MeasuredLayers], *, only: list[Optimizer] | None) -> None:
        self._find = find
        self.measured = find()
        self._only = None if only is None else [ref(optimizer) for optimizer in only]
        self._known: WeakKeyDictionary[Optimizer, tuple[frozenset[int], ModelPart | None]]
        self._known = WeakKeyDictionary()

    def counts(self, optimizer: Optimizer) -> bool:
        """Whether the steps of an optimizer count."""
        return self._only is None or any(only() is optimizer for only in self._only)

    def part_of(self, optimizer: Optimizer) -> ModelPart | None:
        """What an optimizer holds of the model; `None`: nothing."""
        held = held_by(optimizer)
        known = self._known.get(optimizer)
        if known is not None and known[0] is held:
            return known[1]
        if not self.measured.norms.has(held):
            found = self._find()
            if found is not self.measured:
                self.measured = found
                self._known.clear()
        part = self.measured.norms.part(held)
        self._known[optimizer] = held, part
        return part

    def all(self) -> set[ModelPart]:
        """The parts of all optimizers so far."""
        return {part for _, part in self._known.values() if part is not None}


class StepCounter:
    """Counts the steps of a training.

    Optimizers that hold different parameters step together: a step ends when one of them steps
    again, or another one that holds some of the same parameters. So a generator and its critic
    share steps, and so do two optimizers of one model; where a critic steps five times for each
    step of the generator, the steps are the critic's.

    A step within the step of another of these, as of an optimizer that wraps one, is part of that.

    Parameters
    ----------
    end
        Called when a step is over, before the next is counted.

    Attributes
    ----------
    step
        The number of the present step.
    count
        How many steps were before it; -1 before the first.
    """

    def __init__(self, first_step: int, end: Callable[[], None] = lambda: None) -> None:
        self._end = end
        self.first_step = self.step = first_step
        self.count = -1
        self._number: Callable[[], Any] | None = None
        self._given = 0  # by it, the last time
        self._warn = WarnOnce()
        # In this step: optimizers by `id`, with the watches that saw it, and their parameters.
        self._stepped: dict[int, tuple[ref[Optimizer], set[int]]] = {}
        self._moved: set[int] = set()

    def number_by(self, number: Callable[[], Any]) -> None:
        """Have the steps numbered by a callable, as `SonifyWriter.watch` says."""
        if not callable(number):
            raise TypeError(f"step must be callable without arguments, got {number!r}")
        self._number = number

    def step_of(self, watch: object, optimizer: Optimizer) -> int:
        """Count a step of an optimizer that a watch sees; gives the training step it is part of."""
        self.count_step(watch, optimizer)
        return self.step

    def count_step(self, watch: object, optimizer: Optimizer, *, in_closure: bool = False) -> bool:
        """Count a step of an optimizer that a watch sees.

        Parameters
        ----------
        in_closure
            Whether the optimizer has called the closure of its step, else it is about to step.

        Returns
        -------
        counts
            `False`: it is within the step of another optimizer, which has been counted.
        """
        held = held_by(optimizer)
        stepped, seen_by = self._stepped.get(id(optimizer), (None, set()))
        if stepped is not None and stepped() is optimizer:
            again = id(watch) in seen_by
        else:
            seen_by, again = set(), not held.isdisjoint(self._moved)
        if again and self._is_nested(optimizer, held, in_closure=in_closure):
            return False
        if again or self.count < 0:
            self.count += 1
            self._end()
            self.step = self._next_number()
            self._stepped.clear()
            self._moved.clear()
            seen_by = set()
        self._moved |= held
        self._stepped[id(optimizer)] = ref(optimizer), {*seen_by, id(watch)}
        return True

    def _is_nested(self, optimizer: Optimizer, held: frozenset[int], *, in_closure: bool) -> bool:
        """Whether this is within the step of one that has stepped, of some of the parameters."""
        outer = stepping()
        if in_closure:
            outer = [other for other in outer if other is not optimizer]
        elif optimizer in outer:
            outer.remove(optimizer)  # a second time, its step calls that of a base class
        return any(id(o) in self._stepped and not held.isdisjoint(held_by(o)) for o in outer)

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


# Of the function that torch puts around `step`, which calls the hooks.
_STEP = Optimizer.profile_hook_step(lambda _: None).__code__


def stepping() -> list[Optimizer]:
    """The optimizers in whose steps the caller is, the innermost first."""
    frame: FrameType | None = sys._getframe(1)
    found: list[Optimizer] = []
    while frame is not None:
        if frame.f_code is _STEP:
            found.append(frame.f_locals["self"])
        frame = frame.f_back
    return found
