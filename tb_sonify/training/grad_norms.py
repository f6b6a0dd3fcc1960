"""The norm of each layer's gradient, on the gradients' device and without waiting for it."""

import math
import operator
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, SupportsFloat, TypeAlias
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

    Sums that were measured before clipping hold for as long as nothing but clipping changes a
    gradient of the layer.

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
    clipped
        The gradients as clipping left them, of each layer that was measured before it.
    """

    def __init__(self, layers: Layers, *, norm_type: float = 2.0) -> None:
        self.layers = layers
        self.names = tuple(layers)
        self.norm_type = float(norm_type)
        if not self.norm_type > 0:
            raise ValueError(f"norm_type must be above 0, got {norm_type!r}")
        self.parameters: list[nn.Parameter] = [p for owned in layers.values() for p in owned]
        self.shards = Shards.of(self.parameters)
        self.clipped: dict[int, list[GradientVersion | None]] = {}
        self._pre_clip_sums: LayerSums | None = None
        self._owned = list(layers.values())
        self._all = frozenset(range(len(layers)))
        self._layer_of = [i for i, owned in enumerate(self._owned) for _ in owned]
        self._layer_of_parameter: dict[Tensor, int] = dict(
            zip(self.parameters, self._layer_of, strict=True)
        )
        # By the kinds of the gradients; with the layers that have any.
        self._plans: dict[object, tuple[NormPlan, frozenset[int]]] = {}

    def is_of(self, other: "LayerNorms") -> bool:
        """Whether the other has the same layers, made of the same parameters."""
        return (
            self.names == other.names
            and len(self.parameters) == len(other.parameters)
            and all(map(operator.is_, self.parameters, other.parameters))
        )

    def __call__(self) -> Tensor:
        """The norms of all layers, by `measure`."""
        return self.measure()[0]

    @torch.no_grad()
    def measure(
        self, layers: tuple[int, ...] | None = None, *, scaling: Scaling | None = None
    ) -> tuple[Tensor, bool | str | None]:
        """The norms as they are now, or were before clipping.

        Parameters
        ----------
        layers
            The numbers of those to measure; `None`: all.
        scaling
            How the gradients are scaled.

        Returns
        -------
        row
            float32, shape ``(layers,)``; `NO_GRADIENT` where no parameter of a layer has a
            gradient. Where parameters are sharded, shape ``(2 * layers,)``: the sum of powers of
            the part that is counted here, and then 1 where the layer has a gradient here, else 0.
        pre_clip
            Whether the norms are before clipping: all of them, none, or ``"mixed"``; `None`: there
            is no gradient.
        """
        wanted = self._all if layers is None else frozenset(layers)
        kept = frozenset(filter(self._is_kept, wanted)) if self.clipped else frozenset()
        if kept and self._pre_clip_sums is not None:
            sums, rest = self._pre_clip_sums, wanted - kept
            if rest:
                sums = sums.overwrite(rest, self._measure(rest))
        else:
            sums = self._measure(wanted)
        row = self._row(sums, wanted, scaling)
        if layers is not None:
            if self.shards is not None:
                layers = (*layers, *(len(self.names) + layer for layer in layers))
            row = row[_index(layers, row.device)]
        present = sums.present & wanted
        if not present:
            return row, None
        return row, ("mixed" if present - kept else True) if present & kept else False

    @torch.no_grad()
    def measure_before_clipping(self, parameters: Iterable[Tensor]) -> "Callable[[], None] | None":
        """Measure the layers of parameters that will be clipped, where that is not done yet.

        Returns
        -------
        keep
            To be called once they are clipped: then the sums are those of the next row, unless
            the gradients change again. `None`: the parameters are of no layer.
        """
        layers = {self._layer_of_parameter.get(p, -1) for p in parameters} - {-1}
        if not layers:
            return None
        fresh = frozenset(layer for layer in layers if not self._is_kept(layer))
        sums = self._measure(fresh) if fresh else None

        def keep() -> None:
            if sums is not None:
                before = self._pre_clip_sums if fresh != self._all else None
                self._pre_clip_sums = sums if before is None else before.overwrite(fresh, sums)
            for layer in layers:
                gradients = [p.grad for p in self._owned[layer]]
                self.clipped[layer] = [g if g is None else (ref(g), _version(g)) for g in gradients]

        return keep

    def forget_clipping(self) -> None:
        """Drop what was measured before clipping."""
        self.clipped.clear()
        self._pre_clip_sums = None

    def _is_kept(self, layer: int) -> bool:
        """Whether a layer was measured before clipping, and only clipping has changed it since."""
        if layer not in self.clipped:
            return False
        for p, kept in zip(self._owned[layer], self.clipped[layer], strict=True):
            gradient = p.grad
            if gradient is None or kept is None:
                if gradient is not None or kept is not None:
                    return False
            elif kept[0]() is not gradient or kept[1] != _version(gradient):
                return False
        return True

    def _measure(self, wanted: frozenset[int]) -> "LayerSums":
        if len(wanted) == len(self._all):
            gradients = [p.grad for p in self.parameters]
        else:
            owned = zip(self.parameters, self._layer_of, strict=True)
            gradients = [p.grad if layer in wanted else None for p, layer in owned]
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
            norms = NormPlan.of(counted, self._layer_of, len(self.names))
            has = zip(self._layer_of, gradients, strict=True)
            present = frozenset(layer for layer, g in has if g is not None)
            plan = self._plans[key] = norms, present
        return LayerSums(plan[0].sums(counted, self.norm_type), plan[1])

    def _row(self, sums: "LayerSums", wanted: frozenset[int], scaling: Scaling | None) -> Tensor:
        powers = sums.powers
        if scaling is not None and scaling.factor is not None:
            factor = to_device(scaling.factor, powers.device).to(powers.dtype)
            powers = powers / to_power(factor, self.norm_type)
        if self.shards is not None:
            present = _mask(sums.present, len(powers), powers.device)
            row = torch.cat([powers, present.to(powers.dtype)])
        else:
            row = to_root(powers, self.norm_type).float()
            if not wanted <= sums.present:
                missing = _mask(self._all - sums.present, len(row), row.device)
                row.masked_fill_(missing, NO_GRADIENT)
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
        The numbers of the layers that have a gradient.
    """

    powers: Tensor
    present: frozenset[int]

    def overwrite(self, layers: frozenset[int], by: "LayerSums") -> "LayerSums":
        """These sums, but those of some layers from others."""
        home = self.powers.device if self.present else by.powers.device
        theirs, ours = to_device(by.powers, home), to_device(self.powers, home)
        powers = torch.where(_mask(layers, len(ours), home), theirs, ours)
        return LayerSums(powers, self.present - layers | by.present & layers)


