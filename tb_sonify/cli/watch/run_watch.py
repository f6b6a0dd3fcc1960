"""One run that is followed: what is told of it, once, and how it is now."""

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tb_sonify.cli.watch.follow import Block, End, Point, Record
from tb_sonify.landmarks.landmark import Finding
from tb_sonify.landmarks.monitor import LossMonitor, TableMonitor
from tb_sonify.landmarks.nonfinite import NonfiniteMonitor
from tb_sonify.schema.quantities import GRADIENT
from tb_sonify.schema.scalar_names import first_to_draw, kind_of

Level = Literal["PROBLEM", "WARNING", "NOTE"]

PROBLEMS = ("nan", "inf", "explosion", "divergence")
"""Kinds of what ends a training, as a rule."""
_SINCE = {"nan": "NaN", "inf": "infinity", "explosion": "exploded", "divergence": "diverging"}
_MAX_TAGS = 200  # scalars that are kept in mind, and losses among them that are looked at
_HISTORY = 1_024  # points of a loss
_AGAIN = 1_000  # steps: a warning of a kind is not repeated before


@dataclass(frozen=True)
class Message:
    """What is told of a run.

    Attributes
    ----------
    kind
        A kind of landmark, or "began", "resumed", "stalled", "writing", "ended", "gone", "state".
    step, layer
        `None` where it concerns none.
    """

    run: str
    level: Level
    kind: str
    text: str
    step: int | None = None
    layer: str | None = None


