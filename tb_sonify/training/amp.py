"""Mixed precision: scaled gradients, and steps that a `GradScaler` skips."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from weakref import WeakSet

from torch import Tensor
from torch.amp.grad_scaler import GradScaler
from torch.optim import Optimizer


@dataclass(frozen=True)
class Scaling:
    """Scale and overflow flag of a fused optimizer, which unscales gradients by itself.

    Attributes
    ----------
    factor
        By which the gradients are still multiplied; `None`: 1.
    overflow
        Above 0 where the optimizer will leave this step out; `None`: it won't.
    """

    factor: Tensor | None
    overflow: Tensor | None


def scaling_of(optimizer: Optimizer) -> Scaling | None:
    """Scaling that `GradScaler.step` leaves to the optimizer, during its step; `None`: none."""
    factor = getattr(optimizer, "grad_scale", None)
    overflow = getattr(optimizer, "found_inf", None)
    if not isinstance(factor, Tensor) and not isinstance(overflow, Tensor):
        return None
    return Scaling(
        factor if isinstance(factor, Tensor) else None,
        overflow if isinstance(overflow, Tensor) else None,
    )


class ScalerStepCounter(Protocol):
    """Something that counts the steps of optimizers."""

    calls: int  # how many steps it has seen

    def skip(self, optimizer: Optimizer) -> None:
        """Count a step that was left out."""


_counters: "WeakSet[ScalerStepCounter]" = WeakSet()
_torch_step: Callable[..., Any] | None = None


def count_skipped_steps(counter: ScalerStepCounter) -> None:
    """Have a counter told of steps that a `GradScaler` leaves out, until `ignore_skipped_steps`.

    It then calls no optimizer, so no hook of one is called either.
    """
    global _torch_step
    _counters.add(counter)
    if _torch_step is None:
        _torch_step = GradScaler.step
        GradScaler.step = _counted(_torch_step)  # type: ignore[method-assign]


def ignore_skipped_steps(counter: ScalerStepCounter) -> None:
    """Undo `count_skipped_steps`; with the last counter, torch's method is put back."""
    global _torch_step
    _counters.discard(counter)
    if not _counters and getattr(GradScaler.step, "__wrapped__", None) is _torch_step is not None:
        GradScaler.step = _torch_step  # type: ignore[method-assign]
        _torch_step = None


def _counted(step: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(step)
    def wrapper(scaler: GradScaler, optimizer: Optimizer, *args: Any, **kwargs: Any) -> Any:
        before = [(counter, counter.calls) for counter in list(_counters)]
        result = step(scaler, optimizer, *args, **kwargs)
        for counter, calls in before:
            if counter.calls == calls:
                counter.skip(optimizer)
        return result

    return wrapper
