"""One run of the script: the models that are trained in it, and the writer that logs them."""

import gc
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol
from weakref import ReferenceType, ref

import torch
from tensorboard.compat.proto.event_pb2 import Event
from torch import Tensor, nn
from torch.optim import Optimizer

from tb_sonify.cli.run.backward_loss import Losses, Site, shown, sum_of
from tb_sonify.cli.run.find_models import LooseParameters, find_models, parameter_ids, with_names
from tb_sonify.cli.run.signals import is_in_training
from tb_sonify.schema.metadata import LOSS_TAG
from tb_sonify.training.event_writer import DeferredSink
from tb_sonify.training.layers import numbered_names
from tb_sonify.training.optimizer_steps import parameters_of
from tb_sonify.training.row_buffer import Buffer, RowBuffer
from tb_sonify.training.run_log import RowBatch, RowSchema
from tb_sonify.training.sharding import rank
from tb_sonify.training.summary import scalars_event
from tb_sonify.training.warn import WarnOnce
from tb_sonify.training.watch import Watch
from tb_sonify.training.writer import RedirectedWriter

Step = tuple[tuple[Any, ...], dict[str, Any]]  # the arguments of an optimizer's step


class RowNumbers(Protocol):
    """How many steps were before the present one, and the number of its row."""

    count: int
    step: int


class _RunWriter(RedirectedWriter):
    """The writer of `tb-sonify run`, which is not one of the script's."""

    sonify_owner = "run"

    def add_buffer(self, buffer: Buffer) -> None:
        """Flush a buffer of numbers that are no norms, whenever these are."""
        self._resources.add_buffer(buffer)


