"""The norm of each layer's gradient, on the gradients' device and without waiting for it."""

import math
import operator
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, SupportsFloat, TypeAlias
from weakref import WeakKeyDictionary, ref

import numpy as np
import torch
from torch import Tensor, nn

from tb_sonify.schema.metadata import PRE_CLIP_OPTION
from tb_sonify.schema.notes import NO_GRADIENT
from tb_sonify.training.amp import Scaling
from tb_sonify.training.layers import Granularity, Layers, Patterns, find_layers
from tb_sonify.training.row_buffer import STEP_SKIPPED, RowSchema
from tb_sonify.training.sharding import Shards, mesh_of, reduced
from tb_sonify.training.tensor_norms import (
    Gradients,
    chunk_norms,
    goes_by_chunk,
    inexact,
    is_one_chunk,
    one_chunk_norms,
    owners_of_chunks,
    tensor_norms,
)


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
    return summed_powers(to_power(norms, norm_type), owner_of, owners, norm_type)


def summed_powers(powers: Tensor, owner_of: Tensor, owners: int, norm_type: float) -> Tensor:
    """The same of what `to_power` gave."""
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
    owner_of_piece: Tensor | None  # of each piece of them; `None`: none is cut

    def sums(self, gradients: Gradients, norm_type: float, owners: int) -> Tensor:
        tensors: list[Any] = [gradients[i] for i in self.positions]
        if goes_by_chunk(tensors[0], norm_type):
            if self.owner_of_piece is None:
                return summed(one_chunk_norms(tensors), self.owner_of, owners, norm_type)
            return summed(chunk_norms(tensors), self.owner_of_piece, owners, norm_type)
        norms = tensor_norms([_stored_values(tensor) for tensor in tensors], norm_type)
        return summed(norms, self.owner_of, owners, norm_type)


def _group(positions: list[int], gradients: Gradients, owner_of: Sequence[int]) -> _DtypeGroup:
    tensors: list[Any] = [gradients[i] for i in positions]
    owners = [owner_of[i] for i in positions]
    device = tensors[0].device
    whole = all(map(is_one_chunk, tensors))
    by_piece = None if whole else torch.tensor(owners_of_chunks(tensors, owners))
    return _DtypeGroup(positions, to_device(torch.tensor(owners), device), by_piece)


def _stored_values(gradient: Tensor) -> Tensor:
    """The values that a gradient stores: those of a sparse one add up first."""
    if gradient.layout == torch.strided:
        return gradient
    return gradient.coalesce().values() if gradient.is_sparse else gradient.values()


class Handed:
    """The norms of some gradients of one device, each to the power of the norm's type.

    They hold for as long as nothing but clipping changes a gradient.

    Parameters
    ----------
    norms
        Of each gradient, in a dtype that can hold it, by torch: one by one or as one tensor;
        `None`: they are measured now.
    """

    def __init__(
        self,
        gradients: Sequence[Tensor],
        norms: Tensor | Sequence[Tensor] | None,
        norm_type: float,
    ) -> None:
        self.norm_type = norm_type
        self._plain = all(type(gradient) is Tensor for gradient in gradients)
        whole = gradients if self._plain else [reduced(gradient) for gradient in gradients]
        here = whole if self._plain else [_local(gradient) for gradient in whole]
        self.powers = _powers(here, norms, norm_type)
        self._pieces = None if self._plain else [_piece(each) for each in norms or whole]
        # Of a gradient that is freed meanwhile nothing must stay.
        self._gradients = [ref(gradient) for gradient in gradients]
        self._versions: list[int] = []
        self._places = {id(gradient): i for i, gradient in enumerate(gradients)}

    def piece(self, place: int) -> tuple[Any, Any]:
        """Of what the norm is that of a piece: mesh and placements, `None` if it is of all."""
        return (None, None) if self._pieces is None else self._pieces[place]

    def place_of(self, gradient: Tensor) -> int | None:
        """Where the norm of a gradient is among `powers`, if it still holds."""
        place = self._places.get(id(gradient))
        if place is None or self._gradients[place]() is not gradient:
            return None
        return place if self._versions[place] == self._version(gradient) else None

    def holds(self, number: int) -> bool:
        """Whether the norm of the gradient with this `id` is still of use."""
        place = self._places.get(number)
        gradient = None if place is None else self._gradients[place]()
        return gradient is not None and self.place_of(gradient) is not None

    def keep(self, gradients: Sequence[Tensor]) -> None:
        """Hold on to the norms of gradients that were clipped: of all at first, then of some."""
        if not self._versions:
            self._versions = [self._version(gradient) for gradient in gradients]
            return
        for gradient in gradients:
            self._versions[self._places[id(gradient)]] = self._version(gradient)

    def _version(self, gradient: Any) -> int:
        """A number that grows whenever the values change in place."""
        if not self._plain and mesh_of(gradient) is not None:
            gradient = gradient.to_local()
        return -1 if gradient.is_inference() else gradient._version


