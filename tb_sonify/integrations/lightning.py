"""Lightning: a callback, of the package `lightning` or of `pytorch_lightning`."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from tb_sonify.integrations._host import new_run_directory, number_of, require
from tb_sonify.integrations.adapter import SonifyAdapter
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
        Directory of the run; `None`: that of the ``TensorBoardLogger`` or ``CSVLogger``, or else a
        new one in ``runs/`` under the directory where the trainer's logger saves.
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
        self._close()  # of a training that was interrupted
        root = trainer.log_dir or trainer.default_root_dir  # all processes ask for it together
        if trainer.fast_dev_run:
            return
        own = _tensorboard_logger(trainer)
        if self._log_dir is not None:
            self._writer = SonifyWriter(self._log_dir, presets=self._presets)
        elif own is not None:
            self._writer = SonifyAdapter(own.experiment, presets=self._presets)
        else:
            first = next(iter(trainer.loggers), None)
            if getattr(first, "log_dir", None) is None and trainer.is_global_zero:
                root = new_run_directory(root, f"_{type(pl_module).__name__}")
            self._writer = SonifyWriter(root, presets=self._presets)
        # Every process takes part, and only the first one writes.
        self._writer.watch(pl_module, **{"first_step": _step(trainer), **self._watch})

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        step = _step(trainer)
        due = trainer.is_global_zero and step % max(1, trainer.log_every_n_steps) == 0
        if self._writer is None or not due or isinstance(self._writer, SonifyAdapter):
            return
        metrics = trainer.callback_metrics
        if not metrics and isinstance(outputs, dict) and "loss" in outputs:
            metrics = {"loss": outputs["loss"]}
        for name, value in metrics.items():
            if value is self._logged.get(name):
                continue  # it is left from the last validation
            self._logged[name] = value
            if (number := number_of(value)) is not None:
                self._writer.add_scalar(name, number, step)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        self._close()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        self._close()

    def _close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()


def _tensorboard_logger(trainer: Any) -> Any:
    """The first of the trainer's loggers for TensorBoard; `None`: it has none."""
    for logger in trainer.loggers:
        if any(kind.__name__ == "TensorBoardLogger" for kind in type(logger).__mro__):
            return logger
    return None


def _step(trainer: Any) -> int:
    """The step that loggers are given: of batches after which optimizers stepped."""
    return int(trainer.fit_loop.epoch_loop._batches_that_stepped)
