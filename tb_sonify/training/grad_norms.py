"""The norm of each layer's gradient, on the gradients' device and without waiting for it."""

import math
import operator
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import chain
from typing import Any, NamedTuple, SupportsFloat, TypeAlias
from weakref import ref

import numpy as np
import torch
from torch import Tensor, nn

from tb_sonify.schema.metadata import PRE_CLIP_OPTION
from tb_sonify.schema.notes import NO_GRADIENT
from tb_sonify.schema.quantities import MEASURED
from tb_sonify.training.amp import Scaling
from tb_sonify.training.layers import Granularity, Layers, Patterns, find_layers, numbered_names
from tb_sonify.training.run_log import NOT_LOGGED, STEP_SKIPPED, RowSchema
from tb_sonify.training.sharding import Shards, mesh_of
from tb_sonify.training.tensor_norms import (
    Gradients,
    KindsChangedError,
    NormPlan,
    add_up,
    kind_of,
    to_device,
    to_power,
    to_root,
)
from tb_sonify.training.update_norms import UpdateNorms
from tb_sonify.training.warn import WarnOnce

_MAX_PLANS = 64  # a model whose gradients look different at every step must not fill memory


class LayerNorms:
    """The norms of layers, as if the gradients of a layer were one vector.

    Powers that were measured before clipping hold for as long as nothing but clipping changes a
    gradient of the layer.

    Parameters
    ----------
    layers
        By `find_layers`.
    norm_type
        p of the p-norm, above 0; may be infinite.

    Attributes
    ----------
    whole
        All parameters.
    shards
        `None` where no parameter is sharded.
    versions
        Of the gradients of each layer that was measured ahead: as clipping left them where it was
        measured before that, or as they were when `keep` measured them.
    """

    def __init__(self, layers: Layers, *, norm_type: float = 2.0) -> None:
        self.names = tuple(layers)
        self.norm_type = float(norm_type)
        if not self.norm_type > 0:
            raise ValueError(f"norm_type must be above 0, got {norm_type!r}")
        self.parameters: list[nn.Parameter] = [p for owned in layers.values() for p in owned]
        self.shards = Shards.of(self.parameters)
        self.versions: dict[int, list[GradientVersion | None]] = {}
        self._kept: dict[int, PartPowers] = {}  # by layer
        self._warn = WarnOnce()
        self._layer_of = [i for i, owned in enumerate(layers.values()) for _ in owned]
        self._first_of: dict[int, int] = {}  # position of the first parameter of each layer
        for position, layer in enumerate(self._layer_of):
            self._first_of.setdefault(layer, position)
        self._position_of = {id(p): i for i, p in enumerate(self.parameters)}
        self._parts: dict[tuple[int, ...], ModelPart] = {}
        self.whole = self._part(range(len(self.parameters)))
        self._layouts: dict[object, RowLayout] = {}

    def is_of(self, other: "LayerNorms") -> bool:
        """Whether the other has the same layers, made of the same parameters."""
        return self.names == other.names and self.measures(other)

    def measures(self, other: "LayerNorms") -> bool:
        """Whether the other has the same norms of the same parameters, whatever their names."""
        return (
            self.norm_type == other.norm_type
            and len(self.names) == len(other.names)
            and len(self.parameters) == len(other.parameters)
            and all(map(operator.is_, self.parameters, other.parameters))
        )

    def has(self, parameters: frozenset[int]) -> bool:
        """Whether these parameters, by `id`, are all known."""
        return parameters <= self._position_of.keys()

    def part(self, parameters: frozenset[int]) -> "ModelPart | None":
        """The part of the model that these parameters are, by `id`; `None`: there is none."""
        positions = [i for i, p in enumerate(self.parameters) if id(p) in parameters]
        return self._part(positions) if positions else None

    def union(self, parts: "Iterable[ModelPart]") -> "ModelPart":
        """The part that some parts are together."""
        return self._part(sorted({at for part in parts for at in part.positions}))

    def _part(self, positions: Iterable[int]) -> "ModelPart":
        key = tuple(positions)
        if key not in self._parts:
            self._parts[key] = ModelPart(key, self.parameters, self._layer_of)
        return self._parts[key]

    @torch.no_grad()
    def __call__(self) -> Tensor:
        """The norms of all layers, by `row`."""
        return self.row(self.measure())[0]

    def measure(
        self, part: "ModelPart | None" = None, *, scaling: Scaling | None = None
    ) -> "list[PowersOf]":
        """The powers of gradients as they are now, or were before clipping.

        Parameters
        ----------
        part
            What is measured; `None`: the whole model.
        scaling
            How the gradients are scaled.
        """
        part = part or self.whole
        powers = self._with_kept(part) if self.versions else [self._measure(part).whole]
        if scaling is not None:
            powers = [each.part().unscaled(scaling, self.norm_type).whole for each in powers]
        return powers

    @torch.no_grad()
    def row(
        self, parts: "Iterable[PowersOf]", quantities: Sequence[str] = ()
    ) -> tuple[Tensor, "RowLayout"]:
        """The norms of the layers of what was measured.

        Parameters
        ----------
        quantities
            Those that the row has in any case.

        Returns
        -------
        row
            float32, shape ``(quantities * layers,)``; `NO_GRADIENT` where no parameter of a layer
            has a gradient. Where parameters are sharded, twice as many: the sum of powers of the
            part that is counted here, and then 1 where the layer has a gradient here, else 0.
        layout
            Which quantities and layers these are.
        """
        together: dict[PartPowers, list[int]] = {}
        for some in parts:
            together.setdefault(some.source, []).extend(some.positions)
        measured = [source.only(sorted(positions)) for source, positions in together.items()]
        layout = self._layout(tuple([each.plan for each in measured]), tuple(quantities))
        powers = measured[0].powers
        if len(measured) > 1:
            devices = [each.powers.device for each in measured]
            home = next((device for device in devices if device.type != "cpu"), devices[0])
            powers = torch.cat([to_device(each.powers, home) for each in measured])
        sums = add_up(powers, layout.column_of(powers.device), layout.columns, self.norm_type)
        if self.shards is not None:
            row = torch.cat([sums, layout.present_on(sums.device).to(sums.dtype)])
        else:
            row = to_root(sums, self.norm_type).float()
            if not layout.all_present:
                row.masked_fill_(~layout.present_on(row.device), NO_GRADIENT)
                row.masked_fill_(layout.missing_on(row.device), NOT_LOGGED)
        for each in measured:
            if each.overflow is not None:
                skipped = to_device(each.overflow, row.device) > 0
                if len(measured) > 1 and self.shards is None:
                    skipped = skipped & layout.columns_of(each.plan, row.device)
                row.masked_fill_(skipped, STEP_SKIPPED)
        return row, layout

    @torch.no_grad()
    def measure_before_clipping(self, parameters: Iterable[Tensor]) -> "Callable[[], None] | None":
        """Measure the layers of parameters that will be clipped, where that is not done yet.

        Returns
        -------
        keep
            To be called once they are clipped: then the powers are those of the next row, unless
            the gradients change again. `None`: the parameters are of no layer.
        """
        found = [self._position_of.get(id(p)) for p in parameters]
        layers = {self._layer_of[position] for position in found if position is not None}
        if not layers:
            return None
        fresh = {layer for layer in layers if not self._is_kept(layer, self._positions(layer))}
        measured: PartPowers | None = None
        if fresh:
            part = self._part(i for i, layer in enumerate(self._layer_of) if layer in fresh)
            measured = replace(self._measure(part), pre_clip=True)

        def keep() -> None:
            if measured is not None:
                self._kept |= dict.fromkeys(fresh, measured)
            for layer in layers:
                if not self._kept[layer].pre_clip:  # it has just been measured by `keep`
                    self._kept[layer] = replace(self._kept[layer], pre_clip=True)
                self._note_versions(layer)

        return keep

    def keep(self, part: "ModelPart") -> None:
        """Measure the gradients of a part: `measure` takes those that do not change after this."""
        measured = self._measure(part)
        for layer, positions in part.positions_of.items():
            whole = len(positions) == len(self._positions(layer))
            if whole and not self._is_kept(layer, positions):
                self._kept[layer] = measured
                self._note_versions(layer)

    def _note_versions(self, layer: int) -> None:
        gradients = [self.parameters[position].grad for position in self._positions(layer)]
        self.versions[layer] = [g if g is None else (ref(g), _version(g)) for g in gradients]

    def forget(self) -> None:
        """Drop what was measured ahead."""
        self.versions.clear()
        self._kept.clear()

    def _positions(self, layer: int) -> range:
        return range(self._first_of[layer], self._first_of.get(layer + 1, len(self.parameters)))

    def _is_kept(self, layer: int, positions: Iterable[int]) -> bool:
        """Whether parameters of a layer were measured before clipping, and only that changed them.

        Their gradients, that is.
        """
        versions = self.versions.get(layer)
        if versions is None:
            return False
        first = self._first_of[layer]
        for position in positions:
            gradient = self.parameters[position].grad
            kept = versions[position - first]
            if gradient is None or kept is None:
                if gradient is not None or kept is not None:
                    return False
            elif kept[0]() is not gradient or kept[1] != _version(gradient):
                return False
        return True

    def _with_kept(self, part: "ModelPart") -> "list[PowersOf]":
        """The powers of a part, those before clipping where they still hold."""
        rest: list[int] = []
        kept: dict[PartPowers, list[int]] = {}
        for layer, positions in part.positions_of.items():
            if self._is_kept(layer, positions):
                kept.setdefault(self._kept[layer], []).extend(positions)
            else:
                rest += positions
        powers = [PowersOf(measured, positions) for measured, positions in kept.items()]
        return [*powers, self._measure(self._part(rest)).whole] if rest else powers

    def start_update(self, part: "ModelPart", update: UpdateNorms) -> None:
        """Keep what the parameters of a part are before a step."""
        update.start(self._counted(part.parameters))

    def update(self, part: "ModelPart", update: UpdateNorms) -> "list[PowersOf]":
        """The powers of what the step has changed of a part since `start_update`."""
        powers = update.powers(self._counted(part.parameters))
        return [PartPowers(part.plan("update", update.measured), powers).whole]

    @torch.no_grad()
    def weights(self, part: "ModelPart") -> "list[PowersOf]":
        """The powers of the parameters of a part."""
        counted = self._counted(part.parameters)
        norms, powers = part.weights, None
        if norms is not None and norms.fits(counted):
            with suppress(KindsChangedError):
                powers = norms.powers(counted)
        if norms is None or powers is None:
            norms = part.weights = NormPlan(counted, self.norm_type)
            powers = norms.powers(counted)
        present = [i for i, tensor in enumerate(counted) if tensor is not None]
        plan = part.plan("weight", frozenset(present) - norms.left_out)
        return [PartPowers(plan, powers).whole]

    def _counted(self, tensors: Gradients) -> Gradients:
        return tensors if self.shards is None else self.shards.counted(tensors)

    @torch.no_grad()
    def _measure(self, part: "ModelPart") -> "PartPowers":
        gradients = part.gradients()
        plan, powers = part.measure(gradients, self._counted(gradients), self.norm_type)
        if plan.left_out:
            names = ", ".join(self.names[layer] for layer in sorted(plan.left_out)[:5])
            self._warn(f"layers whose gradients torch cannot reduce are left out: {names}")
        return PartPowers(plan, powers)

    def _layout(self, plans: "tuple[PartPlan, ...]", quantities: tuple[str, ...]) -> "RowLayout":
        layout = self._layouts.get((plans, quantities))
        if layout is None:
            if len(self._layouts) >= _MAX_PLANS:
                self._layouts.clear()
            layout = RowLayout(plans, self._layer_of, quantities)
            self._layouts[plans, quantities] = layout
        return layout


