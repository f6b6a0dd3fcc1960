"""Hooks of optimizers: each step of a watched model adds one row."""

from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakSet

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_pre_hook

from tb_sonify.training.amp import count_skipped_steps, ignore_skipped_steps, scaling_of
from tb_sonify.training.clip_grad import ignore_clipping, listen_to_clipping
from tb_sonify.training.grad_norms import MeasuredLayers, free_prefix
from tb_sonify.training.optimizer_steps import OptimizerLayers, StepCounter
from tb_sonify.training.row_buffer import WriterResources
from tb_sonify.training.warn import WarnOnce, warn


class Watch:
    """What is watched until `remove`; also a context manager, which removes it.

    By itself, it is what `SonifyWriter.watch` gives where there is nothing to watch.
    """

    @property
    def active(self) -> bool:
        """Whether steps still become rows."""
        return False

    @property
    def names(self) -> tuple[str, ...]:
        """The layers that are watched."""
        return ()

    def remove(self) -> None:
        """Stop watching, and leave nothing behind in the optimizer."""

    def before_step(
        self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        """Add the row of a step: the hook that torch calls with the arguments of `step`.

        Where the step has a closure, its first call adds the row, and the arguments are returned
        with a closure that does so.
        """

    def __enter__(self) -> "Watch":
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


class ModelWatch(Watch):
    """A watch of a model, by hooks of its optimizers.

    Parameters
    ----------
    find
        The layers of the model as they are now.
    steps
        What counts the steps of all that is watched by the same writer.
    keep_alive
        Held for as long as the optimizer, or torch, holds the hook.
    """

    def __init__(
        self,
        find: Callable[[], MeasuredLayers],
        resources: WriterResources,
        *,
        optimizer: Optimizer | None,
        every: int,
        steps: StepCounter,
        keep_alive: object,
    ) -> None:
        if every < 1:
            raise ValueError(f"every must be at least 1, got {every!r}")
        if optimizer is not None and not isinstance(optimizer, Optimizer):
            raise TypeError(f"optimizer must be a torch optimizer, got {type(optimizer).__name__}")
        self._layers = OptimizerLayers(find, only=optimizer)
        if optimizer is not None and self._layers.for_optimizer(optimizer) is None:
            warn(
                f"nothing is logged until the optimizer holds a parameter of the layers that are "
                f"watched, it holds none of theirs: {', '.join(self.names[:5])}"
            )
        self._resources = resources
        self._every = int(every)
        self._steps = steps
        self.calls = 0
        self._warn_of_capture = WarnOnce()
        self._keep_alive: object | None = keep_alive
        # What is compiled must not look into the hook, which then runs as it is.
        hook = torch.compiler.disable(self.before_step)
        if optimizer is None:
            handle = register_optimizer_step_pre_hook(hook)
        else:
            handle = optimizer.register_step_pre_hook(hook)
        self._unhook: Callable[[], None] = handle.remove
        count_skipped_steps(self)
        listen_to_clipping(self)

    @property
    def active(self) -> bool:
        return self._keep_alive is not None

    @property
    def names(self) -> tuple[str, ...]:
        return self._layers.names

    def remove(self) -> None:
        if self._keep_alive is not None:
            self._stop()
            self._resources.buffer.flush()
        self._unhook()

    def skip(self, optimizer: Optimizer) -> None:
        """Count a step of an optimizer that was left out; it is no row."""
        self._guarded(self._count, optimizer)

    def before_clipping(self, parameters: Sequence[Tensor]) -> Callable[[], None] | None:
        """Measure the layers of parameters that will be clipped, if the next step is logged.

        Gives what is to be called once they are clipped.
        """
        norms = self._layers.norms
        coming = self._steps.count, self._steps.count + 1
        if (
            not self.active
            or not any(map(self._is_logged, coming))
            or not self._resources.takes(norms)
            or _is_capturing()
        ):
            return None
        return norms.measure_before_clipping(parameters)

    def _stop(self) -> None:
        self._keep_alive = None
        ignore_skipped_steps(self)
        ignore_clipping(self)
        self._layers.norms.forget_clipping()

    def before_step(
        self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        self.calls += 1
        # The gradients that count are those that a closure computes.
        if len(args) > 1 and callable(args[1]):
            return (args[0], self._wrap_closure(args[1], optimizer), *args[2:]), kwargs
        if callable(kwargs.get("closure")):
            return args, {**kwargs, "closure": self._wrap_closure(kwargs["closure"], optimizer)}
        self._guarded(self._add_row, optimizer)
        return None

    def _wrap_closure(self, closure: Callable[[], Any], optimizer: Optimizer) -> Callable[[], Any]:
        """A closure whose first call adds the row of the step."""
        calls = 0

        def wrapper() -> Any:
            nonlocal calls
            result = closure()
            calls += 1
            if calls == 1:
                self._guarded(self._add_row, optimizer)
            return result

        return wrapper

    def _count(self, optimizer: Optimizer) -> MeasuredLayers | None:
        measured = self._layers.for_optimizer(optimizer) if self.active else None
        if measured is not None:
            self._steps.step_of(self, optimizer)
        return measured

    def _add_row(self, optimizer: Optimizer) -> None:
        measured = self._count(optimizer)
        if measured is None or not self._is_logged(self._steps.count):
            return
        if not self._resources.takes(measured.norms) or self._is_captured():
            return
        schema, row = measured.measure(scaling=scaling_of(optimizer))
        self._resources.buffer.add(schema, self._steps.step, row)

    def _is_logged(self, count: int) -> bool:
        return count % self._every == 0

    def _is_captured(self) -> bool:
        """Whether the step is being captured for a CUDA graph, whose replays nobody can see."""
        capturing = _is_capturing()
        if capturing:
            self._warn_of_capture(
                "steps inside a CUDA graph cannot be watched: its replays call no hook; call "
                "add_gradient_norms(model, step) after each replay instead"
            )
        return capturing

    def _guarded(self, work: Callable[[Optimizer], Any], optimizer: Optimizer) -> None:
        if not self.active:
            return
        try:
            work(optimizer)
        except Exception as error:  # noqa: BLE001 - training goes on, whatever this is
            # The hook itself stays until `remove`: torch is going through the hooks right now.
            self._stop()
            warn(f"tb_sonify stops watching, training goes on: {type(error).__name__}: {error}")


def _is_capturing() -> bool:
    return torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing()


class WatchSet:
    """Models that are watched side by side: layers have different names, and steps are the same."""

    def __init__(self) -> None:
        # An optimizer that is gone takes its watch along.
        self._all: WeakSet[ModelWatch] = WeakSet()
        self._steps = StepCounter(0)

    def add(
        self,
        model: nn.Module,
        find: Callable[..., MeasuredLayers],
        resources: WriterResources,
        *,
        prefix: str | None,
        first_step: int,
        step: Callable[[], int] | None,
        **options: Any,
    ) -> ModelWatch:
        """Watch another model.

        Parameters
        ----------
        find
            Gives its layers with a prefix.
        prefix, first_step, step
            As in `SonifyWriter.watch`.
        options
            As in `ModelWatch`.
        """
        active = [watch for watch in self._all if watch.active]
        steps = self._steps if active else StepCounter(first_step)
        if step is not None:
            steps.number_by(step)
        elif first_step not in (0, steps.first_step):
            raise ValueError(
                f"all that a writer watches at a time has the same steps: first_step must be that "
                f"of the first watch, {steps.first_step}, got {first_step}"
            )
        taken = {name for watch in active for name in watch.names}
        names = find(prefix=prefix or "").norms.names
        if prefix is None:
            prefix = free_prefix(model, names, taken)
        elif not taken.isdisjoint(names):
            raise ValueError(f"prefix must make names that no other watch has, got {prefix!r}")
        chosen = prefix
        watch = ModelWatch(lambda: find(prefix=chosen), resources, steps=steps, **options)
        self._steps = steps
        self._all.add(watch)
        return watch

    def remove(self) -> None:
        """Stop watching all of them."""
        for watch in list(self._all):
            watch.remove()
