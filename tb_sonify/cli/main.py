"""The command `tb-sonify`: one subcommand per module, each named in a table."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

from tb_sonify import __version__

_COMMANDS = {
    "demo": "tb_sonify.cli.demo.command",
    "describe": "tb_sonify.cli.describe",
    "render": "tb_sonify.cli.render",
    "run": "tb_sonify.cli.run.command",
    "tutorial": "tb_sonify.cli.tutorial",
}


_DESCRIPTION = """\
Hear a neural network train, inside TensorBoard.

Start with `tb-sonify demo`: it trains five small networks and opens them in TensorBoard.
To hear your own training, start it with `tb-sonify run train.py`, or write its log with
`tb_sonify.SonifyWriter`; then start TensorBoard on the log as ever, and choose the Sonify tab."""


class CommandError(Exception):
    """What a command cannot do, told to the user in one message and without a traceback."""


def add_parser(commands: Any, name: str, *, summary: str, description: str) -> Any:
    """Add a subcommand to a parser's subparsers; gives its parser."""
    return commands.add_parser(
        name,
        help=summary,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand and return the exit status: 0, or 2 if it could not be done."""
    given = sys.argv[1:] if arguments is None else arguments
    # The others are not even imported: `run` leaves it to its script what comes first.
    named = [name for name in given[:1] if name in _COMMANDS]
    options = _parser(named or _COMMANDS).parse_args(given)
    try:
        # A command is imported only to run, so that help and errors come at once.
        status: int = import_module(_COMMANDS[options.command]).run(options)
    except CommandError as error:
        print(f"tb-sonify {options.command}: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        if options.command == "run":  # which ends as its script would
            raise
        return 130  # what a shell reports of a command that Ctrl-C ended
    return status


def _parser(names: Iterable[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tb-sonify",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tb-sonify {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    for name in names:
        import_module(_COMMANDS[name]).add_command(commands, name)
    return parser