@lru_cache(maxsize=_MAX_PLANS)
def _mask(layers: frozenset[int], count: int, device: torch.device) -> Tensor:
    """Which layers these are: bool, shape ``(count,)``."""
    return to_device(torch.tensor([i in layers for i in range(count)]), device)


@lru_cache(maxsize=_MAX_PLANS)
def _index(layers: tuple[int, ...], device: torch.device) -> Tensor:
    return to_device(torch.tensor(layers), device)


GradientVersion: TypeAlias = tuple["ref[Tensor]", int]  # weak, so that gradients are freed as ever


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
    """Layers that are measured together, and the schema of their rows.

    Parameters
    ----------
    layers
        Which of `norms` they are; `None`: all.
    """

    def __init__(
        self, norms: LayerNorms, options: Mapping[str, Any], layers: tuple[int, ...] | None = None
    ) -> None:
        self.norms = norms
        self.names = norms.names if layers is None else tuple(norms.names[i] for i in layers)
        self._options = options
        self._layers = layers
        self._pre_clip: bool | str = False
        self._schemas: dict[bool | str, RowSchema] = {}

    def measure(self, *, scaling: Scaling | None = None) -> tuple[RowSchema, Tensor]:
        """A row by `LayerNorms.measure`, and its schema."""
        row, pre_clip = self.norms.measure(self._layers, scaling=scaling)
        if pre_clip is not None:
            self._pre_clip = pre_clip
        if self._pre_clip not in self._schemas:
            ranks = self.norms.shards.ranks if self.norms.shards is not None else ()
            options = {**self._options, PRE_CLIP_OPTION: self._pre_clip}
            self._schemas[self._pre_clip] = RowSchema(self.names, options, ranks)
        return self._schemas[self._pre_clip], row

    def part(self, names: Collection[str]) -> "MeasuredLayers":
        """Some of the layers."""
        layers = tuple(i for i, name in enumerate(self.norms.names) if name in names)
        return MeasuredLayers(self.norms, self._options, layers)


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
    number: Any = None if isinstance(value, str | bytes) else value
    try:
        norm = float(number)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # the last by torch
        message = f"the norm of layer {layer!r} must be a number or None, got {value!r}"
        raise TypeError(message) from None
    if norm < 0:
        raise ValueError(f"the norm of layer {layer!r} must be at least 0, got {value!r}")
    return norm


def step_of(step: Any, *, name: str = "global_step") -> int:
    """A step as an int."""
    try:
        number = operator.index(step)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {step!r}") from None
    if not 0 <= number < 2**63:
        raise ValueError(f"{name} must be at least 0 and fit 64 bits, got {step!r}")
    return number
