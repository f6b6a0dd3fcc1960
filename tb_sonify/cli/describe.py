"""`tb-sonify describe`: what happened in each run of a log directory, in words or as JSON."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tb_sonify.cli.main import CommandError, add_parser

_DESCRIPTION = """\
Say what happened in each run of a log directory: its steps, its losses and scores with their best
values, the gradient norms of early, middle and late layers, how large updates are relative to the
weights, and every landmark (NaN, spike, explosion, collapse, ...) with its step and layer. Several
runs are listed in a table first, those with the most severe landmarks on top."""

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
        "--fail-on",
        metavar="KINDS",
        default="",
        help="exit status 3 if a run has one of these landmarks, such as nan,inf,divergence",
    )
    parser.add_argument("--all", action="store_true", help="a line for every scalar of a run")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(options: argparse.Namespace) -> int:
    """Print the descriptions; returns the exit status."""
    from tb_sonify.landmarks import KINDS
    from tb_sonify.reading import limits
    from tb_sonify.reading.description import (
        describe_run,
        description_lines,
        landmarks_of,
        overview_lines,
        parting_of,
        updates_of,
    )
    from tb_sonify.reading.logdir import chosen_runs, open_logdir
    from tb_sonify.reading.timeline_builder import Timelines

    fatal = {kind for kind in options.fail_on.split(",") if kind}
    if not fatal <= set(KINDS):
        unknown = ", ".join(sorted(fatal - set(KINDS)))
        raise CommandError(f"--fail-on takes {', '.join(KINDS)}, got {unknown}")
    try:
        store, scope = open_logdir(options.logdir)
        runs = [
            name
            for chosen in options.compare or [options.run]
            for name in chosen_runs(store, scope, options.logdir, chosen)
        ]
    except (FileNotFoundError, LookupError) as error:
        raise CommandError(str(error.args[0])) from error
    most = 10**6 if options.all or options.json else limits.MAX_DESCRIBED_SCALARS
    timelines = Timelines(store)
    descriptions = []
    for name in runs:
        timeline, updates = timelines.get(scope, name), updates_of(timelines, scope, name)
        descriptions.append(
            describe_run(
                *(store, scope, timeline, name, landmarks_of(timeline)),
                updates=updates,
                most_scalars=most,
            )
        )
    status = 3 if any(each.kind in fatal for run in descriptions for each in run.landmarks) else 0
    parting = None
    if options.compare:
        a, b = runs[0], runs[-1]
        parting = next(iter(parting_of(store, scope, timelines.get(scope, b), b, a)), None)
    if options.json:
        answer: dict[str, Any] = {"runs": [asdict(each) for each in descriptions]}
        if options.compare:
            answer["parting"] = None if parting is None else asdict(parting)
        print(json.dumps(answer, indent=2))
        return status
    texts = [description_lines(each, every_scalar=options.all) for each in descriptions]
    if len(descriptions) >= _TABLE_FROM:
        texts.insert(0, overview_lines(descriptions))
    if parting is not None:
        texts.append(iter([f"{b} from step {parting.step:,} on: {parting.sentence}"]))
    elif options.compare:
        texts.append(iter([f"{a} and {b} do not part for good in a scalar that both have"]))
    print("\n\n".join("\n".join(text) for text in texts))
    return status
