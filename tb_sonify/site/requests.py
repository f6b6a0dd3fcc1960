"""What the dashboard asks of the plugin, asked ahead: silent parts of runs first, then sounds."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from itertools import pairwise, permutations
from typing import Any

import numpy as np

from tb_sonify.plugin.responses import Handler
from tb_sonify.reading import limits
from tb_sonify.schema.block import Block, decode_block, encode_block
from tb_sonify.schema.norm_tags import is_update_ratio, norm_layers
from tb_sonify.schema.quantities import GRADIENT
from tb_sonify.site.answers import (
    LOOSE,
    Answers,
    TooLargeError,
    UnavailableError,
    as_json,
    ask,
)
from tb_sonify.sound import Scale

# As in frontend/src: how many of what is asked for at a time.
_CURVE_POINTS, _SKETCH_POINTS = 5_000, 1_000
_HEARD_COLUMNS, _HEATMAP_COLUMNS = 2_000, 1_000
_STRIP_COLUMNS = 2_000
_ALL_NOTES = 10**15
_SPAN_SECONDS = 12

View = dict[str, Any]
Job = tuple[str, Callable[[], None]]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be exported.

    Attributes
    ----------
    tags
        Globs of scalars; none: all but norms of layers.
    presets
        By name, or ``"all"``; none: the first that a run has.
    quantities
        Of layers, by name, or ``"all"``.
    speeds
        In notes per second, beside the usual one.
    steps
        The first and the last step that sound; `None`: from the start, to the end.
    most_together
        Of up to so many runs, each can be heard beside each other one; of more, the two that are
        compared at first.
    lessons
        Whether what each sound means is to be heard, too: a megabyte.
    """

    tags: tuple[str, ...] = ()
    presets: tuple[str, ...] = ()
    quantities: tuple[str, ...] = (GRADIENT,)
    speeds: tuple[float, ...] = ()
    steps: tuple[int | None, int | None] = (None, None)
    most_together: int = 6
    lessons: bool = True


