"""Routes of the loss landscape: strips along the steps of a run, and surfaces over planes."""

import io
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from tensorboard.backend.http_util import Respond
from werkzeug.wrappers import Request, Response

from tb_sonify.plugin import arguments
from tb_sonify.plugin.responses import (
    Handler,
    attachment,
    block_response,
    http_errors,
    scope_of,
)
from tb_sonify.reading import limits
from tb_sonify.reading.export import csv_of_table
from tb_sonify.reading.landscape import read_strips, read_surface
from tb_sonify.reading.store import Store
from tb_sonify.schema.landscape import RANDOM_WALK, PlanePath, Surface


class LandscapeRoutes:
    """Handlers of requests for loss landscapes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def handlers(self) -> Mapping[str, Handler]:
        """Each handler under its route."""
        return {"/strips": self._strips, "/surface": self._surface}

    def _strips(self, request: Request) -> Response:
        scope, run = scope_of(request), arguments.text(request, "run")
        low, high = arguments.step_range(request)
        columns = arguments.integer(request, "columns", low=1, high=limits.MAX_STRIP_COLUMNS)
        with http_errors(), self._store.work.slot(limits.SMALL_VALUES):
            found = dict(vars(read_strips(self._store, scope, run, low, high, columns)))
        header = {"run": run, "strips": found.pop("total"), "missing": found.pop("missing")}
        return block_response(request, header, **found)

    def _surface(self, request: Request) -> Response:
        scope = scope_of(request)
        run, name = (arguments.text(request, each) for each in ("run", "surface"))
        form = arguments.choice(request, "form", ("block", "csv", "paths", "npz"))
        with http_errors(), self._store.work.slot(limits.SMALL_VALUES):
            step, surface = read_surface(self._store, scope, run, name)
            if form != "block":
                return _file(request, surface, f"{run}-{name}", form)
            words = surface.words()
        header = {
            "run": run,
            "surface": name,
            "step": step,
            "plane": str(surface.options.get("plane", "")),
            "random_walk": RANDOM_WALK,
            "words": words,
            "paths": [_path_header(path) for path in surface.paths],
        }
        arrays = {"x": surface.x, "y": surface.y, "losses": surface.losses}
        arrays["here"] = np.array([surface.here])
        arrays["points"] = _joined([path.points for path in surface.paths], (0, 2))
        for each in ("steps", "distance", "losses"):
            joined = _joined([getattr(path, each) for path in surface.paths], (0,))
            arrays[f"path_{each}"] = joined
        return block_response(request, header, **arrays)


def _path_header(path: PlanePath) -> dict[str, Any]:
    explained = path.explained if math.isfinite(path.explained) else None
    return {"name": path.name, "points": len(path.steps), "explained": explained}


def _joined(arrays: list[Any], empty: tuple[int, ...]) -> Any:
    return np.concatenate([np.empty(empty), *arrays]).astype(np.float64)


def _file(request: Request, surface: Surface, name: str, form: str) -> Response:
    """A surface as a file to be saved."""
    if form == "npz":
        file = io.BytesIO()
        surface.write_npz(file)
        headers = [attachment(name, "npz")]
        return Respond(request, file.getvalue(), "application/octet-stream", headers=headers)
    table = surface.cells() if form == "csv" else surface.path_points()
    named = name if form == "csv" else f"{name}-paths"
    headers = [attachment(named, "csv")]
    return Respond(request, csv_of_table(table), "text/csv", headers=headers)
