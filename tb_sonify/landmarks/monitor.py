"""Causal detectors over a run as it goes on: every quantity of its layers, and its losses."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_sonify.landmarks.divergence import DepartureDetector
from tb_sonify.landmarks.drift import GROWTH, OUTGROWN, DriftDetector
from tb_sonify.landmarks.landmark import Finding, Landmark, factor_words
from tb_sonify.landmarks.milestones import MilestoneMonitor
from tb_sonify.landmarks.nonfinite import WORDS, NonfiniteMonitor
from tb_sonify.landmarks.overfitting import OverfittingMonitor
from tb_sonify.landmarks.unusual import LAYER, LOSS, TOTAL, Unusual, UnusualDetector
from tb_sonify.schema.metadata import MEAN_HEADROOM_TAG
from tb_sonify.schema.quantities import GRADIENT, UPDATE
from tb_sonify.schema.scalar_names import kind_of

APART = 100  # rows: what is found again sooner is not told again
START, START_GROWTH = 100, 30.0  # rows; times the first total: broken from the start
EDGE, SAFE = 1.0, 1.5  # see `HeadroomMonitor`
MONITORED = (GRADIENT, UPDATE)
_ROWS = ""  # in place of a tag
_Found = tuple[str, int, str | None, str]  # kind, row, layer, sentence


class RunMonitor:
    """Landmarks of a run, in rows of layers and in points of scalars; streaming and causal.

    Where steps go back, the run has restarted: rows, or that loss, are judged anew.

    Parameters
    ----------
    overfitting
        What judges its pairs of losses; runs side by side that are one training share it.
    folder
        What comes before the tags of losses there, to tell those of such runs apart.
    """

    def __init__(self, overfitting: OverfittingMonitor | None = None, folder: str = "") -> None:
        self._overfitting = overfitting or OverfittingMonitor()
        self._folder = folder
        self._milestones = MilestoneMonitor()
        self._judges: dict[tuple[str, ...], _Judge] = {}
        self._last_steps: dict[str, int] = {}  # of each loss, and of rows

    def add_rows(
        self,
        steps: NDArray[np.int64],
        tables: Mapping[str, NDArray[np.float32]],
        layers: Sequence[str],
    ) -> list[Landmark]:
        """What is found in the next rows.

        Parameters
        ----------
        steps
            Shape ``(rows,)``. One that is not above the one before is a restart.
        tables
            By quantity, shape ``(rows, layers)``; negative: not known.
        """
        found = []
        for part in self._parts(_ROWS, steps, least=1):
            for quantity in MONITORED:
                if quantity in tables:
                    key = _ROWS, quantity
                    if key not in self._judges:
                        monitors = NonfiniteMonitor(quantity), TableMonitor(quantity)
                        self._judges[key] = _Judge(*monitors)
                    found += self._judges[key].add(steps[part], tables[quantity][part], layers)
        return found

    def is_loss(self, tag: str) -> bool:
        """Whether a scalar is judged as a loss."""
        return kind_of(tag) == "loss" or self._overfitting.is_own(self._folder + tag)

    def add_points(
        self, tag: str, steps: NDArray[np.int64], values: NDArray[np.float64]
    ) -> list[Landmark]:
        """What is found in the next points of a scalar, both ``(points,)``; steps may be the same.

        Of a scalar that is no loss, milestones, or where the step is at the edge.
        """
        if tag == MEAN_HEADROOM_TAG:
            parts = self._parts(tag, steps, least=0)
            return [each for part in parts for each in self._edges(steps[part], values[part])]
        if not self.is_loss(tag):
            return self._milestones.add(tag, steps, values)
        found, name = [], self._folder + tag
        for part in self._parts(tag, steps, least=0):
            if (tag,) not in self._judges:
                self._judges[tag,] = _Judge(LossMonitor(tag))
            found += self._judges[tag,].add(steps[part], values[part])
            found += self._overfitting.add(name, steps[part], values[part])
        judged = self._overfitting.is_judged(name)
        return [each for each in found if each.kind != "divergence" or not judged]

    def _edges(self, steps: NDArray[np.int64], values: NDArray[np.float64]) -> list[Landmark]:
        judge = self._judges.setdefault((MEAN_HEADROOM_TAG,), _Judge(HeadroomMonitor()))
        return judge.add(steps, values)

    def _parts(self, series: str, steps: NDArray[np.int64], *, least: int) -> Iterator[slice]:
        """Parts whose steps rise by `least`; before one that does not, what is known is dropped."""
        if not len(steps):
            return
        before = self._last_steps.get(series, int(steps[0]) - 1)
        self._last_steps[series] = int(steps[-1])
        back = np.flatnonzero(np.diff(steps, prepend=before) < least).tolist()
        for start, stop in pairwise(sorted({0, *back, len(steps)})):
            if start in back:
                for key in [each for each in self._judges if each[0] == series]:
                    del self._judges[key]
            yield slice(start, stop)


class _Judge:
    """Monitors of one table or loss, whose findings are put on steps."""

    def __init__(
        self, *monitors: "NonfiniteMonitor | TableMonitor | LossMonitor | HeadroomMonitor"
    ) -> None:
        self._monitors = monitors
        self._rows = 0

    def add(self, steps: NDArray[np.int64], *rows: Any) -> list[Landmark]:
        """What is found in the next rows, in their order."""
        first = self._rows
        self._rows += len(steps)
        found = [each for monitor in self._monitors for each in monitor.add(*rows)]
        return [
            Landmark(
                *(each.kind, int(steps[each.note - first]), each.note, each.layer),
                *(each.sentence, each.quantity),
            )
            for each in sorted(found, key=lambda each: each.note)
        ]


class TableMonitor:
    """Landmarks of one quantity of all layers, row by row; streaming and causal.

    What is told of a row depends on it and on those before, and not on how rows come.

    Parameters
    ----------
    quantity
        What the values are: ``"gradient"``, ``"update"``, ...
    """

    def __init__(self, quantity: str) -> None:
        self._quantity = quantity
        self._row = 0
        self._first = np.nan  # total
        self._last = np.full(2, np.nan)  # totals
        self._told = _Told(quantity)
        known = quantity if quantity in TOTAL else "update"
        self._total, self._layers = UnusualDetector(TOTAL[known]), UnusualDetector(LAYER[known])
        self._drift = DriftDetector(GROWTH[known])
        self._outgrowing = DriftDetector(OUTGROWN, among=True)

    def add(self, values: NDArray[np.floating], layers: Sequence[str]) -> list[Finding]:
        """What is found in the next rows, by the number of the row from the first on.

        Parameters
        ----------
        values
            Shape ``(rows, layers)``; what is negative or not finite is not known. A layer with a
            negative value, as one that is frozen, adds nothing to the total; one that is not
            finite leaves the row without.
        layers
            Names of the columns; later ones may be more.
        """
        values = np.where(np.isfinite(values), values, np.nan)
        squares = np.square(np.maximum(values, 0), dtype=np.float64)
        totals = np.sqrt(np.sum(squares, axis=1, keepdims=True))
        values = np.where(values >= 0, values, np.nan)
        quantity = self._quantity
        found: list[_Found] = list(self._broken_from_the_start(totals[:, 0]))
        found += [
            ("unusual", each.row, layers[each.column], self._words(each, layers))
            for each in self._layers.add(values)
        ]
        for each in self._total.add(totals):
            most = int(np.nanargmax(values[each.row - self._row]))
            words = f"{quantity} {factor_words(each.factor)} its usual size, {each.sigma:.0f} sigma"
            found.append(("unusual", each.row, None, f"{words}; largest in {layers[most]}"))
        for grown in self._drift.add(totals):
            words = f"{quantity} grows, {factor_words(grown.factor)} its size of 100 steps before"
            found.append(("drift", grown.row, None, words))
        for grown in self._outgrowing.add(values):
            layer = layers[grown.column]
            words = f"{quantity} of {layer} outgrows the other layers, {factor_words(grown.factor)}"
            found.append(("outgrowing", grown.row, layer, f"{words} in 100 steps"))
        self._row += len(values)
        return self._told.first(found)

    def _words(self, found: Unusual, layers: Sequence[str]) -> str:
        words = f"{self._quantity} of {layers[found.column]} {factor_words(found.factor)}"
        first = f"; first of {found.others + 1} layers" if found.others else ""
        return f"{words} its usual size, {found.sigma:.0f} sigma{first}"

    def _broken_from_the_start(self, totals: NDArray[np.float64]) -> list[_Found]:
        if self._quantity != "gradient" or self._row >= START or not len(totals):
            return []
        if not self._row:
            self._first = float(totals[0])
        totals = np.concatenate([self._last, totals])
        self._last = totals[-2:]
        high = (totals > START_GROWTH * self._first) & (self._first > 0)
        twice = high[2:] & (high[1:-1] | high[:-2])
        rows = np.flatnonzero(twice[: START - self._row])
        return [
            (
                "explosion",
                self._row + row,
                None,
                f"broken from the start: gradient {factor_words(totals[row + 2] / self._first)} "
                "that of the first step",
            )
            for row in rows.tolist()
        ]


class LossMonitor:
    """Landmarks of a loss, point by point; streaming and causal."""

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self._row = self._finite = 0
        self._unusual, self._departures = UnusualDetector(LOSS), DepartureDetector()
        self._told = _Told(tag)

    def add(self, values: NDArray[np.float64]) -> list[Finding]:
        """What is found in the next points, shape ``(points,)``, by their number."""
        finite = np.isfinite(values)
        rows = (self._row + np.flatnonzero(finite)).tolist()
        found: list[_Found] = []
        for row in np.flatnonzero(~finite).tolist():
            kind = "nan" if np.isnan(values[row]) else "inf"
            found.append((kind, self._row + row, None, f"{WORDS[kind]} in {self._tag}"))
        for each in self._unusual.add(values[finite][:, None]):
            words = f"{self._tag} {factor_words(each.factor)} its usual size"
            row = rows[each.row - self._finite]
            found.append(("unusual", row, None, f"{words}, {each.sigma:.0f} sigma"))
        for departure in self._departures.add(values):
            words = f"{self._tag} leaves its floor, {departure.floor:.3g} to {departure.level:.3g}"
            found.append(("divergence", rows[departure.row - self._finite], None, words))
        self._row += len(values)
        self._finite += len(rows)
        return self._told.first(found)


class HeadroomMonitor:
    """Where steps raise the loss on average, by the mean headroom of strips; streaming and causal.

    Told where it falls below `EDGE`, and again once it was above `SAFE`.
    """

    def __init__(self) -> None:
        self._row, self._is_told = 0, False

    def add(self, values: NDArray[np.float64]) -> list[Finding]:
        """What is found in the next headrooms, shape ``(points,)``, by their number."""
        found = []
        for row, value in enumerate(values.tolist(), self._row):
            if value < EDGE and not self._is_told:
                words = "at the edge, steps of this size raise the loss on average"
                found.append(Finding("edge", row, None, words, MEAN_HEADROOM_TAG))
            self._is_told = value < (SAFE if self._is_told else EDGE)
        self._row += len(values)
        return found


class _Told:
    """Lets through the first of those of a kind that come one soon after the other."""

    def __init__(self, quantity: str) -> None:
        self._quantity = quantity
        self._since: dict[str, int] = {}

    def first(self, found: list[_Found]) -> list[Finding]:
        findings = []
        for kind, row, layer, sentence in sorted(found, key=lambda each: each[1]):
            if row - self._since.get(kind, -APART) >= APART:
                findings.append(Finding(kind, row, layer, sentence, self._quantity))
            self._since[kind] = row
        return findings
