"""Reads blobs and scalars of runs through TensorBoard's data provider, and caches them."""

import logging
import math
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tensorboard import errors
from tensorboard.context import RequestContext
from tensorboard.data.provider import BlobSequenceDatum, DataProvider, Run, RunTagFilter
from tensorboard.plugins.audio.metadata import PLUGIN_NAME as AUDIO
from tensorboard.plugins.scalar.metadata import PLUGIN_NAME as SCALARS

from tb_sonify.reading import limits
from tb_sonify.reading.cache import LruCache, RefreshCache
from tb_sonify.reading.work import DaemonThreads, WorkLimiter
from tb_sonify.schema.metadata import (
    END_TAG,
    PLUGIN_NAME,
    QUANTITY_TAG,
    ROWS_TAG,
    STRIPS_TAG,
    SURFACE_TAG,
    clip_tag,
    split_session,
)
from tb_sonify.schema.norm_tags import norm_layers
from tb_sonify.schema.pairs import Pair
from tb_sonify.schema.quantities import GRADIENT, QUANTITIES

_LATEST = 8.64e12  # seconds since the epoch: a browser's calendar ends there
_BLOB_BYTES = 512  # of a reference, about
_NAME_BYTES = 256  # of a tag and what is known of it
_OF_A_LAYER = re.compile(r"(?:^|/)[^/]*(?:grad|gnorm)[^/]*_[^/]+$", re.IGNORECASE)

_logger = logging.getLogger(__name__)

Newest = tuple[int, float]  # step and wall time


@dataclass(frozen=True)
class Settings:
    """Options of TensorBoard that reading depends on.

    Attributes
    ----------
    norm_globs
        Patterns of scalars that are norms, in addition to those of `norm_tags`.
    pairs
        Losses of training and validation that belong together, where names do not tell.
    points_kept
        Points that TensorBoard keeps of each scalar; 0: all.
    names
        What runs are called here instead of their own names, where these are not to be seen.
    """

    norm_globs: tuple[str, ...] = ()
    pairs: tuple[Pair, ...] = ()
    points_kept: int = 1_000
    names: Mapping[str, str] = field(default_factory=dict)


DEFAULTS = Settings()


@dataclass(frozen=True)
class Scope:
    """The user for whom something is read, and the experiment."""

    context: RequestContext
    experiment: str


@dataclass(frozen=True)
class BlobRef:
    """Key of a stored blob; `step` and `wall_time` are those of its event.

    Attributes
    ----------
    session
        Of the writer, where the tag says it; `None` before format version 3, and of clips.
    """

    key: str
    step: int
    wall_time: float
    session: float | None = None


class Marks(NamedTuple):
    """What the tags of the blobs of a run say, without reading any.

    Attributes
    ----------
    end
        When its writer was closed; `None`: it was not, as far as is known.
    quantities
        What rows hold.
    strips
        When the last strips were written; `None`: there are none.
    surfaces
        Names of the surfaces, and when each was last stored.
    """

    end: float | None = None
    quantities: tuple[str, ...] = (GRADIENT,)
    strips: float | None = None
    surfaces: tuple[tuple[str, float], ...] = ()


class Reached(NamedTuple):
    """How far a run has got: the newest step and wall time of all its series, and their number."""

    step: int
    wall_time: float
    series: int


NO_MARKS = Marks()


