"""The norm of each layer's gradient, on the gradients' device and without waiting for it."""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

from tb_sonify.contract import NO_GRADIENT
from tb_sonify.training.amp import Scaling
from tb_sonify.training.batch import SKIPPED
from tb_sonify.training.handed import Handed
from tb_sonify.training.layers import Layers
from tb_sonify.training.plan import (
    Gradients,
    Plan,
    kinds_of,
    moved,
    plus,
    summed_powers,
    to_power,
    to_root,
)
from tb_sonify.training.shards import Shards

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
        kinds: tuple[object, ...] = kinds_of(measured)
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
        plan = Plan.of(measured, self._layer_of, layers)
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
        present = moved(torch.tensor([i in has for i in range(layers)]), home)
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
                moved(scaling.factor, sums.device).to(sums.dtype), self.norm_type
            )
        if self.shards is not None:
            row = torch.cat([sums, recipe.present.to(sums.dtype)])
        else:
            row = to_root(sums, self.norm_type).float()
            if recipe.absent is not None:
                row.masked_fill_(recipe.absent, NO_GRADIENT)
        if scaling is not None and scaling.overflow is not None:
            row.masked_fill_(moved(scaling.overflow, row.device) > 0, SKIPPED)
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
        at = None if all_in_order else moved(places, device)
        return cls(number, at, moved(layer_of, device))

    def sums(self, handed: Sequence[Handed], norm_type: float, layers: int) -> Tensor:
        powers = handed[self.number].powers
        if self.places is not None:
            powers = powers[self.places]
        return summed_powers(powers, self.layer_of, layers, norm_type)


@dataclass(frozen=True)
class _Recipe:
    """How to take the norms, for one combination of kinds of gradients."""

    plan: Plan | None  # of what has to be measured
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
            total = plus(total, part, norm_type)
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
