"""The row of one step: what is measured of the gradients, updates and weights of its parts."""

import time
from weakref import WeakKeyDictionary

from torch import Tensor

from tb_sonify.training.amp import Scaling
from tb_sonify.training.grad_norms import MeasuredLayers, ModelPart, PowersOf
from tb_sonify.training.optimizer_steps import OptimizerParts
from tb_sonify.training.run_log import RowSchema
from tb_sonify.training.update_norms import UpdateNorms, Updates

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
        if self._together is None or part not in self._before:
            powers += self._start(part)
        else:
            self._kept += powers[0].source.plan.positions is self._together.positions
        if self._meter.updates:
            self._moving.add(part)
        if part not in self.parts:
            self.parts.add(part)
            self._size += len(part.positions)
        return self._add(part, powers), has_gradient

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
