"""Routes about a whole run: heat-map, layers, landmarks, description and table of numbers."""

import math
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict

from tensorboard.backend.http_util import Respond
from tensorboard.errors import InvalidArgumentError
from werkzeug.wrappers import Request, Response

from tb_sonify.landmarks import Landmark
from tb_sonify.landmarks.chain import as_stories
from tb_sonify.plugin import arguments
from tb_sonify.plugin.responses import (
    Handler,
    attachment,
    block_response,
    http_errors,
    scope_of,
    stream_response,
)
from tb_sonify.reading import limits
from tb_sonify.reading.cache import LruCache, RefreshCache
from tb_sonify.reading.description import describe_run, description_lines, updates_of
from tb_sonify.reading.export import count_pieces, csv_of_notes, csv_of_points
from tb_sonify.reading.heatmap import Extremes, extremes, heatmap, most_rows, summarize_layers
from tb_sonify.reading.run_landmarks import compare_runs, landmarks_of, scalar_landmarks
from tb_sonify.reading.selection import Selections
from tb_sonify.reading.store import Scope, Store
from tb_sonify.reading.timeline import Timeline, notes_between
from tb_sonify.schema.quantities import GRADIENT


def _landmark_bytes(landmarks: tuple[Landmark, ...]) -> int:
    return 500 * len(landmarks)  # about