@dataclass(frozen=True, eq=False)
class PartPlan:
    """How parameters are measured whose gradients are of certain kinds.

    Attributes
    ----------
    positions
        Of the parameters, among all of the model.
    present
        The positions of those that have a gradient.
    left_out
        The layers that are not present because torch cannot reduce one of their gradients.
    quantity
        What is measured, one of `MEASURED`.
    """

    positions: tuple[int, ...]
    present: frozenset[int]
    left_out: frozenset[int] = frozenset()
    quantity: str = "gradient"


class ModelPart:
    """Parameters of a model that are measured together.

    Attributes
    ----------
    positions
        Theirs, among all parameters of the model.
    positions_of
        The same by layer.
    parameters
        The parameters themselves.
    weights
        How their own norms are taken; `None`: not yet.
    """

    def __init__(
        self, positions: tuple[int, ...], parameters: Sequence[Tensor], layer_of: Sequence[int]
    ) -> None:
        self.positions = positions
        self.positions_of: dict[int, list[int]] = {}
        for position in positions:
            self.positions_of.setdefault(layer_of[position], []).append(position)
        self.parameters = [parameters[position] for position in positions]
        self.weights: NormPlan | None = None
        self._quantities: dict[tuple[str, frozenset[int]], PartPlan] = {}
        self._plans: dict[object, tuple[list[bool], PartPlan, NormPlan]] = {}
        self._latest: tuple[list[bool], PartPlan, NormPlan] | None = None

    def gradients(self) -> list[Tensor | None]:
        """The gradients as they are now; Megatron and others keep them in `main_grad`."""
        return [
            g if (g := p.grad) is not None or not p.requires_grad else getattr(p, "main_grad", None)
            for p in self.parameters
        ]

    def measure(
        self, gradients: Gradients, counted: Gradients, norm_type: float
    ) -> "tuple[PartPlan, Tensor]":
        """The powers of gradients, of which this process counts some, and how they were taken."""
        absent = [g is None for g in gradients]
        if self._latest is not None:
            known, plan, norms = self._latest
            with suppress(KindsChangedError):
                if known == absent and norms.fits(counted):
                    return plan, norms.powers(counted)
        key = tuple(absent), tuple(map(kind_of, counted))
        if key not in self._plans:
            if len(self._plans) >= _MAX_PLANS:
                self._plans.clear()
            norms = NormPlan(counted, norm_type)
            self._plans[key] = absent, self._plan(absent, norms.left_out), norms
        self._latest = absent, plan, norms = self._plans[key]
        return plan, norms.powers(counted)

    def plan(self, quantity: str, measured: frozenset[int]) -> PartPlan:
        """The plan of another quantity, by the places of the parameters that can be measured."""
        key = quantity, measured
        if key not in self._quantities:
            present = frozenset(self.positions[place] for place in measured)
            self._quantities[key] = PartPlan(self.positions, present, quantity=quantity)
        return self._quantities[key]

    def _plan(self, absent: Sequence[bool], odd_places: Iterable[int]) -> PartPlan:
        odd = {self.positions[place] for place in odd_places}
        left_out = {
            layer for layer, owned in self.positions_of.items() if not odd.isdisjoint(owned)
        }
        missing = {position for layer in left_out for position in self.positions_of[layer]}
        missing |= {at for at, gone in zip(self.positions, absent, strict=True) if gone}
        return PartPlan(self.positions, frozenset(self.positions) - missing, frozenset(left_out))


