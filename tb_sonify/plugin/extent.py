"""How far a data server has read the runs, by which to tell whether one that is back has again."""

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

from tensorboard.context import RequestContext
from tensorboard.data.provider import DataProvider, RunTagFilter
from tensorboard.plugins.scalar.metadata import PLUGIN_NAME as SCALARS

from tb_sonify.contract import PLUGIN_NAME

# Of nothing that is new: of a run that takes long to read, the server shows more every 5 s.
SETTLED_SECONDS = 10.0
_NOTHING = -1  # less than any step

Steps = Mapping[str, int]


class Extent:
    """The runs that were there, and the last step that was read of each. Safe in many threads."""

    def __init__(self) -> None:
        self._steps: dict[str, int] = {}
        self._lock = threading.Lock()
        self._regained: Steps = {}
        self._since = time.monotonic()

    @property
    def runs(self) -> list[str]:
        """The names of the runs."""
        with self._lock:
            return list(self._steps)

    def note(self, method: str, answer: Any) -> None:
        """Take what a method of the data provider has answered."""
        with self._lock:
            if method == "list_runs":
                names = [run.run_name for run in answer]
                self._steps = {name: self._steps.get(name, _NOTHING) for name in names}
            elif method in ("read_scalars", "read_blob_sequences"):
                for run, tags in answer.items():
                    step = _last(data[-1].step for data in tags.values() if data)
                    self._steps[run] = max(step, self._steps.get(run, _NOTHING))

    def is_within(self, steps: Steps) -> bool:
        """Whether all of it is within what a server that is back has read.

        Runs may have been deleted meanwhile: where nothing more comes for a while, that is all.
        """
        with self._lock:
            known = self._steps.items()
            regained = {run: min(steps[run], step) for run, step in known if run in steps}
            if regained != self._regained:
                self._regained, self._since = regained, time.monotonic()
            if time.monotonic() - self._since >= SETTLED_SECONDS:
                self._steps = dict(regained)
            return self._steps == regained

    def begin_anew(self) -> None:
        """A server that is back has read nothing so far."""
        with self._lock:
            self._regained, self._since = {}, time.monotonic()


def steps_read(provider: DataProvider, runs: Iterable[str]) -> Steps:
    """The runs that there are, and the last step that is read of some of them."""
    context = RequestContext()
    steps = {run.run_name: _NOTHING for run in provider.list_runs(context, experiment_id="")}
    wanted = {"experiment_id": "", "run_tag_filter": RunTagFilter(runs=list(runs))}
    for found in (
        provider.list_blob_sequences(context, plugin_name=PLUGIN_NAME, **wanted),
        provider.list_scalars(context, plugin_name=SCALARS, **wanted),
    ):
        for run, tags in found.items():
            step = _last(series.max_step for series in tags.values())
            steps[run] = max(step, steps.get(run, _NOTHING))
    return steps


def _last(steps: Iterable[int]) -> int:
    return max(steps, default=_NOTHING)
