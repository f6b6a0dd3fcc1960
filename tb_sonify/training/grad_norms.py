"""The norm of each layer's gradient, on the gradients' device and without waiting for it."""

import math
import operator
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, SupportsFloat
from weakref import WeakKeyDictionary, ref

import numpy as np
import torch
from torch import Tensor, nn

from tb_sonify.schema.metadata import PRE_CLIP_OPTION
from tb_sonify.schema.notes import NO_GRADIENT
from tb_sonify.training.amp import Scaling
from tb_sonify.training.layers import Granularity, Layers, Patterns, find_layers, numbered_names
from tb_sonify.training.run_log import STEP_SKIPPED, RowSchema
from tb_sonify.training.sharding import Shards, mesh_of
from tb_sonify.training.tensor_norms import (
    Gradients,
    chunk_norms,
    is_chunked,
    is_one_chunk,
    one_chunk_norms,
    owners_of_chunks,
    tensor_norms,
)

_MAX_PLANS = 64  # a model whose gradients look different at every step must not fill memory


class LayerNorms:
    """The norms of layers, as if the gradients of a layer were one vector.

    Parameters
    ----------
    layers
        By `find_layers`.
    norm_type
        p of the p-norm, above 0; may be infinite.

    Attributes
    ----------
    shards
        `None` where no parameter is sharded.
    pre_clip
        Whether the norms that were taken last are before clipping: all of them, none, or
        ``"mixed"``.
    pre_clip_sums
        By layer, where it was measured before clipping; shared by all parts of a model.
    """

    def __init__(self, layers: Layers, *, norm_type: float = 2.0) -> None:
        self.layers = layers
        self.names = tuple(layers)
        self.norm_type = float(norm_type)
        if not self.norm_type > 0:
            raise ValueError(f"norm_type must be above 0, got {norm_type!r}")
        self.parameters: list[nn.Parameter] = [p for owned in layers.values() for p in owned]
        self.shards = Shards.of(self.parameters)
        self.pre_clip: bool | str = False
        self.pre_clip_sums: dict[str, PreClipSums] = {}
        self._layer_of = [i for i, owned in enumerate(layers.values()) for _ in owned]
        self._layer_of_parameter: dict[Tensor, int] = dict(
            zip(self.parameters, self._layer_of, strict=True)
        )
        # By the kinds of the gradients; the rest is that of `LayerSums`.
        self._plans: dict[object, tuple[NormPlan, Tensor, bool, bool]] = {}
        self._parts: dict[tuple[str, ...], LayerNorms] = {}

    def is_of(self, other: "LayerNorms") -> bool:
        """Whether the other has the same layers, made of the same parameters."""
        return (
            self.names == other.names
            and len(self.parameters) == len(other.parameters)
            and all(map(operator.is_, self.parameters, other.parameters))
        )

    def part(self, names: Sequence[str]) -> "LayerNorms":
        """Some of the layers, whose gradients are counted by the same processes."""
        key = tuple(names)
        if key == self.names:
            return self
        if key not in self._parts:
            if len(self._parts) >= _MAX_PLANS:
                self._parts.clear()
            layers = {name: self.layers[name] for name in names}
            part = self._parts[key] = LayerNorms(layers, norm_type=self.norm_type)
            part.shards, part.pre_clip_sums = self.shards, self.pre_clip_sums
        return self._parts[key]

    @torch.no_grad()
    def __call__(self, *, scaling: Scaling | None = None) -> Tensor:
        """The norms as they are now, or were before clipping: float32, shape ``(layers,)``.

        `NO_GRADIENT` where no parameter of a layer has a gradient. Where parameters are sharded,
        shape ``(2 * layers,)``: the sum of powers of the part that is counted here, and then 1
        where the layer has a gradient here, else 0.

        Parameters
        ----------
        scaling
            How the gradients are scaled.
        """
        sums = self._sums_before_clipping() if self.pre_clip_sums else None
        if sums is None:
            sums = self._measure()
            if sums.has_gradients:
                self.pre_clip = False
        return self._row(sums, scaling)

    @torch.no_grad()
    def measure_before_clipping(self, parameters: Iterable[Tensor]) -> "Callable[[], None] | None":
        """Measure the layers of parameters that will be clipped, where that is not done yet.

        Returns
        -------
        keep
            To be called once they are clipped: then the sums are those of the next row, unless
            the gradients change again. `None`: the parameters are of no layer.
        """
        touched = dict.fromkeys(self._layer_of_parameter.get(p, -1) for p in parameters)
        names = [self.names[layer] for layer in touched if layer >= 0]
        if not names:
            return None
        fresh = [name for name in names if not self._is_kept(name)]
        kept = dict.fromkeys(fresh, PreClipSums(tuple(fresh), self.part(fresh)._measure()))

        def keep() -> None:
            self.pre_clip_sums.update(kept)
            for name in names:
                self.pre_clip_sums[name].keep(name, self.layers[name])

        return keep

    def _is_kept(self, name: str) -> bool:
        kept = self.pre_clip_sums.get(name)
        return kept is not None and kept.holds(name, self.layers[name])

    def _measure(self) -> "LayerSums":
        gradients = [p.grad for p in self.parameters]
        counted: Gradients = gradients
        # Building this key and looking it up is all that a step pays for mixed models.
        if self.shards is None:
            key: tuple[object, ...] = cache_key(gradients)
        else:
            counted = self.shards.counted(gradients)
            key = (cache_key(counted), tuple([g is None for g in gradients]))
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= _MAX_PLANS:
                self._plans.clear()
            plan = self._plans[key] = self._plan(gradients, counted)
        return LayerSums(plan[0].sums(counted, self.norm_type), *plan[1:])

    def _plan(
        self, gradients: Gradients, counted: Gradients
    ) -> "tuple[NormPlan, Tensor, bool, bool]":
        layers = len(self.names)
        norms = NormPlan.of(counted, self._layer_of, layers)
        has = {i for i, g in zip(self._layer_of, gradients, strict=True) if g is not None}
        present = to_device(torch.tensor([i in has for i in range(layers)]), norms.home)
        return norms, present, len(has) == layers, bool(has)

    def _sums_before_clipping(self) -> "LayerSums | None":
        """The sums, some of them measured before clipping; `None`: none of them is."""
        names_of: dict[PreClipSums, list[str]] = {}
        rest = []
        for name in self.names:
            if self._is_kept(name):
                names_of.setdefault(self.pre_clip_sums[name], []).append(name)
            else:
                self.pre_clip_sums.pop(name, None)
                rest.append(name)
        if not names_of:
            return None
        parts = [kept.of_layers(names) for kept, names in names_of.items()]
        names = [name for names in names_of.values() for name in names]
        clipped = any(part.has_gradients for part in parts)
        if rest:
            parts.append(self.part(rest)._measure())
            names += rest
        sums = _concatenate(parts)
        if sums.has_gradients:
            self.pre_clip = clipped and ("mixed" if rest and parts[-1].has_gradients else True)
        if names == list(self.names):
            return sums
        place = {name: i for i, name in enumerate(names)}
        return sums.of_layers([place[name] for name in self.names])

    def _row(self, sums: "LayerSums", scaling: Scaling | None) -> Tensor:
        powers = sums.powers
        if scaling is not None and scaling.factor is not None:
            factor = to_device(scaling.factor, powers.device).to(powers.dtype)
            powers = powers / to_power(factor, self.norm_type)
        if self.shards is not None:
            row = torch.cat([powers, sums.present.to(powers.dtype)])
        else:
            row = to_root(powers, self.norm_type).float()
            if not sums.complete:
                row.masked_fill_(~sums.present, NO_GRADIENT)
        if scaling is not None and scaling.overflow is not None:
            row.masked_fill_(to_device(scaling.overflow, row.device) > 0, STEP_SKIPPED)
        return row


