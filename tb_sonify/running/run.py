"""One run of the script: the models that are trained in it, and the writer that logs them."""

import sys
from collections.abc import Callable, Sequence
from typing import Any
from weakref import ReferenceType, ref

from torch import nn
from torch.optim import Optimizer

from tb_sonify.running.late_writer import LateWriter
from tb_sonify.running.models import Models, find_models
from tb_sonify.running.signals import is_in_training
from tb_sonify.training.watch import Watch


class Run:
    """Watches each model that is trained, from the first step of its optimizer on.

    Attributes
    ----------
    is_of_writer
        Whether the directory is that of the script's SummaryWriter.
    """

    def __init__(
        self, *, every: int, presets: Sequence[str], fail: Callable[[Exception], None]
    ) -> None:
        self.is_of_writer = False
        self._every = every
        self._fail = fail
        self._writer = LateWriter(presets=presets)
        self._optimizers: dict[ReferenceType[Optimizer], Any] = {}
        self._models: list[nn.Module] = []
        self._watches: list[Watch] = []

    @property
    def logdir(self) -> str:
        """Where it is logged; empty while that is not known."""
        return self._writer.events.get_logdir()

    def open(self, logdir: str, *, is_of_writer: bool = False) -> None:
        """Log into this directory."""
        self._writer.events.open(logdir)
        self.is_of_writer = is_of_writer

    def look(self, optimizer: Optimizer) -> None:
        """Watch what an optimizer trains that is about to step; called by a hook of all of them."""
        known = ref(optimizer, self._drop)
        handle = self._optimizers.get(known)
        if handle is not None:
            handle.remove()
            self._optimizers[known] = None
        elif known not in self._optimizers:
            # Torch is going through the hooks of all optimizers, so none can be added to them now;
            # this one's own hooks come afterwards.
            self._optimizers[known] = optimizer.register_step_pre_hook(self._begin)

    def stop(self) -> None:
        """Watch no longer, and let go of the models."""
        while self._watches:
            self._watches.pop().remove()
        self._models.clear()

    def close(self) -> None:
        """Write all there is."""
        self.stop()
        self._writer.close()

    def _begin(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            models = find_models(optimizer, besides=self._models)
            if models:
                watch = self._writer.watch(_joint(models), every=self._every)
                self._models += models.values()
                self._watches.append(watch)
                # Its own hook is one for all optimizers, which come to it with the next step.
                return watch._on_step(optimizer, args, kwargs)
        except Exception as error:  # noqa: BLE001 - training goes on, whatever this is
            self._fail(error)
        return None

    def _drop(self, optimizer: "ReferenceType[Optimizer]") -> None:
        # A script that trains one model after the other frees the one before. So must we.
        self._optimizers.pop(optimizer, None)
        if not self._optimizers and not is_in_training(sys._getframe()):
            self.stop()


def _joint(models: dict[str, nn.Module]) -> nn.Module:
    """The only model, whose layers have no prefix, or one that consists of all."""
    return next(iter(models.values())) if len(models) == 1 else Models(models)