class Store:
    """The blobs and scalars of all runs, read through a data provider.

    Lists and points are read again at most once a second; while the provider is unavailable, the
    last ones are returned. Safe to use from many threads.

    Attributes
    ----------
    reported
        Experiment, run and reason of blobs that could not be read and are in the log already.
    work
        Bounds the work done at a time with what is read.
    places
        Session and number of the first row of blobs of rows, as far as they were needed.
    """

    def __init__(self, provider: DataProvider, settings: Settings = DEFAULTS) -> None:
        self.provider = _JoinedRuns(provider)
        self.settings = settings
        self.work = WorkLimiter()
        self._pool = DaemonThreads(limits.READ_THREADS, "sonify-read")
        self.reported: LruCache[tuple[str, str, str], bool] = LruCache(limits.REPORT_CACHE_BYTES)
        self.places: LruCache[BlobRef, tuple[float, int]] = LruCache(limits.PLACE_CACHE_BYTES)
        self._bytes: LruCache[BlobRef, bytes] = LruCache(limits.BLOB_CACHE_BYTES)
        self._listings = RefreshCache[tuple[BlobRef, ...]](
            limits.LISTING_CACHE_BYTES, lambda blobs: _BLOB_BYTES * len(blobs)
        )
        self._points = RefreshCache[NDArray[np.float64] | None](limits.POINT_CACHE_BYTES, _nbytes)
        self._points_of_all = RefreshCache[dict[str, NDArray[np.float64]]](
            limits.SUMMARY_CACHE_BYTES, lambda points: sum(map(_nbytes, points.values()))
        )
        self._marks = RefreshCache[dict[str, Marks]](
            limits.END_CACHE_BYTES,
            lambda runs: _NAME_BYTES * len(runs),
            factor=limits.LISTING_FACTOR,
        )
        self._newest = RefreshCache[dict[str, Newest]](
            limits.NAME_CACHE_BYTES,
            lambda tags: _NAME_BYTES * len(tags),
            factor=limits.LISTING_FACTOR,
        )

    def clips(self, scope: Scope, run: str, preset: str) -> tuple[BlobRef, ...]:
        """The logged clips of a preset, in order of step; empty if there are none."""
        tag = clip_tag(preset)

        def read() -> tuple[BlobRef, ...]:
            return self._read_blobs(scope, run, AUDIO, [tag]).get(tag, ())

        return self._listings.get((scope.experiment, run, AUDIO, tag), read)

    def blocks(self, scope: Scope, run: str, tag: str) -> tuple[BlobRef, ...]:
        """The blocks of rows or of segments, by their tag, of all sessions, in order of step.

        Those of the same step are in the order of their sessions.
        """

        def read() -> tuple[BlobRef, ...]:
            found = self._read_blobs(scope, run, PLUGIN_NAME, None)
            by_session: list[tuple[float, BlobRef]] = []
            for each, blobs in found.items():
                kind, session = split_session(each)
                if kind == tag:
                    order = -math.inf if session is None else session
                    by_session += [(order, replace(blob, session=session)) for blob in blobs]
            by_session.sort(key=lambda pair: (pair[1].step, pair[0]))
            return tuple(blob for _, blob in by_session)

        return self._listings.get((scope.experiment, run, PLUGIN_NAME, tag), read)

    def _read_blobs(
        self, scope: Scope, run: str, plugin: str, tags: Sequence[str] | None
    ) -> dict[str, tuple[BlobRef, ...]]:
        """The first blob of each event, in order of step, by tag; `tags` are all if `None`."""
        series = self.provider.read_blob_sequences(
            scope.context,
            experiment_id=scope.experiment,
            plugin_name=plugin,
            downsample=limits.MAX_POINTS,
            run_tag_filter=RunTagFilter(runs=[run], tags=tags),
        )
        found = {tag: _blobs(data) for tag, data in series.get(run, {}).items()}
        return {
            tag: tuple(sorted(blobs, key=lambda blob: blob.step)) for tag, blobs in found.items()
        }

    def newest_rows(self, scope: Scope) -> dict[str, BlobRef]:
        """The last block of rows of every run that has any, listed in a single call."""
        series = self.provider.read_blob_sequences(
            scope.context, experiment_id=scope.experiment, plugin_name=PLUGIN_NAME, downsample=1
        )
        rows = {
            run: [
                blob
                for tag, data in tags.items()
                if split_session(tag)[0] == ROWS_TAG
                for blob in _blobs(data)
            ]
            for run, tags in series.items()
        }
        return {
            run: max(blobs, key=lambda blob: blob.wall_time) for run, blobs in rows.items() if blobs
        }

    def points(self, scope: Scope, run: str, tag: str) -> NDArray[np.float64] | None:
        """Step, wall time and value of each point of a scalar; `None` if there is no such tag.

        Returns
        -------
        points
            As far as TensorBoard keeps them, in the order of writing, shape ``(points, 3)``.
        """

        def read() -> NDArray[np.float64] | None:
            return self._read_scalars(scope, RunTagFilter(runs=[run], tags=[tag])).get((run, tag))

        return self._points.get((scope.experiment, run, tag), read)

    def points_of_all(self, scope: Scope, tag: str) -> dict[str, NDArray[np.float64]]:
        """Points of a scalar of every run that has it, read in a single call; see `points`."""

        def read() -> dict[str, NDArray[np.float64]]:
            start = time.monotonic()
            found = self._read_scalars(scope, RunTagFilter(tags=[tag]))
            for (run, _), points in found.items():
                self._points.put((scope.experiment, run, tag), points, start=start)
            return {run: points for (run, _), points in found.items()}

        return self._points_of_all.get((scope.experiment, tag), read)

    def newest(self, scope: Scope, run: str) -> dict[str, Newest]:
        """Step and wall time of the last point of each scalar of a run."""

        def read() -> dict[str, Newest]:
            found = self.provider.list_scalars(
                scope.context,
                experiment_id=scope.experiment,
                plugin_name=SCALARS,
                run_tag_filter=RunTagFilter(runs=[run]),
            )
            tags = found.get(run, {}).items()
            return {tag: (series.max_step, series.max_wall_time) for tag, series in tags}

        return self._newest.get((scope.experiment, run), read)

    def marks(self, scope: Scope) -> dict[str, Marks]:
        """What blobs say by their tag alone, of each run that has any of these."""

        def read() -> dict[str, Marks]:
            found = self.provider.list_blob_sequences(
                scope.context,
                experiment_id=scope.experiment,
                plugin_name=PLUGIN_NAME,
                run_tag_filter=RunTagFilter(),
            )
            return {
                run: _marks_of(
                    {tag: clamp_wall_time(each.max_wall_time) for tag, each in listed.items()}
                )
                for run, listed in found.items()
            }

        return self._marks.get(scope.experiment, read)

    def reached(self, scope: Scope) -> dict[str, Reached]:
        """How far every run has got that has scalars or rows; listed at each call."""
        where = {"experiment_id": scope.experiment, "run_tag_filter": RunTagFilter()}
        found: dict[str, list[Newest]] = {}
        for listed in (
            self.provider.list_scalars(scope.context, plugin_name=SCALARS, **where),
            self.provider.list_blob_sequences(scope.context, plugin_name=PLUGIN_NAME, **where),
        ):
            for run, tags in listed.items():
                found.setdefault(run, []).extend(
                    (each.max_step, clamp_wall_time(each.max_wall_time)) for each in tags.values()
                )
        return {
            run: Reached(
                max(step for step, _ in newest), max(time for _, time in newest), len(newest)
            )
            for run, newest in found.items()
            if newest
        }

    def quantities(self, scope: Scope, run: str) -> tuple[str, ...]:
        """What the rows of a run hold; gradients, where nothing says what."""
        return self.marks(scope).get(run, NO_MARKS).quantities

    def report(self, scope: Scope, run: str, blob: BlobRef, reason: Exception | str) -> None:
        """Log that a blob cannot be read, once for each run and reason."""
        reason = str(reason)[: limits.MAX_REPORT_CHARACTERS]
        key = scope.experiment, run, reason
        if self.reported.get(key) is None:
            self.reported.put(key, True)
            message = "skipped what run %r stored at step %d, which cannot be read: %s"
            _logger.warning(message, run, blob.step, reason)

    def points_of_tags(
        self, scope: Scope, run: str, tags: Sequence[str]
    ) -> dict[str, NDArray[np.float64]]:
        """Points of each of some scalars of a run; fewer of each where they are very many."""
        most = min(limits.MAX_POINTS, max(limits.MAX_SCALAR_VALUES // max(len(tags), 1), 1))
        found: dict[tuple[str, str], NDArray[np.float64]] = {}
        for first in range(0, len(tags), limits.TAGS_AT_ONCE):
            wanted = RunTagFilter(runs=[run], tags=tags[first : first + limits.TAGS_AT_ONCE])
            found |= self._read_scalars(scope, wanted, most)
        return {tag: points for (_, tag), points in found.items()}

    def _read_scalars(
        self, scope: Scope, wanted: RunTagFilter, most: int = limits.MAX_POINTS
    ) -> dict[tuple[str, str], NDArray[np.float64]]:
        """Points by run and tag, empty where TensorBoard cannot read them."""
        where = {"experiment_id": scope.experiment, "plugin_name": SCALARS}
        try:
            found = self.provider.read_scalars(
                scope.context, downsample=most, run_tag_filter=wanted, **where
            )
        except (TypeError, ValueError):
            # One tensor that is no number, as a bfloat16, makes TensorBoard's slow loader fail.
            found = self.provider.list_scalars(scope.context, run_tag_filter=wanted, **where)
            pairs = [(run, tag) for run, tags in found.items() for tag in tags]
            if len(pairs) == 1:
                return {pairs[0]: np.empty((0, 3))}
            each = (RunTagFilter(runs=[run], tags=[tag]) for run, tag in pairs)
            parts = [self._read_scalars(scope, one, most) for one in each]
            return {pair: points for part in parts for pair, points in part.items()}
        return {
            (run, tag): _array(data) for run, tags in found.items() for tag, data in tags.items()
        }

    def read(self, scope: Scope, blob: BlobRef) -> bytes | None:
        """The bytes of a blob; `None` if the provider has listed it and cannot read it.

        It may have dropped it since. And TensorBoard's fast loader cannot read its own key of a
        blob where the name of the run has quotes, backslashes or control characters.
        """
        # The whole reference is the key of the cache: after a restart, TensorBoard gives the same
        # blob key to another value.
        data = self._bytes.get(blob)
        if data is None:
            try:
                data = bytes(self.provider.read_blob(scope.context, blob_key=blob.key))
            except (errors.NotFoundError, errors.InvalidArgumentError):
                return None
            self._bytes.put(blob, data, cost=len(data) + _BLOB_BYTES)
        return data

    def read_each(self, scope: Scope, blobs: Sequence[BlobRef]) -> Iterator[bytes | None]:
        """The bytes of blobs in their order, some of them read ahead in parallel."""
        rest = iter(blobs)
        while batch := list(islice(rest, limits.READ_AHEAD_BLOBS)):
            yield from self._pool.map(lambda blob: self.read(scope, blob), batch)


class _JoinedRuns:
    """A data provider that gives norms of layers to the run whose `add_scalars` has logged them.

    ``SummaryWriter.add_scalars("grad_norm", {layer: norm, ...})`` writes a run for each layer,
    ``<run>/grad_norm_<layer>`` with the one scalar ``grad_norm``: here, that is the scalar
    ``grad_norm/<layer>`` of the run, and no run.
    """

    def __init__(self, provider: DataProvider) -> None:
        self._provider = provider
        self._parts = RefreshCache[dict[str, tuple[str, str, str]]](
            limits.PART_CACHE_BYTES, lambda parts: _NAME_BYTES * len(parts)
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)

    def list_runs(self, context: RequestContext, *, experiment_id: str) -> list[Run]:
        runs = {
            run.run_name: run
            for run in self._provider.list_runs(context, experiment_id=experiment_id)
        }
        for name, (owner, *_) in self._parts_of(context, experiment_id).items():
            part = runs.pop(name, None)
            if part is not None and owner not in runs:
                runs[owner] = Run(owner, owner, part.start_time)
        return list(runs.values())

    def list_scalars(self, context: RequestContext, **options: Any) -> dict[str, dict[str, Any]]:
        return self._joined(self._provider.list_scalars, context, **options)

    def read_scalars(self, context: RequestContext, **options: Any) -> dict[str, dict[str, Any]]:
        return self._joined(self._provider.read_scalars, context, **options)

    def _joined(
        self,
        call: Callable[..., Mapping[str, Mapping[str, Any]]],
        context: RequestContext,
        *,
        experiment_id: str,
        run_tag_filter: RunTagFilter,
        **options: Any,
    ) -> dict[str, dict[str, Any]]:
        """What a call answers by run and tag, for the parts of the runs that it is about, too."""
        runs, tags = run_tag_filter.runs, run_tag_filter.tags
        parts = self._parts_of(context, experiment_id)
        asked = [
            (name, own)
            for name, (owner, tag, own) in parts.items()
            if (runs is None or owner in runs) and (tags is None or tag in tags)
        ]
        wanted = RunTagFilter(
            runs=None if runs is None else {*runs, *(name for name, _ in asked)},
            tags=None if tags is None else {*tags, *(own for _, own in asked)},
        )
        found = call(context, experiment_id=experiment_id, run_tag_filter=wanted, **options)
        joined: dict[str, dict[str, Any]] = {}
        for name, each in found.items():
            for own, data in each.items():
                owner, tag, _ = parts.get(name, (name, own, own))
                if (runs is None or owner in runs) and (tags is None or tag in tags):
                    joined.setdefault(owner, {})[tag] = data
        return joined

    def _parts_of(
        self, context: RequestContext, experiment: str
    ) -> dict[str, tuple[str, str, str]]:
        """Each run that is a layer of another, with that one, its tag there, and its own tag."""

        def read() -> dict[str, tuple[str, str, str]]:
            runs = self._provider.list_runs(context, experiment_id=experiment)
            # Only names that may be such are asked for their scalars.
            names = [run.run_name for run in runs if _OF_A_LAYER.search(run.run_name)]
            if len(names) < 2:
                return {}
            found = self._provider.list_scalars(
                context,
                experiment_id=experiment,
                plugin_name=SCALARS,
                run_tag_filter=RunTagFilter(runs=names),
            )
            layers: dict[str, dict[str, tuple[str, str]]] = {}
            for name in names:
                owner, _, last = name.rpartition("/")
                for own in found.get(name, ()):
                    before = own.replace("/", "_") + "_"
                    if len(found[name]) == 1 and last.startswith(before):
                        tag = f"{own}/{last.removeprefix(before)}"
                        layers.setdefault(owner or ".", {})[tag] = name, own
            return {
                tags[tag][0]: (owner, tag, tags[tag][1])
                for owner, tags in layers.items()
                for tag in norm_layers(tags)
            }

        return self._parts.get(experiment, read)


def _marks_of(written: Mapping[str, float]) -> Marks:
    """The marks of a run, by its tags and when each was last written."""
    strips: float | None = None
    surfaces: dict[str, float] = {}
    for tag, wall_time in written.items():
        kind, _ = split_session(tag)
        if kind == STRIPS_TAG:
            strips = wall_time if strips is None else max(strips, wall_time)
        elif kind.startswith(f"{SURFACE_TAG}/"):
            name = kind.removeprefix(f"{SURFACE_TAG}/")
            surfaces[name] = max(surfaces.get(name, wall_time), wall_time)
    quantities = tuple(name for name in QUANTITIES if f"{QUANTITY_TAG}/{name}" in written)
    return Marks(
        written.get(END_TAG), quantities or (GRADIENT,), strips, tuple(sorted(surfaces.items()))
    )


def _blobs(data: Iterable[BlobSequenceDatum]) -> list[BlobRef]:
    """The first blob of each event."""
    return [
        BlobRef(each.values[0].blob_key, each.step, clamp_wall_time(each.wall_time))
        for each in data
        if each.values
    ]


def _nbytes(points: NDArray[np.float64] | None) -> int:
    return 0 if points is None else points.nbytes


def clamp_wall_time(wall_time: float) -> float:
    """A wall time, or 0 where it is no date, as after damage or with a wrong clock."""
    return wall_time if abs(wall_time) <= _LATEST else 0.0


def _array(data: Sequence[Any]) -> NDArray[np.float64]:
    rows = [(point.step, clamp_wall_time(point.wall_time), point.value) for point in data]
    return np.array(rows, np.float64).reshape(-1, 3)
