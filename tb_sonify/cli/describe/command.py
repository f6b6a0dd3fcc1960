"""`tb-sonify describe`: what happened in each run of a log directory, in words or as JSON."""

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tb_sonify.cli.main import CommandError, add_parser

if TYPE_CHECKING:
    from tb_sonify.cli.describe.moment import Moment
    from tb_sonify.reading.description import Description
    from tb_sonify.reading.run_landmarks import Comparison
    from tb_sonify.reading.selection import Selections
    from tb_sonify.reading.store import Scope, Store

_DESCRIPTION = """\
Say what happened in each run of a log directory: its steps, its losses and scores with their best
values, the gradient norms of early, middle and late layers, how large updates are relative to the
weights, and every landmark (NaN, spike, explosion, collapse, ...) with its step and layer. The run
that went worst comes first; several are listed in a table before."""

_TABLE_FROM = 3  # runs


def add_command(commands: Any, name: str) -> None:
    """Add the subcommand and its options to a parser's subparsers."""
    parser = add_parser(
        commands, name, summary="say in words what happened in each run", description=_DESCRIPTION
    )
    parser.add_argument("logdir", type=Path, help="as for TensorBoard")
    parser.add_argument("--run", help="only this run (default: all)")
    parser.add_argument(
        "--compare", nargs=2, metavar=("A", "B"), help="these two, and from which step B differs"
    )
    parser.add_argument(
        "--at",
        type=int,
        metavar="STEP",
        help="what runs are like at this step: losses, norms, largest layers, nearest landmarks",
    )
    parser.add_argument(
        "--fail-on",
        metavar="KINDS",
        help="exit status 3 if a run has one of these landmarks, such as nan,inf,overfitting",
    )
    parser.add_argument(
        "--pairs",
        metavar="TRAINING:VALIDATION,...",
        help="losses that belong together, to be told where they overfit; usual names are known",
    )
    parser.add_argument("--all", action="store_true", help="a line for every scalar of a run")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(options: argparse.Namespace) -> int:
    """Print the descriptions; returns the exit status."""
    from tb_sonify.cli.describe.moment import moment_of
    from tb_sonify.landmarks import KINDS
    from tb_sonify.reading.description import severity
    from tb_sonify.reading.logdir import chosen_runs, open_logdir
    from tb_sonify.reading.run_landmarks import compare_runs, has_pair
    from tb_sonify.reading.selection import Selections
    from tb_sonify.reading.timeline_builder import Timelines
    from tb_sonify.schema.pairs import parse_pairs

    fatal = {kind for kind in (options.fail_on or "").split(",") if kind}
    if not fatal <= set(KINDS) or (options.fail_on is not None and not fatal):
        unknown = ", ".join(sorted(fatal - set(KINDS))) or "none"
        raise CommandError(f"--fail-on takes {', '.join(KINDS)}, got {unknown}")
    try:
        wanted = options.compare or [options.run]
        named = [each for each in wanted if each is not None]
        pairs = () if options.pairs is None else parse_pairs(options.pairs)
        store, scope = open_logdir(options.logdir, pairs, named)
        runs = [
            name for chosen in wanted for name in chosen_runs(store, scope, options.logdir, chosen)
        ]
    except (FileNotFoundError, LookupError, ValueError) as error:
        raise CommandError(str(error.args[0])) from error
    for pair in store.settings.pairs:
        if not any(has_pair(store, scope, name, pair) for name in runs):
            raise CommandError(f"no run has both scalars of the pair {':'.join(pair)}")
    selections = Selections(store, Timelines(store))
    described = [_describe(store, scope, selections, name, options) for name in runs]
    answer = _Answer(described if options.compare else sorted(described, key=severity))
    if options.compare:
        timeline = selections.timelines.get(scope, runs[-1])
        answer.comparison = compare_runs(store, scope, timeline, runs[-1], runs[0])
    if options.at is not None:
        answer.moments = [
            moment_of(store, scope, selections, each, options.at) for each in answer.runs
        ]
    print(answer.as_json() if options.json else answer.as_text(every_scalar=options.all))
    return 3 if any(each.kind in fatal for run in described for each in run.landmarks) else 0


def _describe(
    store: "Store", scope: "Scope", selections: "Selections", run: str, options: argparse.Namespace
) -> "Description":
    from tb_sonify.reading import limits
    from tb_sonify.reading.description import describe_run, updates_of
    from tb_sonify.reading.run_landmarks import landmarks_of

    timeline = selections.timelines.get(scope, run)
    return describe_run(
        *(store, scope, timeline, run, landmarks_of(timeline)),
        updates=updates_of(selections.timelines, scope, run),
        most_scalars=10**6 if options.all or options.json else limits.MAX_DESCRIBED_SCALARS,
    )


@dataclass
class _Answer:
    """What is printed of runs, the worst first."""

    runs: "list[Description]"
    comparison: "Comparison | None" = None
    moments: "list[Moment] | None" = None

    def as_json(self) -> str:
        answer: dict[str, Any] = {"runs": [asdict(each) for each in self.runs]}
        if self.comparison is not None:
            parting = self.comparison.parting
            answer["parting"] = None if parting is None else asdict(parting)
            answer["comparison"] = self.comparison.sentence
        if self.moments is not None:
            answer["moments"] = [asdict(each) for each in self.moments]
        return json.dumps(answer, indent=2)

    def as_text(self, *, every_scalar: bool) -> str:
        from tb_sonify.reading.description import description_lines, overview_lines, spoken

        if self.moments is not None:
            texts = [each.lines() for each in self.moments]
        else:
            now = time.time()
            texts = [
                description_lines(each, every_scalar=every_scalar, now=now) for each in self.runs
            ]
            if len(self.runs) >= _TABLE_FROM:
                texts.insert(0, overview_lines(self.runs))
        if self.comparison is not None:
            texts.append(iter([spoken(self.comparison.sentence)]))
        return "\n\n".join("\n".join(text) for text in texts)
