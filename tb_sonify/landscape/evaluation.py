"""Evaluate a loss at other weights of a model, and put back everything that this touches."""

import random
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import FrameType, TracebackType
from typing import Any, Literal, SupportsFloat, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel
from torch.nn.parameter import is_lazy

from tb_sonify.training.sharding import mesh_of

Loss = Callable[[nn.Module], SupportsFloat]
BatchNorm = Literal["batch", "running"]


class Evaluation:
    """A context in which a loss is evaluated at any weights; at its end all is as it was before.

    Weights, buffers, gradients, `requires_grad`, modes and random states are restored bit for bit,
    also after an exception or Ctrl-C, which is heeded within the loss alone. Every evaluation
    starts from the same buffers and random states, in eval mode, without gradients. A model that is
    wrapped by `DistributedDataParallel` or `torch.compile` is evaluated without its wrapper, so
    that no other process is waited for.

    Parameters
    ----------
    loss
        Called with the model; gives one number.
    names
        Of the parameters that are moved; `None`: those that are trained, `requires_grad`. A
        parameter of several modules is one. Others are neither moved nor copied.
    batch_norm
        Batch normalisation by the statistics of the ``"batch"`` that the loss gives the model, as
        in training, with nothing counted in the buffers; or by the ``"running"`` ones, which are
        those of the weights that were trained and wrong elsewhere.

    Attributes
    ----------
    parameters
        Those that are moved.
    weights
        Their values when the context began, in copies.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Loss,
        *,
        names: Sequence[str] | None = None,
        batch_norm: BatchNorm = "batch",
    ) -> None:
        if not callable(loss):
            raise TypeError(f"loss must be callable with the model, got {loss!r}")
        if batch_norm not in get_args(BatchNorm):
            raise ValueError(f"batch_norm must be 'batch' or 'running', got {batch_norm!r}")
        self.model = model
        self.parameters = list(movable(model, names).values())
        self._inner, self._loss, self._batch_norm = unwrapped(model), loss, batch_norm
        self._signals = _DeferredSignals()
        self.weights: list[Tensor] = []

    def __enter__(self) -> "Evaluation":
        self._signals.start()
        try:
            self.weights = [p.detach().clone() for p in self.parameters]
            self._saved = _Saved(self.model, self.parameters)
        except BaseException:
            self._signals.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._saved.restore()
        with torch.no_grad():
            self._place_back([p.data for p in self.parameters])
        torch.clear_autocast_cache()
        self._signals.stop()

    def at(self, place: Callable[[list[Tensor]], None]) -> float:
        """The loss at the weights that `place` writes into the data of the `parameters`."""
        with torch.no_grad():
            self._saved.restore()
            place([p.data for p in self.parameters])
            self._evaluate_mode()
            # Under autocast, copies of the weights before would be taken for these.
            torch.clear_autocast_cache()
            value: Any = self._signals.call(self._loss, self._inner)
            return one_number(value)

    def here(self) -> float:
        """The loss at the weights when the context began."""
        return self.at(self._place_back)

    def _place_back(self, data: list[Tensor]) -> None:
        for each, weight in zip(data, self.weights, strict=True):
            each.copy_(weight)

    def _evaluate_mode(self) -> None:
        for p in self.parameters:
            p.grad = None
        for module in self._saved.modules:
            module.training = False
            # Without running statistics, those of the batch are taken, in each process its own.
            if self._batch_norm == "batch" and isinstance(module, _BatchNorm):
                module.running_mean = module.running_var = None


def one_number(value: Any) -> float:
    """A loss as a number."""
    if isinstance(value, Tensor):
        if value.numel() != 1:
            raise ValueError(
                f"loss(model) must give one number, got shape {tuple(value.shape)}: take its mean"
            )
        value = value.detach()
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"loss(model) must give one number, got {value!r}") from None


def unwrapped(model: nn.Module) -> nn.Module:
    """A model without `DistributedDataParallel` and `torch.compile` around it."""
    while True:
        if isinstance(model, DistributedDataParallel):
            model = model.module
        elif isinstance(inner := getattr(model, "_orig_mod", None), nn.Module):
            model = inner
        else:
            return model


def movable(model: nn.Module, names: Sequence[str] | None = None) -> dict[str, nn.Parameter]:
    """The parameters of a model that can be moved, by name; those that are trained, or `names`.

    Raises
    ------
    TypeError, ValueError
        If there are none, some have no values yet or are sharded, or a name is none of them.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a torch.nn.Module, got {type(model).__name__}")
    every = dict(unwrapped(model).named_parameters())
    if any(map(is_lazy, every.values())):
        raise ValueError(
            "the model must have its parameters: call it once, so that all have shapes"
        )
    if any(mesh_of(p) is not None or hasattr(p, "_is_flat_param") for p in every.values()):
        raise ValueError(
            "a landscape needs whole parameters, and some are sharded over processes: load a "
            "checkpoint into a model that is not"
        )
    wanted = [name for name, p in every.items() if p.requires_grad] if names is None else names
    lacking = [name for name in wanted if name not in every]
    if lacking:
        raise ValueError(f"the plane is of another model: this one has no parameter {lacking[0]!r}")
    found = {name: every[name] for name in wanted if _is_dense(every[name])}
    if not found:
        raise ValueError(
            "the model must have a parameter of floating point that is trained (requires_grad), "
            f"of {len(every)} it has none"
        )
    if empty := [name for name, p in found.items() if p.is_meta]:
        raise ValueError(f"parameters must have values, {empty[0]!r} is on the meta device")
    return found


