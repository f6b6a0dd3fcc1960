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
    parser.add_argument("--all", action="store_true", help="a line for every scalar of a run")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(options: argparse.Namespace) -> int:
    """Print the descriptions; returns the exit status."""
    from tb_sonify.reading import limits
    from tb_sonify.reading.description import (
        describe_run,
        description_lines,
        landmarks_of,
        overview_lines,
        updates_of,
    )
    from tb_sonify.reading.logdir import chosen_runs, open_logdir
    from tb_sonify.reading.timeline_builder import Timelines

    try:
        store, scope = open_logdir(options.logdir)
        runs = chosen_runs(store, scope, options.logdir, options.run)
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
    if options.json:
        print(json.dumps({"runs": [asdict(each) for each in descriptions]}, indent=2))
        return 0
    texts = [description_lines(each, every_scalar=options.all) for each in descriptions]
    if len(descriptions) >= _TABLE_FROM:
        texts.insert(0, overview_lines(descriptions))
    print("\n\n".join("\n".join(text) for text in texts))
    return 0
