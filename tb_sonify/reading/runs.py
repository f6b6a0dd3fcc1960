"""The list of runs, their scalars and last values, and tokens that tell when they change."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tensorboard.data.provider import BlobSequenceTimeSeries, RunTagFilter
from tensorboard.plugins.scalar.metadata import PLUGIN_NAME as SCALARS

from tb_sonify.reading import limits
from tb_sonify.reading.cache import LruCache, digest
from tb_sonify.reading.scalar_timeline import newest_norms
from tb_sonify.reading.scalars import series_of
from tb_sonify.reading.store import NO_MARKS, Scope, Store, clamp_wall_time
from tb_sonify.schema.metadata import (
    FORMAT,
    LANDSCAPE_TAG,
    PLUGIN_NAME,
    READABLE_FORMATS,
    ROWS_TAG,
)
from tb_sonify.schema.norm_tags import norm_layers
from tb_sonify.schema.pairs import pairs_of
from tb_sonify.schema.scalar_names import first_to_draw, kind_of

RunKey = tuple[str, str, float]  # experiment, name, start time

_RUN_BYTES = 512
_EXPLODED = 100  # times its first value

_OTHER_FORMAT = (
    "The gradient norms of this run are stored in format {} of tb_sonify, and this one reads "
    f"{FORMAT.decode()}: those that were logged as scalars are heard instead. The version that "
    "wrote them reads all of them"
)
_UNREADABLE = (
    "TensorBoard's fast loader cannot read the gradient norms of a run with quotes, backslashes or "
    "control characters in its name: start TensorBoard with --load_fast=false, or rename the run"
)


@dataclass(frozen=True)
class Run:
    """A run that has scalars, rows or landscapes."""

    name: str
    start_time: float | None  # in seconds since the epoch; None: unknown
    norms: bool  # whether it has any: rows that can be read, or scalars
    trouble: str | None = None  # why rows cannot be read, and what to do
    first: str | None = None  # the scalar to draw, of those that it had when it was listed


class RunCatalog:
    """Lists the runs that have scalars, rows or landscapes; safe to use from many threads.

    It takes long to list the data of all runs: a run that has norms is not listed again, nor is
    one that has any data where that is the question.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: LruCache[RunKey, Run] = LruCache(limits.RUN_CACHE_BYTES)

    def runs(self, scope: Scope) -> list[Run]:
        """Every run that has data, by name."""
        keys = self._keys(scope)
        known = {key: self._known.get(key) for key in keys}
        known |= self._read(scope, (key for key, run in known.items() if not _is_final(run)))
        return [run for key in keys if (run := known[key])]

    def keys_with_data(self, scope: Scope) -> list[RunKey]:
        """Keys of the runs that have data, by name."""
        keys = self._keys(scope)
        found = self._read(scope, (key for key in keys if not self._known.get(key)))
        return [key for key in keys if found.get(key, True)]

    def _keys(self, scope: Scope) -> list[RunKey]:
        runs = self._store.provider.list_runs(scope.context, experiment_id=scope.experiment)
        return sorted((scope.experiment, run.run_name, run.start_time or 0.0) for run in runs)

    def _read(self, scope: Scope, keys: Iterable[RunKey]) -> dict[RunKey, Run | None]:
        """These runs by their keys; `None` where they have no data."""
        names = {key[1]: key for key in keys}
        if not names:
            return {}
        provider, where = self._store.provider, {"experiment_id": scope.experiment}
        where["run_tag_filter"] = RunTagFilter(runs=list(names))
        scalars = provider.list_scalars(scope.context, plugin_name=SCALARS, **where)
        stored = provider.list_blob_sequences(scope.context, plugin_name=PLUGIN_NAME, **where)
        found = {
            key: self._run(scope, key, scalars.get(name, {}), stored.get(name, {}))
            for name, key in names.items()
        }
        for key, run in found.items():
            if run is not None:
                self._known.put(key, run, cost=_RUN_BYTES)
        return found

    def _run(
        self,
        scope: Scope,
        key: RunKey,
        scalars: Iterable[str],
        stored: Mapping[str, BlobSequenceTimeSeries],
    ) -> Run | None:
        if not stored and not scalars:
            return None
        stored = {tag: each for tag, each in stored.items() if not tag.startswith(LANDSCAPE_TAG)}
        _, name, start_time = key
        trouble = _trouble(self._store, scope, name, stored) if stored else None
        rows = bool(stored) and trouble is None
        norms = rows or bool(norm_layers(scalars, self._store.settings.norm_globs))
        first = first_to_draw(sorted(scalars))
        return Run(name, clamp_wall_time(start_time) or None, norms, trouble, first)


