"""The loss over a plane of weights, on a grid."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from tb_sonify.landscape.evaluation import BatchNorm, Evaluation, Loss
from tb_sonify.landscape.path import Path
from tb_sonify.landscape.plane import Axes, Plane, check_path, random
from tb_sonify.landscape.progress import Estimate, Progress
from tb_sonify.schema.landscape import PlanePath, Surface


def estimate(
    model: nn.Module, loss: Loss, *, size: int = 25, batch_norm: BatchNorm = "batch"
) -> Estimate:
    """Time and memory that `surface` will take; evaluates the loss twice, where the model is."""
    with Evaluation(model, loss, batch_norm=batch_norm) as evaluation:
        evaluation.here()  # the first may compile
        start = time.perf_counter()
        evaluation.here()
        seconds = time.perf_counter() - start
    return Estimate(size * size, size * size * seconds, _memory(evaluation.parameters))


def _memory(parameters: Sequence[Tensor]) -> int:
    wide = [max(p.element_size(), 4) * (3 if p.is_cpu else 6) for p in parameters]
    return sum(p.numel() * (p.element_size() + w) for p, w in zip(parameters, wide, strict=True))


def surface(
    model: nn.Module,
    loss: Loss,
    *,
    plane: Plane | None = None,
    size: int = 25,
    paths: Sequence[Path] = (),
    batch_norm: BatchNorm = "batch",
    progress: bool | Callable[[int, int], None] = True,
) -> Surface:
    """The loss over a plane of weights; the model is afterwards what it was, bit for bit.

    Every point is computed from the origin anew. Where this is interrupted, there is no surface,
    and the model is what it was. In distributed training it may be called by one process alone or
    by all: no process is waited for, unless by the loss.

    Parameters
    ----------
    loss
        Called with the model, gives one number, of a fixed batch on the model's device. It is
        called in eval mode and without gradients, each time with the same random states; for mixed
        precision, it enters autocast. That of the whole of a data set is better the smaller the
        noise that is to be seen.
    plane
        Of `tb_sonify.landscape.plane`; `None`: ``plane.random(seed=0)``.
    size
        Columns and rows; an odd number has the middle as a cell.
    paths
        Paths to show beside those of the plane.
    batch_norm
        Batch normalisation by the statistics of each ``"batch"`` that the loss gives the model, or
        by the ``"running"`` ones, which only fit the weights they were counted with.
    progress
        A bar on a terminal, where tqdm is installed; or called with how many evaluations are done
        and how many there are.

    Raises
    ------
    TypeError, ValueError
        If the loss gives no number, the model has no parameter that can be moved, or the plane or a
        path is that of a model with others. What the loss raises goes through.
    """
    if size < 2:
        raise ValueError(f"size must be at least 2, got {size!r}")
    plane = plane or random(0)
    axes = plane.axes(model)
    shown = list({id(path): path for path in (*plane.paths, *paths)}.values())
    for path in shown:
        check_path(path, model)
        if path.names != axes.names:
            raise ValueError(f"the path {path.name!r} is of other parameters than the plane")
    x, y = (np.linspace(*span, size) for span in axes.spans)
    x, y = (np.where(np.abs(each) < 1e-12 * np.abs(each).max(), 0, each) for each in (x, y))
    total = 1 + size * size + sum(map(len, shown))
    with Evaluation(model, loss, names=axes.names, batch_norm=batch_norm) as evaluation:
        grid = _OnDevices(axes, evaluation.parameters)
        start = time.perf_counter()
        here = evaluation.at(partial(grid.place, 0.0, 0.0))
        expected = Estimate(
            total, total * (time.perf_counter() - start), _memory(evaluation.parameters)
        )
        with Progress("surface", progress, expected) as done:
            losses = np.empty((size, size))
            for row, column in np.ndindex(size, size):
                place = partial(grid.place, float(x[column]), float(y[row]))
                losses[row, column] = evaluation.at(place)
                done.step()
            found = [_beside(axes, path, evaluation, done) for path in shown]
    norms = [float(each.double().norm()) for each in axes.directions]
    options = {**axes.options, "norms": norms, "batch_norm": batch_norm}
    options["parameters"] = axes.origin.numel()
    return Surface(x, y, losses, here, tuple(found), options)


class _OnDevices:
    """Origin and directions of a plane beside the parameters, in float32 or float64."""

    def __init__(self, axes: Axes, parameters: Sequence[Tensor]) -> None:
        self._parameters = parameters
        self._parts = list(
            zip(*(self.split(v) for v in (axes.origin, *axes.directions)), strict=True)
        )

    def split(self, vector: Tensor) -> list[Tensor]:
        """A vector as one tensor for each parameter."""
        parts = torch.split(vector, [p.numel() for p in self._parameters])
        return [
            part.reshape(p.shape).to(p.device, torch.promote_types(p.dtype, torch.float32))
            for part, p in zip(parts, self._parameters, strict=True)
        ]

    def place(self, x: float, y: float, data: Sequence[Tensor]) -> None:
        """Write the weights at a point of the plane."""
        for each, (origin, one, two) in zip(data, self._parts, strict=True):
            each.copy_(torch.add(origin, one, alpha=x).add_(two, alpha=y))


def _beside(
    axes: Axes,
    path: Path,
    evaluation: Evaluation,
    done: Progress,
) -> PlanePath:
    """A path beside a plane, with the loss at each of its snapshots."""
    losses, feet = [], []
    split = _OnDevices(axes, evaluation.parameters).split
    for _, each in path.weights():
        parts = split(each)
        losses.append(evaluation.at(partial(_write, parts)))
        feet.append(axes.coordinates(each))
        done.step()
    points = np.array(feet)
    return PlanePath(
        path.name,
        np.array([step for step, _ in path.weights()], np.int64),
        np.ascontiguousarray(points[:, :2]),
        points[:, 2].copy(),
        np.array(losses),
        _explained(axes, path),
    )


def _write(parts: Sequence[Tensor], data: Sequence[Tensor]) -> None:
    for each, part in zip(data, parts, strict=True):
        each.copy_(part)


def _explained(axes: Axes, path: Path) -> float:
    """Share of the variance of the snapshots that a plane holds; NaN where they do not vary."""
    mean = torch.zeros_like(path.start, dtype=torch.float64)
    count = 0
    for each in _finite(path):
        mean += each
        count += 1
    mean /= max(count, 1)
    centred = replace(axes, origin=mean)
    total = sum(float((each - mean).square().sum()) for each in _finite(path))
    rest = sum(centred.coordinates(each)[2] ** 2 for each in _finite(path))
    return 1 - rest / total if total else math.nan


def _finite(path: Path) -> Iterator[Tensor]:
    return (weights for _, weights in path.weights() if bool(weights.isfinite().all()))
