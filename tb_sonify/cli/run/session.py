"""What goes on beside the script: every step of its optimizers is seen, and the end told of."""

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tb_sonify.cli.run.script_writers import SummaryWriters

if TYPE_CHECKING:
    from tb_sonify.cli.run.backward_loss import BackwardLosses
    from tb_sonify.cli.run.run_sequence import RunSequence
    from tb_sonify.cli.run.script_watch import ScriptWatch


_NOWHERE = (
    "nothing to hear, no optimizer of torch took a step in this process; processes that the script "
    "starts by itself are not watched, those of torchrun are"
)
_NO_OPTIMIZER = (
    "nothing to hear, the script calls backward() and no optimizer of torch; to hear its "
    'gradients, make a writer = tb_sonify.SonifyWriter("runs/name"), and after each backward() '
    "call writer.add_gradient_norms(model, step)"
)


class ScriptSession:
    """Looks on from the import of torch to the end of the process.

    Parameters
    ----------
    writers
        The script's; where it logs with a `SonifyWriter` itself, nothing is added.
    watch
        Whether to tell what happens to its runs.
    options
        Of the `RunSequence` that logs the script's runs, which is made once torch is there.
    """

    def __init__(self, writers: SummaryWriters, *, watch: bool = False, **options: Any) -> None:
        self._writers = writers
        self._watch: ScriptWatch | None = None
        self._is_watched = watch and os.environ.get("RANK", "0") == "0"
        self._options = options
        self._runs: RunSequence | None = None
        self._losses: BackwardLosses | None = None
        self._ended = self._failed = False
        self._ending = threading.Lock()
        self.calls = 0  # of optimizers, as `count_skipped_steps` has it

    def torch_is_there(self, _: ModuleType) -> None:
        """Have torch tell of every step from here on."""
        import torch
        from torch.optim.optimizer import (
            register_optimizer_step_post_hook,
            register_optimizer_step_pre_hook,
        )

        from tb_sonify.cli.run.backward_loss import BackwardLosses
        from tb_sonify.cli.run.run_sequence import RunSequence
        from tb_sonify.training.amp import count_skipped_steps

        self._losses = BackwardLosses()
        self._losses.listen()
        options = {**self._options, "fail": self._fail, "begin": self._follow}
        self._runs = RunSequence(self._writers, self._losses, **options)
        # What is compiled must not look into the hooks, which then run as they are.
        register_optimizer_step_pre_hook(torch.compiler.disable(self._before_step))
        register_optimizer_step_post_hook(torch.compiler.disable(self._after_step))
        count_skipped_steps(self)

    def scaler_is_there(self, module: ModuleType) -> None:
        """Know the scale of a subclass of `GradScaler` that has a `scale` of its own."""
        if self._losses is not None:
            self._losses.note_scale(module.ShardedGradScaler)

    def guarded(self, action: Callable[[ModuleType], None]) -> Callable[[ModuleType], None]:
        """An action after an import, which cannot make that fail."""
        return partial(self._guarded, action)

    def skip(self, optimizer: Any) -> None:
        """Count a step that a `GradScaler` leaves out."""
        if self._runs is not None:
            self._guarded(self._runs.skip, optimizer)

    def end(self) -> None:
        """Write all there is, and say where; can be called again."""
        with self._ending:  # by a signal, while it is called at exit
            if self._ended:
                return
            self._ended = True
            try:
                if self._runs is not None:
                    self._runs.close()
                if self._watch is not None:
                    self._watch.close()
            except Exception as error:  # noqa: BLE001 - the script has ended well, for all we know
                self._fail(error)
        done = self._runs.done if self._runs is not None else []
        if any(run.writes for run in done) if done else os.environ.get("RANK", "0") == "0":
            print(f"tb-sonify run: {self._last_words()}", file=sys.stderr, flush=True)

    def _before_step(self, *arguments: Any) -> Any:
        self.calls += 1
        if self._runs is not None and not self._writers.any_of_ours():
            return self._guarded(self._runs.before_step, *arguments)
        if self._is_watched:
            self._guarded(self._follow, self._writers.logdir())
        return None

    def _follow(self, logdir: str | None) -> None:
        """Tell from here on what happens in a directory."""
        if not self._is_watched or logdir is None:
            return
        try:
            from tb_sonify.cli.run.script_watch import ScriptWatch

            self._watch = self._watch or ScriptWatch()
            self._watch.follow(logdir, self._writers.path(logdir))
        except Exception as error:  # noqa: BLE001 - the run is recorded all the same
            from tb_sonify.training.warn import warn

            self._is_watched = False
            warn(f"--watch tells nothing from here on: {type(error).__name__}: {error}")

    def _after_step(self, optimizer: Any, *_: Any) -> None:
        if self._runs is None:
            return
        with suppress(Exception):
            self._runs.after_step(optimizer)
            if self._failed:
                self._runs.stop()  # not before: torch was going through hooks that this removes

    def _guarded(self, look: Callable[..., Any], *arguments: Any) -> Any:
        if self._ended or self._failed:
            return None
        try:
            return look(*arguments)
        except Exception as error:  # noqa: BLE001 - training goes on, whatever this is
            self._fail(error)
        return None

    def _fail(self, error: Exception) -> None:
        from tb_sonify.training.warn import warn

        if self._failed:
            return  # one warning is enough
        self._failed = True
        if self._losses is not None:
            self._losses.stop()
        what = f"{type(error).__name__}: {error}"
        warn(f"tb-sonify run watches no longer, the script goes on: {what}")

    def _last_words(self) -> str:
        if self._writers.any_of_ours():
            return "the script has a SonifyWriter of its own, so nothing was added to its log"
        if self._runs is None:
            return "nothing to hear, the script did not import torch"
        logdirs = [run.logdir for run in self._runs.done if run.logdir]
        if not logdirs:
            if self._failed:
                return "nothing to hear, for the reason above"
            return _NO_OPTIMIZER if self._losses and self._losses.calls else _NOWHERE
        where = ", ".join(dict.fromkeys(logdirs))
        # A directory that shows the runs by their names.
        parent = min((logdir.rpartition("/")[0] for logdir in logdirs), key=len)
        parent = parent or ("." if "," in where else where)
        said = f"the gradients are in {where}; hear them: tensorboard --logdir {parent}"
        return f"{said}\ntb-sonify run: {self._runs.apart}" if self._runs.apart else said
