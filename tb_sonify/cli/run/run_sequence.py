"""The runs of a script: mostly one, but a sweep makes many."""

import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from torch.optim import Optimizer

from tb_sonify.cli.main import numbered_names
from tb_sonify.cli.run.script_writers import SummaryWriters
from tb_sonify.training.optimizer_steps import StepCounter

if TYPE_CHECKING:
    from tb_sonify.cli.run.auto_watch import AutoWatch


# How long rows are kept for a SummaryWriter that the script may be about to make.
_PATIENCE_SECONDS = 10.0


class RunSequence:
    """Decides which run a step belongs to, and where that is logged.

    Parameters
    ----------
    writers
        Those of the script: a run is where the first that is open has its directory.
    logdir
        Of the run where there is none.
    first_step
        Of the first run, which a script may resume.
    every, presets, fail
        As in `AutoWatch`.

    Attributes
    ----------
    done
        Those that are over.
    """

    def __init__(
        self,
        writers: SummaryWriters,
        *,
        logdir: str,
        first_step: int,
        every: int,
        presets: Sequence[str],
        fail: Callable[[Exception], None],
    ) -> None:
        self.done: list[AutoWatch] = []
        self._writers = writers
        self._logdir = logdir
        self._every, self._presets, self._fail = every, presets, fail
        self._steps = StepCounter(first_step)
        self._run: AutoWatch | None = None
        self._patient_until = 0.0

    def before_step(self, optimizer: Optimizer) -> None:
        """Attach to an optimizer that is about to step, in the run that its step belongs to."""
        logdir = self._writers.logdir()
        run = self._run
        if run is not None and self._is_over(run, optimizer, logdir):
            self.close()
            self._steps, run = StepCounter(0), None
        if run is None:
            run = self._run = self._new_run()
        if not run.logdir:
            if logdir is not None:
                run.open(logdir, is_of_writer=True)
            elif time.monotonic() >= self._patient_until:
                run.open(self._free_logdir())
        run.attach(optimizer, self._steps.step_of(self, optimizer))

    def after_step(self, optimizer: Optimizer) -> None:
        """Detach from the optimizer."""
        if self._run is not None:
            self._run.detach(optimizer)

    def skip(self, optimizer: Optimizer) -> None:
        """Count a step that is left out."""
        self._steps.step_of(self, optimizer)

    def stop(self) -> None:
        """Watch no longer."""
        if self._run is not None:
            self._run.stop()

    def close(self) -> None:
        """Write all there is of the present run."""
        run, self._run = self._run, None
        if run is not None:
            self.done.append(run)
            try:
                if not run.logdir:
                    logdir = self._writers.logdir()
                    run.open(logdir or self._free_logdir(), is_of_writer=logdir is not None)
            finally:
                run.close()

    def _is_over(self, run: "AutoWatch", optimizer: Optimizer, logdir: str | None) -> bool:
        if run.is_of_writer:  # which the script may have closed, to go on with another
            return logdir not in (None, run.logdir)
        return run.is_over(optimizer)

    def _new_run(self) -> "AutoWatch":
        writer_may_come = any(name in sys.modules for name in self._writers.MODULES)
        # Not before the first step: it imports much that the script may never need.
        from tb_sonify.cli.run.auto_watch import AutoWatch

        self._patient_until = time.monotonic() + _PATIENCE_SECONDS * writer_may_come
        return AutoWatch(every=self._every, presets=self._presets, fail=self._fail)

    def _free_logdir(self) -> str:
        taken = {run.logdir for run in self.done}
        return next(name for name in numbered_names(self._logdir) if name not in taken)
