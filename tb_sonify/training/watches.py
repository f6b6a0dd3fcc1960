"""All that a writer watches at a time."""

from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from torch import nn

from tb_sonify.training.clock import Clock
from tb_sonify.training.recording import Recording
from tb_sonify.training.sources import Measured, free_prefix
from tb_sonify.training.watch import Watch


class Watches:
    """Models that are watched side by side: layers have different names, and steps are the same."""

    def __init__(self) -> None:
        self._all: WeakSet[Watch] = WeakSet()  # an optimizer that is gone takes its watch along
        self._clock = Clock(0)

    def add(
        self,
        model: nn.Module,
        find: Callable[..., Measured],
        recording: Recording,
        *,
        prefix: str | None,
        first_step: int,
        **options: Any,
    ) -> Watch:
        """Watch another model.

        Parameters
        ----------
        find
            Gives its layers with a prefix.
        prefix, first_step
            As in `SonifyWriter.watch`.
        options
            As in `Watch`.
        """
        active = [watch for watch in self._all if watch.active]
        clock = self._clock if active else Clock(first_step)
        if first_step not in (0, clock.first_step):
            raise ValueError(
                f"all that a writer watches at a time has the same steps: first_step must be that "
                f"of the first watch, {clock.first_step}, got {first_step}"
            )
        taken = {name for watch in active for name in watch.names}
        names = find(prefix=prefix or "").norms.names
        if prefix is None:
            prefix = free_prefix(model, names, taken)
        elif not taken.isdisjoint(names):
            raise ValueError(f"prefix must make names that no other watch has, got {prefix!r}")
        chosen = prefix
        watch = Watch(lambda: find(prefix=chosen), recording, clock=clock, **options)
        self._clock = clock
        self._all.add(watch)
        return watch

    def remove(self) -> None:
        """Stop watching all of them."""
        for watch in list(self._all):
            watch.remove()
