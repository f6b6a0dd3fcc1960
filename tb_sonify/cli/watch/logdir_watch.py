"""All runs of a log directory that are followed."""

import argparse
import sys
import time
from collections.abc import Sequence
from fnmatch import fnmatchcase

from tb_sonify.cli.watch.actions import Actions
from tb_sonify.cli.watch.follow import Block, GrowingDirectories, Point
from tb_sonify.cli.watch.printer import Printer
from tb_sonify.cli.watch.run_watch import PROBLEMS, Message, RunWatch
from tb_sonify.landmarks.overfitting import OverfittingMonitor
from tb_sonify.schema.scalar_names import TRAINING, VALIDATION, words_of

_SHOWN = 20  # runs at once
_NAMED = 5
ENDED, FAILED, STALLED = 0, 3, 4
_UNTIL = {
    "first-failure": set(PROBLEMS),
    "nan": {"nan", "inf"},
    "divergence": {"explosion", "divergence"},
    "overfitting": {"overfitting"},
    "end": set(),
}
_SAID = {"events": {"PROBLEM", "WARNING", "NOTE"}, "progress": {"PROBLEM", "NOTE"}}


class LogdirWatch:
    """All runs that are followed, and what is told of them.

    Parameters
    ----------
    options
        Of `tb-sonify watch`.

    Attributes
    ----------
    runs
        By name.
    """

    def __init__(
        self,
        options: argparse.Namespace,
        printer: Printer,
        actions: Actions,
        source: GrowingDirectories,
    ) -> None:
        self._options = options
        self.printer = printer
        self._actions = actions
        self._source = source
        self._shown = sys.maxsize if options.json else _SHOWN
        self.runs: dict[str, RunWatch] = {}
        self._judges: dict[str, OverfittingMonitor] = {}  # by the directory of runs
        self._next_progress = time.monotonic() + options.every
        self._looked = False
        self._names: set[str] = set()  # of all runs that there were
        self._steps: dict[str, tuple[float, int]] = {}  # of the last line on progress

    def look(self) -> int | None:
        """Tell what is new; gives the exit status, if this is the end."""
        new, gone = self._source.look()
        for name in gone:
            if name in self.runs:
                self._tell(self.runs.pop(name).gone())
        matching = [name for name in new if fnmatchcase(name, self._options.run)]
        if new and not matching and not self.runs and not self._looked:
            some = ", ".join(sorted(new)[:_NAMED]) + (", ..." if len(new) > _NAMED else "")
            self.printer.remark(f"no run matches {self._options.run!r} yet; there are {some}")
        self.begin(matching, is_news=self._looked)
        self._looked = True
        for name, watch in list(self.runs.items()):
            self._follow(name, watch)
        if time.monotonic() >= self._next_progress:
            self._next_progress = time.monotonic() + self._options.every
            self._say_progress()
        return self._status()

    def begin(self, names: Sequence[str], *, is_news: bool) -> None:
        """Read what there is of runs.

        Parameters
        ----------
        is_news
            What has happened in those that were never there before is told. Of others, only how
            they are now is.
        """
        watches = [RunWatch(name, *self._judge_of_pairs(name)) for name in names]
        is_new = {name: is_news and name not in self._names for name in names}
        self._names.update(names)
        happened: dict[str, list[Message]] = {}
        for watch in watches:
            self.runs[watch.name] = watch
            if watch.name == ".":  # the log directory itself
                watch.shown = self._options.logdir.resolve().name or "."
            happened[watch.name] = [
                *self._new_of(watch.name, watch),
                *watch.look_at_clock(self._idle(watch.name), stall=self._options.stall),
            ]
            self._steps[watch.name] = time.monotonic(), watch.step
        watches.sort(key=lambda each: not each.failed)
        for watch in watches[: self._shown]:
            is_known = watch.step >= 0 or watch.ended or watch.stalled
            is_old = is_known and not is_new[watch.name]
            self._tell(watch.state(self._idle(watch.name)) if is_old else watch.began())
        self._count_more(watches, ": Enter tells all")
        for watch in watches:
            for message in happened[watch.name] if is_new[watch.name] else []:
                self._tell(message)

    def _judge_of_pairs(self, run: str) -> tuple[OverfittingMonitor, str]:
        """What judges the pairs of losses of a run, and what comes before its tags there.

        Runs of training and of validation in one directory share it, as Keras writes them.
        """
        folder, _, name = run.rpartition("/")
        if not (TRAINING | VALIDATION).intersection(words_of(name)):
            return OverfittingMonitor(self._options.pairs), ""
        judge = self._judges.setdefault(folder, OverfittingMonitor(self._options.pairs))
        return judge, f"{name}/"

    def _follow(self, name: str, watch: RunWatch) -> None:
        for message in self._new_of(name, watch, heard=name == self._heard()):
            self._tell(message)
        for message in watch.look_at_clock(self._idle(name), stall=self._options.stall):
            self._tell(message)

    def _heard(self) -> str | None:
        """The run whose norms are heard: the one that was spoken of last, of those that go on."""
        running = [name for name, w in self.runs.items() if not (w.ended or w.stalled)]
        last = self.printer.last_run
        return last if last in running else next(iter(running), None)

    def _new_of(self, name: str, watch: RunWatch, *, heard: bool = False) -> list[Message]:
        messages: list[Message] = []
        try:
            for record in self._source.runs[name].records():
                if isinstance(record, Point):
                    watch.add_point(record)
                    continue
                messages += watch.add(record)
                if heard and isinstance(record, Block):
                    self._actions.hear(record.norms["gradient"])
        except (OSError, KeyError):  # it is gone: the next look says so
            pass
        return [*messages, *watch.take_points()]

    def _idle(self, name: str) -> float:
        run = self._source.runs.get(name)
        return 0.0 if run is None else run.idle

    def _tell(self, message: Message) -> None:
        said = self._options.say
        if said == "all" or message.level in _SAID[said]:
            self.printer.say(message)
        self._actions.take(message)

    def _say_progress(self) -> None:
        if self._options.say == "events":
            return
        running = [w for w in self.runs.values() if not (w.ended or w.stalled)]
        moved = [w for w in running if self._steps.get(w.name, (0.0, -2))[1] != w.step]
        for watch in sorted(moved, key=lambda each: not each.failed)[: self._shown]:
            self._say_state(watch, rate=True)
        self._count_more(moved, " go on")

    def _count_more(self, watches: Sequence[RunWatch], what: str) -> None:
        more = len(watches) - self._shown
        if more > 0:
            self.printer.remark(f"and {more} more run{'s' if more > 1 else ''}{what}")

    def say_all(self) -> None:
        """Say how all runs are now, those that failed first."""
        if not self.runs:
            self.printer.remark("no runs yet")
        for watch in sorted(self.runs.values(), key=lambda each: not each.failed):
            self._say_state(watch, rate=False)

    def _say_state(self, watch: RunWatch, *, rate: bool) -> None:
        now = time.monotonic()
        before, step = self._steps.get(watch.name, (now, watch.step))
        speed = (watch.step - step) / (now - before) if rate and now > before else 0.0
        if rate:
            self._steps[watch.name] = now, watch.step
        self.printer.say(watch.state(self._idle(watch.name), speed=speed))

    def _status(self) -> int | None:
        until = self._options.until
        if until is None or not self.runs:
            return None
        failed = any(watch.failed for watch in self.runs.values())
        if any(not _UNTIL[until].isdisjoint(watch.kinds) for watch in self.runs.values()):
            return FAILED
        if not all(watch.ended or watch.stalled for watch in self.runs.values()):
            return None
        if failed:
            return FAILED
        return ENDED if all(watch.ended for watch in self.runs.values()) else STALLED