class Requests:
    """Asks for runs what the dashboard would, and keeps the answers.

    Attributes
    ----------
    runs, states
        Of all runs that were kept, as the routes of these names list them.
    left_out
        What there was no room for, or no answer, in words.
    """

    def __init__(self, answers: Answers, wanted: Wanted) -> None:
        self.runs: list[dict[str, Any]] = []
        self.states: list[dict[str, Any]] = []
        self.left_out: list[str] = []
        self._answers, self._wanted = answers, wanted
        self._summaries: dict[str, list[Block]] = {}
        self._handlers: Mapping[str, Handler] = {}
        self._lessons_kept = False
        self._there: dict[str, None] = {}  # presets of any run

    def visit(self, handlers: Mapping[str, Handler], names: Sequence[str]) -> Iterator[str]:
        """Ask for these runs; gives what is asked for next, in words."""
        self._handlers = handlers
        self._coverages: dict[str, tuple[View, Block, list[str]]] = {}
        listed = {each["run"]: each for each in json.loads(self._ask("runs"))["runs"]}
        runs = [listed[name] for name in names if name in listed]
        scalars = {each["run"]: self._scalars(each["run"]) for each in runs}
        self._scales = self._fit_scales(scalars)
        kept = []
        for run in runs:
            yield f"curves of {run['run']}"
            if self._try(
                f"{run['run']}, the whole run", partial(self._see, run, scalars[run["run"]])
            ):
                kept.append(run)
        for label, job in self._sounds(kept, scalars):
            yield label
            self._try(label, job)
        for view, coverage, presets in self._coverages.values():
            self._keep_coverage(view, coverage, presets)
        self._list(kept, scalars)
        self._keep_lessons()
        self._handlers, self._coverages = {}, {}

    def finish(self) -> None:
        """Keep what is about all runs.

        Raises
        ------
        LookupError
            If no run has a preset that is wanted, or any of the tags.
        """
        unknown = set(self._wanted.presets) - {*self._there, "all"}
        if unknown:
            raise LookupError(f"no preset {min(unknown)!r}; there are: {', '.join(self._there)}")
        if self._wanted.tags and not self._summaries:
            raise LookupError(f"no scalar is named as {' or '.join(self._wanted.tags)}")
        put = self._answers.put
        sides = {side: run for run in reversed(self.runs) if (side := run["compared"])}
        for run in self.runs:
            run["compared"] = next((side for side in sides if sides[side] is run), None)
        put("runs", {}, as_json({"runs": self.runs}), in_page=True)
        # Nobody knows when it is looked at: it is as if at the end of the newest run.
        now = max(each["last_time"] for each in self.states)
        put("states", {}, as_json({"now": now, "runs": self.states}), in_page=True)
        put("news", {}, as_json({"runs": "", "states": []}), in_page=True)
        for tag, blocks in self._summaries.items():
            names = [name for block in blocks for name in block.header["runs"]]
            header = {**blocks[0].header, "runs": names, "now": now}
            arrays = {
                name: np.concatenate([block.arrays[name] for block in blocks])
                for name in blocks[0].arrays
            }
            arrays["ended"] = np.ones_like(arrays["ended"])
            put("summaries", {"tag": tag}, encode_block(Block(header, arrays)))

    def _keep_lessons(self) -> None:
        """Keep what each sound means, where that is wanted."""
        if not self._wanted.lessons or self._lessons_kept:
            return
        self._lessons_kept = True

        def keep() -> None:
            for lesson in json.loads(self._keep("lessons"))["lessons"]:
                self._keep("lesson", {"name": lesson["name"]})

        self._try("what each sound means", keep)

    def _try(self, label: str, job: Callable[[], None]) -> bool:
        """Do all of a job or nothing of it; whether it was done."""
        try:
            with self._answers.together():
                job()
        except TooLargeError:
            self.left_out.append(f"{label}: no room")
        except UnavailableError as error:
            self.left_out.append(f"{label}: {error}")
        else:
            return True
        return False

    def _ask(self, route: str, arguments: Mapping[str, Any] | None = None) -> bytes:
        return ask(self._handlers, route, arguments or {})

    def _keep(self, route: str, arguments: View | None = None, *, loosely: bool = True) -> bytes:
        """Ask, and keep the answer; loosely: also for requests with other such arguments."""
        arguments = arguments or {}
        answer = self._ask(route, arguments)
        without = LOOSE.get(route, ()) if loosely else ()
        key = {name: value for name, value in arguments.items() if name not in without}
        self._answers.put(route, key, answer)
        return answer

    def _scalars(self, run: str) -> dict[str, Any]:
        """The scalars of a run that are wanted, as `signals` lists them."""
        listed = json.loads(self._ask("signals", {"run": run}))
        globs = self._wanted.tags
        layers = norm_layers(listed["scalars"])
        taken = [
            tag
            for tag in listed["scalars"]
            if (
                any(fnmatchcase(tag, glob) for glob in globs)
                if globs
                else tag not in layers and not is_update_ratio(tag)
            )
        ]
        if not globs and listed["loss"] is not None and listed["loss"] not in taken:
            taken.append(listed["loss"])
        first = listed["loss"] if listed["loss"] in taken else next(iter(taken), None)
        pairs = [pair for pair in listed["pairs"] if set(pair) <= set(taken)]
        return {**listed, "scalars": taken, "loss": first, "pairs": pairs}

    def _fit_scales(self, scalars: Mapping[str, dict[str, Any]]) -> dict[str, Scale]:
        """One scale for each tag, with its validation loss, that all runs are heard on."""
        found: dict[str, list[Any]] = {}
        for run, listed in scalars.items():
            beside = dict(listed["pairs"])
            for tag in listed["scalars"]:
                for each in filter(None, (tag, beside.get(tag))):
                    arguments = {"run": run, "tag": each, "points": _CURVE_POINTS}
                    curve = decode_block(self._ask("curve", arguments))
                    found.setdefault(tag, []).extend(curve.arrays[name] for name in ("min", "max"))
        return {tag: Scale.fit(values) for tag, values in found.items()}

    def _see(self, run: dict[str, Any], listed: dict[str, Any]) -> None:
        """All that is seen of a run."""
        name = run["run"]
        self._answers.put("signals", {"run": name}, as_json(listed))
        for tag in listed["scalars"]:
            self._keep("curve", {"run": name, "tag": tag, "points": _CURVE_POINTS})
            sketch = {"run": name, "tag": tag, "points": _SKETCH_POINTS}
            self._keep("curve", sketch, loosely=False)
        if run["strips"]:
            self._keep("strips", {"run": name, "columns": _STRIP_COLUMNS})
        run["surfaces"] = [each for each in run["surfaces"] if self._see_surface(name, each)]
        for quantity in self._quantities(run):
            of = {"run": name, **_quantity(quantity)}
            coverage = self._coverage(of)
            self._keep("landmarks", of)
            self._keep("describe", of)
            steps = coverage.arrays["steps"]
            if not len(steps) or steps[0] == steps[-1]:  # nothing is asked of a single step
                continue
            first, last = (_number(step) for step in (steps[0], steps[-1]))
            self._keep("layers", {**of, "from": first, "to": last})
            layers = max(len(coverage.header["layers"]), 1)
            columns = min(_HEATMAP_COLUMNS, limits.MAX_HEATMAP_CELLS // layers)
            columns = max(min(columns, int(steps[-1] - steps[0])), 1)
            self._keep("heatmap", {**of, "from": first, "to": last, "columns": columns})
            for first_note, notes in spans_of(coverage, coverage.header["presets"][0]):
                self._keep("notes", {**of, "first_note": first_note, "notes": notes})

    def _see_surface(self, run: str, surface: str) -> bool:
        """Whether a map of the landscape can be shown; a damaged one is left out alone."""
        try:
            self._keep("surface", {"run": run, "surface": surface})
        except UnavailableError as error:
            self.left_out.append(str(error))
            return False
        return True

    def _sounds(self, runs: Sequence[Any], scalars: Mapping[str, dict[str, Any]]) -> Iterator[Job]:
        """What can be heard, what is most wanted first."""
        with_norms = [run for run in runs if run["norms"]]
        views = [_view_of(run, GRADIENT) for run in with_norms]
        for run in runs:
            views += [] if run["norms"] else self._curves(run, scalars, first=True)
        for view in views:
            yield f"sound of {view['run']}", partial(self._hear, view)
        for view, lead in self._pairs(runs, views):
            label = f"{view['run']} beside {lead['run']}"
            yield label, partial(self._hear_beside, view, lead)
        for view in views:
            yield from self._variants(view)
        for run in runs:
            for quantity in self._quantities(run)[1:]:
                yield f"{run['run']}, {quantity}", partial(self._hear, _view_of(run, quantity))
            for view in self._curves(run, scalars, first=False):
                yield f"{run['run']}, {view['tag']}", partial(self._hear, view)

    def _pairs(self, runs: Sequence[Any], views: Sequence[View]) -> Iterator[tuple[View, View]]:
        """Views to be heard beside others: of a few runs all, else the two that are suggested."""
        few = len(runs) <= self._wanted.most_together
        suggested = {run["run"] for run in runs if run["compared"]}
        for view, lead in permutations(views, 2):
            alike = ("tag" in view) == ("tag" in lead)
            if alike and (few or {view["run"], lead["run"]} <= suggested):
                yield view, lead

    def _variants(self, view: View) -> Iterator[Job]:
        """A view in other presets and speeds."""
        name = view["run"]
        for preset in self._presets(view)[1:]:
            yield f"{name}, {preset}", partial(self._hear, view, preset)
        if not self._preset(view)["speed"]:
            return
        for speed in self._wanted.speeds:
            faster = {**view, "speed": _number(speed)}
            yield f"{name}, {speed:g} notes per second", partial(self._hear, faster)

    def _curves(
        self, run: Mapping[str, Any], scalars: Mapping[str, dict[str, Any]], *, first: bool
    ) -> list[View]:
        """The scalars of a run to be heard: the first, or all others."""
        listed = scalars[run["run"]]
        chosen = [tag for tag in listed["scalars"] if (tag == listed["loss"]) == first]
        if run["norms"] and not first:  # of these, the curve that is drawn first is enough
            chosen = [listed["loss"]] if listed["loss"] else []
        beside = dict(listed["pairs"])
        views = []
        for tag in chosen:
            scale = self._scales[tag]
            ends = {"scale": scale.kind, "low": scale.low, "high": scale.high}
            pair = {"beside": beside[tag]} if tag in beside else {}
            views.append({"run": run["run"], "tag": tag, **pair, **ends})
        return views

    def _quantities(self, run: Mapping[str, Any]) -> list[str]:
        wanted = self._wanted.quantities
        return [each for each in run["quantities"] if each in wanted or "all" in wanted]

    def _presets(self, view: View) -> list[str]:
        """Names of the wanted presets that there are, the first one where none is wanted."""
        there = [preset["name"] for preset in self._coverage(view).header["presets"]]
        self._there |= dict.fromkeys(there)
        wanted = self._wanted.presets
        chosen = there if "all" in wanted else [name for name in there if name in wanted]
        return chosen or there[:1]

    def _preset(self, view: View, name: str | None = None) -> dict[str, Any]:
        """A preset as the plugin describes it; by default the first that is wanted."""
        name = name or self._presets(view)[0]
        presets = self._coverage(view).header["presets"]
        return next(preset for preset in presets if preset["name"] == name)

    def _coverage(self, view: View) -> Block:
        """What is known of the notes of a view; it is kept at the end, with what then sounds."""
        key = repr(view)
        if key not in self._coverages:
            block = decode_block(self._ask("coverage", view))
            self._coverages[key] = view, block, []
        return self._coverages[key][1]

    def _hear(self, view: View, preset: str | None = None) -> None:
        """The sound of all notes of a view, and what it sounds like."""
        coverage, found = self._coverage(view), self._preset(view, preset)
        self._hear_spans(view, found["name"], coverage, spans_of(coverage, found))
        self._coverages[repr(view)][2].append(found["name"])

    def _hear_beside(self, view: View, lead: View) -> None:
        """The sound of a run laid on the notes of another one."""
        led, preset = self._coverage(lead), self._preset(lead)
        name = preset["name"]
        tag = {"lead_tag": lead["tag"]} if "tag" in lead else {}
        laid = {**view, "along": lead["run"], "by": "step", **tag}
        coverage = decode_block(self._ask("coverage", laid))
        self._hear_spans(laid, name, coverage, spans_of(led, preset))
        self._keep_coverage(laid, coverage, [name])
        against = {"run": view["run"], "against": lead["run"]}
        if "tag" not in view:
            self._keep("landmarks", against, loosely=False)

    def _hear_spans(
        self, view: View, preset: str, coverage: Block, spans: Sequence[tuple[int, int]]
    ) -> None:
        steps = coverage.arrays["steps"]
        low, high = self._wanted.steps
        sounding = 0
        for first_note, notes in spans:
            last = min(first_note + notes, len(steps) - 1)
            if (high is not None and steps[first_note] > high) or (
                low is not None and steps[last] < low
            ):
                continue
            sounding += 1
            part = {"first_note": first_note, "notes": notes}
            self._keep("notes", {**view, **part})
            self._keep("clip", {**view, "preset": preset, **part})
        if spans and not sounding:
            raise UnavailableError(
                f"none of its steps, {steps[0]:,.0f} to {steps[-1]:,.0f}, is from "
                f"{'the start' if low is None else low} to {'the end' if high is None else high}"
            )
        if spans:
            part = {"first_note": 0, "notes": _ALL_NOTES, "columns": _HEARD_COLUMNS}
            self._keep("heard", {**view, "preset": preset, **part})

    def _keep_coverage(self, view: View, coverage: Block, presets: Sequence[str]) -> None:
        """Keep what is known of notes, with the presets that sound alone."""
        offered = [each for each in coverage.header["presets"] if each["name"] in presets]
        header = {**coverage.header, "presets": offered, "formats": []}
        key = {name: value for name, value in view.items() if name not in LOOSE["coverage"]}
        self._answers.put("coverage", key, encode_block(Block(header, coverage.arrays)))

    def _list(self, runs: Sequence[dict[str, Any]], scalars: Mapping[str, dict[str, Any]]) -> None:
        """Note how these runs are listed among all."""
        names = {run["run"] for run in runs}
        self.runs += [{**run, "quantities": self._quantities(run)} for run in runs]
        states = json.loads(self._ask("states"))
        # Nothing more is to come of them here.
        self.states += [{**each, "ended": True} for each in states["runs"] if each["run"] in names]
        for tag in sorted({tag for name in names for tag in scalars[name]["scalars"]}):
            block = decode_block(self._ask("summaries", {"tag": tag}))
            rows = [at for at, run in enumerate(block.header["runs"]) if run in names]
            header = {**block.header, "runs": [block.header["runs"][at] for at in rows]}
            arrays = {name: array[rows] for name, array in block.arrays.items()}
            self._summaries.setdefault(tag, []).append(Block(header, arrays))


def spans_of(coverage: Block, preset: Mapping[str, Any]) -> list[tuple[int, int]]:
    """First note and number of notes of each clip, as `spansOf` in frontend/src/model/notes.ts."""
    limit = max(1, _SPAN_SECONDS * preset["sample_rate"] // preset["hop"])
    spans = []
    for segment in coverage.header["segments"]:
        first_note, notes = segment["first_note"], segment["notes"]
        parts = -(-notes // limit)
        edges = [(2 * part * notes + parts) // (2 * parts) for part in range(parts + 1)]  # rounded
        spans += [(first_note + start, end - start) for start, end in pairwise(edges)]
    return spans


def _view_of(run: Mapping[str, Any], quantity: str) -> View:
    """The view of the norms of a run; where it lacks gradients, of the first that it has."""
    has = run["quantities"]
    return {"run": run["run"], **_quantity(quantity if quantity in has else has[0])}


def _quantity(quantity: str) -> View:
    return {} if quantity == GRADIENT else {"quantity": quantity}


def _number(value: float) -> int | float:
    """A number that is written as JavaScript does."""
    return int(value) if float(value).is_integer() else float(value)
