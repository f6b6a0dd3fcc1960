"""Where rows come from: the gradients of a model, or numbers by name."""

import math
import operator
from collections.abc import Mapping
from typing import Any, SupportsFloat
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from tb_sonify.contract import NO_GRADIENT
from tb_sonify.training.batch import Source
from tb_sonify.training.gradients import LayerNorms
from tb_sonify.training.layers import Granularity, Patterns, find_layers


class ModelSources:
    """The sources of the models that a writer has seen."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[nn.Module, dict[str, tuple[LayerNorms, Source]]]
        self._known = WeakKeyDictionary()

    def of(
        self,
        model: nn.Module,
        *,
        norm_type: float,
        include: Patterns,
        exclude: Patterns,
        granularity: Granularity,
    ) -> tuple[LayerNorms, Source]:
        """The norms of a model's layers; the same as before while the layers are the same."""
        layers = find_layers(model, granularity=granularity, include=include, exclude=exclude)
        norms = LayerNorms(layers, norm_type=norm_type)
        options = {
            "norm_type": "inf" if norms.norm_type == math.inf else norms.norm_type,  # as JSON
            "granularity": granularity,
            "include": include if include is None or isinstance(include, str) else [*include],
            "exclude": exclude if exclude is None or isinstance(exclude, str) else [*exclude],
        }
        known = self._known.setdefault(model, {})
        before = known.get(repr(options))
        if before is None or not before[0].is_of(norms):
            known[repr(options)] = (norms, Source(norms.names, options))
        return known[repr(options)]


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
