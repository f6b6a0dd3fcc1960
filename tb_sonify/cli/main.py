"""The command `tb-sonify`: table of its subcommands, one module each, and what they share."""

import argparse
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from itertools import count
from types import FrameType
from typing import Any

from tb_sonify import __version__

_COMMANDS = {
    "demo": "tb_sonify.cli.demo.command",
    "describe": "tb_sonify.cli.describe.command",
    "export": "tb_sonify.cli.export",
    "listen-test": "tb_sonify.cli.listen_test",
    "open": "tb_sonify.cli.open",
    "render": "tb_sonify.cli.render",
    "run": "tb_sonify.cli.run.command",
    "tutorial": "tb_sonify.cli.tutorial",
    "watch": "tb_sonify.cli.watch.command",
}

_DESCRIPTION = """\
Hear a neural network train, inside TensorBoard.

Start with `tb-sonify demo`: it trains five small networks and opens them in TensorBoard.
To hear your own training, start it with `tb-sonify run train.py`, or write its log with
`tb_sonify.SonifyWriter`; then start TensorBoard on the log directory and choose the Sonify tab."""


class CommandError(Exception):
    """An error for the user: printed as one message without a traceback, exit status 2."""


def add_parser(commands: Any, name: str, *, summary: str, description: str) -> Any:
    """Add a subcommand to the subparsers of `tb-sonify`; returns its parser."""
    return commands.add_parser(
        name,
        help=summary,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand and return the exit status: 0, or 2 after a `CommandError`."""
    given = sys.argv[1:] if arguments is None else arguments
    # Other commands are not imported: under `run`, the script decides what is imported first.
    named = [name for name in given[:1] if name in _COMMANDS]
    options = _parser(named or _COMMANDS).parse_args(given)
    try:
        # Heavy imports are inside `run`, so that help and usage errors are immediate.
        status: int = import_module(_COMMANDS[options.command]).run(options)
        if options.command != "run":  # whose script may have closed it
            sys.stdout.flush()
    except CommandError as error:
        print(f"tb-sonify {options.command}: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        if options.command == "run":  # the script's own exit
            raise
        return 130  # 128 + SIGINT, as shells report it
    except BrokenPipeError:
        if options.command == "run":
            raise
        # What is still buffered would be written, and fail again, when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141  # 128 + SIGPIPE
    return status


def defaults_of(command: str, *arguments: str) -> argparse.Namespace:
    """The options of a subcommand that is given only these arguments."""
    return _parser([command]).parse_args([command, *arguments])


def positive_int(text: str) -> int:
    """Type of an argument that must be a whole number, at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


@contextmanager
def exit_on_signals() -> Iterator[None]:
    """Have a signal that ends the process leave by the usual way, which ends what was started."""

    def leave(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {  # nohup has one of them ignored
        number: signal.signal(number, leave)
        for number in numbers
        if signal.getsignal(number) == signal.SIG_DFL
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def numbered_names(name: str) -> Iterator[str]:
    """Candidates for a free name: ``name``, ``name-2``, ``name-3``, ..."""
    yield name
    for number in count(2):
        yield f"{name}-{number}"


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
