"""Hugging Face Transformers: a callback of its `Trainer`."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from tb_sonify.integrations._host import new_run_directory, number_of, require
from tb_sonify.sound import StreamPreset
from tb_sonify.training.writer import SonifyWriter

_trainer_callback: Any = require("transformers.trainer_callback", extra="huggingface")


class SonifyCallback(_trainer_callback.TrainerCallback):
    """Logs the gradient norms of each layer at each step, and what the `Trainer` logs.

    Tags and steps are those of its own ``TensorBoardCallback``, which this one takes the place of:
    leave ``"tensorboard"`` out of `report_to`, or the loss is there twice. Norms are what the
    optimizer is given, after clipping.

    Parameters
    ----------
    log_dir
        Directory of the run; `None`: that of the environment variable ``TENSORBOARD_LOGGING_DIR``,
        or a new one in ``runs/`` under `output_dir`.
    presets
        As in `SonifyWriter`.
    watch
        Further arguments of `SonifyWriter.watch`, such as `every` or `exclude`.

    Examples
    --------
    ::

        trainer = Trainer(model, args, train_dataset=data, callbacks=[SonifyCallback()])
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

    def on_train_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        self._close()  # of a training that was interrupted
        logdir = self._log_dir or os.environ.get("TENSORBOARD_LOGGING_DIR")
        if not logdir:
            is_first = state.is_world_process_zero
            logdir = new_run_directory(args.output_dir) if is_first else args.output_dir
        trial = getattr(state, "trial_name", None)  # of a search for hyperparameters
        if trial:
            logdir = os.path.join(logdir, trial)  # noqa: PTH118 - it may be a URL
        # Every process takes part, and only the first one writes.
        self._writer = SonifyWriter(logdir, presets=self._presets)
        # The trainer calls it step 1 when the first one is done.
        options = {"first_step": state.global_step + 1, **self._watch}
        self._writer.watch(others["model"], **options)

    def on_log(
        self,
        args: Any,
        state: Any,
        control: Any,
        logs: Mapping[str, Any] | None = None,
        **others: Any,
    ) -> None:
        if self._writer is None or not state.is_world_process_zero:
            return
        for name, value in (logs or {}).items():
            if (number := number_of(value)) is not None:
                self._writer.add_scalar(_tag(name), number, state.global_step)

    def on_train_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        self._close()

    def _close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()


def _tag(name: str) -> str:
    """As the trainer's own callbacks have it: ``train/loss``, ``eval/loss``."""
    for part in ("eval", "test"):
        if name.startswith(f"{part}_"):
            return f"{part}/{name.removeprefix(f'{part}_')}"
    return f"train/{name}"
