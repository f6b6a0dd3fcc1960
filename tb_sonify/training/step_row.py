"""What is measured of one step: the row of its gradients, updates and weights, and its strip."""

import time
from collections.abc import Callable
from functools import partial
from typing import Protocol
from weakref import WeakKeyDictionary, WeakSet

from torch import Tensor, nn
from torch.optim import Optimizer

from tb_sonify.schema.landscape import Strip
from tb_sonify.training.amp import Scaling
from tb_sonify.training.grad_norms import MeasuredLayers, ModelPart, PowersOf
from tb_sonify.training.optimizer_steps import OptimizerParts
from tb_sonify.training.run_log import RowSchema
from tb_sonify.training.update_norms import UpdateNorms, Updates
from tb_sonify.training.warn import warn

_WEIGHTS_EVERY = 16  # steps: weights change slowly, and the recorder keeps their latest norms
_MANY = 8  # parts of a row: so many are measured at once, as each call of torch takes its time


class StepMeter:
    """What the steps of a watched model have in common.

    Parameters
    ----------
    updates
        As in `SonifyWriter.watch`.
    """

    def __init__(self, updates: Updates) -> None:
        self.updates = updates
        self._update_of: WeakKeyDictionary[ModelPart, UpdateNorms] = WeakKeyDictionary()

    def update_norms(self, part: ModelPart, norm_type: float) -> UpdateNorms:
        """What measures the updates of a part."""
        known = self._update_of.get(part)
        if known is None:
            known = self._update_of[part] = UpdateNorms(norm_type, exact=self.updates == "exact")
        return known


class StripSource(Protocol):
    """What measures strips of the loss landscape: `tb_sonify.landscape.Landscape`."""

    @property
    def every(self) -> int:
        """Steps from one strip to the next."""

    def begin(self, model: nn.Module) -> Callable[[], Strip | None]:
        """Keep the weights before a step; gives what measures the strip after it."""


class StripMeter:
    """Measures a strip at every so many steps of a model, by what its optimizers change together.

    Parameters
    ----------
    add
        Takes each strip with its step.
    """

    def __init__(
        self,
        landscape: StripSource,
        add: Callable[[Strip, int], None],
    ) -> None:
        self._landscape, self._add = landscape, add
        self._count, self._step, self._active = -1, 0, True
        self._measure: Callable[[], Strip | None] | None = None
        self._moving: WeakSet[Optimizer] = WeakSet()
        self._done: set[ModelPart] = set()

    def before(
        self, optimizer: Optimizer, model: nn.Module | None, *, step: int, count: int
    ) -> None:
        """Note that an optimizer is about to step; `count` is how many steps were before."""
        self._moving.add(optimizer)
        if count == self._count:
            return
        self._guarded(self._end)  # some of the optimizers have left the step out
        self._count, self._step = count, step
        if self._active and model is not None and count % self._landscape.every == 0:
            self._guarded(partial(self._begin, model))

    def after(self, optimizer: Optimizer, parts: OptimizerParts) -> None:
        """Note that an optimizer has stepped; once all have, the strip is measured."""
        if optimizer in self._moving and self._measure is not None:
            self._moving.discard(optimizer)
            part = parts.part_of(optimizer)
            if part is not None:
                self._done.add(part)
            if self._done >= parts.all():
                self._guarded(self._end)

    def _begin(self, model: nn.Module) -> None:
        self._done.clear()
        self._measure = self._landscape.begin(model)

    def _end(self) -> None:
        measure, self._measure = self._measure, None
        strip = None if measure is None else measure()
        if strip is not None:
            self._add(strip, self._step)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the loss is the user's
            self._measure, self._active = None, False
            warn(
                f"the loss landscape is no longer measured, training goes on: "
                f"{type(error).__name__}: {error}"
            )


