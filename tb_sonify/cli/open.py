"""`tb-sonify open`: the runs of a log directory in a browser, without TensorBoard's frame."""

import argparse
import os
from typing import Any

from tb_sonify.cli.main import CommandError, add_parser
from tb_sonify.cli.server import PAGE, check_address, serve

_DESCRIPTION = """\
Open a log directory in a browser: the Sonify tab alone, without TensorBoard's frame around it,
which is the simplest way in for a screen reader. Runs that are being trained are followed, and new
ones appear. The server is TensorBoard's, on this machine alone unless --host says otherwise.

Over SSH: ssh -L 6006:localhost:6006 HOST tb-sonify open LOGDIR --no-browser --port 6006"""

_WORDS = f"""
{{url}}{PAGE}
plays the runs: H lists the keys. In TensorBoard's frame: {{url}}#sonify
Ctrl-C ends it."""


def add_command(commands: Any, name: str) -> None:
    """Add the subcommand and its options to a parser's subparsers."""
    parser = add_parser(
        commands,
        name,
        summary="open a log directory in a browser, without TensorBoard's frame",
        description=_DESCRIPTION,
    )
    parser.add_argument("logdir", help="log directory, as TensorBoard takes it")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument("--host", default="localhost", help="to listen on (default: localhost)")
    parser.add_argument("--port", type=int, help="default: 6006, or the next free one")


def run(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C; returns the exit status."""
    if os.path.isfile(options.logdir):  # noqa: PTH113 - and no exception
        raise CommandError(f"{options.logdir} is a file: give the directory that it is in")
    if not os.path.isdir(options.logdir) and "://" not in options.logdir:  # noqa: PTH112
        raise CommandError(f"no log directory {options.logdir}")
    check_address(options.host, options.port or 0)
    browser = not options.no_browser
    return serve(
        options.logdir, host=options.host, port=options.port, words=_WORDS, browser=browser
    )
