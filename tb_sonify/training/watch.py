"""Watching an optimizer: every step is one row."""

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_pre_hook

from tb_sonify.training.batch import Source
from tb_sonify.training.collector import Collector
from tb_sonify.training.gradients import LayerNorms
from tb_sonify.training.warn import warn


class Watch:
    """A model that is watched until `remove`; also a context manager, which removes it.

    Parameters
    ----------
    keep_alive
        Held for as long as the optimizer, or torch, holds the hook.
    """

    def __init__(
        self,
        norms: LayerNorms,
        source: Source,
        collector: Collector,
        *,
        optimizer: Optimizer | None,
        every: int,
        first_step: int,
        keep_alive: object,
    ) -> None:
        if every < 1:
            raise ValueError(f"every must be at least 1, got {every!r}")
        self._norms = norms
        self._source = source
        self._collector = collector
        self._every = int(every)
        self._next_step = self._first_step = int(first_step)
        self._watched = _Optimizers(norms)
        self._keep_alive: object | None = keep_alive
        if optimizer is None:
            handle = register_optimizer_step_pre_hook(self._on_step)
        elif not isinstance(optimizer, Optimizer):
            raise TypeError(f"optimizer must be a torch optimizer, got {type(optimizer).__name__}")
        elif self._watched.hold(optimizer):
            handle = optimizer.register_step_pre_hook(self._on_step)
        else:
            raise ValueError(
                f"the optimizer must hold a parameter of the layers that are watched, got one that "
                f"holds none of theirs: {', '.join(norms.names[:5])}"
            )
        self._unhook: Callable[[], None] = handle.remove

    @property
    def active(self) -> bool:
        """Whether steps still become rows."""
        return self._keep_alive is not None

    def remove(self) -> None:
        """Stop watching, and leave nothing behind in the optimizer."""
        self._stop()
        self._unhook()

    def __enter__(self) -> "Watch":
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()

    def _stop(self) -> None:
        if self._keep_alive is not None:
            self._keep_alive = None
            self._collector.hand_on()

    def _on_step(self, optimizer: Optimizer, *_: Any) -> None:
        if not self.active:
            return
        try:
            if not self._watched.hold(optimizer):
                return
            step = self._next_step
            self._next_step += 1
            if (step - self._first_step) % self._every == 0:
                self._collector.add(self._source, step, self._norms())
        except Exception as error:  # noqa: BLE001 - training goes on, whatever this is
            # The hook itself stays until `remove`: torch is going through the hooks right now.
            self._keep_alive = None
            warn(f"tb_sonify stops watching, training goes on: {type(error).__name__}: {error}")


class _Optimizers:
    """Which optimizers hold a parameter of the watched layers."""

    def __init__(self, norms: LayerNorms) -> None:
        self._parameters = set(norms.parameters)
        self._known: WeakKeyDictionary[Optimizer, tuple[int, bool]] = WeakKeyDictionary()

    def hold(self, optimizer: Optimizer) -> bool:
        size = sum(len(group["params"]) for group in optimizer.param_groups)
        known = self._known.get(optimizer)
        if known is None or known[0] != size:
            shared = any(
                parameter in self._parameters
                for group in optimizer.param_groups
                for parameter in group["params"]
            )
            known = self._known[optimizer] = (size, shared)
        return known[1]