@dataclass(frozen=True)
class LayerSums:
    """For each layer, its norm to the power of the norm's type; the norm itself, if infinite.

    Attributes
    ----------
    powers
        float64, shape ``(layers,)``.
    present
        Whether a layer has a gradient, bool, shape ``(layers,)``.
    complete, has_gradients
        Whether all layers have one; whether any has.
    """

    powers: Tensor
    present: Tensor
    complete: bool
    has_gradients: bool

    def of_layers(self, layers: Sequence[int]) -> "LayerSums":
        """The sums of some layers, by their numbers."""
        if [*layers] == [*range(len(self.powers))]:
            return self
        index = to_device(torch.tensor(layers), self.powers.device)
        return replace(self, powers=self.powers[index], present=self.present[index])


def _concatenate(parts: Sequence[LayerSums]) -> LayerSums:
    if len(parts) == 1:
        return parts[0]
    home = parts[0].powers.device
    return LayerSums(
        torch.cat([to_device(part.powers, home) for part in parts]),
        torch.cat([to_device(part.present, home) for part in parts]),
        all(part.complete for part in parts),
        any(part.has_gradients for part in parts),
    )


@dataclass(eq=False)
class PreClipSums:
    """The sums of some layers, measured before their gradients were clipped.

    They hold for as long as nothing but clipping changes a gradient.
    """

    names: tuple[str, ...]
    sums: LayerSums
    # Of a gradient that is freed meanwhile nothing must stay.
    _gradients: "dict[str, list[tuple[ref[Tensor], int] | None]]" = field(default_factory=dict)

    def keep(self, name: str, parameters: Iterable[nn.Parameter]) -> None:
        """Remember the gradients of a layer as they are after clipping."""
        gradients = [p.grad for p in parameters]
        self._gradients[name] = [None if g is None else (ref(g), _version(g)) for g in gradients]

    def holds(self, name: str, parameters: Iterable[nn.Parameter]) -> bool:
        """Whether the gradients of a layer are still those that were clipped."""
        for p, kept in zip(parameters, self._gradients[name], strict=True):
            gradient = p.grad
            if gradient is None or kept is None:
                if gradient is not None or kept is not None:
                    return False
            elif kept[0]() is not gradient or kept[1] != _version(gradient):
                return False
        return True

    def of_layers(self, names: Sequence[str]) -> LayerSums:
        """The sums of some of the layers."""
        place = {name: i for i, name in enumerate(self.names)}
        return self.sums.of_layers([place[name] for name in names])