def _is_final(run: Run | None) -> bool:
    """Whether the entry of a run stays, whatever else it logs."""
    return run is not None and run.norms and run.trouble is None


def _trouble(
    store: Store, scope: Scope, run: str, stored: Mapping[str, BlobSequenceTimeSeries]
) -> str | None:
    """Why the rows of a run cannot be read; `None` where they can, as far as is known."""
    formats = {series.plugin_content for series in stored.values()}
    if not formats.intersection(READABLE_FORMATS):
        others = (content.decode(errors="replace") or "1" for content in formats)
        return _OTHER_FORMAT.format(", ".join(sorted(others)))
    if json.dumps(run, ensure_ascii=False) == f'"{run}"':
        return None
    blobs = store.blocks(scope, run, ROWS_TAG)
    readable = not blobs or store.read(scope, blobs[-1]) is not None  # see `Store.read`
    return None if readable else _UNREADABLE


def runs_to_compare(store: Store, scope: Scope, runs: Sequence[Run]) -> tuple[str, ...]:
    """Names of the two runs to begin with: those that went best and worst, by one scalar.

    The worst turned NaN or infinite, else exceeded its first value a hundredfold, else ended worst.
    Of runs that have norms, where any does; by name where nothing tells them apart.
    """
    plotted = [run for run in runs if run.first is not None]
    heard = [run for run in runs if run.norms] or plotted or runs
    names = tuple(run.name for run in heard)
    tags = Counter(run.first for run in heard if run.first is not None)
    if not 2 < len(names) <= limits.MAX_COMPARED_RUNS or not tags:
        return names[:2]
    tag = min(tags, key=lambda tag: (-tags[tag], tag))
    points = store.points_of_all(scope, tag)
    outcomes = {
        name: _outcome(series_of(points[name]).values, tag)
        for name in names
        if len(points.get(name, ()))
    }
    ordered = sorted(outcomes, key=lambda name: (outcomes[name], name))
    if len(ordered) < 2 or outcomes[ordered[0]] == outcomes[ordered[-1]]:
        return names[:2]
    return ordered[0], ordered[-1]


def _outcome(values: NDArray[np.float64], tag: str) -> tuple[int, float]:
    """How a run went by a scalar; more is worse."""
    if not np.isfinite(values).all():
        return 2, 0.0
    if kind_of(tag) == "score":
        return 0, -float(values[-1])
    if values.max() > _EXPLODED * abs(values[0]):
        return 1, float(values.max())
    return 0, float(values[-1])


def run_exists(store: Store, scope: Scope, run: str) -> bool:
    """Whether there is a run of this name, with or without data."""
    runs = store.provider.list_runs(scope.context, experiment_id=scope.experiment)
    return any(each.run_name == run for each in runs)


def missing_quantity(store: Store, scope: Scope, run: str, quantity: str) -> str:
    """Message for a run without a quantity: what it has, and what to do."""
    return (
        f"run {run!r} has no {quantity} norms, it has: "
        f"{', '.join(store.quantities(scope, run))}. {_MEASURED_BY}"
    )


_MEASURED_BY = "Updates and weights are measured by watch, unless updates=False"


def list_scalars(store: Store, scope: Scope, run: str) -> list[str]:
    """The tags of a run's scalars, in alphabetical order."""
    found = store.provider.list_scalars(
        scope.context,
        experiment_id=scope.experiment,
        plugin_name=SCALARS,
        run_tag_filter=RunTagFilter(runs=[run]),
    )
    return sorted(found.get(run, ()))


