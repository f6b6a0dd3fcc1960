"""Lightning: a callback, of the package `lightning` or of `pytorch_lightning`."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from tb_sonify.integrations._require import require
from tb_sonify.sound import StreamPreset
from tb_sonify.training.writer import SonifyWriter

_callbacks: Any = require("lightning.pytorch.callbacks", "pytorch_lightning.callbacks",
                          extra="lightning")  # fmt: skip


class SonifyCallback(_callbacks.Callback):
    """Logs the gradient norms of each layer, at each step of the trainer's optimizers.

    With a ``TensorBoardLogger`` they go into its run, beside the loss; else the callback logs what
    the module logs by itself, every `log_every_n_steps` steps. Steps are those of the trainer's
    loggers.

    Parameters
    ----------
    log_dir
        Directory of the run; `None`: the logger's, or else a new one in ``runs/`` under the
        trainer's `default_root_dir`.
    presets
        As in `SonifyWriter`.
    watch
        Further arguments of `SonifyWriter.watch`, such as `every` or `exclude`.

    Examples
    --------
    ::

        trainer = Trainer(callbacks=[SonifyCallback()])
    """

    def __init__(
        self,
        log_dir: str | None = None,
        *,
        presets: Sequence[str | StreamPreset] = ("smooth",),
        **watch: Any,
    ) -> None:
        self._log_dir = log_dir
        self._presets = presets
        self._watch = watch
        self._writer: SonifyWriter | None = None
        self._logged: dict[str, Tensor] = {}

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        # Every process takes part, and only the first one writes.
        root = trainer.log_dir
        if trainer.fast_dev_run:
            return
        if self._log_dir is None and not trainer.loggers:
            started = time.strftime("%b%d_%H-%M-%S")
            root = str(Path(root) / "runs" / f"{started}_{type(pl_module).__name__}")
        self._writer = SonifyWriter(self._log_dir or root, presets=self._presets)
        self._writer.watch(pl_module, **{"first_step": _step(trainer), **self._watch})

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        step = _step(trainer)
        due = trainer.is_global_zero and step % max(1, trainer.log_every_n_steps) == 0
        if self._writer is None or not due or (_logs_here(trainer) and self._log_dir is None):
            return
        metrics = trainer.callback_metrics
        if not metrics and isinstance(outputs, dict) and "loss" in outputs:
            metrics = {"loss": outputs["loss"]}
        for name, value in metrics.items():
            if value is not self._logged.get(name):  # else it is left from the last validation
                self._logged[name] = value
                self._writer.add_scalar(name, value, step)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        self._close()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        self._close()

    def _close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()


def _logs_here(trainer: Any) -> bool:
    """Whether the run is that of a logger for TensorBoard, which is the trainer's first."""
    return bool(trainer.loggers) and any(
        kind.__name__ == "TensorBoardLogger" for kind in type(trainer.loggers[0]).__mro__
    )


def _step(trainer: Any) -> int:
    """The step that loggers are given: of batches after which optimizers stepped."""
    return int(trainer.fit_loop.epoch_loop._batches_that_stepped)
