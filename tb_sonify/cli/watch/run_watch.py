"""One run that is followed: what is told of it, once, and how it is now."""

import math
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tb_sonify.cli.watch.follow import Block, End, NewFile, Point
from tb_sonify.landmarks.landmark import MILESTONES, Landmark
from tb_sonify.landmarks.monitor import RunMonitor
from tb_sonify.landmarks.nonfinite import WORDS
from tb_sonify.landmarks.overfitting import OverfittingMonitor
from tb_sonify.reading.description import duration_words
from tb_sonify.schema.scalar_names import first_to_draw, tells_landmarks

Level = Literal["PROBLEM", "WARNING", "NOTE"]

PROBLEMS = ("nan", "inf", "explosion", "divergence")
"""Kinds of what ends a training, as a rule."""
_SINCE = {"nan": "NaN", "inf": "infinity", "explosion": "exploded", "divergence": "diverging"}
_MAX_TAGS = 200  # scalars that are kept in mind, and losses among them that are looked at
_HISTORY = 1_024  # points of a loss
_LONGEST_BURST = 600.0  # seconds between what is written of a run that goes on
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

    Parameters
    ----------
    overfitting, folder
        See `RunMonitor`.

    Attributes
    ----------
    shown
        Its name in messages.
    step
        The latest; -1: none.
    failed
        The kinds of `PROBLEMS` that were found, each with its message.
    overfits
        The message that it overfits, if it does.
    ended
        Whether its writer was closed.
    stalled
        Whether it has been said that nothing is written.
    """

    def __init__(self, name: str, overfitting: OverfittingMonitor, folder: str = "") -> None:
        self.name = self.shown = name
        self._judges_pairs = overfitting, folder
        self.step = -1
        self.failed: dict[str, Message] = {}
        self.overfits: Message | None = None
        self.ended = self.stalled = False
        self._begin()
        self._latest: dict[str, tuple[int, float]] = {}  # finite points by tag
        self._in_file: set[str] = set()  # losses that were written since the last file was begun
        self._history: dict[str, deque[tuple[int, float]]] = {}  # those of losses
        self._points: dict[str, list[Point]] = defaultdict(list)

    def _begin(self) -> None:
        self._monitor = RunMonitor(*self._judges_pairs)
        self._idle = self._pause = 0.0  # seconds: now, and the longest before
        self._told: dict[str, int] = {}  # kind to step
        self._broken_in: dict[str, str] = {}  # kind to the loss or the quantity that was found
        self._is_finite: dict[str, bool] = {}  # the last of these
        self._last_steps: dict[str, int] = {}  # of losses
        self._last_row: int | None = None
        self._session = 0.0

    def add_point(self, point: Point) -> None:
        """Take a scalar, which waits for `take_points`."""
        tag, step, value = point
        self.ended = False
        if step > self.step:
            self.step = step
        if tag not in self._latest and len(self._latest) >= _MAX_TAGS:
            return
        is_loss = self._monitor.is_loss(tag)
        if is_loss or tells_landmarks(tag):
            self._points[tag].append(point)
        if not is_loss and math.isfinite(value):
            self._latest[tag] = step, value

    def add(self, record: Block | End | NewFile) -> Iterator[Message]:
        """Take what else was written; gives what is new of it, and of the scalars before."""
        yield from self.take_points()
        if isinstance(record, NewFile):
            self._in_file.clear()
        elif isinstance(record, End):
            self.ended = True
            text = f"ended at step {self.step}" if self.step >= 0 else "ended"
            yield self.note("ended", text, self._known_step)
        else:
            yield from self._add_block(record)

    def take_points(self) -> Iterator[Message]:
        """What is new of the losses, and of what the script does, that were added."""
        points, self._points = self._points, defaultdict(list)
        for tag, some in points.items():
            steps = np.array([each.step for each in some])
            values = np.array([each.value for each in some], np.float64)
            if not self._monitor.is_loss(tag):
                yield from self._tell(self._monitor.add_points(tag, steps, values))
                continue
            known = np.flatnonzero(np.isfinite(values))
            if tag not in self._in_file and steps[0] <= self._last_steps.get(tag, -1):
                yield self._restart(int(steps[0]))
            self._in_file.add(tag)
            self._last_steps[tag] = int(steps[-1])
            self._is_finite[tag] = bool(np.isfinite(values[-1]))
            history = self._history.setdefault(tag, deque(maxlen=_HISTORY))
            history.extend((int(steps[i]), float(values[i])) for i in known)
            yield from self._tell(self._monitor.add_points(tag, steps, values))
            if len(known):
                self._latest[tag] = int(steps[known[-1]]), float(values[known[-1]])

    def _add_block(self, block: Block) -> Iterator[Message]:
        self.ended = False
        first = int(block.steps[0])
        if self._last_row is not None and (
            block.session != self._session or first <= self._last_row
        ):
            yield self._restart(first)
        self._session, self._last_row = block.session, int(block.steps[-1])
        self.step = max(self.step, self._last_row)
        for quantity, norms in block.norms.items():
            self._is_finite[quantity] = bool(np.isfinite(norms[-1]).all())
        yield from self._tell(self._monitor.add_rows(block.steps, block.norms, block.layers))

    def _restart(self, step: int) -> Message:
        self._begin()
        self.failed.clear()
        self.stalled = False
        self.overfits = None
        return self.note("resumed", f"resumed at step {step}", step)

    def _tell(self, found: list[Landmark]) -> Iterator[Message]:
        for each in found:
            what, _, layers = each.sentence.partition(", first in ")
            text = f"{each.sentence}, step {each.step}"
            source = f" {each.quantity}"
            if each.kind in WORDS and layers:  # not of a loss: told once, whatever the quantity
                text, source = f"{what} at step {each.step}, first in {layers}", ""
            elif each.kind == "overfitting":
                text = f"overfitting from step {each.step}{each.sentence.removeprefix(each.kind)}"
            key, is_problem = each.kind + source, each.kind in PROBLEMS
            if each.kind in MILESTONES:
                yield self.note(each.kind, text, each.step)
                continue
            if self._is_known(key, each, is_problem=is_problem):
                continue
            self._told[key] = each.step
            level: Level = "PROBLEM" if is_problem else "WARNING"
            if each.kind in self.failed:
                level = "NOTE"  # the same of another series, as of norms after a loss
            text += self._loss_words(before=each.step) if is_problem else ""
            message = Message(self.shown, level, each.kind, text, each.step, each.layer)
            if is_problem and each.kind not in self.failed:
                self.failed[each.kind], self._broken_in[each.kind] = message, each.quantity
            elif each.kind == "overfitting":
                self.overfits = message
            yield message

    def _is_known(self, key: str, found: Landmark, *, is_problem: bool) -> bool:
        told = self._told.get(key)
        if told is not None and (is_problem or found.step - told < _AGAIN):
            return True
        broken = [message.step for message in self.failed.values() if message.step is not None]
        # All is unusual from there on.
        return not is_problem and bool(broken) and found.step >= min(broken)

    def _loss_words(self, *, before: int) -> str:
        tag = first_to_draw(list(self._history))
        earlier = [] if tag is None else [each for each in self._history[tag] if each[0] < before]
        if not earlier:
            return ""
        step, value = earlier[-1]
        return f"; {tag} was {value:.4g} at {step}"

    def note(self, kind: str, text: str, step: int | None = None) -> Message:
        """What is told of the run and is no cause for alarm."""
        return Message(self.shown, "NOTE", kind, text, step)

    @property
    def kinds(self) -> set[str]:
        """The kinds of what went wrong for good."""
        return {*self.failed, *(["overfitting"] if self.overfits else [])}

    def gone(self) -> Message:
        """What is told where the directory was deleted or renamed."""
        return Message(self.shown, "WARNING", "gone", f"is gone, last step {self.step}", self.step)

    def look_at_clock(self, idle: float, *, stall: float) -> Iterator[Message]:
        """What the time tells, where nothing has been written for `idle` seconds.

        A run that has paused for minutes before, as files that are written in bursts, may pause
        twice as long.
        """
        if idle < self._idle <= _LONGEST_BURST:
            self._pause = max(self._pause, self._idle)
        self._idle = idle
        stall = max(stall, 2 * self._pause)
        if self.stalled and idle < stall:
            self.stalled = False
            yield self.note("writing", f"writes again, step {self.step}")
        elif not self.stalled and not self.ended and idle >= stall:
            self.stalled = True
            where = f", last step {self.step}" if self.step >= 0 else ""
            text = f"nothing written for {stall:.0f} seconds{where}"
            yield Message(self.shown, "WARNING", "stalled", text, self._known_step)

    def began(self) -> Message:
        """What is told of a run that was not there before, and where it is."""
        return self.note("began", ", ".join(["began", *self._place()]), self._known_step)

    @property
    def _known_step(self) -> int | None:
        return self.step if self.step >= 0 else None

    def _place(self) -> list[str]:
        """The step and the loss, as far as they are known."""
        words = [f"step {self.step}"] if self.step >= 0 else []
        tag = first_to_draw(list(self._latest))
        if tag is not None:
            words.append(f"{tag} {self._latest[tag][1]:.4g}")
        return words

    def state(self, idle: float, *, speed: float = 0.0) -> Message:
        """How the run is now, with its steps per second where they are given."""
        words = self._place() or ["no step yet"]
        for kind, message in self.failed.items():
            is_over = kind in WORDS and self._is_finite.get(self._broken_in[kind], False)
            words.append(f"{_SINCE[kind]} {'at' if is_over else 'since'} step {message.step}")
        if self.overfits is not None:
            words.append(f"overfitting since step {self.overfits.step}")
        if speed > 0:
            words.append(f"{speed:.3g} steps a second")
        if self.ended:
            words.append("ended")
        elif self.stalled:
            words.append(f"last written {duration_words(idle)} ago")
        level: Level = "PROBLEM" if self.failed else "NOTE"
        return Message(self.shown, level, "state", ", ".join(words), self.step)
