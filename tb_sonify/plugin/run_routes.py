"""Routes about the list of runs, scalars and the dashboard; `docs/http_api.md` specifies all."""

import time
from collections.abc import Mapping

from tensorboard.backend.http_util import Respond
from tensorboard.errors import InvalidArgumentError, NotFoundError
from werkzeug.wrappers import Request, Response

from tb_sonify.plugin import arguments
from tb_sonify.plugin.assets import read_part, read_script
from tb_sonify.plugin.audio_routes import AudioRoutes
from tb_sonify.plugin.landscape_routes import LandscapeRoutes
from tb_sonify.plugin.overview_routes import OverviewRoutes
from tb_sonify.plugin.responses import Handler, block_response, http_errors, scope_of
from tb_sonify.plugin.state_routes import StateRoutes
from tb_sonify.reading import limits
from tb_sonify.reading.runs import (
    RunCatalog,
    list_scalars,
    read_change_tokens,
    read_last_values,
    run_exists,
    runs_to_compare,
)
from tb_sonify.reading.scalars import bin_series, read_first_scalar
from tb_sonify.reading.selection import Selections
from tb_sonify.reading.store import NO_MARKS, Store
from tb_sonify.reading.timeline_builder import Timelines
from tb_sonify.schema.pairs import pairs_of

_YEAR_SECONDS = 365 * 86_400


class RunRoutes:
    """Handlers of requests about runs and scalars, and the way to all others."""

    def __init__(self, store: Store) -> None:
        self._store = store
        timelines = Timelines(store)
        self._selections = Selections(store, timelines)
        self._catalog = RunCatalog(store)
        overview = OverviewRoutes(store, self._selections)
        states = StateRoutes(store, timelines, overview.landmarks)
        audio = AudioRoutes(store, self._selections)
        self._groups = audio, overview, states, LandscapeRoutes(store)

    def handlers(self) -> Mapping[str, Handler]:
        """Each handler of the plugin under its route."""
        handlers: dict[str, Handler] = {
            "/index.js": self._script,
            "/parts/*": self._part,
            "/runs": self._runs,
            "/news": self._news,
            "/signals": self._signals,
            "/curve": self._curve,
            "/summaries": self._summaries,
        }
        for group in self._groups:
            handlers.update(group.handlers())
        return handlers

    def _script(self, request: Request) -> Response:
        return Respond(request, read_script(), "text/javascript")

    def _part(self, request: Request) -> Response:
        with http_errors():
            code = read_part(request.path.rpartition("/")[2])
        # Its name changes with what is in it.
        return Respond(request, code, "text/javascript", expires=_YEAR_SECONDS)

    def _runs(self, request: Request) -> Response:
        scope = scope_of(request)
        runs = self._catalog.runs(scope)
        sides = dict(zip(runs_to_compare(self._store, scope, runs), "ab", strict=False))
        marks = self._store.marks(scope)
        answer = []
        for run in runs:
            stored = marks.get(run.name, NO_MARKS)
            entry = {
                "run": run.name,
                "start_time": run.start_time,
                "norms": run.norms,
                "quantities": stored.quantities if run.norms else (),
                "strips": stored.strips is not None,
                "surfaces": [name for name, _ in stored.surfaces],
                "trouble": run.trouble,
                "compared": sides.get(run.name),
            }
            answer.append(entry)
        return Respond(request, {"runs": answer}, "application/json")

    def _news(self, request: Request) -> Response:
        runs = request.args.getlist("run")
        if len(runs) > limits.MAX_WATCHED_RUNS:
            raise InvalidArgumentError(
                f"news are of at most {limits.MAX_WATCHED_RUNS} runs, got {len(runs)}"
            )
        scope, tag = scope_of(request), request.args.get("tag")
        found = read_change_tokens(self._store, self._catalog, scope, runs, tag)
        states = [{"norms": _hex(norms), "points": _hex(points)} for norms, points in found.states]
        answer = {"runs": found.runs.hex(), "states": states}
        return Respond(request, answer, "application/json")

    def _signals(self, request: Request) -> Response:
        scope, run = scope_of(request), arguments.text(request, "run")
        scalars = list_scalars(self._store, scope, run)
        if not scalars and not run_exists(self._store, scope, run):
            raise NotFoundError(f"no run {run!r}")
        first = read_first_scalar(self._store, scope, run, scalars)
        pairs = pairs_of(scalars, self._store.settings.pairs)
        answer = {"run": run, "scalars": scalars, "loss": first, "pairs": pairs}
        return Respond(request, answer, "application/json")

    def _curve(self, request: Request) -> Response:
        scope = scope_of(request)
        run, tag = (arguments.text(request, name) for name in ("run", "tag"))
        points = arguments.integer(
            request, "points", low=2, high=limits.MAX_CURVE_POINTS, default=2_000
        )
        low, high = arguments.step_range(request)
        with http_errors():
            series = self._selections.series(scope, run, tag).between(low, high)
        header = {
            "run": run,
            "tag": tag,
            "points": len(series.steps),
            "last_step": int(series.steps[-1]) if len(series.steps) else None,
        }
        return block_response(request, header, **vars(bin_series(series, points)))

    def _summaries(self, request: Request) -> Response:
        scope, tag = scope_of(request), arguments.text(request, "tag")
        found = read_last_values(self._store, scope, tag)
        if not found.runs:
            raise NotFoundError(f"no scalar {tag!r} in any run")
        arrays = {name: array for name, array in vars(found).items() if name != "runs"}
        header = {"tag": tag, "runs": found.runs, "now": time.time()}
        return block_response(request, header, **arrays)


def _hex(state: bytes | None) -> str | None:
    return None if state is None else state.hex()