def _is_dense(p: Tensor) -> bool:
    """Whether values can be written one by one: neither integers, nor sparse, nor expanded."""
    strided = p.is_floating_point() and p.layout == torch.strided
    return strided and (0 not in p.stride() or p.numel() < 2)


class _Saved:
    """What a loss may change but the values of weights; also where and of what type these are."""

    def __init__(self, model: nn.Module, parameters: Iterable[nn.Parameter]) -> None:
        self.modules = list(model.modules())
        self._data = [(p, p.data) for p in parameters]
        self._trained = [(p, p.grad, p.requires_grad) for p in model.parameters()]
        self._modes = [module.training for module in self.modules]
        self._parameters = [dict(module._parameters) for module in self.modules]
        self._buffers = [dict(module._buffers) for module in self.modules]
        self._values = [
            (buffer, buffer.detach().clone())
            for buffers in self._buffers
            for buffer in buffers.values()
            if buffer is not None
        ]
        self._random = _random_states({p.device for p in model.parameters()})

    def restore(self) -> None:
        """Put everything back; can be called again."""
        saved = zip(self.modules, self._modes, self._parameters, self._buffers, strict=True)
        for module, training, parameters, buffers in saved:
            module.training = training
            module._parameters.clear()
            module._parameters.update(parameters)
            module._buffers.clear()
            module._buffers.update(buffers)
        for p, data in self._data:
            if p.data_ptr() != data.data_ptr():  # it was moved, or converted
                p.data = data
        for buffer, value in self._values:
            buffer.data.copy_(value)
        for p, grad, trained in self._trained:
            p.grad = grad
            p.requires_grad_(trained)
        for restore, state in self._random:
            restore(state)


def _random_states(devices: Iterable[torch.device]) -> list[tuple[Callable[[Any], object], Any]]:
    """States of all generators that a loss may draw from, each with what restores it."""
    found: list[tuple[Callable[[Any], object], Any]] = [
        (torch.set_rng_state, torch.get_rng_state()),
        (random.setstate, random.getstate()),
        (np.random.set_state, np.random.get_state()),  # noqa: NPY002 - a loss may use it
    ]
    for device in devices:
        backend: Any = getattr(torch, device.type, None)
        if device.type == "cuda":
            restore = partial(torch.cuda.set_rng_state, device=device)
            found.append((restore, torch.cuda.get_rng_state(device)))
        elif device.type != "cpu" and hasattr(backend, "get_rng_state"):
            found.append((backend.set_rng_state, backend.get_rng_state()))
    return found


class _DeferredSignals:
    """Keeps SIGINT and SIGTERM back, but while `call` runs: their handlers may raise."""

    def __init__(self) -> None:
        self._handlers: dict[int, Any] = {}
        self._pending: list[tuple[Callable[..., Any], int]] = []
        self._open = False

    def start(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return  # handlers run in the main thread
        for each in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(each)
            if callable(handler):
                self._handlers[each] = handler
                signal.signal(each, self._handle)

    def stop(self) -> None:
        """Heed signals again, also those that were kept back."""
        try:
            while self._handlers:
                number, handler = next(iter(self._handlers.items()))
                signal.signal(number, handler)
                self._handlers.pop(number, None)
        finally:  # a handler that was put back may raise at once
            if self._handlers:
                self.stop()
        while self._pending:
            handler, number = self._pending.pop(0)
            handler(number, None)

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function, within which signals are heeded, first of all those kept back."""
        try:
            self._open = True
            while self._pending:
                self._handle(self._pending.pop(0)[1], None)
            return function(*arguments)
        finally:
            self._open = False

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self._open:
            self._pending.append((self._handlers[number], number))
            return
        self._open = False  # until what it raises has gone through, no other one is heeded
        self._handlers[number](number, frame)
        self._open = True
