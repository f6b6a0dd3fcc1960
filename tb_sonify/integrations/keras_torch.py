"""What Keras' torch backend has in store: gradients."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from tb_sonify.integrations._host import number_of
from tb_sonify.training.grad_norms import LayerNorms
from tb_sonify.training.writer import SonifyWriter


class Gradients:
    """Logs metrics, and the norms that gradients have after a batch.

    Parameters
    ----------
    options
        Of the writer.
    """

    def __init__(self, logdir: str, options: Mapping[str, Any]) -> None:
        self._writer = SonifyWriter(logdir, **options)
        self._norms: LayerNorms | None = None

    def add(self, model: Any, metrics: Mapping[str, Any], step: int) -> None:
        """Log a batch; without a model, only its metrics."""
        for name, value in metrics.items():
            if (number := number_of(value)) is not None:
                self._writer.add_scalar(name, number, step)
        layers = {} if model is None else _layers(model)
        if not layers:
            return
        norms = LayerNorms(layers)
        if self._norms is None or not self._norms.is_of(norms):
            self._norms = norms
        # Keras has waited for this batch already, for its metrics.
        values = (self._norms().float() / _loss_scale(model)).tolist()
        row = [None if value < 0 else value for value in values]
        self._writer.add_norms(dict(zip(self._norms.names, row, strict=True)), step)

    def close(self) -> None:
        """Write all there is."""
        self._writer.close()


def _layers(model: Any) -> dict[str, list[Any]]:
    """The trainable parameters of each layer, by the layer's path in the model."""
    layers: dict[str, list[Any]] = {}
    for variable in model.trainable_variables:
        name = variable.path.rpartition("/")[0].removeprefix(f"{model.name}/") or model.name
        layers.setdefault(name.replace("/", "."), []).append(variable.value)
    return layers


def _loss_scale(model: Any) -> Tensor | float:
    """By what Keras has multiplied the loss, and so the gradients."""
    scale: Tensor | float = model.optimizer.scale_loss(1.0)
    return scale