def _powers(
    tensors: Sequence[Tensor], norms: Tensor | Sequence[Tensor] | None, norm_type: float
) -> Tensor:
    if norms is None or any(tensor.layout != torch.strided for tensor in tensors):
        return _measured(tensors, norm_type)
    if not isinstance(norms, Tensor):
        norms = torch.stack([_local(norm) for norm in norms])
    values = norms if norms.device.type == "mps" else norms.double()
    powers = to_power(values, norm_type)
    again = inexact(tensors, values, norm_type)
    if again:
        powers[again] = _measured([tensors[i] for i in again], norm_type)
    return powers


def _measured(tensors: Sequence[Tensor], norm_type: float) -> Tensor:
    return NormPlan.of(tensors, range(len(tensors)), len(tensors)).sums(tensors, norm_type)


def _local(tensor: Any) -> Tensor:
    """The piece that is here; of a norm, that of the piece."""
    return tensor if mesh_of(tensor) is None else tensor.to_local()


def _piece(tensor: Any) -> tuple[Any, Any]:
    """Of what a tensor here is a piece: mesh and placements."""
    return (None, None) if mesh_of(tensor) is None else (tensor.device_mesh, tensor.placements)


# For each parameter: which of several that were handed over has its norm, and where.
Places: TypeAlias = tuple[tuple[int, int] | None, ...]


