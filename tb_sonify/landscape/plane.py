"""Planes in the space of weights: random ones around a model, and those through paths."""

import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from tb_sonify.landscape.evaluation import movable
from tb_sonify.landscape.path import Path, joined

Normalise = Literal["filter", "layer", "none"]
Spans = tuple[tuple[float, float], tuple[float, float]]
_CHUNK = 2**24  # values that are multiplied at a time
_FAR = 10.0  # times as far as the usual path: it has exploded
_STRAIGHT = 1e-6  # of its length: a path that leaves its chord by less is a straight line
_MARGIN = 0.2  # of a path's extent, at each side
_UNIT: Spans = ((-1.0, 1.0), (-1.0, 1.0))


@dataclass(frozen=True)
class Axes:
    """A plane for a model: an origin and two directions, each a vector on the CPU, ``(values,)``.

    Attributes
    ----------
    names
        Of the parameters whose values are joined.
    spans
        First and last coordinate of each axis, in lengths of its direction.
    options
        How it was made, for display and to make it again.
    """

    names: list[str]
    origin: Tensor
    directions: tuple[Tensor, Tensor]
    spans: Spans
    options: dict[str, Any]

    def coordinates(self, weights: Tensor) -> tuple[float, float, float]:
        """Coordinates of the foot of a perpendicular, and its length, in 2-norms of weights.

        NaN where a weight is not finite. Directions need not be orthogonal.
        """
        one, two = self.directions
        away = weights - self.origin
        if not away.isfinite().all():
            return math.nan, math.nan, math.nan
        pairs = (one, one), (one, two), (two, two), (away, one), (away, two)
        aa, ab, bb, da, db = (dot(*pair) for pair in pairs)
        if ab == 0:
            x, y = da / aa, db / bb
        else:
            determinant = aa * bb - ab * ab
            x, y = (da * bb - db * ab) / determinant, (db * aa - da * ab) / determinant
        rest = away.double().sub_(one, alpha=x).sub_(two, alpha=y)
        return x, y, float(rest.norm())


