"""What each route answers, as specified in `docs/http_api.md`."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tensorboard import plugin_util
from tensorboard.backend.http_util import Respond
from tensorboard.errors import InvalidArgumentError, NotFoundError
from werkzeug.wrappers import Request, Response

from tb_sonify.contract import NOTES_PER_SEGMENT, Block, encode_block
from tb_sonify.plugin import query
from tb_sonify.plugin.script import script
from tb_sonify.reading import (
    Clips,
    Scope,
    Store,
    Timeline,
    Timelines,
    bin_series,
    first_to_draw,
    list_runs,
    list_scalars,
    read_series,
    run_exists,
)
from tb_sonify.sound import PRESETS, STREAM_NAMES, stream_layers

_BLOCK_TYPE = "application/x-sonify-block"
_MOST_NOTES = 1_000
_MOST_NUMBER = 10**15


class Routes:
    """Handlers, each from a request to its response."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._timelines = Timelines(store)
        self._clips = Clips(store)

    def handlers(self) -> Mapping[str, Callable[[Request], Response]]:
        """Each handler under its route."""
        return {
            "/index.js": self._script,
            "/runs": self._runs,
            "/signals": self._signals,
            "/curve": self._curve,
            "/coverage": self._coverage,
            "/notes": self._notes,
            "/clip": self._clip,
        }

    def _script(self, request: Request) -> Response:
        return Respond(request, script(), "text/javascript")

    def _runs(self, request: Request) -> Response:
        runs = list_runs(self._store, _scope(request))
        answer = [
            {"run": run.name, "start_time": run.start_time, "norms": run.norms} for run in runs
        ]
        return Respond(request, {"runs": answer}, "application/json")

    def _signals(self, request: Request) -> Response:
        scope, run = _scope(request), query.text(request, "run")
        scalars = list_scalars(self._store, scope, run)
        timeline = self._timeline(scope, run, known=bool(scalars))
        answer = {"scalars": scalars, "loss": first_to_draw(scalars), **_voices(run, timeline)}
        return Respond(request, answer, "application/json")

    def _curve(self, request: Request) -> Response:
        scope, run, tag = _scope(request), query.text(request, "run"), query.text(request, "tag")
        points = query.integer(request, "points", low=2, high=20_000, default=2_000)
        low = query.number(request, "from", default=-math.inf)
        high = query.number(request, "to", default=math.inf)
        if low > high:
            raise InvalidArgumentError(f"'from' must be at most 'to', got {low:g} and {high:g}")
        series = read_series(self._store, scope, run, tag)
        if series is None:
            self._must_exist(scope, run)
            raise NotFoundError(f"no scalar {tag!r} in run {run!r}")
        series = series.between(low, high)
        header = {
            "run": run,
            "tag": tag,
            "points": len(series.steps),
            "last_step": int(series.steps[-1]) if len(series.steps) else None,
        }
        return _block(request, header, **vars(bin_series(series, points)))

    def _coverage(self, request: Request) -> Response:
        scope, run = _scope(request), query.text(request, "run")
        timeline = self._timeline(scope, run)
        header = {
            **_voices(run, timeline),
            "notes": timeline.notes,
            "notes_per_segment": NOTES_PER_SEGMENT,
            "segments": [
                {
                    "first_note": first_note,
                    "notes": segment.notes,
                    "rows_per_note": segment.grid.rows_per_note,
                    "state": "open" if segment.blob is None else "logged",
                }
                for first_note, segment in zip(
                    timeline.first_notes, timeline.segments, strict=False
                )
            ],
            "presets": [
                {
                    "name": preset.name,
                    "title": preset.title,
                    "sample_rate": preset.sample_rate,
                    "hop": preset.hop(len(timeline.layers)),
                    "tail": preset.tail,
                    "channels": preset.channels,
                }
                for preset in PRESETS.values()
            ],
            "missing": timeline.missing,
        }
        return _block(request, header, steps=timeline.steps.astype(np.float64))

    def _notes(self, request: Request) -> Response:
        scope, run = _scope(request), query.text(request, "run")
        first_note, notes = _span(request)
        timeline = self._timeline(scope, run)
        _must_have_note(timeline, run, first_note)
        notes = min(notes, timeline.notes - first_note)
        header = {"run": run, "layers": timeline.layers, "first_note": first_note}
        steps = timeline.steps[first_note : first_note + notes + 1].astype(np.float64)
        return _block(request, header, steps=steps, **vars(timeline.table(first_note, notes)))

    def _clip(self, request: Request) -> Response:
        scope, run = _scope(request), query.text(request, "run")
        first_note, notes = _span(request)
        name = query.text(request, "preset")
        preset = PRESETS.get(name)
        if preset is None:
            raise NotFoundError(f"no preset {name!r}, there are {', '.join(PRESETS)}")
        timeline = self._timeline(scope, run)
        _must_have_note(timeline, run, first_note)
        clip = self._clips.clip(
            scope, run, timeline, preset=preset, first_note=first_note, notes=notes
        )
        headers = [("X-Sonify-Notes", str(clip.notes)), ("X-Sonify-Source", clip.source)]
        return Respond(request, clip.wav, "audio/wav", headers=headers)

    def _timeline(self, scope: Scope, run: str, *, known: bool = False) -> Timeline:
        """The timeline of a run, which must exist; it is not `known` whether it does."""
        timeline = self._timelines.get(scope, run)
        if not timeline.segments and not known:
            self._must_exist(scope, run)
        return timeline

    def _must_exist(self, scope: Scope, run: str) -> None:
        if not run_exists(self._store, scope, run):
            raise NotFoundError(f"no run {run!r}")


def _scope(request: Request) -> Scope:
    environ = request.environ
    return Scope(plugin_util.context(environ), plugin_util.experiment_id(environ))


def _span(request: Request) -> tuple[int, int]:
    first_note = query.integer(request, "first_note", low=0, high=_MOST_NUMBER)
    return first_note, query.integer(request, "notes", low=1, high=_MOST_NOTES)


def _must_have_note(timeline: Timeline, run: str, note: int) -> None:
    if note >= timeline.notes:
        raise NotFoundError(f"no note {note} in run {run!r}, which has {timeline.notes}")


def _voices(run: str, timeline: Timeline) -> dict[str, Any]:
    """The layers of a run, and which of them make up each stream."""
    layers = timeline.layers
    streams = zip(STREAM_NAMES, stream_layers(len(layers)), strict=False)
    return {
        "run": run,
        "layers": layers,
        "streams": [
            {"name": name, "layers": [layers[index] for index in indices]}
            for name, indices in streams
        ],
    }


def _block(request: Request, header: Mapping[str, Any], **arrays: NDArray[Any]) -> Response:
    return Respond(request, encode_block(Block(header, arrays)), _BLOCK_TYPE)
