"""Where rows come from: the gradients of a model, or numbers by name."""

import math
import operator
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, SupportsFloat
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from tb_sonify.contract import NO_GRADIENT, PRE_CLIP_OPTION
from tb_sonify.training.batch import Source
from tb_sonify.training.gradients import LayerNorms
from tb_sonify.training.layers import Granularity, Patterns, find_layers


class Measured:
    """Norms that are measured together, and the source of their rows."""

    def __init__(self, norms: LayerNorms, options: Mapping[str, Any]) -> None:
        self.norms = norms
        self._options = options
        ranks = norms.shards.ranks if norms.shards is not None else ()
        source = Source(norms.names, {**options, PRE_CLIP_OPTION: False}, ranks)
        self._sources: dict[bool | str, Source] = {False: source}

    def source(self, pre_clip: bool | str) -> Source:
        """The source of rows whose norms are before clipping, or not, or ``"mixed"``."""
        if pre_clip not in self._sources:
            options = {**self._options, PRE_CLIP_OPTION: pre_clip}
            self._sources[pre_clip] = replace(self._sources[False], options=options)
        return self._sources[pre_clip]

    def part(self, names: Sequence[str]) -> "Measured":
        """Some of the layers."""
        layers = {name: self.norms.layers[name] for name in names}
        return Measured(LayerNorms(layers, norm_type=self.norms.norm_type), self._options)


class ModelSources:
    """The sources of the models that a writer has seen."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[nn.Module, dict[str, Measured]] = WeakKeyDictionary()

    def of(
        self,
        model: nn.Module,
        *,
        norm_type: float,
        include: Patterns,
        exclude: Patterns,
        granularity: Granularity,
        prefix: str = "",
    ) -> Measured:
        """The norms of a model's layers; the same as before while the layers are the same."""
        layers = find_layers(model, granularity=granularity, include=include, exclude=exclude)
        if prefix:
            layers = {f"{prefix}.{name}": owned for name, owned in layers.items()}
        norms = LayerNorms(layers, norm_type=norm_type)
        options = {
            "norm_type": "inf" if norms.norm_type == math.inf else norms.norm_type,  # as JSON
            "granularity": granularity,
            "include": include if include is None or isinstance(include, str) else [*include],
            "exclude": exclude if exclude is None or isinstance(exclude, str) else [*exclude],
        }
        known = self._known.setdefault(model, {})
        key = repr((prefix, options))
        before = known.get(key)
        if before is None or not before.norms.is_of(norms):
            known[key] = Measured(norms, options)
        return known[key]


def free_prefix(model: nn.Module, names: Collection[str], taken: Collection[str]) -> str:
    """What to put before the names of a model's layers, some of which may be taken.

    Nothing, or else the name of its class, if need be with a number.
    """
    prefix, number = "", 1
    while any((f"{prefix}.{name}" if prefix else name) in taken for name in names):
        kind = type(model).__name__
        prefix, number = (kind if number == 1 else f"{kind}_{number}"), number + 1
    return prefix


def row_of(norms: Mapping[str, SupportsFloat | None]) -> tuple[tuple[str, ...], Tensor]:
    """Layers and a row of numbers by name; `None` means no gradient.

    A number on a GPU is waited for.
    """
    if not norms:
        raise ValueError("norms must have at least one layer, got none")
    values = [_norm(layer, value) for layer, value in norms.items()]
    with np.errstate(over="ignore"):  # beyond float32 is infinite
        return tuple(norms), torch.from_numpy(np.array(values).astype(np.float32))


def _norm(layer: str, value: Any) -> float:
    if not isinstance(layer, str):
        raise TypeError(f"the name of a layer must be text, got {layer!r}")
    if value is None:
        return NO_GRADIENT
    norm = None if isinstance(value, str | bytes) else _number(value)
    if norm is None:
        raise TypeError(f"the norm of layer {layer!r} must be a number or None, got {value!r}")
    if norm < 0:
        raise ValueError(f"the norm of layer {layer!r} must be at least 0, got {value!r}")
    return norm


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # the last by torch
        return None


def step_of(step: Any, *, name: str = "global_step") -> int:
    """A step as an int."""
    try:
        number = operator.index(step)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {step!r}") from None
    if not 0 <= number < 2**63:
        raise ValueError(f"{name} must be at least 0 and fit 64 bits, got {step!r}")
    return number