@dataclass(frozen=True)
class ChangeTokens:
    """Digests that differ once the data they are of have changed.

    Attributes
    ----------
    runs
        Of the list of runs that have data.
    states
        Of the norms and of the scalar of each run that is asked for; `None`: it has none.
    """

    runs: bytes
    states: tuple[tuple[bytes | None, bytes | None], ...]


def read_change_tokens(
    store: Store, catalog: RunCatalog, scope: Scope, runs: Sequence[str], tag: str | None
) -> ChangeTokens:
    """Change tokens of the runs and what they store, and of norms and a scalar of some runs."""
    states = [
        (_norm_token(store, scope, run), _scalar_token(store, scope, run, tag)) for run in runs
    ]
    keys = catalog.keys_with_data(scope)
    marks = [store.marks(scope).get(run, NO_MARKS) for _, run, _ in keys]
    stored = [(each.quantities, each.strips is not None, each.surfaces) for each in marks]
    return ChangeTokens(digest(keys, stored), tuple(states))


def _norm_token(store: Store, scope: Scope, run: str) -> bytes | None:
    """Digest of the number and the last of a run's blobs of rows, or of its scalars."""
    blobs = store.blocks(scope, run, ROWS_TAG)
    if blobs:
        newest = max(blob.wall_time for blob in blobs)
        return digest(len(blobs), blobs[-1:], newest, store.marks(scope).get(run))
    norms = newest_norms(store, scope, run)[1]
    return digest(tuple(sorted(norms.items()))) if norms else None


def _scalar_token(store: Store, scope: Scope, run: str, tag: str | None) -> bytes | None:
    """Digest of the number and the last of a scalar's points, and the last of its partner's."""
    points = None if tag is None else store.points(scope, run, tag)
    if points is None:
        return None
    newest = store.newest(scope, run)
    partner = dict(pairs_of(newest, store.settings.pairs)).get(tag or "", "")
    return digest(len(points), points[-1:].tolist(), newest.get(partner))


@dataclass(frozen=True)
class LastValues:
    """Last values of a scalar of all runs; arrays of shape ``(runs,)``, in the order of `runs`.

    Attributes
    ----------
    runs
        Names of the runs that have points, sorted.
    last_steps, last_values, last_times
        Of the last point; times in seconds since the epoch.
    first_broken, broken_values
        The step of the first value that is NaN or infinite, and that value; NaN where none is.
    points, finite
        How many points there are, and how many of them are finite.
    ended
        1 where the writer was closed and nothing was written since; 0 where nobody can tell.
    """

    runs: tuple[str, ...]
    last_steps: NDArray[np.float64]
    last_values: NDArray[np.float64]
    last_times: NDArray[np.float64]
    first_broken: NDArray[np.float64]
    broken_values: NDArray[np.float64]
    points: NDArray[np.uint32]
    finite: NDArray[np.uint32]
    ended: NDArray[np.uint32]


def read_last_values(store: Store, scope: Scope, tag: str) -> LastValues:
    """Last values of a scalar of all runs that have it."""
    found = store.points_of_all(scope, tag)
    series = {run: series_of(points) for run, points in sorted(found.items()) if len(points)}
    finite = [np.isfinite(each.values) for each in series.values()]
    lasts = [(each.steps[-1], each.values[-1], each.wall_times[-1]) for each in series.values()]
    broken = [
        (np.nan, np.nan) if good.all() else (each.steps[good.argmin()], each.values[good.argmin()])
        for each, good in zip(series.values(), finite, strict=True)
    ]
    marks = store.marks(scope)
    ends = [marks[run].end if run in marks else None for run in series]
    steps, values, times = np.array(lasts, np.float64).reshape(-1, 3).T
    first_broken, broken_values = np.array(broken, np.float64).reshape(-1, 2).T
    return LastValues(
        runs=tuple(series),
        last_steps=steps,
        last_values=values,
        last_times=times,
        first_broken=first_broken,
        broken_values=broken_values,
        points=np.array([len(good) for good in finite], np.uint32),
        finite=np.array([good.sum() for good in finite], np.uint32),
        ended=np.array([-np.inf if end is None else end for end in ends] >= times, np.uint32),
    )
