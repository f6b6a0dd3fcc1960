"""Hooks of optimizers: each step of a watched model adds one row."""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, finalize, ref

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from torch.utils.hooks import RemovableHandle

from tb_sonify.training.amp import count_skipped_steps, ignore_skipped_steps, scaling_of
from tb_sonify.training.clip_grad import ignore_clipping, listen_to_clipping
from tb_sonify.training.grad_norms import LayerNorms, MeasuredLayers, ModelPart, free_prefix
from tb_sonify.training.optimizer_steps import (
    OptimizerParts,
    StepCounter,
    hooked_optimizers,
    parameters_of,
    stepping,
)
from tb_sonify.training.row_buffer import WriterResources
from tb_sonify.training.step_row import StepMeter, StepRow, StripMeter, StripSource
from tb_sonify.training.update_norms import Updates, check_updates
from tb_sonify.training.warn import WarnOnce, warn

StepArguments = tuple[tuple[Any, ...], dict[str, Any]]


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


_SILENT_STEPS = 50  # of any optimizer, until there is a warning


class Silence:
    """Warns, once, where no gradient of a model is ever measured."""

    def __init__(self, parts: OptimizerParts, *, said: bool) -> None:
        self._parts = parts
        self._steps = 0  # of any optimizer of these parameters, since the last gradient
        self._others = 0  # of other optimizers
        self._copying: WeakKeyDictionary[Optimizer, bool] = WeakKeyDictionary()
        self._has_stepped = self._is_held = False
        self._said = said
        self.heard = False

    def add(self, optimizer: Optimizer) -> None:
        """Count a step of any optimizer."""
        counts = self._parts.counts(optimizer)
        if self._said or (self.heard and counts):
            return
        is_held = self._parts.part_of(optimizer) is not None
        if not is_held and not self._may_copy(optimizer):
            self._others += 1
            return
        self._steps += 1
        if self._steps < _SILENT_STEPS and self.heard:
            return
        self._is_held |= is_held
        self._has_stepped |= is_held and counts
        if self._steps >= _SILENT_STEPS:
            if self.heard and not is_held:  # it is of another model
                self._steps = 0
            else:
                self._warn()

    def _may_copy(self, optimizer: Optimizer) -> bool:
        """Whether an optimizer may hold copies of the parameters: by their sizes, or their sum."""
        known = self._copying.get(optimizer)
        if known is None:
            held = [p.numel() for p in parameters_of(optimizer)]
            own = [p.numel() for p in self._parts.measured.norms.parameters]
            known = self._copying[optimizer] = set(own) <= set(held) or sum(own) == sum(held)
        return known

    def break_off(self) -> None:
        """Note that a gradient was measured."""
        self.heard, self._steps = True, 0

    def end(self) -> None:
        """Warn at the end, where there were steps and no gradient."""
        if (self._steps or self._others) and not self.heard and not self._said:
            self._warn()

    def _warn(self) -> None:
        self._said = True
        norms = self._parts.measured.norms
        if not any(p.requires_grad for p in norms.parameters):
            reason = "all of their parameters are frozen; unfreeze some (requires_grad_())"
        elif self._has_stepped and not self.heard:
            reason = (
                "the optimizer steps them, but has no gradient of them then (p.grad is None); "
                "call step() before zero_grad() or, where gradients are kept elsewhere, as by "
                "DeepSpeed, add_gradient_norms(model, step) while they are there"
            )
        elif self._is_held:
            reason = (
                "another optimizer than the one that was given steps them; watch(model) without an "
                "optimizer follows all, also those made later"
            )
        else:
            reason = (
                "no optimizer that steps holds their parameters, but perhaps copies, such as fp32 "
                "master weights, or those of another model; call add_gradient_norms(model, step) "
                "after backward(), or watch the model that is trained"
            )
        steps = self._steps + self._others
        warn(
            f"no gradient norm was logged in {steps} optimizer steps, of layers "
            f"{', '.join(norms.names[:3])}{', ...' if len(norms.names) > 3 else ''}: {reason}"
        )


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
        optimizer: object,
        every: int,
        updates: Updates,
        landscape: StripSource | None,
        steps: StepCounter,
        keep_alive: object,
    ) -> None:
        if every < 1:
            raise ValueError(f"every must be at least 1, got {every!r}")
        self._meter = StepMeter(check_updates(updates))
        self._moving: WeakKeyDictionary[Optimizer, tuple[StepRow, ModelPart]] = WeakKeyDictionary()
        self._optimizer = id(optimizer)
        hooked = [] if optimizer is None else _hooked(optimizer)
        only = [*hooked, *([optimizer] if isinstance(optimizer, Optimizer) else [])]
        self._parts = OptimizerParts(find, only=only or None)
        is_held = not only or any(map(self._parts.part_of, only))
        if not is_held:
            warn(
                f"nothing is logged until the optimizer holds a parameter of the layers that are "
                f"watched, it holds none of theirs: {', '.join(self.names[:5])}"
            )
        self._resources = resources
        self._every = int(every)
        self._steps = steps
        self._row: StepRow | None = None
        self.calls = 0
        self.owners: list[finalize[..., Any]] = []  # that keep it alive, where no optimizer does
        self.model: Callable[[], nn.Module | None] = lambda: None
        strips = resources.strips
        self._strips = None if landscape is None else StripMeter(landscape, strips.add)
        self._warn_of_capture = WarnOnce()
        self._keep_alive: object | None = keep_alive
        self._silence = Silence(self._parts, said=not is_held)
        # What is compiled must not look into hooks, which then run as they are.
        self._hook = torch.compiler.disable(self.before_step)
        self._own: WeakKeyDictionary[Optimizer, RemovableHandle] = WeakKeyDictionary()
        for each in hooked:
            self._own[each] = each.register_step_pre_hook(self._hook)
        self._handles = _hook_weakly(self, after=bool(updates or landscape))
        count_skipped_steps(self)
        listen_to_clipping(self)

    @property
    def active(self) -> bool:
        return self._keep_alive is not None

    @property
    def names(self) -> tuple[str, ...]:
        return self._parts.measured.norms.names

    def remove(self) -> None:
        while self.owners:
            self.owners.pop().detach()
        if self._keep_alive is not None:
            self._silence.end()
            self._stop()
            self._resources.buffer.flush()
        for handle in [*self._handles, *self._own.values()]:
            handle.remove()

    def is_of(self, layers: LayerNorms, optimizer: object) -> bool:
        """Whether it measures the same of the same layers, whatever their names, and steps."""
        return self._optimizer == id(optimizer) and self._parts.measured.norms.measures(layers)

    def is_orphan(self) -> bool:
        """Whether it works for a writer that nothing else refers to."""
        writer = self._keep_alive
        others = sum(watch._keep_alive is writer for watch in _watches)
        return writer is not None and sys.getrefcount(writer) == others + 2  # here, and as argument

    def skip(self, optimizer: Optimizer) -> None:
        """Count a step of an optimizer that was left out; it is no row."""
        self._guarded(self._count, optimizer)

    def before_clipping(self, parameters: Sequence[Tensor]) -> Callable[[], None] | None:
        """Measure the layers of parameters that will be clipped, if the next step is logged.

        Gives what is to be called once they are clipped.
        """
        norms = self._parts.measured.norms
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
        self._parts.measured.norms.forget()

    def before_any_step(
        self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> StepArguments | None:
        """See a step of any optimizer: torch calls this before the hooks of the optimizer's own."""
        counts = self._parts.counts(optimizer)
        if not (counts and self._silence.heard):
            self._guarded(self._silence.add, optimizer)
        if not counts:
            return None
        hooks: Any = optimizer._optimizer_step_pre_hooks  # in the order of registration
        if not hooks and not self._is_followed():
            return self.before_step(optimizer, args, kwargs)
        # The others may change gradients, as by clipping them: this one has to be the last.
        if optimizer not in self._own:
            self._own[optimizer] = optimizer.register_step_pre_hook(self._hook)
        elif self._own[optimizer].id in hooks:
            hooks.move_to_end(self._own[optimizer].id)
        return None

    def _is_followed(self) -> bool:
        """Whether torch calls a hook of somebody else for all optimizers after that of this."""
        own: Any = self._handles[0]
        hooks = own.hooks_dict_ref()
        if next(reversed(hooks)) == own.id:
            return False
        ours = {handles[0].id for _, handles in _weak_hooks}
        return any(number > own.id and number not in ours for number in hooks)

    def before_step(
        self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> StepArguments | None:
        self.calls += 1
        # The gradients that count are those that a closure computes.
        by_name = "closure" in kwargs
        closure = kwargs["closure"] if by_name else args[1] if len(args) > 1 else None
        if not callable(closure):
            self._guarded(self._add_part, optimizer)
            return None
        if stepping().count(optimizer) > 1:  # its step calls that of the base class
            return None
        closure = self._wrap_closure(closure, optimizer)
        if by_name:
            return args, {**kwargs, "closure": closure}
        return (args[0], closure, *args[2:]), kwargs

    def _wrap_closure(self, closure: Callable[[], Any], optimizer: Optimizer) -> Callable[[], Any]:
        """A closure whose first call adds the row of the step."""
        calls = 0

        def wrapper() -> Any:
            nonlocal calls
            result = closure()
            calls += 1
            if calls == 1:
                self._guarded(partial(self._add_part, in_closure=True), optimizer)
            return result

        return wrapper

    def _count(self, optimizer: Optimizer, *, in_closure: bool = False) -> ModelPart | None:
        """Count a step; gives what the optimizer holds of the model, if the step counts."""
        if not self.active or not self._parts.counts(optimizer):
            return None
        part = self._parts.part_of(optimizer)
        if part is None or not self._steps.count_step(self, optimizer, in_closure=in_closure):
            return None
        return part

    def _add_part(self, optimizer: Optimizer, *, in_closure: bool = False) -> None:
        """Add to the row of the step what an optimizer holds of the model."""
        part = self._count(optimizer, in_closure=in_closure)
        if part is None:
            return
        self._moving.pop(optimizer, None)  # its last step may have raised an error
        if self._strips is not None and not _is_capturing():
            steps = self._steps
            self._strips.before(optimizer, self.model(), step=steps.step, count=steps.count)
        if not self._is_logged(self._steps.count):
            return
        measured = self._parts.measured
        if not self._resources.takes(measured.norms) or self._is_captured():
            self._silence.heard = True  # as far as this process is concerned
            return
        row = self._row
        if row is None or row.step != self._steps.step or row.measured is not measured:
            before = row if row is not None and row.measured is measured else None
            row = self._row = StepRow(
                measured,
                self._steps.step,
                count=self._steps.count,
                meter=self._meter,
                before=before,
            )
        is_new, has_gradient = row.start_part(part, scaling_of(optimizer))
        if has_gradient:
            self._silence.break_off()
        if row.is_moving(part):
            self._moving[optimizer] = row, part
        self._open_or_close(row, is_new=is_new)

    def after_step(self, optimizer: Optimizer) -> None:
        """Add what a step has changed, once the outermost call of `step` ends."""
        moved = optimizer in self._moving
        if (not moved and self._strips is None) or stepping().count(optimizer) != 1:
            return
        if moved:
            self._guarded(self._end_part, optimizer)
        if self._strips is not None and self.active:
            self._strips.after(optimizer, self._parts)

    def _end_part(self, optimizer: Optimizer) -> None:
        row, part = self._moving.pop(optimizer)
        self._open_or_close(row, is_new=row.end_part(part))

    def _open_or_close(self, row: StepRow, *, is_new: bool) -> None:
        if is_new:
            self._resources.buffer.open(row)
        if row.is_complete(self._parts):
            self._resources.buffer.close(row)

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


def _hooked(optimizer: object) -> list[Optimizer]:
    """The optimizers that call hooks, out of one and those that it wraps."""
    found = hooked_optimizers(optimizer)
    if not found:
        raise TypeError(
            f"optimizer must be a torch optimizer, got {type(optimizer).__name__}, in which there "
            f"is none: pass the torch.optim.Optimizer that it steps, or leave it out to watch "
            f"every optimizer of the model"
        )
    return found


def _is_capturing() -> bool:
    return torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing()


_watches: "WeakSet[ModelWatch]" = WeakSet()
_weak_hooks: list[tuple["ref[ModelWatch]", list[RemovableHandle]]] = []


def _hook_weakly(watch: ModelWatch, *, after: bool) -> list[RemovableHandle]:
    """Hook a watch to the steps of all optimizers, which do not keep it alive."""
    # Where garbage is collected, torch may be going through the hooks.
    for each in [each for each in _weak_hooks if each[0]() is None]:
        for handle in each[1]:
            handle.remove()
        _weak_hooks.remove(each)
    reference = ref(watch)

    def before(optimizer: Optimizer, *step: Any) -> Any:
        alive = reference()
        return None if alive is None else alive.before_any_step(optimizer, *step)

    def after_step(optimizer: Optimizer, *_: Any) -> None:
        alive = reference()
        if alive is not None:
            alive.after_step(optimizer)

    handles = [register_optimizer_step_pre_hook(torch.compiler.disable(before))]
    if after:
        handles.append(register_optimizer_step_post_hook(torch.compiler.disable(after_step)))
    _weak_hooks.append((reference, handles))
    return handles


def _own(watch: ModelWatch, model: nn.Module) -> None:
    """Keep a watch alive for as long as its model, or the first layer of it, lives.

    A container may be made for the watch alone.
    """
    layer = next((each for each in model.modules() if each._parameters), model)
    watch.owners = [finalize(owner, _let_go, watch) for owner in (model, layer)]
    for each in watch.owners:
        each.atexit = False


def _let_go(_: ModelWatch) -> None:
    """Nothing holds a watch any more, once the last of its owners has called this."""


def _end_orphans(model: nn.Module) -> None:
    """End what watches a model for a writer that was left: a cell of a notebook is run again."""
    for watch in list(_watches):
        if watch.model() is model and watch.is_orphan():
            watch.remove()


class WatchHandle(Watch):
    """A handle that does not keep its watch alive: a notebook keeps what a cell gives."""

    def __init__(self, watch: ModelWatch) -> None:
        self._watch = ref(watch)
        self._names = watch.names

    @property
    def active(self) -> bool:
        watch = self._watch()
        return watch is not None and watch.active

    @property
    def names(self) -> tuple[str, ...]:
        watch = self._watch()
        return self._names if watch is None else watch.names

    def remove(self) -> None:
        watch = self._watch()
        if watch is not None:
            watch.remove()

    def before_step(
        self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        watch = self._watch()
        return None if watch is None else watch.before_step(optimizer, args, kwargs)


_READABLE_LAYERS = 10_000  # see docs/limits.md


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
        if not isinstance(model, nn.Module):
            raise TypeError(
                f"model must be a torch.nn.Module, got {type(model).__name__}: call watch once for "
                f"each model"
            )
        layers = find(prefix=prefix or "").norms
        earlier = {watch for watch in active if watch.is_of(layers, options["optimizer"])}
        active = [watch for watch in active if watch not in earlier]
        end = resources.buffer.end_step
        steps = self._steps if active else StepCounter(first_step, end)
        if step is not None:
            steps.number_by(step)
        elif first_step not in (0, steps.first_step):
            raise ValueError(
                f"all that a writer watches at a time has the same steps: first_step must be that "
                f"of the first watch, {steps.first_step}, got {first_step}"
            )
        taken = {name for watch in active for name in watch.names}
        names = layers.names
        if len(taken) + len(names) > _READABLE_LAYERS:
            warn(
                f"a run can be read with at most {_READABLE_LAYERS:,} layers, got "
                f"{len(taken) + len(names):,}: leave some out, as by "
                f"exclude='*.experts.*', and keep granularity='layer'"
            )
        if prefix is None:
            prefix = free_prefix(model, names, taken)
        elif not taken.isdisjoint(names):
            raise ValueError(f"prefix must make names that no other watch has, got {prefix!r}")
        chosen = prefix
        watch = ModelWatch(lambda: find(prefix=chosen), resources, steps=steps, **options)
        for each in earlier:
            each.remove()  # a cell of a notebook is run again
        self._steps = steps
        self._all.add(watch)
        _end_orphans(model)
        watch.model = ref(model)
        _watches.add(watch)
        if options["optimizer"] is None:
            _own(watch, model)
        return watch

    def remove(self) -> None:
        """Stop watching all of them."""
        for watch in list(self._all):
            watch.remove()