class RunWatch:
    """What is known of a run, from what is written to its event files.

    Attributes
    ----------
    step
        The latest; -1: none.
    failed
        The kinds of `PROBLEMS` that were found, each with its message.
    ended
        Whether its writer was closed.
    stalled
        Whether it has been said that nothing is written.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.step = -1
        self.failed: dict[str, Message] = {}
        self.ended = self.stalled = False
        self._begin()
        self._latest: dict[str, tuple[int, float]] = {}  # finite points by tag
        self._history: dict[str, deque[tuple[int, float]]] = {}  # those of losses
        self._points: dict[str, list[Point]] = defaultdict(list)

    def _begin(self) -> None:
        self._tables: dict[str, TableMonitor] = {}
        self._losses: dict[str, LossMonitor] = {}
        self._nonfinite = NonfiniteMonitor(GRADIENT)
        self._rows: dict[str, int] = defaultdict(int)  # seen by each monitor
        self._told: dict[str, int] = {}  # kind to step
        self._last_row: int | None = None
        self._session = 0.0

    def add(self, record: Record) -> Iterator[Message]:
        """Take what was written; gives what is new of it. Scalars wait for `take_points`."""
        if isinstance(record, End):
            self.ended = True
            yield self.note("ended", f"ended at step {self.step}" if self.step >= 0 else "ended")
            return
        if isinstance(record, Block):
            yield from self._add_block(record)
            return
        self.ended = False
        self.step = max(self.step, record.step)
        if record.tag not in self._latest and len(self._latest) >= _MAX_TAGS:
            return
        self._points[record.tag].append(record)

    def take_points(self) -> Iterator[Message]:
        """What is new of the scalars that were added."""
        points, self._points = self._points, defaultdict(list)
        for tag, some in points.items():
            finite = [each for each in some if np.isfinite(each.value)]
            if kind_of(tag) == "loss":
                monitor = self._losses.setdefault(tag, LossMonitor(tag))
                values = np.array([each.value for each in some])
                steps = [each.step for each in some]
                history = self._history.setdefault(tag, deque(maxlen=_HISTORY))
                history.extend((each.step, each.value) for each in finite)
                yield from self._told_of(tag, monitor.add(values), steps)
            if finite:
                self._latest[tag] = finite[-1].step, finite[-1].value

    def _add_block(self, block: Block) -> Iterator[Message]:
        yield from self.take_points()
        self.ended = False
        first = int(block.steps[0])
        if self._last_row is not None and (
            block.session != self._session or first <= self._last_row
        ):
            self._begin()
            self.failed.clear()
            yield self.note("resumed", f"resumed at step {first}", first)
        self._session, self._last_row = block.session, int(block.steps[-1])
        self.step = max(self.step, self._last_row)
        yield from self._not_finite(block)
        for quantity, norms in block.norms.items():
            if (norms >= 0).any():
                monitor = self._tables.setdefault(quantity, TableMonitor(quantity))
                found = monitor.add(norms, block.layers)
                yield from self._told_of(quantity, found, block.steps.tolist())

    def _not_finite(self, block: Block) -> Iterator[Message]:
        start = self._rows["not finite"]
        self._rows["not finite"] += len(block.steps)
        for found in self._nonfinite.add(block.norms[GRADIENT], block.layers):
            step = int(block.steps[found.note - start])
            what, _, where = found.sentence.partition(",")
            text = f"{what} at step {step},{where}"
            yield from self._tell(found.kind, text, step, found.layer, key=found.kind)

    def _told_of(self, source: str, found: list[Finding], steps: list[int]) -> Iterator[Message]:
        start = self._rows[source]
        self._rows[source] += len(steps)
        for each in found:
            step = steps[min(max(each.note - start, 0), len(steps) - 1)]
            text = f"{each.sentence}, step {step}"
            yield from self._tell(each.kind, text, step, each.layer, key=f"{each.kind} {source}")

    def _tell(
        self, kind: str, text: str, step: int, layer: str | None, *, key: str
    ) -> Iterator[Message]:
        told = self._told.get(key)
        is_problem = kind in PROBLEMS
        if told is not None and (is_problem or step - told < _AGAIN):
            return
        broken = [message.step for message in self.failed.values() if message.step is not None]
        if not is_problem and broken and step >= min(broken):  # all is unusual from there on
            return
        self._told[key] = step
        level: Level = "PROBLEM" if is_problem else "WARNING"
        before = self._loss_words(before=step) if is_problem else ""
        message = Message(self.name, level, kind, text + before, step, layer)
        if is_problem:
            self.failed.setdefault(kind, message)
        yield message

    def _loss_words(self, *, before: int) -> str:
        tag = first_to_draw(list(self._history))
        earlier = [] if tag is None else [each for each in self._history[tag] if each[0] < before]
        if not earlier:
            return ""
        step, value = earlier[-1]
        return f"; {tag} was {value:.4g} at {step}"

    def note(self, kind: str, text: str, step: int | None = None) -> Message:
        """What is told of the run and is no cause for alarm."""
        return Message(self.name, "NOTE", kind, text, step)

    def gone(self) -> Message:
        """What is told where the directory was deleted or renamed."""
        return Message(self.name, "WARNING", "gone", f"is gone, last step {self.step}", self.step)

    def look_at_clock(self, idle: float, *, stall: float) -> Iterator[Message]:
        """What the time tells, where nothing has been written for `idle` seconds."""
        if self.stalled and idle < stall:
            self.stalled = False
            yield self.note("writing", f"writes again, step {self.step}")
        elif not self.stalled and not self.ended and idle >= stall:
            self.stalled = True
            where = f", last step {self.step}" if self.step >= 0 else ""
            text = f"nothing written for {stall:.0f} seconds{where}"
            yield Message(self.name, "WARNING", "stalled", text)

    def state(self, idle: float, *, speed: float = 0.0) -> Message:
        """How the run is now, with its steps per second where they are given."""
        words = [f"step {self.step}" if self.step >= 0 else "no step yet"]
        tag = first_to_draw(list(self._latest))
        if tag is not None:
            words.append(f"{tag} {self._latest[tag][1]:.4g}")
        words += [f"{_SINCE[kind]} since step {m.step}" for kind, m in self.failed.items()]
        if speed > 0:
            words.append(f"{speed:.3g} steps a second")
        if self.ended:
            words.append("ended")
        elif self.stalled:
            words.append(f"last written {_ago(idle)} ago")
        level: Level = "PROBLEM" if self.failed else "NOTE"
        return Message(self.name, level, "state", ", ".join(words), self.step)


def _ago(seconds: float) -> str:
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{int(seconds)} seconds"
