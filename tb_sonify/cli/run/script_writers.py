"""The script's own SummaryWriters: where its loss goes, its norms belong, at the same steps."""

import functools
import os
from contextlib import suppress
from types import ModuleType
from typing import Any
from weakref import ReferenceType, ref

from tb_sonify.training.foreign_writer import is_closed, logdir_of


class SummaryWriters:
    """The SummaryWriters of the script, in the order in which it made them.

    All that changes about them is a `__new__` of their class, which takes note, and a wrapper of
    the method that they write summaries by.

    Attributes
    ----------
    home
        The directory in which the script was started.
    steps
        The steps that it logs at.
    """

    MODULES = ("torch.utils.tensorboard.writer", "tensorboardX.writer")

    def __init__(self) -> None:
        self.home = _current_directory(".")
        self.steps = ScriptSteps()
        # Weak: the script may be done with one. Each has the directory in which it was made.
        self._made: list[tuple[ReferenceType[Any], str]] = []
        self._followed: tuple[ReferenceType[Any], str] | None = None

    def notice(self, module: ModuleType) -> None:
        """Take note of each object of the module's `SummaryWriter`, and of what it writes."""
        made = self._made

        def new(kind: type, *_: object, **__: object) -> Any:
            writer: Any = object.__new__(kind)
            if getattr(kind, "sonify_owner", None) != "run":
                made.append((ref(writer), _current_directory(self.home)))
            return writer

        module.SummaryWriter.__new__ = new
        self.steps.follow(module.FileWriter)

    def logdir(self) -> str | None:
        """Directory of the first that is open, or was; it changes only once that one is done.

        It is as the script gave it, from the directory in which that was started.
        """
        followed = self._followed and self._followed[0]()
        if followed is None or logdir_of(followed) is None or is_closed(followed):
            for made in self._made:
                writer = made[0]()
                if writer is not None and logdir_of(writer) is not None and not is_closed(writer):
                    self._followed, followed = made, writer
                    break
        logdir = None if followed is None else logdir_of(followed)
        if logdir is None or self._followed is None or self._followed[1] == self.home:
            return logdir
        return self.path(logdir, start=self._followed[1])

    def path(self, logdir: str, *, start: str | None = None) -> str:
        """A directory by its path from anywhere; relative ones begin at `start`, or at home."""
        is_url = "://" in logdir
        return logdir if is_url else os.path.join(start or self.home, logdir)  # noqa: PTH118

    def any_of_ours(self) -> bool:
        """Whether the script uses a `SonifyWriter` itself."""
        alive = (reference() for reference, _ in self._made)
        return any(getattr(type(writer), "sonify_owner", None) == "script" for writer in alive)


class ScriptSteps:
    """The steps at which the script logs its training loss; else those of its other scalars.

    Attributes
    ----------
    last
        The latest; 0 before the first.
    """

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begin again, for another run."""
        self.last = 0
        self.points = 0
        self._is_loss = False
        self._interval = 0  # from the step before the last to the last
        self._rows_before = self._rows = 0  # of that interval, and since

    def follow(self, file_writer: Any) -> None:
        """Take note of all that objects of a `FileWriter` class write."""
        add_summary = file_writer.add_summary

        @functools.wraps(add_summary)
        def wrapper(
            self_: Any, summary: Any, global_step: Any = None, *args: Any, **kwargs: Any
        ) -> Any:
            with suppress(Exception):  # what is no summary is the writer's to refuse
                self._note(summary, global_step)
            return add_summary(self_, summary, global_step, *args, **kwargs)

        file_writer.add_summary = wrapper

    def next_row(self) -> int:
        """The step of the next row, if an optimizer steps as often as since the last but one.

        So rows are spread evenly from one logged step to the next, and never further.
        """
        rows, self._rows = self._rows, self._rows + 1
        ahead = min(1.0, rows / self._rows_before) if self._rows_before else 0.0
        return self.last + int(ahead * self._interval)

    def _note(self, summary: Any, global_step: Any) -> None:
        from tb_sonify.schema.scalar_names import is_validation, kind_of

        step = int(global_step)
        tags = [each.tag for each in summary.value if each.HasField("simple_value")]
        is_loss = any(kind_of(tag) == "loss" and not is_validation(tag) for tag in tags)
        if not tags or is_loss < self._is_loss or not 0 <= step < 2**62:
            return
        if is_loss > self._is_loss:
            rows = self._rows
            self.restart()
            self._is_loss, self._rows = True, rows
        self.points += 1
        if step > self.last:
            self._interval, self.last = step - self.last, step
            self._rows_before, self._rows = self._rows, 0


def _current_directory(otherwise: str) -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - a text, which may be joined with a URL
    except OSError:  # it is deleted
        return otherwise
