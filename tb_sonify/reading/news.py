"""Whether there is anything new, in a few bytes that cost little to ask for again and again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tensorboard.data.provider import RunTagFilter
from tensorboard.plugins.scalar.metadata import PLUGIN_NAME as SCALARS

from tb_sonify.contract import PLUGIN_NAME, ROWS_TAG
from tb_sonify.reading.cache import Cache
from tb_sonify.reading.hearable import digest
from tb_sonify.reading.scalar_timelines import newest_norms
from tb_sonify.reading.store import Scope, Store

_KEPT_BYTES = 16 * 2**20

RunKey = tuple[str, str, float]  # experiment, name, start time


@dataclass(frozen=True)
class News:
    """What is there, in a few bytes each: others mean that it has changed.

    Attributes
    ----------
    runs
        Which runs have anything to be drawn or heard, and what those asked for have.
    states
        How far each of those asked for has got.
    """

    runs: bytes
    states: tuple[bytes, ...]


class NewsReader:
    """Reads the news of all runs. Safe to use from many threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # Those that were seen to have data: to list all data of all runs would take its time.
        self._filled: Cache[RunKey, bool] = Cache(_KEPT_BYTES)

    def read(self, scope: Scope, runs: Sequence[str], tag: str | None) -> News:
        """Which runs there are, and how far these have got in their rows and a scalar."""
        reached = [_reached(self._store, scope, run, tag) for run in runs]
        begun = [(bool(each[0] or each[-2]), bool(each[-1])) for each in reached]
        return News(digest(self._all_filled(scope), begun), tuple(map(digest, reached)))

    def _all_filled(self, scope: Scope) -> list[RunKey]:
        provider, where = self._store.provider, {"experiment_id": scope.experiment}
        listed = provider.list_runs(scope.context, **where)
        keys = {run.run_name: (scope.experiment, run.run_name, run.start_time) for run in listed}
        unknown = [name for name, key in keys.items() if not self._filled.get(key)]
        if unknown:
            where["run_tag_filter"] = RunTagFilter(runs=unknown)
            scalars = provider.list_scalars(scope.context, plugin_name=SCALARS, **where)
            rows = provider.list_blob_sequences(scope.context, plugin_name=PLUGIN_NAME, **where)
            for name in unknown:
                if scalars.get(name) or rows.get(name):
                    self._filled.put(keys[name], True)
        return sorted(key for key in keys.values() if self._filled.get(key))


def _reached(store: Store, scope: Scope, run: str, tag: str | None) -> tuple[Any, ...]:
    """How many blocks of rows and points of a scalar a run has, and where they and norms end."""
    blobs = store.blobs(scope, run, plugin=PLUGIN_NAME, tag=ROWS_TAG)
    newest = max((blob.wall_time for blob in blobs), default=0.0)
    points = None if tag is None else store.points(scope, run, tag)
    last = () if points is None else (len(points), points[-1:].tolist())
    norms = () if blobs else tuple(sorted(newest_norms(store, scope, run)[1].items()))
    return len(blobs), blobs[-1:], newest, norms, last