class AutoWatch:
    """Watches each model that is trained, from the first step of its optimizer on.

    Parameters
    ----------
    steps
        Those of all optimizers.
    fail
        Called with what goes wrong.

    Attributes
    ----------
    logdir
        Where it is logged; empty while that is not known.
    is_of_writer
        Whether that is the directory of the script's SummaryWriter.
    writes
        Whether this process does; else it takes part in norms alone.
    """

    def __init__(
        self,
        *,
        steps: RowNumbers,
        every: int,
        presets: Sequence[str],
        fail: Callable[[Exception], None],
    ) -> None:
        self.logdir = ""
        self.is_of_writer = False
        self.writes = rank() == 0
        self.steps = steps
        self._every = every
        self._fail = fail
        self._warn = WarnOnce()
        self._events = DeferredSink()
        self._writer = _RunWriter(lambda: self._events, presets=presets)
        self._losses = LossLog(self._events.add_event)
        self._writer.add_buffer(self._losses)
        self._optimizers: dict[ReferenceType[Optimizer], Any] = {}
        self._models: list[nn.Module] = []
        self._loose: dict[ReferenceType[Optimizer], LooseParameters] = {}
        self._trained: dict[int, ReferenceType[Tensor]] = {}
        self._watched: dict[int, ReferenceType[Tensor]] = {}  # of those, until `stop`
        self._watches: list[Watch] = []
        self._first_count = 0  # of the first step with rows
        self._collected_at = steps.count + 1  # no training is over within its first step

    def open(self, logdir: str, path: str, *, is_of_writer: bool = False) -> None:
        """Log into a directory, by its path from wherever the script may go."""
        if self.writes:
            self._events.open(path, beside=is_of_writer)
        self.logdir, self.is_of_writer = logdir, is_of_writer

    def is_over(self, optimizer: Optimizer) -> bool:
        """Whether an optimizer begins something new: all that was trained here is gone."""
        if ref(optimizer) in self._optimizers or not self._trained:
            return False
        if self._optimizers and self.steps.count > self._collected_at:
            # A schedule of learning rates and its optimizer hold each other. Many optimizers may
            # begin in one step, and it is slow.
            self._collected_at = self.steps.count
            gc.collect()
        return not self._optimizers and all(
            parameter() is None for parameter in self._trained.values()
        )

    def attach(self, optimizer: Optimizer) -> None:
        """Watch the models of an optimizer that is about to step, in a hook of all optimizers."""
        if ref(optimizer) not in self._optimizers:
            # Torch is going through the hooks of all optimizers, so none can be added to them now;
            # this one's own hooks come afterwards.
            handle = optimizer.register_step_pre_hook(torch.compiler.disable(self._begin))
            self._optimizers[ref(optimizer, self._drop)] = handle
        elif self._loose:
            self._follow(optimizer)

    def detach(self, optimizer: Optimizer) -> None:
        """Remove the hook of `attach` from the optimizer, after its step."""
        handle = self._optimizers.get(ref(optimizer))
        if handle is not None:
            handle.remove()
            self._optimizers[ref(optimizer)] = None

    def add_losses(self, losses: Losses) -> None:
        """Log what an optimizer's step is to make smaller, if the step is logged."""
        count = self.steps.count - self._first_count
        if self.writes and losses and count % self._every == 0:
            self._losses.add(self.steps.step, losses)

    def stop(self) -> None:
        """Watch no longer, and let go of the models."""
        while self._watches:
            self._watches.pop().remove()
        self._models.clear()
        self._watched.clear()
        self._loose.clear()

    def close(self) -> None:
        """Write all there is."""
        self.stop()
        self._optimizers.clear()  # else they call `_drop` when Python is half gone
        self._writer.close()

    def _begin(
        self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Step | None:
        step: Step | None = None
        try:
            if all(self._is_watched(p) for p in parameters_of(optimizer)):
                return None  # the models of all optimizers are found with the first of them
            models, loose = find_models(optimizer, besides=self._models)
            self._loose |= {ref(each): model for each, model in loose.items()}
            named = with_names([*models, *loose.values()])
            for name, model in named.items():
                watch = self._watch(model, name if len(named) > 1 else None)
                # Its own hook is one for all optimizers, which come to it with the next step.
                step = watch.before_step(optimizer, *(step or (args, kwargs))) or step
            everything = [p for model in self._models for p in model.parameters()]
            self._note(everything)
        except Exception as error:  # noqa: BLE001 - training goes on, whatever this is
            self._fail(error)
        return step

    def _watch(self, model: nn.Module, prefix: str | None) -> Watch:
        self._models.append(model)
        if not self._watches:
            self._first_count = self.steps.count
        try:
            watch = self._writer.watch(
                model, every=self._every, step=lambda: self.steps.step, prefix=prefix
            )
        except Exception as error:  # noqa: BLE001 - there are others
            kind = type(model).__name__
            self._warn(f"{kind} is left out: {type(error).__name__}: {error}", key=kind)
            watch = Watch()
        self._watches.append(watch)
        return watch

    def _is_watched(self, parameter: Tensor) -> bool:
        watched = self._watched.get(id(parameter))
        return watched is not None and watched() is parameter

    def _note(self, parameters: Sequence[Tensor]) -> None:
        self._watched |= {id(p): ref(p) for p in parameters}
        self._trained |= self._watched

    def _follow(self, optimizer: Optimizer) -> None:
        """Have the model of loose parameters be those that the optimizer holds now."""
        loose = self._loose.get(ref(optimizer))
        if loose is None:
            return
        held = parameters_of(optimizer)
        if all(self._is_watched(p) for p in held):
            return
        of_models = parameter_ids(model for model in self._models if model is not loose)
        loose.follow([p for p in held if id(p) not in of_models])
        self._note(held)

    def _drop(self, optimizer: "ReferenceType[Optimizer]") -> None:
        # A script that trains one model after the other frees the one before. So must we.
        self._optimizers.pop(optimizer, None)
        if not self._optimizers and not is_in_training(sys._getframe()):
            self.stop()


class LossLog:
    """Writes the losses of a run as scalars, one point for each step.

    What is heard between two optimizer steps is one loss, the sum of its calls. A run with one
    such loss has it as ``loss/backward``. Where there are several, as those of a generator and a
    discriminator, each is ``loss/backward/<names>`` by the names at its calls; so is each call,
    where several add up to one.

    Parameters
    ----------
    emit
        Takes each event.
    """

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._step = -1
        self._values: dict[Site, Tensor] = {}  # of the present step
        self._groups: dict[Site, list[Site]] = {}  # those that are one loss
        self._series: dict[tuple[Site, ...], tuple[RowSchema, RowBuffer]] = {}

    def add(self, step: int, losses: Losses) -> None:
        """Add what was heard before an optimizer's step."""
        if step != self._step:
            self._end_step()
            self._step = step
        group = next((self._groups[site] for site in losses if site in self._groups), [])
        for site, value in losses.items():
            if site not in self._groups:
                group.append(site)
                self._groups[site] = group
            before = self._values.get(site)
            self._values[site] = value if before is None else before + value.to(before.device)

    def flush(self, *, is_last: bool = False) -> None:
        """Write all, but what the present step has so far; `is_last`, that, too."""
        if is_last:
            self._end_step()
        for _, buffer in self._series.values():
            buffer.flush(is_last=is_last)

    def flush_from_recorder(self) -> None:
        """Write what is on the host, in the recorder's thread."""
        for _, buffer in list(self._series.values()):
            buffer.flush_from_recorder()

    def _end_step(self) -> None:
        values, self._values = self._values, {}
        groups = {id(group): group for group in self._groups.values()}
        for group in groups.values():
            present = [values[site] for site in group if site in values]
            if present:
                tag = partial(self._loss_tag, group, len(groups))
                self._put((group[0],), sum_of(present), tag)
        for site, value in values.items():
            if len(self._groups[site]) > 1:
                self._put((site, site), value, partial(self._tag, [site]))

    def _put(self, key: tuple[Site, ...], value: Tensor, tag: Callable[[], str]) -> None:
        series = self._series.get(key)
        if series is None:
            taken = {schema.layers[0] for schema, _ in self._series.values()}
            name = next(name for name in numbered_names(tag()) if name not in taken)
            series = self._series[key] = (RowSchema((name,)), RowBuffer(self._write))
        schema, buffer = series
        buffer.add(schema, self._step, value)

    def _loss_tag(self, group: list[Site], losses: int) -> str:
        alone = losses == 1 and not self._series
        return LOSS_TAG if alone else self._tag(group)

    def _tag(self, sites: list[Site]) -> str:
        return "/".join([LOSS_TAG, "+".join(shown(site, self._groups) for site in sites)])

    def _write(self, batch: RowBatch) -> None:
        (tag,) = batch.schema.layers
        points = zip(batch.steps, batch.wall_times, batch.norms()[:, 0].tolist(), strict=True)
        for step, wall_time, value in points:
            event = scalars_event([(tag, value)], step=int(step), wall_time=float(wall_time))
            self._emit(event)
