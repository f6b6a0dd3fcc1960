"""What goes on beside the script: its optimizers are watched, and logged into its run."""

import sys
import time
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tb_sonify.running.writers import SummaryWriters

if TYPE_CHECKING:
    from tb_sonify.running.run import Run

# How long rows are kept for a SummaryWriter that the script may be about to make.
_PATIENCE_SECONDS = 10.0


class Session:
    """Looks on from the import of torch to the end of the process.

    Parameters
    ----------
    name
        Of the script.
    logdir
        Of the run, where the script has no SummaryWriter; `None`: one named after the script.
    every
        Log every so many steps.
    presets
        Of the clips that are logged.
    """

    def __init__(
        self, name: str, *, logdir: str | None, every: int, presets: Sequence[str]
    ) -> None:
        self.writers = SummaryWriters()
        self._name = name
        self._logdir = logdir or f"runs/{time.strftime('%b%d_%H-%M-%S')}_{name}"
        self._every, self._presets = every, presets
        self._torch = self._ended = self._failed = False
        self._run: Run | None = None
        self._done: list[Run] = []
        self._patient_until = 0.0

    def torch_is_there(self, _: ModuleType) -> None:
        """Have torch tell of every step from here on."""
        from torch.optim.optimizer import register_optimizer_step_pre_hook

        register_optimizer_step_pre_hook(self._on_step)
        self._torch = True

    def end(self) -> None:
        """Write all there is, and say where; can be called again."""
        if self._ended:
            return
        self._ended = True
        if self._run is not None:
            if not self._run.logdir:
                self._run.open(self.writers.logdir() or self._logdir)
            self._run.close()
            self._done.append(self._run)
        print(f"tb-sonify run: {self._last_words()}", file=sys.stderr, flush=True)

    def end_soon(self, and_then: Callable[[], None]) -> None:
        """The same, and then what ends the process."""
        try:
            self.end()
        finally:
            and_then()

    def _on_step(self, optimizer: Any, *_: Any) -> None:
        if self._ended or self._failed:
            return
        try:
            self._look(optimizer)
        except Exception as error:  # noqa: BLE001 - training goes on, whatever this is
            self._fail(error)

    def _look(self, optimizer: Any) -> None:
        logdir = self.writers.logdir()
        run = self._run
        if run is not None and run.is_of_writer and logdir not in (None, run.logdir):
            # The script has closed the SummaryWriter of the run, and goes on with another.
            run.close()
            self._done.append(run)
            run = None
        if run is None:
            if self.writers.any_of_ours():
                return
            writer_may_come = any(name in sys.modules for name in self.writers.MODULES)
            run = self._run = self._new_run()
            self._patient_until = time.monotonic() + _PATIENCE_SECONDS * writer_may_come
        if not run.logdir:
            if logdir is not None:
                run.open(logdir, is_of_writer=True)
            elif time.monotonic() >= self._patient_until:
                run.open(self._logdir)
        run.look(optimizer)

    def _new_run(self) -> "Run":
        # Not before the first step: it imports much that the script may never need.
        from tb_sonify.running.run import Run

        return Run(every=self._every, presets=self._presets, fail=self._fail)

    def _fail(self, error: Exception) -> None:
        from tb_sonify.training.warn import warn

        self._failed = True
        if self._run is not None:
            self._run.stop()
        warn(
            f"tb-sonify run watches no longer, the script goes on: {type(error).__name__}: {error}"
        )

    def _last_words(self) -> str:
        if self.writers.any_of_ours():
            return f"{self._name} has a SonifyWriter of its own, so nothing was added to its log"
        if not self._torch:
            return f"nothing to hear, {self._name} did not import torch"
        if not self._done:
            return (
                f"nothing to hear, no optimizer of torch took a step in this process; processes "
                f"that {self._name} starts by itself are not watched, those of torchrun are"
            )
        runs = ", ".join(dict.fromkeys(run.logdir for run in self._done))
        return f"the gradients are in {runs}; hear them: tensorboard --logdir {self._parent()}"

    def _parent(self) -> str:
        """A log directory that shows the runs by their names."""
        parents = {run.logdir.rpartition("/")[0] for run in self._done}
        shortest = min(parents, key=len)
        return shortest or self._done[0].logdir
