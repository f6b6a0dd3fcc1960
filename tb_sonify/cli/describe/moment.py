"""One step of a run in words: its losses, its gradient norms, and the landmarks around it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb_sonify.landmarks import Landmark
from tb_sonify.reading.description import Description, spoken
from tb_sonify.reading.heatmap import largest_norms, most_rows
from tb_sonify.reading.scalars import read_series
from tb_sonify.reading.selection import Selections
from tb_sonify.reading.store import Scope, Store
from tb_sonify.reading.timeline import notes_between
from tb_sonify.schema.notes import NO_GRADIENT
from tb_sonify.sound import STREAM_NAMES, stream_layers

_SCALARS, _LAYERS, _LANDMARKS = 5, 5, 3  # so many are told
_Values = tuple[tuple[str, float | str], ...]  # those that are not finite as "NaN", "infinity"


@dataclass(frozen=True)
class Moment:
    """What a run is like at a step.

    Attributes
    ----------
    step
        The one that was asked for, or the nearest that the run has; `None`: it has none.
    asked
        The one that was asked for.
    scalars
        Tag, step and value of the latest point up to there, of losses and scores.
    streams, layers
        Gradient norms: the median of each stream, and the largest layers, those not finite first.
    rows
        How many rows the norms are the largest of.
    landmarks
        Those nearest to the step, in order.
    """

    run: str
    step: int | None
    asked: int
    scalars: tuple[tuple[str, int, float | str], ...] = ()
    streams: _Values = ()
    layers: _Values = ()
    rows: int = 1
    landmarks: tuple[Landmark, ...] = ()

    def lines(self) -> Iterator[str]:
        """The lines of a description, one fact each."""
        if self.step is None:
            yield f"{self.run}: nothing that can be heard"
            return
        nearest = "" if self.step == self.asked else f", the nearest to {self.asked:,}"
        yield f"{self.run} at step {self.step:,}{nearest}"
        for tag, step, value in self.scalars:
            yield f"  {tag} {_shown(value)}" + ("" if step == self.step else f" at step {step:,}")
        if self.streams:
            of = f", the largest of {self.rows:,} rows" if self.rows > 1 else ""
            yield f"  gradient norms{of}: {_listed(self.streams)}"
            yield f"  largest layers: {_listed(self.layers)}"
        for landmark in self.landmarks:
            apart = landmark.step - self.step
            side = "later" if apart > 0 else "earlier"
            steps = "1 step" if abs(apart) == 1 else f"{abs(apart):,} steps"
            when = f"{steps} {side}, at step {landmark.step:,}" if apart else "here"
            yield f"  {when}: {spoken(landmark.sentence)}"
        if not self.landmarks:
            yield "  no landmarks"


def moment_of(
    store: Store, scope: Scope, selections: Selections, description: Description, step: int
) -> Moment:
    """What a run is like at a step, or at its first or last one where that lies beyond."""
    run, first, last = description.run, description.first_step, description.last_step
    if first is None or last is None:
        return Moment(run, None, step)
    asked, step = step, min(max(step, first), last)
    near = sorted(description.landmarks, key=lambda each: abs(each.step - step))[:_LANDMARKS]
    timeline = selections.detailed(scope, run, step, step)
    streams: _Values = ()
    layers: _Values = ()
    note = notes_between(timeline, step, step)
    if note:
        [norms] = largest_norms(timeline.table(note.start, 1))
        groups = zip(STREAM_NAMES, stream_layers(len(norms)), strict=False)
        streams = tuple((name, _median(norms[group.start : group.stop])) for name, group in groups)
        order = np.argsort(-np.where(np.isnan(norms), np.inf, norms), kind="stable").tolist()
        known = [i for i in order if norms[i] != NO_GRADIENT]
        layers = tuple((timeline.layers[i], _value(norms[i])) for i in known[:_LAYERS])
    return Moment(
        run=run,
        step=step,
        asked=asked,
        scalars=_scalars(store, scope, description, step),
        streams=streams,
        layers=layers,
        rows=most_rows(timeline, note),
        landmarks=tuple(sorted(near, key=lambda each: each.step)),
    )


def _scalars(
    store: Store, scope: Scope, description: Description, step: int
) -> tuple[tuple[str, int, float | str], ...]:
    known = [each for each in (description.loss, *description.scalars) if each is not None]
    told = [each.tag for each in known if each.kind in ("loss", "score")]
    told = told or [each.tag for each in known[:1]]
    found = []
    for tag in told[:_SCALARS]:
        series = read_series(store, scope, description.run, tag)
        point = -1 if series is None else int(np.searchsorted(series.steps, step, "right")) - 1
        if series is not None and point >= 0:
            found.append((tag, int(series.steps[point]), _value(series.values[point])))
    return tuple(found)


def _median(norms: NDArray[np.float32]) -> float | str:
    known = norms[~(norms < 0)]
    return _value(float(np.median(known))) if len(known) else "none"


def _value(number: float) -> float | str:
    """A number, or in words where JSON has no such number."""
    if math.isfinite(number):
        return float(number)
    return "NaN" if math.isnan(number) else "infinity"


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else spoken(f" {value:.4g}").strip()


def _listed(values: Sequence[tuple[str, float | str]]) -> str:
    return ", ".join(f"{name} {_shown(value)}" for name, value in values)
