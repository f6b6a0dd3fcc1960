"""Lightning Fabric: a logger for TensorBoard that can watch models."""

from collections.abc import Sequence
from typing import Any

from torch import nn
from torch.optim import Optimizer

from tb_sonify.integrations._host import require
from tb_sonify.sound import StreamPreset
from tb_sonify.training.watch import Watch
from tb_sonify.training.writer import SonifyWriter

_loggers: Any = require("lightning.fabric.loggers", "lightning_fabric.loggers", extra="lightning")


class SonifyLogger(_loggers.TensorBoardLogger):
    """Fabric's ``TensorBoardLogger``, with the same arguments, whose `experiment` can be heard.

    Parameters
    ----------
    presets
        As in `SonifyWriter`.

    Examples
    --------
    ::

        logger = SonifyLogger("runs")
        fabric = Fabric(loggers=logger)
        model, optimizer = fabric.setup(model, optimizer)
        logger.watch(model)
    """

    def __init__(
        self, *arguments: Any, presets: Sequence[str | StreamPreset] = ("smooth",), **others: Any
    ) -> None:
        super().__init__(*arguments, **others)
        self._presets = presets
        self._experiment: SonifyWriter | None = None  # the base class opens and closes it by this

    @property
    def experiment(self) -> SonifyWriter:
        """The writer, in every process: all take part in the norms, and the first one writes."""
        if self._experiment is None:
            self._experiment = SonifyWriter(self.log_dir, presets=self._presets, **self._kwargs)
        return self._experiment

    def watch(self, model: nn.Module, optimizer: Optimizer | None = None, **options: Any) -> Watch:
        """As `SonifyWriter.watch`; model and optimizer may have been set up by Fabric."""
        original = getattr(model, "_original_module", model)
        stepped = getattr(optimizer, "optimizer", optimizer)
        return self.experiment.watch(original, stepped, **options)