def _version(gradient: Any) -> int:
    """A number that grows whenever the values change in place."""
    if mesh_of(gradient) is not None:
        gradient = gradient.to_local()
    return -1 if gradient.is_inference() else gradient._version


@dataclass(frozen=True)
class NormPlan:
    """The sums of powers of tensors, those of one owner together, on the device where most are.

    Attributes
    ----------
    groups
        Those of the device where the sums end up come first.
    home
        That device.
    """

    groups: "list[_DtypeGroup]"
    home: torch.device
    owners: int

    @classmethod
    def of(cls, gradients: Gradients, owner_of: Sequence[int], owners: int) -> "NormPlan":
        """A plan for gradients like these; `owner_of` has the owner of each, ``[0, owners)``."""
        kinds: dict[object, list[int]] = {}
        for i, g in enumerate(gradients):
            if g is not None:
                kinds.setdefault((g.device, g.dtype, g.layout), []).append(i)
        groups = [_group(positions, gradients, owner_of) for positions in kinds.values()]
        groups.sort(key=lambda group: group.owner_of.device.type == "cpu")
        return cls(groups, groups[0].owner_of.device if groups else torch.device("cpu"), owners)

    def sums(self, gradients: Gradients, norm_type: float) -> Tensor:
        """For each owner the norm to the power of `norm_type`; the norm itself, if infinite."""
        total = torch.zeros(self.owners, dtype=torch.float64) if not self.groups else None
        for group in self.groups:
            part = group.sums(gradients, norm_type, self.owners)
            total = part if total is None else add_powers(total, part, norm_type)
        assert total is not None
        return total


def cache_key(gradients: Gradients) -> tuple[object, ...]:
    """What a plan depends on."""
    return tuple(
        [None if g is None else (g.device, g.dtype, g.layout, g.numel()) for g in gradients]
    )


def summed(norms: Tensor, owner_of: Tensor, owners: int, norm_type: float) -> Tensor:
    """The sums of powers of some norms, those of one owner together."""
    powers = to_power(norms, norm_type)
    zeros = powers.new_zeros(owners)
    if norm_type == math.inf:
        return zeros.scatter_reduce_(0, owner_of, powers, "amax")
    return zeros.index_add_(0, owner_of, powers)


def to_power(norms: Tensor, norm_type: float) -> Tensor:
    """Norms as numbers that add up to the norm of all; infinite ones do so by their maximum."""
    return norms if norm_type == math.inf else norms.pow(norm_type)


