"""Which runs there are, and which scalars each of them has."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from tensorboard.data.provider import BlobSequenceTimeSeries, RunTagFilter
from tensorboard.plugins.scalar.metadata import PLUGIN_NAME as SCALARS

from tb_sonify.contract import FORMAT, PLUGIN_NAME, ROWS_TAG, VERSION, scalar_tag
from tb_sonify.reading.cache import Cache
from tb_sonify.reading.clock import moment
from tb_sonify.reading.norm_tags import norm_layers
from tb_sonify.reading.store import Scope, Store


@dataclass(frozen=True)
class Run:
    """A run, by its name; `start_time` in seconds since the epoch, where it is known."""

    name: str
    start_time: float | None
    norms: bool  # whether there are some: rows that can be read, or scalars
    trouble: str | None = None  # why rows cannot be read, and what to do


_KEPT_BYTES = 16 * 2**20
_RUN_BYTES = 512

RunKey = tuple[str, str, float]  # experiment, name, start time

_OTHER_FORMAT = (
    "The gradient norms of this run are stored in format {} of tb_sonify, and this one reads "
    f"{VERSION}: those that were logged as scalars are heard instead. The version that wrote them "
    "reads all of them"
)
_UNREADABLE = (
    "TensorBoard's fast loader cannot read the gradient norms of a run with quotes, backslashes or "
    "control characters in its name: start TensorBoard with --load_fast=false, or rename the run"
)


class Catalogue:
    """The runs that have scalars or rows. Safe to use from many threads.

    To list all data of all runs takes its time: of a run that has norms, nothing is listed again,
    nor of one that has data where that is all that is asked for.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: Cache[RunKey, Run] = Cache(_KEPT_BYTES)

    def runs(self, scope: Scope) -> list[Run]:
        """Every run that has scalars or rows, by name."""
        keys = self._keys(scope)
        known = {key: self._known.get(key) for key in keys}
        known |= self._read(scope, (key for key, run in known.items() if not _stays(run)))
        return [run for key in keys if (run := known[key])]

    def filled(self, scope: Scope) -> list[RunKey]:
        """Which runs have scalars or rows, by name."""
        keys = self._keys(scope)
        found = self._read(scope, (key for key in keys if not self._known.get(key)))
        return [key for key in keys if found.get(key, True)]

    def _keys(self, scope: Scope) -> list[RunKey]:
        runs = self._store.provider.list_runs(scope.context, experiment_id=scope.experiment)
        return sorted((scope.experiment, run.run_name, run.start_time or 0.0) for run in runs)

    def _read(self, scope: Scope, keys: Iterable[RunKey]) -> dict[RunKey, Run | None]:
        """What these runs have, each by its key; `None` where that is nothing."""
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
        _, name, start_time = key
        trouble = _trouble(self._store, scope, name, stored) if stored else None
        rows = bool(stored) and trouble is None
        norms = rows or bool(norm_layers(scalars, self._store.settings.norm_globs))
        return Run(name, moment(start_time) or None, norms, trouble)


def _stays(run: Run | None) -> bool:
    """Whether a run will be listed just so, whatever more it logs."""
    return run is not None and run.norms and run.trouble is None


def _trouble(
    store: Store, scope: Scope, run: str, stored: Mapping[str, BlobSequenceTimeSeries]
) -> str | None:
    """Why what was stored of a run cannot be read, without reading it where that can be told."""
    formats = {series.plugin_content for series in stored.values()}
    if FORMAT not in formats:
        others = (content.decode(errors="replace") or "1" for content in formats)
        return _OTHER_FORMAT.format(", ".join(sorted(others)))
    if json.dumps(run, ensure_ascii=False) == f'"{run}"':
        return None
    blobs = store.blobs(scope, run, plugin=PLUGIN_NAME, tag=ROWS_TAG)
    readable = not blobs or store.read(scope, blobs[-1]) is not None  # see `Store.read`
    return None if readable else _UNREADABLE


def run_exists(store: Store, scope: Scope, run: str) -> bool:
    """Whether there is a run of this name, whatever it has logged."""
    runs = store.provider.list_runs(scope.context, experiment_id=scope.experiment)
    return any(each.run_name == run for each in runs)


def list_scalars(store: Store, scope: Scope, run: str) -> list[str]:
    """The tags of a run's scalars, in alphabetical order."""
    found = store.provider.list_scalars(
        scope.context,
        experiment_id=scope.experiment,
        plugin_name=SCALARS,
        run_tag_filter=RunTagFilter(runs=[run]),
    )
    return sorted(found.get(run, ()))


def first_to_draw(tags: list[str]) -> str | None:
    """The tag to begin with: a loss, else anything but a gradient norm, else anything."""
    norms = norm_layers(tags)
    losses = (tag for tag in tags if "loss" in tag.lower() and tag not in norms)
    others = (tag for tag in tags if tag not in norms and not tag.startswith(scalar_tag("")))
    return next(chain(losses, others, tags), None)