@dataclass(frozen=True, eq=False)
class PartPowers:
    """Norms of gradients to the power of the norm's type; the norms themselves, if infinite.

    Attributes
    ----------
    plan
        Whose gradients they are.
    powers
        float64, shape ``(parameters,)``; 0 where there is no gradient.
    pre_clip
        Whether they were measured before clipping.
    overflow
        Above 0 where the optimizer leaves the step out; `None`: it doesn't.
    """

    plan: PartPlan
    powers: Tensor
    pre_clip: bool = False
    overflow: Tensor | None = None

    def unscaled(self, scaling: Scaling, norm_type: float) -> "PartPowers":
        """The powers of gradients that a fused optimizer will unscale."""
        powers = self.powers
        if scaling.factor is not None:
            factor = to_device(scaling.factor, powers.device).to(powers.dtype)
            powers = powers / to_power(factor, norm_type)
        return replace(self, powers=powers, overflow=scaling.overflow)

    @property
    def whole(self) -> "PowersOf":
        """All of them."""
        return PowersOf(self, self.plan.positions)

    def only(self, positions: Iterable[int]) -> "PartPowers":
        """Those of some of the parameters."""
        chosen = tuple(positions)
        if chosen == self.plan.positions:
            return self
        plan, index = _subset(self.plan, chosen)
        return replace(self, plan=plan, powers=self.powers[to_device(index, self.powers.device)])


