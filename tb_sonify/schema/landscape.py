"""Loss landscapes as a run stores them: strips along its steps, and surfaces over planes."""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tb_sonify.schema.block import Block, decode_block, encode_block

Floats = NDArray[np.float64]

MEAN_STRIPS = 16  # whose mean headroom is logged

# Share of its variance that the first two principal components of a random walk in many dimensions
# hold: 6 / pi^2 and a quarter of that (Antognini and Sohl-Dickstein, NeurIPS 2018).
RANDOM_WALK = 0.76


@dataclass(frozen=True)
class Strip:
    """The loss along one step of an optimizer, at the weights before it plus alpha times the step.

    Attributes
    ----------
    alphas
        Increasing, with 0, where the weights were, shape ``(alphas,)``; as far as it was measured.
    losses
        Shape ``(alphas,)``; NaN and infinite as they come.
    update_norm
        2-norm of the step.
    """

    alphas: Floats
    losses: Floats
    update_norm: float

    @property
    def here(self) -> float:
        """The loss before the step."""
        return float(self.losses[self.alphas == 0][0])

    @property
    def lowest(self) -> float:
        """The smallest loss that is a number; NaN where none is."""
        finite = self.losses[np.isfinite(self.losses)]
        return float(finite.min()) if len(finite) else math.nan

    @property
    def floor(self) -> float:
        """The alpha of the smallest loss, by a parabola through it and its neighbours; or NaN."""
        places = np.flatnonzero(self.losses == self.lowest)
        if not len(places):
            return math.nan
        at = int(places[0])
        near = self.losses[max(at - 1, 0) : at + 2]
        if len(near) < 3 or not np.isfinite(near).all():
            return float(self.alphas[at])
        beside = [at - 1, at + 1]
        away, rises = self.alphas[beside] - self.alphas[at], self.losses[beside] - self.lowest
        slope, curve = _parabola(*away, *rises)
        return float(self.alphas[at] - (slope / (2 * curve) if curve > 0 else 0))

    @property
    def walls(self) -> tuple[float, float]:
        """How much the loss rises from its smallest to the first and to the last alpha."""
        return float(self.losses[0] - self.lowest), float(self.losses[-1] - self.lowest)

    @property
    def headroom(self) -> float:
        """The alpha at which the loss is back at what it was: so many times larger the step may be.

        By a parabola through 0 and the two samples around; exact where the loss is quadratic. 0
        where the loss rises from the start; the last alpha where it does not come back; NaN where
        the loss was not finite before the step.
        """
        if not math.isfinite(self.here):
            return math.nan
        ahead = self.alphas >= 0
        alphas, rises = self.alphas[ahead], self.losses[ahead] - self.here
        above = np.flatnonzero(~(rises <= 0))  # NaN is a wall
        if not len(above):
            return float(alphas[-1])
        at = int(above[0])
        if not math.isfinite(rises[at]):
            return float(alphas[at - 1])
        other = at - 1 if at > 1 else at + 1
        if other >= len(alphas) or not math.isfinite(rises[other]):
            return 0.0
        slope, curve = _parabola(*alphas[[at, other]], *rises[[at, other]])
        return float(-slope / curve) if slope < 0 < curve else 0.0

    def words(self) -> str:
        """The strip as one sentence fragment."""
        beyond = "more than " if self.headroom >= self.alphas[-1] else ""
        return (
            f"loss {self.here:.3g}; the floor is {self.lowest:.3g}, {self.floor:.2g} "
            f"steps ahead; the step could be {beyond}{self.headroom:.2g} times as large before the "
            f"loss rises"
        )


def mean_headroom(strips: Sequence[Strip]) -> float:
    """The headroom of the mean of strips with the same alphas, each by how much its loss rises.

    A single step of a small batch may well lead uphill; that of the mean is below 1 where steps of
    this size raise the loss on average. A strip that was measured less far than another is taken to
    go on as the parabola at its end.
    """
    alphas = max((strip.alphas for strip in strips), key=len)
    rises = np.mean([_extended(strip, alphas) for strip in strips], axis=0)
    return Strip(alphas, rises, 0.0).headroom


def _extended(strip: Strip, alphas: Floats) -> Floats:
    """By how much the loss rises at all of some alphas, of which the strip has the first."""
    known = len(strip.alphas)
    rises = strip.losses - strip.here
    if known == len(alphas):
        return rises
    slope, curve = _parabola(*strip.alphas[-2:], *rises[-2:])
    beyond = np.maximum(slope * alphas[known:] + curve * alphas[known:] ** 2, rises[-1])
    return np.concatenate([rises, beyond])


