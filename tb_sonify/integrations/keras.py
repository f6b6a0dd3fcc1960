"""Keras 3: a callback, whose backend may be torch or another."""

import time
from collections.abc import Mapping
from typing import Any

from tb_sonify.integrations._host import new_run_directory, number_of, require
from tb_sonify.training.event_writer import EventFileWriter
from tb_sonify.training.summary import scalars_event
from tb_sonify.training.warn import warn

_keras: Any = require("keras", extra="keras")


class SonifyCallback(_keras.callbacks.Callback):
    """Logs the metrics of each batch, and with the torch backend the gradient norms of each layer.

    With other backends the metrics alone can be heard, and one warning says so. A model that
    accumulates gradients is heard batch by batch.

    Parameters
    ----------
    log_dir
        Directory of the run; `None`: a new one in ``runs/``.
    every
        Log every so many batches.
    writer
        Further arguments of `SonifyWriter`, such as `presets`.

    Examples
    --------
    ::

        model.fit(inputs, labels, callbacks=[SonifyCallback("runs/adam")])
    """

    def __init__(self, log_dir: str | None = None, *, every: int = 1, **writer: Any) -> None:
        super().__init__()
        if every < 1:
            raise ValueError(f"every must be at least 1, got {every!r}")
        self._log_dir = log_dir
        self._every = every
        self._options = writer
        self._step = 0
        self._log: _Metrics | Any = None

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self._close()  # of a training that was interrupted
        self._log_dir = self._log_dir or new_run_directory("")
        if _keras.backend.backend() == "torch":
            from tb_sonify.integrations.keras_torch import Gradients

            self._log = Gradients(self._log_dir, self._options)
        else:
            warn(
                "gradients are heard with Keras' torch backend, and this one is "
                f"{_keras.backend.backend()!r}: only metrics are logged"
            )
            self._log = _Metrics(self._log_dir)

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        if self._step % self._every == 0:
            self._log.add(self.model, logs or {}, self._step)
        self._step += 1

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        validation = {name: v for name, v in (logs or {}).items() if name.startswith("val_")}
        self._log.add(None, validation, max(0, self._step - 1))

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        self._close()

    def _close(self) -> None:
        log, self._log = self._log, None
        if log is not None:
            log.close()


class _Metrics:
    """Writes metrics, where there need not be any torch."""

    def __init__(self, logdir: str) -> None:
        self._events = EventFileWriter(logdir)

    def add(self, _: Any, metrics: Mapping[str, Any], step: int) -> None:
        numbers = {name: number_of(value) for name, value in metrics.items()}
        values = [(name, number) for name, number in numbers.items() if number is not None]
        if values:
            self._events.add_event(scalars_event(values, step=step, wall_time=time.time()))

    def close(self) -> None:
        self._events.close()
