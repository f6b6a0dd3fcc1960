"""Which runs there are, and which scalars each of them has."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from tensorboard.data.provider import BlobSequenceTimeSeries, RunTagFilter
from tensorboard.plugins.scalar.metadata import PLUGIN_NAME as SCALARS

from tb_sonify.contract import FORMAT, PLUGIN_NAME, ROWS_TAG, VERSION, scalar_tag
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


_OTHER_FORMAT = (
    "The gradient norms of this run are stored in format {} of tb_sonify, and this one reads "
    f"{VERSION}: those that were logged as scalars are heard instead. The version that wrote them "
    "reads all of them"
)
_UNREADABLE = (
    "TensorBoard's fast loader cannot read the gradient norms of a run with quotes, backslashes or "
    "control characters in its name: start TensorBoard with --load_fast=false, or rename the run"
)


def list_runs(store: Store, scope: Scope) -> list[Run]:
    """Every run that has scalars or rows, by name."""
    provider, where = store.provider, {"experiment_id": scope.experiment}
    scalars = provider.list_scalars(scope.context, plugin_name=SCALARS, **where)
    stored = provider.list_blob_sequences(scope.context, plugin_name=PLUGIN_NAME, **where)
    runs = []
    for run in sorted(provider.list_runs(scope.context, **where), key=lambda run: run.run_name):
        name, start_time = run.run_name, moment(run.start_time or 0) or None
        rows = stored.get(name)
        trouble = _trouble(store, scope, name, rows) if rows else None
        if rows and trouble is None:
            runs.append(Run(name, start_time, norms=True))
        elif rows or scalars.get(name):
            norms = bool(norm_layers(scalars.get(name, ()), store.settings.norm_globs))
            runs.append(Run(name, start_time, norms, trouble))
    return runs


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
