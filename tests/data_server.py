"""TensorBoard's own data server: as a process of its own, or as the one that TensorBoard starts."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import tensorboard_data_server

from tests.waiting import wait_until

BINARY = tensorboard_data_server.server_binary()


class DataServer:
    """A data server at one port, which can be ended and started again."""

    def __init__(self, logdir: Path, samples: str) -> None:
        self._logdir = logdir
        self._samples = samples
        with socket.socket() as probe:
            probe.bind(("localhost", 0))
            self.port = probe.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ("--reload=1", f"--samples-per-plugin={self._samples}", f"--port={self.port}")
        self.process = subprocess.Popen(
            [BINARY, f"--logdir={self._logdir}", *options], stderr=subprocess.DEVNULL
        )
        wait_until(self._listens, "the data server listens")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("localhost", self.port)) == 0


@contextmanager
def data_server(logdir: Path, *, samples: str = "sonify=all") -> Iterator[DataServer]:
    """A data server that serves a log directory, and keeps so many samples of each plugin."""
    server = DataServer(logdir, samples)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@contextmanager
def held_back(run: Path) -> Iterator[None]:
    """Keep a run out of its log directory: a server that starts has not read it yet."""
    aside = run.rename(run.parent.with_name("aside"))
    yield
    aside.rename(run)


def started_by_tensorboard(logdir: Path) -> psutil.Process:
    """The data server of a log directory that a `tensorboard` of a test has started."""
    (found,) = (
        process
        for process in psutil.Process().children(recursive=True)
        if process.cmdline()[:1] == [BINARY] and f"--logdir={logdir}" in process.cmdline()
    )
    return found
