"""The runs of a script: mostly one, but a sweep makes many."""

import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from torch.optim import Optimizer

from tb_sonify.cli.main import numbered_names
from tb_sonify.cli.run.backward_loss import BackwardLosses
from tb_sonify.cli.run.script_writers import ScriptSteps, SummaryWriters
from tb_sonify.training.optimizer_steps import StepCounter

if TYPE_CHECKING:
    from tb_sonify.cli.run.auto_watch import AutoWatch, Step


_APART = 2.0  # times as far as the script's own steps
_FEWEST_POINTS = 2
# How long rows are kept for a SummaryWriter that the script may be about to make.
_PATIENCE_SECONDS = 10.0


class RowSteps:
    """Counts the steps of a run's optimizers, and numbers their rows.

    Where the script logs its loss at steps that grow faster than by 1 for each step of the
    optimizer, such as environment steps, samples, tokens or micro-batches, rows have those numbers.

    Attributes
    ----------
    count
        How many steps were before the present one; -1 before the first.
    step
        The number of its row.
    """

    def __init__(self, first_step: int, script: ScriptSteps) -> None:
        self.count = -1
        self.step = first_step - 1
        self._counter = StepCounter(0)
        self._script = script

    def advance(self, optimizer: Optimizer) -> None:
        """Count a step of an optimizer."""
        self._counter.step_of(self, optimizer)
        if self._counter.count > self.count:
            self.count = self._counter.count
            self.step = max(self.step + 1, self._script.next_row())

    def apart(self) -> str:
        """What to say where the script's own steps grow much slower."""
        last = self._script.last
        if self._script.points < _FEWEST_POINTS or self.step < _APART * max(last, 1):
            return ""
        return (
            f"the script logs at steps up to {last}, the gradients are at those of the optimizer, "
            f"up to {self.step}: choose time as x in the tab to have them side by side"
        )


class RunSequence:
    """Decides which run a step belongs to, and where that is logged.

    Parameters
    ----------
    writers
        Those of the script: a run is where the first that is open has its directory.
    logdir
        Of the run where there is none.
    losses
        What the script calls `backward` on.
    first_step
        Of the first run, which a script may resume.
    begin
        Called with the directory of each run, before anything is written there.
    every, presets, fail
        As in `AutoWatch`.

    Attributes
    ----------
    done
        Those that are over.
    apart
        What to say of runs whose steps are not those of the script's loss.
    """

    def __init__(
        self,
        writers: SummaryWriters,
        losses: BackwardLosses,
        *,
        logdir: str,
        first_step: int,
        every: int,
        presets: Sequence[str],
        begin: Callable[[str], None],
        fail: Callable[[Exception], None],
    ) -> None:
        self.done: list[AutoWatch] = []
        self.apart = ""
        self._writers = writers
        self._losses = losses
        self._logdir = logdir
        self._every, self._presets, self._begin, self._fail = every, presets, begin, fail
        self._steps = RowSteps(first_step, writers.steps)
        self._run: AutoWatch | None = None
        self._patient_until = 0.0

    def before_step(
        self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> "Step | None":
        """Attach to an optimizer that is about to step, in the run that its step belongs to.

        Gives the arguments of the step, where they have a closure.
        """
        run = self._run_of(optimizer)
        run.attach(optimizer)
        losses = self._losses.take()
        run.add_losses(losses)
        heard = partial(self._losses.of_closure, before=losses, add=run.add_losses)
        if len(args) > 1 and callable(args[1]):
            return (args[0], heard(args[1]), *args[2:]), kwargs
        if callable(kwargs.get("closure")):
            return args, {**kwargs, "closure": heard(kwargs["closure"])}
        return None

    def after_step(self, optimizer: Optimizer) -> None:
        """Detach from the optimizer."""
        if self._run is not None:
            self._run.detach(optimizer)

    def skip(self, optimizer: Optimizer) -> None:
        """Count a step that is left out."""
        self._run_of(optimizer).add_losses(self._losses.take())

    def stop(self) -> None:
        """Watch no longer."""
        if self._run is not None:
            self._run.stop()

    def close(self) -> None:
        """Write all there is of the present run."""
        run, self._run = self._run, None
        if run is not None:
            self.done.append(run)
            self.apart = self.apart or self._steps.apart()
            try:
                if not run.logdir:
                    logdir = self._writers.logdir()
                    is_of_writer = logdir is not None
                    self._open(run, logdir or self._free_logdir(), is_of_writer=is_of_writer)
            finally:
                run.close()

    def _run_of(self, optimizer: Optimizer) -> "AutoWatch":
        """The run that a step belongs to, which is counted."""
        logdir = self._writers.logdir()
        run = self._run
        if run is not None and self._is_over(run, optimizer, logdir):
            self.close()
            self._writers.steps.restart()
            self._steps, run = RowSteps(0, self._writers.steps), None
        if run is None:
            run = self._run = self._new_run()
        if not run.logdir:
            if logdir is not None:
                self._open(run, logdir, is_of_writer=True)
            elif time.monotonic() >= self._patient_until:
                self._open(run, self._free_logdir())
        self._steps.advance(optimizer)
        return run

    def _open(self, run: "AutoWatch", logdir: str, *, is_of_writer: bool = False) -> None:
        self._begin(logdir)
        run.open(logdir, self._writers.path(logdir), is_of_writer=is_of_writer)

    def _is_over(self, run: "AutoWatch", optimizer: Optimizer, logdir: str | None) -> bool:
        if run.is_of_writer:  # which the script may have closed, to go on with another
            return logdir not in (None, run.logdir)
        return run.is_over(optimizer)

    def _new_run(self) -> "AutoWatch":
        writer_may_come = any(name in sys.modules for name in self._writers.MODULES)
        # Not before the first step: it imports much that the script may never need.
        from tb_sonify.cli.run.auto_watch import AutoWatch

        self._patient_until = time.monotonic() + _PATIENCE_SECONDS * writer_may_come
        return AutoWatch(
            steps=self._steps, every=self._every, presets=self._presets, fail=self._fail
        )

    def _free_logdir(self) -> str:
        taken = {run.logdir for run in self.done}
        return next(name for name in numbered_names(self._logdir) if name not in taken)