class PowersOf(NamedTuple):
    """The powers of some of the parameters that were measured together."""

    source: PartPowers
    positions: Sequence[int]

    @property
    def has_any(self) -> bool:
        """Whether any of them was measured."""
        return not self.source.plan.present.isdisjoint(self.positions)

    def only(self, positions: Iterable[int]) -> "PowersOf":
        """Those of fewer of them."""
        return PowersOf(self.source, list(positions))

    def part(self) -> PartPowers:
        """As powers of their own."""
        return self.source.only(self.positions)


@lru_cache(maxsize=_MAX_PLANS)
def _subset(plan: PartPlan, positions: tuple[int, ...]) -> tuple[PartPlan, Tensor]:
    place = {position: i for i, position in enumerate(plan.positions)}
    index = torch.tensor([place[position] for position in positions], device="cpu")
    present = plan.present & frozenset(positions)
    return replace(plan, positions=positions, present=present), index


class RowLayout:
    """Which quantities and layers a row has, and where what was measured belongs.

    Attributes
    ----------
    quantities, layers
        The quantities in the order of `MEASURED`, and the numbers of the layers, in order.
    columns
        How many there are: one for each layer of each quantity.
    all_present
        Whether each has a value.
    """

    def __init__(
        self, plans: Sequence[PartPlan], layer_of: Sequence[int], quantities: Collection[str]
    ) -> None:
        self._layer_of = layer_of
        quantities = {*quantities, *(plan.quantity for plan in plans)}
        self.quantities = tuple(each for each in MEASURED if each in quantities)
        self.layers = tuple(sorted({layer_of[at] for plan in plans for at in plan.positions}))
        self.columns = len(self.quantities) * len(self.layers)
        self._place = {layer: place for place, layer in enumerate(self.layers)}
        columns = [self._column(plan, position) for plan in plans for position in plan.positions]
        self._column_of = torch.tensor(columns, device="cpu")
        self._present = self._mask(self._column(plan, at) for plan in plans for at in plan.present)
        self._missing = ~self._mask(columns)
        self.all_present = bool(self._present.all())
        self._on: dict[object, Tensor] = {}

    def column_of(self, device: torch.device) -> Tensor:
        """The column of each parameter of each plan: int64, shape ``(parameters,)``."""
        return self._cached(device, device, lambda: self._column_of)

    def present_on(self, device: torch.device) -> Tensor:
        """Which have a value: bool, shape ``(columns,)``."""
        return self._cached(("present", device), device, lambda: self._present)

    def missing_on(self, device: torch.device) -> Tensor:
        """Which nobody has looked at: bool, shape ``(columns,)``."""
        return self._cached(("missing", device), device, lambda: self._missing)

    def columns_of(self, plan: PartPlan, device: torch.device) -> Tensor:
        """All quantities of the layers with parameters of a plan: bool, shape ``(columns,)``."""
        places = [self._place[self._layer_of[position]] for position in plan.positions]
        count = len(self.layers)
        columns = (q * count + place for q in range(len(self.quantities)) for place in places)
        return self._cached((plan, device), device, lambda: self._mask(columns))

    def _column(self, plan: PartPlan, position: int) -> int:
        place = self._place[self._layer_of[position]]
        return self.quantities.index(plan.quantity) * len(self.layers) + place

    def _mask(self, columns: Iterable[int]) -> Tensor:
        mask = torch.zeros(self.columns, dtype=torch.bool, device="cpu")
        mask[list(columns)] = True
        return mask

    def _cached(self, key: object, device: torch.device, make: Callable[[], Tensor]) -> Tensor:
        if key not in self._on:
            self._on[key] = to_device(make(), device)
        return self._on[key]