class OverviewRoutes:
    """Handlers of requests about a whole run."""

    def __init__(self, store: Store, selections: Selections) -> None:
        self._store = store
        self._selections = selections
        self._extremes = LruCache[bytes, Extremes](limits.EXTREMES_CACHE_BYTES)
        self._landmarks = LruCache[bytes, tuple[Landmark, ...]](limits.LANDMARK_CACHE_BYTES)
        self._landmarks_of_scalars = RefreshCache[tuple[Landmark, ...]](
            limits.LANDMARK_CACHE_BYTES, _landmark_bytes
        )

    def handlers(self) -> Mapping[str, Handler]:
        """Each handler under its route."""
        return {
            "/heatmap": self._heatmap,
            "/layers": self._layers,
            "/landmarks": self._list_landmarks,
            "/describe": self._describe,
            "/table": self._table,
        }

    def _heatmap(self, request: Request) -> Response:
        run = arguments.text(request, "run")
        low, high = (
            arguments.number(request, name, most=limits.MAX_STEP) for name in ("from", "to")
        )
        columns = arguments.integer(request, "columns", low=1, high=limits.MAX_HEATMAP_COLUMNS)
        if not low < high:
            raise InvalidArgumentError(f"'from' must be below 'to', got {low:g} and {high:g}")
        scope, quantity = scope_of(request), arguments.quantity_of(request)
        timeline = self._timeline(scope, run, quantity)
        if columns * len(timeline.layers) > limits.MAX_HEATMAP_CELLS:
            raise InvalidArgumentError(
                f"'columns' times layers must be at most {limits.MAX_HEATMAP_CELLS}, "
                f"got {columns} columns of {len(timeline.layers)} layers"
            )
        smallest, largest = self._extremes_of(timeline) if timeline.notes else (None, None)
        source = self._detailed(scope, run, quantity, low, high, pixels=columns)
        with self._slot(source, notes_between(source, low, high)):
            norms = heatmap(source, low, high, columns)
        header = {
            "run": run,
            "quantity": quantity,
            "layers": timeline.layers,
            "from": low,
            "to": high,
            "columns": columns,
            "low": smallest,
            "high": largest,
        }
        return block_response(request, header, max=norms)

    def _layers(self, request: Request) -> Response:
        run = arguments.text(request, "run")
        low, high = arguments.step_range(request)
        quantity = arguments.quantity_of(request)
        source = self._detailed(scope_of(request), run, quantity, low, high)
        notes = notes_between(source, low, high)
        header = {
            "run": run,
            "quantity": quantity,
            "layers": source.layers,
            "notes": len(notes),
            "most_rows": most_rows(source, notes),
        }
        with self._slot(source, notes):
            summary = summarize_layers(source, notes)
        return block_response(request, header, **vars(summary))

    def _list_landmarks(self, request: Request) -> Response:
        run = arguments.text(request, "run")
        quantity = arguments.quantity_of(request)
        scope = scope_of(request)
        timeline = self._timeline(scope, run, quantity)
        landmarks = self.landmarks(scope, run, timeline, request.args.get("against"))
        answer = {
            "run": run,
            "quantity": quantity,
            "landmarks": [asdict(each) for each in landmarks],
        }
        return Respond(request, answer, "application/json")

    def landmarks(
        self, scope: Scope, run: str, timeline: Timeline, other: str | None = None
    ) -> tuple[Landmark, ...]:
        """The landmarks of a run in order of step, of its scalars too; against another run."""

        def read() -> tuple[Landmark, ...]:
            found = scalar_landmarks(self._store, scope, timeline, run)
            if other is not None and other != run:
                parting = compare_runs(self._store, scope, timeline, run, other).parting
                found += () if parting is None else (parting,)
            return found

        key = scope.experiment, run, timeline.version, other
        return as_stories(self._landmarks_of(timeline) + self._landmarks_of_scalars.get(key, read))

    def _describe(self, request: Request) -> Response:
        scope, run = scope_of(request), arguments.text(request, "run")
        timeline = self._timeline(scope, run, arguments.quantity_of(request))
        landmarks = self._landmarks_of(timeline)
        updates = updates_of(self._selections.timelines, scope, run)
        with self._slot(timeline, range(timeline.notes)):
            description = describe_run(
                self._store, scope, timeline, run, landmarks, updates=updates
            )
        text = "\n".join(description_lines(description)) + "\n"
        return Respond(request, text, "text/plain; charset=utf-8")

    def _table(self, request: Request) -> Response:
        scope, run, tag = scope_of(request), arguments.text(request, "run"), request.args.get("tag")
        low, high = arguments.step_range(request)
        quantity = arguments.quantity_of(request)
        source = self._detailed(scope, run, quantity, low, high)
        with http_errors():
            series = None if tag is None else self._selections.series(scope, run, tag)
        if tag is not None and series is not None and not source.notes:
            series = series.between(low, high)
            lines, columns, pieces = len(series.steps), 2, csv_of_points(tag, series)
        else:
            notes = notes_between(source, low, high)
            lines, columns = len(notes), 1 + len(source.layers)
            pieces = csv_of_notes(source, notes, tag, series)
        if lines > limits.MAX_CSV_LINES:
            raise InvalidArgumentError(
                f"a table has at most {limits.MAX_CSV_LINES} lines, got {lines}: "
                "narrow 'from' and 'to'"
            )
        # To write a number costs as much as to work on a hundred.
        pieces = self._store.work.each(
            pieces, count_pieces(lines, columns), values=100 * limits.CHUNK_CELLS
        )
        name = run if quantity == GRADIENT else f"{run}-{quantity}"
        return stream_response(pieces, "text/csv; charset=utf-8", [attachment(name, "csv")])

    def _timeline(self, scope: Scope, run: str, quantity: str) -> Timeline:
        with http_errors():
            return self._selections.timeline(scope, run, quantity)

    def _detailed(
        self,
        scope: Scope,
        run: str,
        quantity: str,
        low: float,
        high: float,
        *,
        pixels: float = math.inf,
    ) -> Timeline:
        """The norms of a run, one note for each row where there are few within these steps."""
        with http_errors():
            return self._selections.detailed(
                scope, run, low, high, pixels=pixels, quantity=quantity
            )

    def _extremes_of(self, timeline: Timeline) -> Extremes:
        def make() -> Extremes:
            with self._slot(timeline, range(timeline.notes)):
                return extremes(timeline)

        return self._extremes.get_or_make(timeline.version, make)

    def _landmarks_of(self, timeline: Timeline) -> tuple[Landmark, ...]:
        def make() -> tuple[Landmark, ...]:
            with self._slot(timeline, range(timeline.notes)):
                return landmarks_of(timeline)

        return self._landmarks.get_or_make(timeline.version, make, cost=_landmark_bytes)

    def _slot(self, source: Timeline, notes: range) -> AbstractContextManager[None]:
        return self._store.work.slot(len(notes) * len(source.layers))
