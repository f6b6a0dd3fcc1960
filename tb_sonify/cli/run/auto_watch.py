"""One run of the script: the models that are trained in it, and the writer that logs them."""

import gc
import sys
from collections.abc import Callable, Sequence
from typing import Any
from weakref import ReferenceType, ref

import torch
from torch import nn
from torch.optim import Optimizer

from tb_sonify.cli.run.find_models import find_models
from tb_sonify.cli.run.signals import is_in_training
from tb_sonify.training.event_writer import DeferredSink
from tb_sonify.training.sharding import rank
from tb_sonify.training.watch import Watch
from tb_sonify.training.writer import RedirectedWriter

Step = tuple[tuple[Any, ...], dict[str, Any]]  # the arguments of an optimizer's step


class _RunWriter(RedirectedWriter):
    """The writer of `tb-sonify run`, which is not one of the script's."""

    sonify_owner = "run"


class AutoWatch:
    """Watches each model that is trained, from the first step of its optimizer on.

    Parameters
    ----------
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
        every: int,
        presets: Sequence[str],
        fail: Callable[[Exception], None],
    ) -> None:
        self.logdir = ""
        self.is_of_writer = False
        self.writes = rank() == 0
        self._every = every
        self._fail = fail
        self._events = DeferredSink()
        self._writer = _RunWriter(lambda: self._events, presets=presets)
        self._optimizers: dict[ReferenceType[Optimizer], Any] = {}
        self._models: list[nn.Module] = []
        self._trained: dict[int, ReferenceType[nn.Parameter]] = {}
        self._step = 0
        self._watches: list[Watch] = []

    def open(self, logdir: str, *, is_of_writer: bool = False) -> None:
        """Log into this directory."""
        if self.writes:
            self._events.open(logdir, beside=is_of_writer)
        self.logdir, self.is_of_writer = logdir, is_of_writer

    def is_over(self, optimizer: Optimizer) -> bool:
        """Whether an optimizer begins something new: all that was trained here is gone."""
        if ref(optimizer) in self._optimizers or not self._trained:
            return False
        if self._optimizers:
            gc.collect()  # a schedule of learning rates and its optimizer hold each other
        return not self._optimizers and all(
            parameter() is None for parameter in self._trained.values()
        )

    def attach(self, optimizer: Optimizer, step: int) -> None:
        """Watch the models of an optimizer that is about to step, in a hook of all optimizers."""
        self._step = step
        if ref(optimizer) not in self._optimizers:
            # Torch is going through the hooks of all optimizers, so none can be added to them now;
            # this one's own hooks come afterwards.
            handle = optimizer.register_step_pre_hook(torch.compiler.disable(self._begin))
            self._optimizers[ref(optimizer, self._drop)] = handle

    def detach(self, optimizer: Optimizer) -> None:
        """Remove the hook of `attach` from the optimizer, after its step."""
        handle = self._optimizers.get(ref(optimizer))
        if handle is not None:
            handle.remove()
            self._optimizers[ref(optimizer)] = None

    def stop(self) -> None:
        """Watch no longer, and let go of the models."""
        while self._watches:
            self._watches.pop().remove()
        self._models.clear()

    def close(self) -> None:
        """Write all there is."""
        self.stop()
        self._writer.close()

    def _begin(
        self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Step | None:
        step: Step | None = None
        try:
            models = find_models(optimizer, besides=self._models)
            for name, model in models.items():
                watch = self._writer.watch(
                    model,
                    every=self._every,
                    first_step=0 if self._watches else self._step,
                    prefix=name if len(models) > 1 else None,
                )
                self._models.append(model)
                self._trained |= {id(p): ref(p) for p in model.parameters()}
                self._watches.append(watch)
                # Its own hook is one for all optimizers, which come to it with the next step.
                step = watch.before_step(optimizer, *(step or (args, kwargs))) or step
        except Exception as error:  # noqa: BLE001 - training goes on, whatever this is
            self._fail(error)
        return step

    def _drop(self, optimizer: "ReferenceType[Optimizer]") -> None:
        # A script that trains one model after the other frees the one before. So must we.
        self._optimizers.pop(optimizer, None)
        if not self._optimizers and not is_in_training(sys._getframe()):
            self.stop()
