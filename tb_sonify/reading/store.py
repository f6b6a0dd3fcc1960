"""What TensorBoard's data provider holds of a run: its blobs, read in parallel and kept a while."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tensorboard import errors
from tensorboard.context import RequestContext
from tensorboard.data.provider import DataProvider, RunTagFilter
from tensorboard.plugins.scalar.metadata import PLUGIN_NAME as SCALARS

from tb_sonify.reading.cache import LruCache, RefreshCache
from tb_sonify.reading.work import DaemonThreads, WorkLimiter
from tb_sonify.schema.metadata import END_TAG, PLUGIN_NAME

_LATEST = 8.64e12  # seconds since the epoch: a browser's calendar ends there


@dataclass(frozen=True)
class Settings:
    """Which scalars are norms, and how many of their points there are.

    Attributes
    ----------
    norm_globs
        The user's own, in addition to those of `norm_tags`.
    points_kept
        How many points TensorBoard keeps of each scalar; 0: all.
    """

    norm_globs: tuple[str, ...] = ()
    points_kept: int = 1_000


DEFAULTS = Settings()


# Reads overlap: much of each is waiting for the data server, which may be on another machine.
_THREADS = 8


_READ_AHEAD = 32  # blobs


_KEPT_BYTES = 64 * 2**20


_KEPT_LISTING_BYTES = 32 * 2**20


_KEPT_POINT_BYTES = 32 * 2**20


_KEPT_NAME_BYTES = 32 * 2**20


_KEPT_REPORT_BYTES = 4 * 2**20


_BLOB_BYTES = 512  # that a reference takes, about


_NAME_BYTES = 256  # and a tag


_LISTING_TIMES = 20  # a list of scalars is kept so many times as long as it takes to read


_TAGS_AT_ONCE = 256


_MOST_VALUES = 8_000_000  # of many scalars


MOST_POINTS = 1_000_000  # of a time series; the provider wants a number


Newest = tuple[int, float]  # the last step of a scalar, and the last wall time


@dataclass(frozen=True)
class Scope:
    """On whose behalf something is read, and from which experiment."""

    context: RequestContext
    experiment: str


@dataclass(frozen=True)
class BlobRef:
    """Where a stored value is; `step` and `wall_time` are those of its event."""

    key: str
    step: int
    wall_time: float


class Store:
    """The blobs and scalars of all runs, through a data provider.

    What there is of them is refreshed at most once a second; while the provider is unavailable,
    what was there last is kept. Safe to use from many threads.

    Attributes
    ----------
    reported
        In which run of which experiment blobs could not be read, and why: the log tells it once.
    work
        Bounds what is done with its data at a time.
    places
        Session and number of the first row of blobs of rows, where these had to be known.
    """

    def __init__(self, provider: DataProvider, settings: Settings = DEFAULTS) -> None:
        self.provider = provider
        self.settings = settings
        self.work = WorkLimiter()
        self._pool = DaemonThreads(_THREADS, "sonify-read")
        self.reported: LruCache[tuple[str, str, str], bool] = LruCache(_KEPT_REPORT_BYTES)
        self.places: LruCache[BlobRef, tuple[float, int]] = LruCache(_KEPT_LISTING_BYTES)
        self._bytes: LruCache[BlobRef, bytes] = LruCache(_KEPT_BYTES)
        self._listings = RefreshCache[tuple[BlobRef, ...]](
            _KEPT_LISTING_BYTES, lambda blobs: _BLOB_BYTES * len(blobs)
        )
        self._points = RefreshCache[NDArray[np.float64] | None](_KEPT_POINT_BYTES, _nbytes)
        self._points_of_all = RefreshCache[dict[str, NDArray[np.float64]]](
            _KEPT_POINT_BYTES, lambda points: sum(map(_nbytes, points.values()))
        )
        self._ends = RefreshCache[dict[str, float]](
            _KEPT_NAME_BYTES, lambda runs: _NAME_BYTES * len(runs), times_as_long=_LISTING_TIMES
        )
        self._newest = RefreshCache[dict[str, Newest]](
            _KEPT_NAME_BYTES, lambda tags: _NAME_BYTES * len(tags), times_as_long=_LISTING_TIMES
        )

    def blobs(self, scope: Scope, run: str, *, plugin: str, tag: str) -> tuple[BlobRef, ...]:
        """The first blob of each event at a tag, by increasing step; empty if there are none."""

        def read() -> tuple[BlobRef, ...]:
            series = self.provider.read_blob_sequences(
                scope.context,
                experiment_id=scope.experiment,
                plugin_name=plugin,
                downsample=MOST_POINTS,
                run_tag_filter=RunTagFilter(runs=[run], tags=[tag]),
            )
            data = series.get(run, {}).get(tag, ())
            blobs = [
                BlobRef(d.values[0].blob_key, d.step, clamp_wall_time(d.wall_time))
                for d in data
                if d.values
            ]
            return tuple(sorted(blobs, key=lambda blob: blob.step))

        return self._listings.get((scope.experiment, run, plugin, tag), read)

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
        """What `points` gives of every run that has such a tag, read in a single call."""

        def read() -> dict[str, NDArray[np.float64]]:
            start = time.monotonic()
            found = self._read_scalars(scope, RunTagFilter(tags=[tag]))
            for (run, _), points in found.items():
                self._points.put((scope.experiment, run, tag), points, start=start)
            return {run: points for (run, _), points in found.items()}

        return self._points_of_all.get((scope.experiment, tag), read)

    def newest(self, scope: Scope, run: str) -> dict[str, Newest]:
        """Each scalar of a run, and how far it has got."""

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

    def ends(self, scope: Scope) -> dict[str, float]:
        """When the writer of a run's rows was closed, by wall time, where one has told."""

        def read() -> dict[str, float]:
            found = self.provider.list_blob_sequences(
                scope.context,
                experiment_id=scope.experiment,
                plugin_name=PLUGIN_NAME,
                run_tag_filter=RunTagFilter(tags=[END_TAG]),
            )
            return {
                run: clamp_wall_time(tags[END_TAG].max_wall_time) for run, tags in found.items()
            }

        return self._ends.get(scope.experiment, read)

    def points_of_tags(
        self, scope: Scope, run: str, tags: Sequence[str]
    ) -> dict[str, NDArray[np.float64]]:
        """What `points` gives of each of some scalars; fewer of each if they are very many."""
        most = min(MOST_POINTS, max(_MOST_VALUES // max(len(tags), 1), 1))
        found: dict[tuple[str, str], NDArray[np.float64]] = {}
        for first in range(0, len(tags), _TAGS_AT_ONCE):
            wanted = RunTagFilter(runs=[run], tags=tags[first : first + _TAGS_AT_ONCE])
            found |= self._read_scalars(scope, wanted, most)
        return {tag: points for (_, tag), points in found.items()}

    def _read_scalars(
        self, scope: Scope, wanted: RunTagFilter, most: int = MOST_POINTS
    ) -> dict[tuple[str, str], NDArray[np.float64]]:
        """The points of each run and tag; none of one whose values TensorBoard cannot read."""
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
        """The bytes of a blob; `None` if the provider cannot give what it has listed.

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
        """The bytes of blobs in their order, a few of them read ahead in parallel."""
        rest = iter(blobs)
        while batch := list(islice(rest, _READ_AHEAD)):
            yield from self._pool.map(lambda blob: self.read(scope, blob), batch)


def _nbytes(points: NDArray[np.float64] | None) -> int:
    return 0 if points is None else points.nbytes


def _array(data: Sequence[Any]) -> NDArray[np.float64]:
    rows = [(point.step, clamp_wall_time(point.wall_time), point.value) for point in data]
    return np.array(rows, np.float64).reshape(-1, 3)


def clamp_wall_time(wall_time: float) -> float:
    """A wall time, or the epoch where a clock or a disk has made something else of it."""
    return wall_time if abs(wall_time) <= _LATEST else 0.0