GradientVersion: TypeAlias = tuple["ref[Tensor]", int]  # weak, so that gradients are freed as ever


def _version(gradient: Any) -> int:
    """A number that grows whenever the values change in place."""
    if type(gradient) is not Tensor and mesh_of(gradient) is not None:
        gradient = gradient.to_local()
    return -1 if gradient.is_inference() else gradient._version


class MeasuredLayers:
    """The layers of a model, and the schemas of their rows."""

    def __init__(self, norms: LayerNorms, options: Mapping[str, Any]) -> None:
        self.norms = norms
        self._options = options
        self._pre_clip: bool | str = False
        self._schemas: dict[tuple[object, ...], RowSchema] = {}

    def row(
        self, measured: Sequence[PowersOf], *, updates: bool = False
    ) -> tuple[RowSchema, Tensor]:
        """A row by `LayerNorms.row`, and its schema.

        Parameters
        ----------
        updates
            Whether updates and weights are watched, even if this row has none.
        """
        # The rows of shards are added up: those of all processes must have the same columns.
        fixed = MEASURED if updates and self.norms.shards is not None else ()
        row, layout = self.norms.row(measured, fixed)
        sources = {each.source for each in measured if each.source.plan.quantity == "gradient"}
        pre_clip = {each.pre_clip for each in sources if each.plan.present}
        if pre_clip:
            self._pre_clip = "mixed" if len(pre_clip) > 1 else pre_clip.pop()
        key = layout.quantities, layout.layers, self._pre_clip
        if key not in self._schemas:
            ranks = self.norms.shards.ranks if self.norms.shards is not None else ()
            options = {**self._options, PRE_CLIP_OPTION: self._pre_clip}
            names = tuple(self.norms.names[layer] for layer in layout.layers)
            self._schemas[key] = RowSchema(names, options, ranks, layout.quantities)
        return self._schemas[key], row


class ModelLayers:
    """The layers of the models that a writer has seen."""

    def __init__(self) -> None:
        # By identity: a model need not be one that can be compared.
        self._known: dict[int, tuple[ref[nn.Module], dict[str, MeasuredLayers]]] = {}

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
        _, known = self._known.setdefault(
            id(model), (ref(model, partial(self._drop, id(model))), {})
        )
        key = repr((prefix, options))
        before = known.get(key)
        if before is None or not before.norms.is_of(norms):
            known[key] = MeasuredLayers(norms, options)
        return known[key]

    def _drop(self, key: int, _: "ref[nn.Module]") -> None:
        self._known.pop(key, None)


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
