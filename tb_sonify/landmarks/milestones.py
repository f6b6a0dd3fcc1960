"""Milestones: what scripts log of their own doing, such as a cut of the learning rate."""

from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tb_sonify.landmarks.landmark import Landmark, factor_words
from tb_sonify.schema.scalar_names import Milestone, milestone_of

MOST = {"schedule": 5, "scale": 5, "skip": 5, "epoch": 1, "checkpoint": 5}
CHANGE = 1.5  # times, up or down: a smaller one is part of a schedule
ISOLATED = 5.0  # times the median change before
BEFORE, FEWEST = 10, 2  # changes that tell what is usual, and the fewest of them
DROP = 0.75  # of a loss scale
APART = 100  # points: a loss scale that falls, or a skip, again sooner is not told again
_PARTS = {2: "half", 3: "a third", 4: "a quarter", 5: "a fifth", 10: "a tenth", 100: "a hundredth"}


class MilestoneMonitor:
    """Milestones in the scalars of a run, as they are written; streaming and causal.

    At most five of a kind, one at a step, however many scalars tell it; of epochs the first.
    """

    def __init__(self) -> None:
        self._before: dict[str, NDArray[np.float64]] = {}  # the last points of each scalar
        self._points: Counter[str] = Counter()
        self._last: dict[str, int] = {}  # point of each scalar in which something was found
        self._told: dict[str, set[int]] = defaultdict(set)  # steps by kind

    def add(
        self, tag: str, steps: NDArray[np.int64], values: NDArray[np.float64]
    ) -> list[Landmark]:
        """What is found in the next points of a scalar, each of shape ``(points,)``."""
        kind = milestone_of(tag)
        known = np.isfinite(values)
        steps, values = steps[known], values[known]
        if kind is None or len(self._told[kind]) >= MOST[kind]:
            return []
        # Nothing was skipped or saved before the first point.
        before = self._before.get(tag, np.zeros(int(kind in ("skip", "checkpoint"))))
        joined = np.concatenate([before, values])
        self._before[tag] = joined[-BEFORE - 1 :]
        first = self._points[tag] - len(before)
        self._points[tag] += len(values)
        found = []
        for place in _candidates(kind, joined, len(before)):
            is_again = first + place - self._last.get(tag, -APART) < APART
            self._last[tag] = first + place
            step = int(steps[place - len(before)])
            if step in self._told[kind] or (is_again and kind in ("scale", "skip")):
                continue
            self._told[kind].add(step)
            words = _words(kind, tag, joined[: place + 1])
            if len(self._told[kind]) == MOST[kind] > 1:
                words += "; later ones are not told"
            found.append(Landmark(kind, step, first + place, None, words, tag))
            if len(self._told[kind]) == MOST[kind]:
                break
        return found


def _candidates(kind: Milestone, values: NDArray[np.float64], start: int) -> Iterator[int]:
    """Numbers of the points from `start` on that are milestones, in order."""
    last, value = values[:-1], values[1:]
    where = {
        "schedule": (last > 0)
        & (value > 0)
        & ((value >= CHANGE * last) | (last >= CHANGE * value)),
        "scale": (value <= DROP * last) & (value > 0),
        "skip": value > last,
        "epoch": np.floor(value) > np.floor(last),
        "checkpoint": (value != 0) & ((value != last) | (value == 1)),
    }[kind]
    for place in (np.flatnonzero(where) + 1).tolist():
        if place >= start and (kind != "schedule" or _is_isolated(values, place)):
            yield place


def _is_isolated(values: NDArray[np.float64], place: int) -> bool:
    """Whether a change is no part of a schedule that goes on, by the changes before it."""
    before = np.abs(np.diff(values[max(place - BEFORE - 1, 0) : place]))
    if len(before) < FEWEST:
        return False
    return bool(abs(values[place] - values[place - 1]) >= ISOLATED * np.median(before))


def _words(kind: Milestone, tag: str, values: NDArray[np.float64]) -> str:
    """The sentence of a milestone in the last of some points."""
    value, last = float(values[-1]), float(values[-2])
    if kind == "schedule" and value > last:
        return f"learning rate raised {factor_words(value / last)}, {last:.3g} to {value:.3g}"
    if kind in ("schedule", "scale"):
        noun = "learning rate" if kind == "schedule" else "loss scale"
        part = round(last / value)
        is_part = part in _PARTS and abs(last / value - part) < 0.05 * part
        cut = f" to {_PARTS[part]}" if is_part else ""
        return f"{noun} cut{cut}, {last:.6g} to {value:.6g}"
    return {"skip": "a step is skipped", "epoch": "first epoch over", "checkpoint": "checkpoint"}[
        kind
    ] + ("" if kind == "epoch" else f", {tag} {value:.4g}")
