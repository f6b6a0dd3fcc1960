"""`tb-sonify open`: the runs of a log directory in a browser, without TensorBoard's frame."""

import argparse
import errno
import os
import socket
import time
import webbrowser
from threading import Thread
from typing import Any

from tb_sonify.cli.main import CommandError, add_parser

PAGE = "data/plugin_entry.html?name=sonify"
"""The tab without TensorBoard around it, relative to TensorBoard's address."""

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


def check_address(host: str, port: int) -> None:
    """Raise a `CommandError` where TensorBoard could not listen on a port; 0: on any."""
    if not 0 <= port < 2**16:
        raise CommandError(f"--port must be from 0 to 65535, got {port}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CommandError(
                f"port {port} of {host} is already in use; choose another --port or --host"
            ) from error
        raise CommandError(f"cannot serve on --host {host}, port {port}: {error}") from error


def serve(logdir: str, *, host: str, port: int | None, words: str, browser: bool = False) -> int:
    """Run TensorBoard until Ctrl-C; returns the exit status.

    Parameters
    ----------
    port
        `None`: 6006, or the next that is free.
    words
        Printed as soon as it serves, with its address in the place of ``{url}``.
    browser
        Whether to open the tab alone in a browser.
    """
    from tensorboard import program

    tensorboard = program.TensorBoard()
    chosen_port = [] if port is None else ["--port", str(port)]
    tensorboard.configure(["", "--logdir", logdir, "--host", host, *chosen_port])
    try:
        url = tensorboard.launch()
    except program.TensorBoardServerException as error:
        raise CommandError(f"{error.msg}; choose another --port or --host") from error
    except OSError as error:
        raise CommandError(f"cannot serve on --host {host}: {error}") from error

    print(words.format(url=url), flush=True)
    if browser:
        # A browser of the terminal does not return.
        Thread(target=webbrowser.open, args=(f"{url}{PAGE}",), daemon=True).start()
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        print()  # the terminal shows ^C without ending the line
    return 0
