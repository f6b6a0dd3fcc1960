"""TensorBoard in this process, until Ctrl-C: of `tb-sonify demo` and `open`."""

import errno
import socket
import time
import webbrowser
from threading import Thread

from tb_sonify.cli.main import CommandError

PAGE = "data/plugin_entry.html?name=sonify"
"""The tab without TensorBoard around it, relative to TensorBoard's address."""


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