class Plane(ABC):
    """A plane that can be laid through the weights of models."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """What it was laid through."""
        return ()

    @abstractmethod
    def axes(self, model: nn.Module) -> Axes:
        """The plane for a model.

        Raises
        ------
        ValueError
            If there is none, or it is that of a model with other parameters.
        """


@dataclass(frozen=True)
class _RandomPlane(Plane):
    seed: int
    normalise: Normalise
    span: float

    def axes(self, model: nn.Module) -> Axes:
        parameters = movable(model)
        names = list(parameters)
        origin = joined(model, names)
        generator = torch.Generator().manual_seed(self.seed)
        directions = []
        for _ in range(2):
            parts = []
            for p in parameters.values():
                part = torch.randn(p.shape, generator=generator, dtype=origin.dtype)
                parts.append(_normalised(part, p.detach().cpu(), self.normalise).reshape(-1))
            directions.append(torch.cat(parts))
        one, two = directions
        if not one.any() or not two.any():
            raise ValueError(
                f"normalise={self.normalise!r} leaves no direction: all weights are zero, or of "
                f"one dimension, which 'filter' holds fixed; take another one, as 'none'"
            )
        span = (-self.span, self.span)
        options = {"plane": "random", "seed": self.seed, "normalise": self.normalise}
        return Axes(names, origin, (one, two), (span, span), options)


def random(seed: int, *, normalise: Normalise = "filter", span: float = 1.0) -> Plane:
    """A plane of two random directions around the weights of a model.

    Parameters
    ----------
    seed
        Of the directions, which are drawn on the CPU: the same on every device.
    normalise
        ``"filter"``: each filter, the values of a first index, has the norm of that of the weights,
        and biases, batch normalisation and what else has one dimension are held fixed (Li et al.,
        NeurIPS 2018): networks of other scales can be compared. ``"layer"``: the same for whole
        tensors, of any dimension. ``"none"``: as drawn, with a standard deviation of 1.
    span
        How far the plane goes from the weights, in lengths of the directions.
    """
    if normalise not in get_args(Normalise):
        raise ValueError(f"normalise must be 'filter', 'layer' or 'none', got {normalise!r}")
    if not 0 < span < math.inf:
        raise ValueError(f"span must be above 0 and finite, got {span!r}")
    return _RandomPlane(seed, normalise, span)


def _normalised(direction: Tensor, weights: Tensor, normalise: Normalise) -> Tensor:
    if normalise == "none":
        return direction
    if normalise == "layer":
        factor: Tensor = weights.norm().to(direction) / direction.norm().clamp_min(1e-12)
        return direction * factor
    if weights.dim() < 2:
        return torch.zeros_like(direction)
    flat = direction.flatten(1)
    norms = weights.flatten(1).to(direction).norm(dim=1, keepdim=True)
    scaled: Tensor = flat * (norms / flat.norm(dim=1, keepdim=True).clamp_min(1e-12))
    return scaled.reshape(direction.shape)


@dataclass(frozen=True)
class _PathPlane(Plane):
    through: tuple[Path, ...]
    spans: "Spans | None"

    @property
    def paths(self) -> tuple[Path, ...]:
        return self.through

    def axes(self, model: nn.Module) -> Axes:
        check_path(self.paths[0], model)
        known, gram = _inner_products(self.paths)
        if not all(known):
            warnings.warn(
                f"{known.count(False)} snapshots of the paths are NaN or infinite: the plane is "
                f"through the others",
                RuntimeWarning,
                stacklevel=4,
            )
        near = _near(self.paths, known, gram)
        if len(near) < len(self.paths):
            known, gram = _inner_products(near)
        first = near[0]
        if len(self.paths) == 1:
            directions = _along(first, known, gram)
        else:
            directions = _principal(near, known, gram)
        kind = "path" if len(self.paths) == 1 else "paths"
        options = {"plane": kind, "paths": [path.name for path in near]}
        axes = Axes(first.names, first.start, directions, _UNIT, options)
        if self.spans is not None:
            return replace(axes, spans=self.spans)
        feet = [axes.coordinates(w)[:2] for path in near for _, w in path.weights()]
        return replace(axes, spans=_around([foot for foot in feet if math.isfinite(foot[0])]))


def through_path(*paths: Path, spans: Spans | None = None) -> Plane:
    """A plane through the path of a training, or the one on which several are seen best.

    Of one path, it goes through the start, (0, 0), the end, (1, 0), and along the first principal
    component of what is left of the snapshots. Of several, through the start of the first, along
    the first two principal components of all snapshots, each path scaled to one size. Runs that
    explode, and so lead more than ten times as far as half of the others, lie beside it and outside
    of its spans: they would hide the others. Nothing is normalised.

    Parameters
    ----------
    spans
        First and last coordinate of each axis; by default around these paths, with a margin.
    """
    if not paths:
        raise ValueError("through_path needs at least one path, of record_path(model).path")
    other = next(
        (p for p in paths if (p.names, p.shapes) != (paths[0].names, paths[0].shapes)), None
    )
    if other is not None:
        raise ValueError(
            f"paths on one plane must be of models with the same parameters, and {other.name!r} "
            f"is of others than {paths[0].name!r}"
        )
    return _PathPlane(tuple(paths), spans)


def check_path(path: Path, model: nn.Module) -> None:
    """Raise `ValueError` where a path is that of another model than this."""
    found = movable(model, path.names)
    shapes = [p.shape for p in found.values()]
    if list(found) != path.names or shapes != list(path.shapes):
        wrong = next(
            (
                n
                for n, s in zip(path.names, path.shapes, strict=True)
                if n not in found or found[n].shape != s
            )
        )
        raise ValueError(f"the path is of another model: {wrong!r} has another shape or type there")


def dot(one: Tensor, two: Tensor) -> float:
    """The inner product of two vectors, added up in float64."""
    parts = zip(torch.split(one, _CHUNK), torch.split(two, _CHUNK), strict=True)
    return float(sum(torch.dot(a.double(), b.double()) for a, b in parts))


def _inner_products(paths: Sequence[Path]) -> tuple[list[bool], Tensor]:
    """Which snapshots of some paths are finite, and the inner products of those, in float64.

    They are vectors from the start of the first path.
    """
    gram: Any = 0
    for part in _columns(paths):
        wide = part.double()
        gram = gram + wide @ wide.T
    finite = gram.diagonal().isfinite()
    return finite.tolist(), gram[finite][:, finite]


def _columns(paths: Sequence[Path]) -> Iterator[Tensor]:
    """All snapshots, less the start of the first path, some values at a time."""
    origin = paths[0].start
    count = max(_CHUNK // sum(map(len, paths)), 1)
    for start in range(0, origin.numel(), count):
        columns = slice(start, start + count)
        yield torch.cat(
            [path.differences(columns) + (path.start - origin)[columns] for path in paths]
        )


def _combined(paths: Sequence[Path], known: list[bool], shares: Tensor) -> list[Tensor]:
    """Sums of finite snapshots, each times its share, float64 ``(sums, snapshots)``."""
    parts = [(shares @ part[known].double()).to(part.dtype) for part in _columns(paths)]
    return list(torch.cat(parts, dim=1))


def _along(path: Path, known: list[bool], gram: Tensor) -> tuple[Tensor, Tensor]:
    """From start to end, and the first principal component of what is left, of that length."""
    length = math.sqrt(float(gram[-1, -1]))
    if length == 0:
        raise ValueError("the path must lead somewhere: its last finite snapshot is its start")
    [*_, chord] = (w for (_, w), finite in zip(path.weights(), known, strict=True) if finite)
    chord = chord - path.start
    along = gram[-1] / length**2
    values, found = torch.linalg.eigh(gram - length**2 * torch.outer(along, along))
    two = None
    if values[-1] > (_STRAIGHT * length) ** 2:
        shares = found[:, -1].clone()
        shares[-1] -= float(shares @ along)
        [two] = _combined([path], known, shares[None])
    return chord, _beside(chord, two)


def _near(paths: Sequence[Path], known: list[bool], gram: Tensor) -> list[Path]:
    """The paths that do not lead more than ten times as far as the lower half of them."""
    owner = torch.tensor([n for n, path in enumerate(paths) for _ in range(len(path))])[known]
    far = gram.diagonal().sqrt()
    sizes = [float(far[owner == n].max()) if (owner == n).any() else 0 for n in range(len(paths))]
    usual = sorted(sizes)[(len(sizes) - 1) // 2]
    return [path for path, size in zip(paths, sizes, strict=True) if size <= _FAR * usual]


def _principal(paths: Sequence[Path], known: list[bool], gram: Tensor) -> tuple[Tensor, Tensor]:
    """The first two principal components of several paths, as long as the farthest snapshot."""
    sizes = gram.diagonal().sqrt()
    if not len(sizes) or float(sizes.max()) == 0:
        raise ValueError("the paths must lead somewhere: no finite snapshot is off the first start")
    owners = [number for number, path in enumerate(paths) for _ in range(len(path))]
    owner = torch.tensor(owners)[known]
    largest = torch.stack([sizes[owner == each].max() for each in owner])
    scale = torch.where(largest > 0, 1 / largest, 0)
    values, found = torch.linalg.eigh(gram * torch.outer(scale, scale))
    one, two = _combined(paths, known, (found[:, -2:] * scale[:, None]).T.flip(0))
    one = one * (float(sizes.max()) / float(one.double().norm()))
    is_plane = values[-2] > _STRAIGHT**2 * values[-1]
    return one, _beside(one, two if is_plane else None)


def _beside(one: Tensor, two: Tensor | None) -> Tensor:
    """A direction as long as another one and orthogonal to it; a random one instead of `None`."""
    length = float(one.double().norm())
    if two is None:
        two = torch.randn(one.shape, generator=torch.Generator().manual_seed(0))
    found = two.double()
    for _ in range(2):  # once more, for what rounding has left
        found = found.sub(one.double(), alpha=dot(found, one) / length**2)
    size = float(found.norm())
    if size == 0:
        raise ValueError("a plane needs two weights at least, and the path has one")
    return (found * (length / size)).to(one.dtype)


def _around(points: Sequence[tuple[float, float]]) -> Spans:
    """First and last coordinate of each axis, around some points, square."""
    (left, right), (low, high) = ((min(each), max(each)) for each in zip(*points, strict=True))
    half = max(right - left, high - low) * (0.5 + _MARGIN)
    x, y = (left + right) / 2, (low + high) / 2
    return (x - half, x + half), (y - half, y + half)