def to_root(sums: Tensor, norm_type: float) -> Tensor:
    """The norms again."""
    return sums if norm_type == math.inf else sums.pow(1 / norm_type)


def add_powers(total: Tensor, part: Tensor, norm_type: float) -> Tensor:
    """Two sums of powers as one, on the device of the first."""
    part = to_device(part.to(total.dtype), total.device)
    return torch.maximum(total, part) if norm_type == math.inf else total + part


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """A copy on `device`; a GPU is not waited for, which pageable memory could make us do."""
    if device.type == "cuda" and tensor.device.type == "cpu":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=device.type == "cuda")


@dataclass(frozen=True)
class _DtypeGroup:
    """Gradients of one device, dtype and layout."""

    positions: list[int]
    owner_of: Tensor  # of each gradient
    owner_of_chunk: Tensor | None  # of each chunk of them; `None`: none is cut

    def sums(self, gradients: Gradients, norm_type: float, owners: int) -> Tensor:
        tensors: list[Any] = [gradients[i] for i in self.positions]
        if is_chunked(tensors[0], norm_type):
            if self.owner_of_chunk is None:
                return summed(one_chunk_norms(tensors), self.owner_of, owners, norm_type)
            return summed(chunk_norms(tensors), self.owner_of_chunk, owners, norm_type)
        norms = tensor_norms([_stored_values(tensor) for tensor in tensors], norm_type)
        return summed(norms, self.owner_of, owners, norm_type)


def _group(positions: list[int], gradients: Gradients, owner_of: Sequence[int]) -> _DtypeGroup:
    tensors: list[Any] = [gradients[i] for i in positions]
    owners = [owner_of[i] for i in positions]
    device = tensors[0].device
    whole = all(map(is_one_chunk, tensors))
    by_chunk = None if whole else torch.tensor(owners_of_chunks(tensors, owners))
    return _DtypeGroup(positions, to_device(torch.tensor(owners), device), by_chunk)


def _stored_values(gradient: Tensor) -> Tensor:
    """The values that a gradient stores: those of a sparse one add up first."""
    if gradient.layout == torch.strided:
        return gradient
    return gradient.coalesce().values() if gradient.is_sparse else gradient.values()


class MeasuredLayers:
    """The norms of layers that are measured together, and the schema of their rows."""

    def __init__(self, norms: LayerNorms, options: Mapping[str, Any]) -> None:
        self.norms = norms
        self._options = options
        ranks = norms.shards.ranks if norms.shards is not None else ()
        schema = RowSchema(norms.names, {**options, PRE_CLIP_OPTION: False}, ranks)
        self._schemas: dict[bool | str, RowSchema] = {False: schema}

    def measure(self, *, scaling: Scaling | None = None) -> tuple[RowSchema, Tensor]:
        """A row by `LayerNorms`, and its schema."""
        row = self.norms(scaling=scaling)
        pre_clip = self.norms.pre_clip
        if pre_clip not in self._schemas:
            options = {**self._options, PRE_CLIP_OPTION: pre_clip}
            self._schemas[pre_clip] = replace(self._schemas[False], options=options)
        return self._schemas[pre_clip], row

    def part(self, names: Sequence[str]) -> "MeasuredLayers":
        """Some of the layers."""
        return MeasuredLayers(self.norms.part(names), self._options)


class ModelLayers:
    """The layers of the models that a writer has seen."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[nn.Module, dict[str, MeasuredLayers]] = WeakKeyDictionary()

    def find(
        self,
        model: nn.Module,
        *,
        norm_type: float,
        include: Patterns,
        exclude: Patterns,
        granularity: Granularity,
        prefix: str = "",
    ) -> MeasuredLayers:
        """The layers of a model: the object of the last call, while its layers are the same."""
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
            known[key] = MeasuredLayers(norms, options)
        return known[key]


def free_prefix(model: nn.Module, names: Collection[str], taken: Collection[str]) -> str:
    """The prefix of a model's layers that gives them names that are not taken.

    Nothing, or else the name of its class, if need be with a number.
    """
    prefixes = chain([""], numbered_names(type(model).__name__))
    return next(prefix for prefix in prefixes if _prefixed(prefix, names).isdisjoint(taken))


def _prefixed(prefix: str, names: Iterable[str]) -> set[str]:
    return {f"{prefix}.{name}" if prefix else name for name in names}


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