def _parabola(one: float, two: float, at_one: float, at_two: float) -> tuple[float, float]:
    """Slope and curvature coefficient at 0 of a parabola that is 0 there, by two of its points."""
    curve = (at_two / two - at_one / one) / (two - one)
    return at_one / one - curve * one, curve


def encode_strips(steps: Sequence[int], strips: Sequence[Strip]) -> bytes:
    """A block of strips, each with its step; their alphas begin with the same ones."""
    alphas = max((strip.alphas for strip in strips), key=len)
    losses = np.full((len(strips), len(alphas)), np.nan)
    for row, strip in zip(losses, strips, strict=True):
        row[: len(strip.losses)] = strip.losses
    arrays = {
        "steps": np.array(steps, np.int64),
        "alphas": alphas,
        "losses": losses,
        "measured": np.array([len(strip.losses) for strip in strips], np.int64),
        "update_norm": np.array([strip.update_norm for strip in strips]),
    }
    return encode_block(Block({"kind": "strips"}, arrays), packed=True)


def decode_strips(data: bytes) -> tuple[list[int], list[Strip]]:
    """What `encode_strips` was given; raises `ValueError` if the bytes are no such block."""
    block = decode_block(data)
    names = ("steps", "alphas", "losses", "measured", "update_norm")
    arrays = [block.arrays.get(name) for name in names]
    if block.header.get("kind") != "strips" or any(each is None for each in arrays):
        raise ValueError(f"expected a block of strips, got kind {block.header.get('kind')!r}")
    steps, alphas, losses, measured, norms = (each for each in arrays if each is not None)
    if losses.shape != (*steps.shape, *alphas.shape) or not (
        measured.shape == norms.shape == steps.shape
    ):
        raise ValueError("losses of strips must have shape (steps, alphas)")
    (zero,) = np.nonzero(alphas == 0)
    if len(zero) != 1 or not (np.diff(alphas) > 0).all():
        raise ValueError(f"alphas must increase, with 0, got {alphas.tolist()[:40]}")
    if not ((measured > zero[0]) & (measured <= len(alphas))).all():
        raise ValueError("strips must be measured at 0, and at no more alphas than there are")
    strips = [
        Strip(alphas[:count], row[:count], float(norm))
        for row, count, norm in zip(losses, measured.tolist(), norms, strict=True)
    ]
    return steps.tolist(), strips


class Table(NamedTuple):
    """Rows of values under the names of their columns."""

    names: tuple[str, ...]
    rows: Sequence[Sequence[Any]]

    def write_csv(self, file: IO[str]) -> None:
        """Write a line of names, and one for each row."""
        table = csv.writer(file)
        table.writerow(self.names)
        table.writerows(self.rows)


@dataclass(frozen=True)
class PlanePath:
    """The path of an optimizer beside a plane.

    Attributes
    ----------
    steps
        int64, shape ``(points,)``.
    points
        Foot of the perpendicular of each snapshot, in units of the axes, shape ``(points, 2)``.
    distance
        From the plane, as a 2-norm of weights, shape ``(points,)``.
    losses
        At the snapshots themselves, not at their feet; NaN where it was not evaluated.
    explained
        Share of the variance of the snapshots that lies in the plane; a random walk in many
        dimensions has `RANDOM_WALK` in that of its principal components.
    """

    name: str
    steps: NDArray[np.int64]
    points: Floats
    distance: Floats
    losses: Floats
    explained: float


