"""The route about the state of all runs: how far each has got, and what broke in it."""

import time
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import asdict, dataclass

import numpy as np
from tensorboard.backend.http_util import Respond
from tensorboard.errors import PublicError
from werkzeug.wrappers import Request, Response

from tb_sonify.landmarks import KINDS, Landmark
from tb_sonify.plugin.responses import Handler, scope_of
from tb_sonify.reading import limits
from tb_sonify.reading.cache import LruCache, RefreshCache
from tb_sonify.reading.run_landmarks import broken_scalar
from tb_sonify.reading.store import BlobRef, Reached, Scope, Store
from tb_sonify.reading.timeline import Timeline
from tb_sonify.reading.timeline_builder import Timelines
from tb_sonify.schema.records import Rows

PROBLEMS = ("nan", "inf", "explosion", "divergence", "overfitting", "collapse")
"""Kinds of landmarks for which somebody is called who isn't looking."""
_BROKEN = ("nan", "inf")

_STATE_BYTES = 1_024
_KEPT_SECONDS = 3.0
_REST = 2  # times as long as runs were examined

FindLandmarks = Callable[[Scope, str, Timeline], tuple[Landmark, ...]]


@dataclass(frozen=True)
class _Examined:
    """What was found in a run when it had got so far; times on the monotonic clock.

    What is read of it may have been kept for a moment: so it is examined once more some time after
    it was first seen to have got so far.
    """

    reached: Reached
    since: float
    at: float
    last_step: int | None  # of the norms: scalars may be written before them
    problems: tuple[Landmark, ...]


class StateRoutes:
    """Handler of requests about all runs at once.

    Runs that have changed are examined for a limited time at each request, those first that have
    just broken, then those that have waited longest; of the others, what was found before is given.
    """

    def __init__(self, store: Store, timelines: Timelines, find: FindLandmarks) -> None:
        self._store = store
        self._timelines = timelines
        self._find = find
        self._examined: LruCache[tuple[str, str], _Examined] = LruCache(limits.STATE_CACHE_BYTES)
        self._newest: LruCache[BlobRef, tuple[int, bool]] = LruCache(limits.STATE_CACHE_BYTES)
        self._states = RefreshCache[dict[str, Reached]](
            limits.STATE_CACHE_BYTES, lambda states: _STATE_BYTES * len(states), factor=_REST
        )

    def handlers(self) -> Mapping[str, Handler]:
        """Each handler under its route."""
        return {"/states": self._list_states}

    def _list_states(self, request: Request) -> Response:
        scope = scope_of(request)
        reached = self._states.get(scope.experiment, lambda: self._read(scope))
        marks = self._store.marks(scope)
        answer = []
        for run, newest in sorted(reached.items()):
            end = marks[run].end if run in marks else None
            found = self._examined.get((scope.experiment, run))
            state = {
                "run": run,
                "last_time": newest.wall_time,
                "ended": end is not None and end >= newest.wall_time,
                "last_step": None if found is None else found.last_step,
                "newest_step": newest.step,
                "problems": None if found is None else [asdict(each) for each in found.problems],
            }
            answer.append(state)
        return Respond(request, {"now": time.time(), "runs": answer}, "application/json")

    def _read(self, scope: Scope) -> dict[str, Reached]:
        reached = self._store.reached(scope)
        broken = set()
        rows = self._store.newest_rows(scope)
        latest = sorted(rows, key=lambda run: -rows[run].wall_time)[: limits.MAX_LIVE_RUNS]
        for run in set(latest) & reached.keys():
            step, is_finite = self._newest_of(scope, rows[run])
            reached[run] = reached[run]._replace(step=step)
            if not is_finite:
                broken.add(run)
        until = time.monotonic() + limits.EXAMINE_SECONDS
        for run in self._waiting(scope, reached, broken):
            try:
                found = self._examine(scope, run, reached[run])
            except PublicError:  # gone meanwhile, or too much is asked for: the next time
                continue
            self._examined.put((scope.experiment, run), found, cost=_STATE_BYTES)
            if time.monotonic() > until:
                break
        return reached

    def _waiting(
        self, scope: Scope, reached: Mapping[str, Reached], broken: Set[str]
    ) -> Iterator[str]:
        """The runs that have changed since they were examined, the longest ago first.

        Before all others, those that are `broken`, where that is not known yet.
        """
        found = {run: self._examined.get((scope.experiment, run)) for run in reached}
        order = {}
        for run, newest in reached.items():
            each, now = found[run], time.monotonic()
            grown = each is None or each.reached != newest
            if grown or (each is not None and each.at < each.since + _KEPT_SECONDS < now):
                since = 0.0 if each is None else each.at
                known = each is not None and any(one.kind in _BROKEN for one in each.problems)
                order[run] = known or run not in broken, since, -newest.wall_time
        yield from sorted(order, key=order.__getitem__)

    def _newest_of(self, scope: Scope, blob: BlobRef) -> tuple[int, bool]:
        """The last step in a block of rows, and whether all norms in it are finite."""

        def read() -> tuple[int, bool]:
            try:
                rows = Rows.decode(self._store.read(scope, blob) or b"")
            except ValueError:  # damaged: whoever reads the run tells it
                return blob.step, True
            last = int(rows.steps[-1]) if len(rows.steps) else blob.step
            return last, bool(np.isfinite(rows.norms).all())

        return self._newest.get_or_make(blob, read, cost=lambda _: _STATE_BYTES)

    def _examine(self, scope: Scope, run: str, reached: Reached) -> _Examined:
        before, now = self._examined.get((scope.experiment, run)), time.monotonic()
        timeline = self._timelines.get(scope, run)
        first: dict[str, Landmark] = {}
        for landmark in self._find(scope, run, timeline):
            first.setdefault(landmark.kind, landmark)
        broken = broken_scalar(self._store, scope, timeline, run)
        if broken is not None and first.keys().isdisjoint(_BROKEN):
            first[broken.kind] = broken
        problems = [each for kind, each in first.items() if kind in PROBLEMS]
        return _Examined(
            reached=reached,
            since=now if before is None or before.reached != reached else before.since,
            at=now,
            last_step=int(timeline.steps[-1]) if timeline.notes else None,
            problems=tuple(sorted(problems, key=lambda each: KINDS.index(each.kind))),
        )