class StepRow:
    """What is measured of one step of a watched model, part by part.

    Where the row before had many parts, all of them are measured when the first of them is
    stepped. Gradients that change after that are measured again when their part is stepped; what
    changes the parameters between the first step and the last belongs to their updates.

    Parameters
    ----------
    count
        How many steps were before it.
    before
        The row before, if it is of the same layers.

    Attributes
    ----------
    parts
        Those of which something was measured.
    """

    def __init__(
        self,
        measured: MeasuredLayers,
        step: int,
        *,
        count: int,
        meter: StepMeter,
        before: "StepRow | None",
    ) -> None:
        self.measured, self.step = measured, step
        self.wall_time = time.time()
        self.parts: set[ModelPart] = set()
        self._meter = meter
        self._moving: set[ModelPart] = set()
        self._added: list[tuple[ModelPart, list[PowersOf]]] = []
        self._taken = self._size = self._kept = 0
        self._before = set() if before is None else before.parts
        norms = measured.norms
        # Processes with shards need not have counted the same steps.
        self._has_weights = norms.shards is not None or count % _WEIGHTS_EVERY == 0
        self._together: ModelPart | None = None
        if before is not None and len(self._before) >= _MANY and norms.shards is None:
            self._together = norms.union(self._before)
            # An optimizer that steps in `backward` does so before the other gradients are there.
            if before._together is None or before._kept:
                norms.keep(self._together)
            self._weights = self._start(self._together)

    def _start(self, part: ModelPart) -> list[PowersOf]:
        """Begin to measure an update; gives the powers of the weights, if they are measured."""
        if not self._meter.updates:
            return []
        norms = self.measured.norms
        norms.start_update(part, self._meter.update_norms(part, norms.norm_type))
        return norms.weights(part) if self._has_weights else []

    def _end(self, part: ModelPart) -> list[PowersOf]:
        norms = self.measured.norms
        return norms.update(part, self._meter.update_norms(part, norms.norm_type))

    def start_part(self, part: ModelPart, scaling: Scaling | None) -> tuple[bool, bool]:
        """Measure a part whose optimizer begins its step.

        Returns
        -------
        is_new
            Whether it is the first since `take`.
        has_gradient
            Whether any of its parameters has one.
        """
        powers = self.measured.norms.measure(part, scaling=scaling)
        has_gradient = any(each.has_any for each in powers)
        if part not in self.parts:
            self.parts.add(part)
            self._size += len(part.positions)
        is_last = True
        if self._together is None or part not in self._before:
            powers += self._start(part)
        else:
            self._kept += powers[0].source.plan.positions is self._together.positions
            is_last = len(self.parts) >= len(self._before)
        if is_last and self._meter.updates:
            self._moving.add(part)
        return self._add(part, powers), has_gradient

    def is_moving(self, part: ModelPart) -> bool:
        """Whether the end of the step of a part is awaited, with `end_part`."""
        return part in self._moving

    def end_part(self, part: ModelPart) -> bool:
        """Measure what a step has changed; gives whether it is the first since `take`."""
        self._moving.discard(part)
        is_together = self._together is not None and part in self._before
        return self._add(part, [] if is_together else self._end(part))

    def _add(self, part: ModelPart, powers: list[PowersOf]) -> bool:
        self._added.append((part, powers))
        return len(self._added) == self._taken + 1

    def take(self) -> tuple[RowSchema, Tensor]:
        """The norms of all layers of which something was added since the last time."""
        added = self._added
        if self._taken:
            fresh = {layer for part, _ in added[self._taken :] for layer in part.positions_of}
            added = [each for each in added if not fresh.isdisjoint(each[0].positions_of)]
        elif self._together is not None and self._meter.updates:
            positions = [at for part in self.parts & self._before for at in part.positions]
            of_all = [*self._weights, *self._end(self._together)]
            added = [*added, (self._together, [each.only(positions) for each in of_all])]
        self._taken = len(self._added)
        powers = [each for _, powers in added for each in powers]
        return self.measured.row(powers, updates=bool(self._meter.updates))

    def is_complete(self, parts: OptimizerParts) -> bool:
        """Whether nothing more is to be expected, given the parts of all optimizers."""
        if self._moving:
            return False
        if self._size == len(self.measured.norms.parameters):
            return True
        before = self._before
        if not before or len(self.parts) < len(before) or not before <= self.parts:
            return False
        layers = {layer for part in self.parts for layer in part.positions_of}
        return all(layers.isdisjoint(part.positions_of) for part in parts.all() - self.parts)