@dataclass(frozen=True)
class Surface:
    """The loss over a plane of weights.

    Attributes
    ----------
    x, y
        Coordinates of the columns and rows, shape ``(columns,)`` and ``(rows,)``; 1 is as long as
        the direction, whose 2-norm is in `options`.
    losses
        Shape ``(rows, columns)``; NaN and infinite cells stay so.
    here
        The loss at the origin, (0, 0).
    paths
        Paths beside the plane.
    options
        How the plane and the losses were made: ``plane``, ``seed``, ``normalise``, ``norms``, ....
    """

    x: Floats
    y: Floats
    losses: Floats
    here: float
    paths: tuple[PlanePath, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def block(self) -> Block:
        """The surface as a header and arrays."""
        arrays: dict[str, NDArray[Any]] = {"x": self.x, "y": self.y, "losses": self.losses}
        arrays["here"] = np.array([self.here])
        for number, path in enumerate(self.paths):
            arrays |= {f"{number}/{name}": getattr(path, name) for name in _PATH_ARRAYS}
            arrays[f"{number}/explained"] = np.array([path.explained])
        header = {"kind": "surface", "options": dict(self.options)}
        header["paths"] = [path.name for path in self.paths]
        return Block(header, arrays)

    def encode(self) -> bytes:
        """The surface as a packed block."""
        return encode_block(self.block(), packed=True)

    @classmethod
    def decode(cls, data: bytes) -> "Surface":
        """The surface in a block; raises `ValueError` if there is none."""
        block = decode_block(data)
        if block.header.get("kind") != "surface":
            raise ValueError(f"expected a block of a surface, got {block.header.get('kind')!r}")
        arrays, names = block.arrays, block.header.get("paths", [])
        options = block.header.get("options", {})
        is_named = isinstance(names, list) and isinstance(options, dict)
        if not is_named:
            raise ValueError("a surface must have a list of paths, and options by their names")
        try:
            paths = tuple(
                PlanePath(
                    name=str(name),
                    explained=float(arrays[f"{number}/explained"].reshape(1)[0]),
                    **{each: arrays[f"{number}/{each}"] for each in _PATH_ARRAYS},
                )
                for number, name in enumerate(names)
            )
            x, y, losses, here = (arrays[name] for name in ("x", "y", "losses", "here"))
        except KeyError as error:
            raise ValueError(f"a surface lacks its array {error}") from None
        if losses.shape != (*y.shape, *x.shape) or losses.ndim != 2 or not losses.size:
            raise ValueError(f"losses must have shape {(*y.shape, *x.shape)}, got {losses.shape}")
        for each in (x, y):
            if not (np.isfinite(each).all() and (np.diff(each) > 0).all()):
                raise ValueError("the coordinates of a surface must be finite and increase")
        for path in paths:
            count = len(path.steps)
            if path.points.shape != (count, 2) or not (
                path.steps.shape == path.distance.shape == path.losses.shape == (count,)
            ):
                raise ValueError(f"points of the path {path.name!r} must have shape ({count}, 2)")
        return cls(x, y, losses, float(here.reshape(1)[0]), paths, options)

    def cells(self) -> Table:
        """The losses as a table of numbers."""
        columns, rows = np.meshgrid(self.x, self.y)
        cells = np.stack([columns, rows, self.losses], axis=-1).reshape(-1, 3)
        return Table(("x", "y", "loss"), cells.tolist())

    def path_points(self) -> Table:
        """The points of all paths as a table, with the name of the path first."""
        points = [
            (each.name, int(step), *foot.tolist(), float(away), float(loss))
            for each in self.paths
            for step, foot, away, loss in zip(
                each.steps, each.points, each.distance, each.losses, strict=True
            )
        ]
        return Table(("path", "step", "x", "y", "distance", "loss"), points)

    def write_csv(self, path: str | Path) -> None:
        """Write the cells as ``x,y,loss``, and those of `paths` to ``<name>-paths.csv`` beside."""
        path = Path(path)
        tables = {path: self.cells()}
        if self.paths:
            tables[path.with_name(f"{path.stem}-paths.csv")] = self.path_points()
        for each, table in tables.items():
            with each.open("w", newline="", encoding="utf-8") as file:
                table.write_csv(file)

    def write_npz(self, path: str | Path | IO[bytes]) -> None:
        """Write the arrays for `numpy.load`: ``x``, ``y``, ``losses``, ``here``, ``<path>/...``."""
        arrays: dict[str, Any] = {"x": self.x, "y": self.y, "losses": self.losses}
        for each in self.paths:
            arrays |= {f"{each.name}/{name}": getattr(each, name) for name in _PATH_ARRAYS}
        np.savez_compressed(path, here=self.here, **arrays)

    def words(self) -> list[str]:
        """The surface in sentences: level and spacing, and how each path lies to the plane."""
        finite = self.losses[np.isfinite(self.losses)]
        broken = self.losses.size - finite.size
        said = [
            f"{self.losses.shape[1]} x {self.losses.shape[0]} losses, {self.here:.3g} at (0, 0)"
        ]
        if finite.size:
            row, column = np.argwhere(self.losses == finite.min())[0]
            origin = [int(np.abs(each).argmin()) for each in (self.y, self.x)]
            said.append(
                f"from {finite.min():.3g} at ({self.x[column]:.2g}, {self.y[row]:.2g}) "
                f"to {finite.max():.3g}"
            )
            if 0 < self.here < math.inf:  # of other losses, twice as much is not higher
                ways = self._doubling(origin[0], origin[1], self.here)
                said[-1] += f"; twice the loss at (0, 0) lies {_away_words(ways)}"
            if finite.min() > 0:
                ways = self._doubling(int(row), int(column), float(finite.min()))
                said.append(f"{self._shape(ways)}: twice the lowest loss lies {_away_words(ways)}")
        if broken:
            said.append(f"{broken} cell{'s are' if broken > 1 else ' is'} NaN or infinite")
        return [*said, *map(_path_words, self.paths)]

    def _doubling(self, row: int, column: int, loss: float) -> dict[str, float]:
        """How far one has to go from a cell for twice a loss, each way; infinite: off the map."""
        ways = {
            "right": (self.x[column:] - self.x[column], self.losses[row, column:]),
            "left": (self.x[column] - self.x[column::-1], self.losses[row, column::-1]),
            "up": (self.y[row:] - self.y[row], self.losses[row:, column]),
            "down": (self.y[row] - self.y[row::-1], self.losses[row::-1, column]),
        }
        found = {}
        for name, (away, losses) in ways.items():
            twice = np.flatnonzero(~(losses < 2 * loss))
            found[name] = float(away[twice[0]]) if len(twice) else math.inf
        return found

    def _shape(self, ways: Mapping[str, float]) -> str:
        """Whether the loss doubles near, within an eighth of the map, or far off."""
        width, height = (float(np.ptp(each)) for each in (self.x, self.y))
        sides = {"left": width, "right": width, "up": height, "down": height}
        kinds = {
            "sharp": [way for way in sides if ways[way] <= sides[way] / 8],
            "flat": [way for way in sides if ways[way] > sides[way] / 3],
        }
        said = [
            kind if len(names) == len(sides) else f"{kind} {_listed(names)}"
            for kind, names in kinds.items()
            if names
        ]
        return ", ".join(said) or "neither sharp nor flat"


def _away_words(ways: Mapping[str, float]) -> str:
    return ", ".join(
        f"{away:.2g} {name}" if math.isfinite(away) else f"beyond the edge {name}"
        for name, away in ways.items()
    )


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


_PATH_ARRAYS = ("steps", "points", "distance", "losses")


def _path_words(path: PlanePath) -> str:
    known = np.isfinite(path.distance)
    if not known.any():
        return f"{path.name}: no finite snapshot"
    last = int(np.flatnonzero(known)[-1])
    x, y = np.round(path.points[last], 9) + 0.0  # no -0
    lost = len(known) - int(known.sum())
    left_out = f"; {lost} snapshot{'s are' if lost > 1 else ' is'} not finite" if lost else ""
    count = f"{len(path.steps)} snapshot{'s' if len(path.steps) > 1 else ''}"
    held = (
        ""
        if math.isnan(path.explained)
        else f"; the plane holds {path.explained:.0%} of the variance (of a random walk, "
        f"{RANDOM_WALK:.0%})"
    )
    off = round(float(path.distance[last]), 9)
    return (
        f"{path.name}: {count}, {_origin_words(path.points[known])}to "
        f"({x:.2g}, {y:.2g}), loss {path.losses[last]:.3g}, {off:.2g} from the "
        f"plane, {_ridge_words(path)}{held}{left_out}"
    )


def _origin_words(points: Floats) -> str:
    """On which side of its end a path begins: "from the upper left "."""
    across, up = points[0] - points[-1]
    if not math.isfinite(across + up) or across == up == 0:
        return ""
    vertical = "" if abs(up) < abs(across) / 2 else "upper " if up > 0 else "lower "
    if abs(across) < abs(up) / 2:
        return "from above " if up > 0 else "from below "
    return f"from the {vertical}{'right' if across > 0 else 'left'} "


def _ridge_words(path: PlanePath) -> str:
    """Whether the loss at the snapshots rises to twice and more, and falls back."""
    finite = np.isfinite(path.losses)
    steps, losses = path.steps[finite], path.losses[finite]
    if len(losses) < 3:
        return "too few losses to tell a ridge"
    before = np.minimum.accumulate(losses)
    after = np.minimum.accumulate(losses[::-1])[::-1]
    foot = np.maximum(before, after)
    height = np.where(foot > 0, losses / np.where(foot > 0, foot, 1), 1)
    top = int(height.argmax())
    if height[top] < _RIDGE:
        return "over no ridge"
    return f"over a ridge of {losses[top]:.3g} at step {steps[top]:,}, from {before[top]:.3g}"


_RIDGE = 2  # times what the loss is on its higher side
