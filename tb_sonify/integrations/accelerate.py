"""Hugging Face Accelerate: a tracker."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn
from torch.optim import Optimizer

from tb_sonify.integrations._host import number_of, require
from tb_sonify.sound import StreamPreset
from tb_sonify.training.watch import Watch
from tb_sonify.training.writer import SonifyWriter

_tracking: Any = require("accelerate.tracking", extra="accelerate")


class SonifyTracker(_tracking.GeneralTracker):
    """A tracker for TensorBoard that can watch models.

    Parameters
    ----------
    run_name, logging_dir
        The run is the directory of this name in that directory.
    presets
        As in `SonifyWriter`.

    Examples
    --------
    ::

        tracker = SonifyTracker("sgd-0.1", "runs")
        accelerator = Accelerator(log_with=tracker)
        accelerator.init_trackers("my_project")
        model, optimizer = accelerator.prepare(model, optimizer)
        tracker.watch(model)
    """

    name = "sonify"
    requires_logging_directory = True
    main_process_only = False  # all take part in the norms of shards, and the first one writes

    def __init__(
        self,
        run_name: str,
        logging_dir: str | os.PathLike[str],
        *,
        presets: Sequence[str | StreamPreset] = ("smooth",),
    ) -> None:
        super().__init__()
        # No Path: the directory may be a URL.
        self._log_dir = os.path.join(logging_dir, run_name)  # noqa: PTH118
        self._presets = presets
        self._writer: SonifyWriter | None = None

    @property
    def tracker(self) -> SonifyWriter:
        """The writer."""
        if self._writer is None:
            self._writer = SonifyWriter(self._log_dir, presets=self._presets)
        return self._writer

    def watch(self, model: nn.Module, optimizer: Optimizer | None = None, **options: Any) -> Watch:
        """As `SonifyWriter.watch`, in every process, once model and optimizer are prepared."""
        model = getattr(model, "module", model) if _is_wrapper(model) else model
        return self.tracker.watch(model, getattr(optimizer, "optimizer", optimizer), **options)

    def store_init_configuration(self, values: Mapping[str, Any]) -> None:
        lines = [f"| {name} | {value} |" for name, value in values.items()]
        self.tracker.add_text("configuration", "\n".join(["| | |", "|---|---|", *lines]))

    def log(self, values: Mapping[str, Any], step: int | None = None, **others: Any) -> None:
        """Log numbers, texts and dictionaries of numbers; what else there is, is for others."""
        for name, value in values.items():
            if isinstance(value, str):
                self.tracker.add_text(name, value, step, **others)
            elif isinstance(value, Mapping):
                numbers = {key: number_of(each) for key, each in value.items()}
                known = {str(key): each for key, each in numbers.items() if each is not None}
                if known:
                    self.tracker.add_scalars(name, known, step, **others)
            elif (number := number_of(value)) is not None:
                self.tracker.add_scalar(name, number, step, **others)

    def finish(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()


def _is_wrapper(model: nn.Module) -> bool:
    """Whether a model is wrapped for several processes, as by DDP, under the name ``module``."""
    return list(dict(model.named_children())) == ["module"]
