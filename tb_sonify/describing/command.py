"""`tb-sonify describe`: what happened in each run of a log directory, in words or as JSON."""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tb_sonify.cli import CommandError, add_parser

if TYPE_CHECKING:
    from tb_sonify.reading.description import Description, SignalSummary, StreamSummary

_DESCRIPTION = """\
Say what happened in each run of a log directory: its steps, its loss, the gradient norms of early,
middle and late layers, and every landmark (NaN, spike, explosion, collapse, ...) with its step and
layer. A run without norms is described by its scalars."""


def add_command(commands: Any, name: str) -> None:
    """Add the subcommand and its options to a parser's subparsers."""
    parser = add_parser(
        commands, name, summary="say in words what happened in each run", description=_DESCRIPTION
    )
    parser.add_argument("logdir", type=Path, help="as for TensorBoard")
    parser.add_argument("--run", help="only this run (default: all)")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(options: argparse.Namespace) -> int:
    """Print the descriptions; returns the exit status."""
    from tb_sonify.reading.description import describe_run
    from tb_sonify.reading.logdir import open_logdir
    from tb_sonify.reading.runs import chosen_runs

    try:
        store, scope = open_logdir(options.logdir)
        runs = chosen_runs(store, scope, options.run)
    except (FileNotFoundError, LookupError) as error:
        raise CommandError(str(error.args[0])) from error
    descriptions = [describe_run(store, scope, name) for name in runs]
    if options.json:
        print(json.dumps({"runs": [asdict(each) for each in descriptions]}, indent=2))
    else:
        print("\n\n".join("\n".join(lines(each)) for each in descriptions))
    return 0


def lines(description: "Description") -> Iterator[str]:
    """A description as text, one fact per line."""
    yield description.run or "(the log directory itself)"
    if description.first_step is None:
        yield "  nothing that can be heard"
        return
    yield f"  steps {description.first_step:,} to {description.last_step:,}"
    for signal in (description.loss, *description.scalars):
        if signal is not None:
            yield f"  {_signal(signal)}"
    for stream in description.streams:
        yield f"  {_stream(stream)}"
    for landmark in description.landmarks:
        yield f"  step {landmark.step:,}: {landmark.sentence}"
    if description.streams and not description.landmarks:
        yield "  no landmarks"
    if not description.streams:
        yield "  no gradient norms were logged"


def _signal(signal: "SignalSummary") -> str:
    if signal.start is None:
        return f"{signal.tag}: {signal.points} points, none of them finite"
    text = (
        f"{signal.tag}: starts at {signal.start:.4g}, minimum {signal.minimum:.4g} "
        f"at step {signal.minimum_step:,}, ends at {signal.end:.4g}"
    )
    return text + (f", {signal.not_finite} points not finite" if signal.not_finite else "")


def _stream(stream: "StreamSummary") -> str:
    start, end = ("none" if norm is None else f"{norm:.3g}" for norm in (stream.start, stream.end))
    names = ", ".join(stream.layers[:4]) + (", ..." if len(stream.layers) > 4 else "")
    return f"norms of the {stream.name} layers ({names}): {start} at first, {end} at the end"
