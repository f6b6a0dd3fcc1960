"""Ways to log the gradients, and updates, of a training, each at every step."""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from benchmarks.networks import Training
from tb_sonify import SonifyWriter


@dataclass(frozen=True)
class Logging:
    """Callbacks of a logging method: in the loop, after backward, and after a round."""

    before_update: Callable[[int], object] | None = None
    flush: Callable[[], object] = lambda: None
    works: Callable[[], bool] = lambda: True


Contender = Callable[[Training, Path], AbstractContextManager[Logging]]


@contextmanager
def bare(training: Training, logdir: Path) -> Iterator[Logging]:  # noqa: ARG001
    """Nothing is logged."""
    yield Logging()


@contextmanager
def tb_sonify(training: Training, logdir: Path, *, updates: bool = True) -> Iterator[Logging]:
    """Norms of layers as rows, segments, scalars and clips."""
    with SonifyWriter(logdir) as writer:
        watch = writer.watch(training.model, training.optimizer, updates=updates)
        yield Logging(flush=writer.flush, works=lambda: watch.active)


@contextmanager
def naive(training: Training, logdir: Path) -> Iterator[Logging]:
    """A loop over parameters that fetches each norm, and `add_scalar`."""

    def log(step: int) -> None:
        for name, parameter in training.model.named_parameters():
            writer.add_scalar(f"grad_norm/{name}", _gradient(parameter).norm().item(), step)

    with SummaryWriter(logdir) as writer:
        yield Logging(log, writer.flush)


@contextmanager
def foreach(training: Training, logdir: Path) -> Iterator[Logging]:
    """One `torch._foreach_norm`, norms of layers fetched at once, and `add_scalar` for each."""
    owners = {name: name.rpartition(".")[0] for name, _ in training.model.named_parameters()}
    layers = list(dict.fromkeys(owners.values()))
    layer_of = [layers.index(owner) for owner in owners.values()]

    @torch.no_grad()
    def log(step: int) -> None:
        norms = torch.stack(torch._foreach_norm([_gradient(p) for p in parameters]))
        squares = norms.new_zeros(len(layers)).index_add_(0, index, norms.square())
        for layer, norm in zip(layers, squares.sqrt().tolist(), strict=True):
            writer.add_scalar(f"grad_norm/{layer}", norm, step)

    parameters = list(training.model.parameters())
    index = torch.tensor(layer_of, device=parameters[0].device)
    with SummaryWriter(logdir) as writer:
        yield Logging(log, writer.flush)


@contextmanager
def clip(training: Training, logdir: Path) -> Iterator[Logging]:  # noqa: ARG001
    """Clipping by torch, which takes norms of its own, for scale."""
    parameters = list(training.model.parameters())
    yield Logging(lambda _: nn.utils.clip_grad_norm_(parameters, math.inf))


@contextmanager
def lightning(training: Training, logdir: Path) -> Iterator[Logging]:  # noqa: ARG001
    """Lightning's `grad_norm`, its values fetched, but not written."""
    grad_norm: Any = import_module("lightning.pytorch.utilities").grad_norm
    yield Logging(lambda _: [float(norm) for norm in grad_norm(training.model, 2).values()])


@contextmanager
def wandb_watch(training: Training, logdir: Path) -> Iterator[Logging]:
    """`wandb.watch` of gradients, offline; the work of wandb's own process is not counted."""
    wandb: Any = import_module("wandb")
    logdir.mkdir(parents=True, exist_ok=True)
    settings = wandb.Settings(silent=True, console="off", x_disable_stats=True)
    with wandb.init(mode="offline", dir=str(logdir), settings=settings) as run:
        run.watch(training.model, log="gradients", log_freq=1)
        yield Logging(lambda step: run.log({"step": step}))
        run.unwatch(training.model)


@contextmanager
def trainscope(training: Training, logdir: Path) -> Iterator[Logging]:
    """TrainScope with its own defaults, without its web page; the loss that it gets is constant."""
    core: Any = import_module("trainscope.core.config")
    settings = core.TrainScopeConfig(run_dir=str(logdir))
    scope: Any = import_module("trainscope").TrainScope(
        training.model, training.optimizer, config=settings
    )
    scope.attach()
    try:
        yield Logging(lambda step: scope.step(1.0, batch_index=step))
    finally:
        scope.detach()


CONTENDERS: dict[str, Contender] = {
    "bare": bare,
    "tb_sonify, all on": tb_sonify,
    "tb_sonify, gradients alone": partial(tb_sonify, updates=False),
    "naive + add_scalar": naive,
    "foreach + add_scalar": foreach,
    "torch clip_grad_norm_": clip,
    "Lightning grad_norm": lightning,
    "wandb.watch, offline": wandb_watch,
    "trainscope": trainscope,
}

_NEEDS = {
    "Lightning grad_norm": "lightning",
    "wandb.watch, offline": "wandb",
    "trainscope": "trainscope",
}


def missing() -> dict[str, str]:
    """The package that a contender needs and that is not installed, by contender."""
    return {name: package for name, package in _NEEDS.items() if find_spec(package) is None}


def _gradient(parameter: nn.Parameter) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad
