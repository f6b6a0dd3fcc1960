"""The strip: the loss along each step of the optimizer, measured while it trains."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from tb_sonify.landscape.evaluation import BatchNorm, Evaluation, Loss, movable
from tb_sonify.schema.landscape import Floats, Strip


@dataclass(frozen=True)
class Landscape:
    """What `SonifyWriter.watch(landscape=...)` measures: the loss along every so many steps.

    Parameters
    ----------
    loss
        Called with the model, gives the mean loss of a fixed probe batch. It is called at most
        once for each alpha, in eval mode and without gradients, under the autocast that it enters
        itself.
    every
        Steps from one strip to the next.
    alphas
        Where the loss is taken, in steps: -1, 0, 0.5, 1, 2, 4, ... by their number, at least 4;
        or themselves, with 0 and one above. Beyond 1, the last of them is the second in turn at
        which the loss is above that of before the step.
    batch_norm
        As in `tb_sonify.landscape.surface`.

    Examples
    --------
    Without `watch`::

        measure = landscape.begin(model)
        optimizer.step()
        writer.add_landscape_strip(measure(), step)
    """

    loss: Loss
    every: int = 100
    alphas: int | Sequence[float] = 9
    batch_norm: BatchNorm = "batch"

    def __post_init__(self) -> None:
        if not callable(self.loss):
            raise TypeError(f"loss must be callable with the model, got {self.loss!r}")
        if self.every < 1:
            raise ValueError(f"every must be at least 1, got {self.every!r}")
        alphas_of(self.alphas)

    def begin(self, model: nn.Module) -> Callable[[], Strip | None]:
        """Keep the weights before a step; gives what measures the strip, to be called after it.

        That gives `None` where nothing has moved. It holds two copies of the weights.
        """
        before = [p.detach().clone() for p in movable(model).values()]
        return partial(self._measure, model, before)

    def _measure(self, model: nn.Module, before: list[Tensor]) -> Strip | None:
        alphas = alphas_of(self.alphas)
        evaluation = Evaluation(model, self.loss, batch_norm=self.batch_norm)
        if [p.shape for p in evaluation.parameters] != [each.shape for each in before]:
            return None  # parameters were added or frozen within the step
        with evaluation:
            after = evaluation.weights
            norm = _distance(before, after)
            if norm == 0:
                return None
            losses: list[float] = []
            here = evaluation.at(partial(_interpolate, before, after, 0.0))
            for alpha in alphas.tolist():
                place = partial(_interpolate, before, after, alpha)
                losses.append(evaluation.at(place) if alpha else here)
                if alpha > 1 and not any(loss <= here for loss in losses[-2:]):
                    break
        return Strip(alphas[: len(losses)], np.array(losses), norm)


def alphas_of(alphas: int | Sequence[float]) -> Floats:
    """The alphas of a strip, by their number or as they are; shape ``(alphas,)``.

    Examples
    --------
    >>> alphas_of(9).tolist()
    [-1.0, 0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0]
    """
    if isinstance(alphas, int):
        if alphas < 4:
            raise ValueError(f"alphas must be at least 4, or a list of them, got {alphas}")
        return np.array([-1.0, 0.0, *(2.0**power for power in range(-1, alphas - 3))])
    found = np.unique(np.asarray(alphas, np.float64))
    if not np.isfinite(found).all() or 0 not in found or found[-1] <= 0:
        raise ValueError(f"alphas must be finite, with 0 and one above it, got {list(alphas)}")
    return found


@torch.no_grad()
def _distance(before: Sequence[Tensor], after: Sequence[Tensor]) -> float:
    norms = [
        torch.linalg.vector_norm((b - a).float()).item() for a, b in zip(before, after, strict=True)
    ]
    return float(np.linalg.norm(norms))


def _interpolate(
    before: Sequence[Tensor], after: Sequence[Tensor], alpha: float, data: list[Tensor]
) -> None:
    for each, start, end in zip(data, before, after, strict=True):
        if alpha == 0:  # also where the step went to NaN
            each.copy_(start)
        else:
            torch.lerp(start, end, alpha, out=each)