_MAX_RECIPES = 64  # a model whose gradients look different at every step must not fill memory


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
    """

    def __init__(self, layers: Layers, *, norm_type: float = 2.0) -> None:
        self.layers = layers
        self.names = tuple(layers)
        self.norm_type = float(norm_type)
        if not self.norm_type > 0:
            raise ValueError(f"norm_type must be above 0, got {norm_type!r}")
        self.parameters: list[nn.Parameter] = [p for owned in layers.values() for p in owned]
        self.parameter_set = frozenset(self.parameters)
        self.shards = Shards.of(self.parameters)
        self.pre_clip: bool | str = False
        self._layer_of = [i for i, owned in enumerate(layers.values()) for _ in owned]
        self._recipes: dict[object, _Recipe] = {}

    def is_of(self, other: "LayerNorms") -> bool:
        """Whether the other has the same layers, made of the same parameters."""
        return (
            self.names == other.names
            and len(self.parameters) == len(other.parameters)
            and all(map(operator.is_, self.parameters, other.parameters))
        )

    @torch.no_grad()
    def __call__(
        self, *, known: Mapping[int, Handed] | None = None, scaling: Scaling | None = None
    ) -> Tensor:
        """The norms as they are now: float32, shape ``(layers,)``.

        `NO_GRADIENT` where no parameter of a layer has a gradient. Where parameters are sharded,
        shape ``(2 * layers,)``: the sum of powers of the part that is counted here, and then 1
        where the layer has a gradient here, else 0.

        Parameters
        ----------
        known
            By `known_norms`.
        scaling
            How the gradients are scaled.
        """
        gradients = [p.grad for p in self.parameters]
        places, handed = _places(gradients, known) if known else ((), [])
        measured: Gradients = gradients
        if places:
            measured = [None if at else g for g, at in zip(gradients, places, strict=True)]
        if self.shards is not None:
            measured = self.shards.counted(measured)
        # Building this key and looking it up is all that a step pays for mixed models.
        kinds: tuple[object, ...] = cache_key(measured)
        if measured is not gradients:
            kinds = (kinds, places, tuple([g is None for g in gradients]))
        recipe = self._recipes.get(kinds)
        if recipe is None:
            if len(self._recipes) >= _MAX_RECIPES:
                self._recipes.clear()
            recipe = self._recipes[kinds] = self._recipe(gradients, measured, handed, places)
        if recipe.pre_clip is not None:
            self.pre_clip = recipe.pre_clip
        return self._row(recipe, recipe.sums(measured, handed, self.norm_type), scaling)

    def _recipe(
        self,
        gradients: Gradients,
        measured: Gradients,
        handed: Sequence[Handed],
        places: Places,
    ) -> "_Recipe":
        layers = len(self.names)
        plan = NormPlan.of(measured, self._layer_of, layers)
        takings = []
        for number, source in enumerate(handed):
            taken = [
                (at[1], layer)
                for at, layer in zip(places, self._layer_of, strict=False)
                if at and at[0] == number and self._counts(source, at[1])
            ]
            if taken:
                takings.append(_Taking.of(number, taken, source))
        home = plan.home if plan.groups or not takings else takings[0].layer_of.device
        has = {i for i, g in zip(self._layer_of, gradients, strict=True) if g is not None}
        present = to_device(torch.tensor([i in has for i in range(layers)]), home)
        known, all_of_them = sum(map(bool, places)), sum(g is not None for g in gradients)
        pre_clip: bool | str | None = known == all_of_them if known in (0, all_of_them) else "mixed"
        return _Recipe(
            plan if plan.groups or not takings else None,
            takings,
            present,
            ~present if len(has) < layers else None,
            pre_clip if all_of_them else None,
        )

    def _counts(self, handed: Handed, place: int) -> bool:
        return self.shards is None or self.shards.counts(*handed.piece(place))

    def _row(self, recipe: "_Recipe", sums: Tensor, scaling: Scaling | None) -> Tensor:
        if scaling is not None and scaling.factor is not None:
            sums = sums / to_power(
                to_device(scaling.factor, sums.device).to(sums.dtype), self.norm_type
            )
        if self.shards is not None:
            row = torch.cat([sums, recipe.present.to(sums.dtype)])
        else:
            row = to_root(sums, self.norm_type).float()
            if recipe.absent is not None:
                row.masked_fill_(recipe.absent, NO_GRADIENT)
        if scaling is not None and scaling.overflow is not None:
            row.masked_fill_(to_device(scaling.overflow, row.device) > 0, STEP_SKIPPED)
        return row


@dataclass(frozen=True)
class _Taking:
    """Which of the norms that were handed over belong to which layers."""

    number: int  # of what was handed over
    places: Tensor | None  # among its powers; `None`: all of them
    layer_of: Tensor

    @classmethod
    def of(cls, number: int, taken: Sequence[tuple[int, int]], source: Handed) -> "_Taking":
        places, layer_of = map(torch.tensor, zip(*taken, strict=True))
        device = source.powers.device
        all_in_order = torch.equal(places, torch.arange(len(source.powers)))
        at = None if all_in_order else to_device(places, device)
        return cls(number, at, to_device(layer_of, device))

    def sums(self, handed: Sequence[Handed], norm_type: float, layers: int) -> Tensor:
        powers = handed[self.number].powers
        if self.places is not None:
            powers = powers[self.places]
        return summed_powers(powers, self.layer_of, layers, norm_type)


@dataclass(frozen=True)
class _Recipe:
    """How to take the norms, for one combination of kinds of gradients."""

    plan: NormPlan | None  # of what has to be measured
    takings: list[_Taking]
    present: Tensor  # whether a layer has a gradient
    absent: Tensor | None  # the opposite, where there is such a layer
    pre_clip: bool | str | None

    def sums(self, measured: Gradients, handed: Sequence[Handed], norm_type: float) -> Tensor:
        parts = [each.sums(handed, norm_type, len(self.present)) for each in self.takings]
        if self.plan is not None:
            parts.insert(0, self.plan.sums(measured, norm_type))
        total, *others = parts
        for part in others:
            total = add_powers(total, part, norm_type)
        return total


def _places(gradients: Gradients, known: Mapping[int, Handed]) -> tuple[Places, list[Handed]]:
    """Where the norm of each gradient is, and in which of those that know some."""
    numbers: dict[Handed, int] = {}
    places: list[tuple[int, int] | None] = []
    for gradient in gradients:
        handed = None if gradient is None else known.get(id(gradient))
        place = None if handed is None or gradient is None else handed.place_of(gradient)
        if handed is None or place is None:
            places.append(None)
        else:
            places.append((numbers.setdefault(handed, len(numbers)), place))
    return (tuple(places) if numbers else ()), list(numbers)


class MeasuredLayers:
    """Norms that are measured together, and the source of their rows."""

    def __init__(self, norms: LayerNorms, options: Mapping[str, Any]) -> None:
        self.norms = norms
        self._options = options
        ranks = norms.shards.ranks if norms.shards is not None else ()
        source = RowSchema(norms.names, {**options, PRE_CLIP_OPTION: False}, ranks)
        self._sources: dict[bool | str, RowSchema] = {False: source}

    def source(self, pre_clip: bool | str) -> RowSchema:
        """The source of rows whose norms are before clipping, or not, or ``"mixed"``."""
        if pre_clip not in self._sources:
            options = {**self._options, PRE_CLIP_OPTION: pre_clip}
            self._sources[pre_clip] = replace(self._sources[False], options=options)
        return self._sources[pre_clip]

    def part(self, names: Sequence[str]) -> "MeasuredLayers":
        """Some of the layers."""
        layers = {name: self.norms.layers[name] for name in names}
        return MeasuredLayers(LayerNorms(layers, norm_type=self.norms.norm_type), self._options)


class ModelLayers:
    """The sources of the models that a writer has seen."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[nn.Module, dict[str, MeasuredLayers]] = WeakKeyDictionary()

    def of(
        self,
        model: nn.Module,
        *,
        norm_type: float,
        include: Patterns,
        exclude: Patterns,
        granularity: Granularity,
        prefix: str = "",
    ) -> MeasuredLayers:
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
            known[key] = MeasuredLayers(norms, options)
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
