"""Programs in processes of their own that need not import anew: forks of one that has imported."""

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from select import select
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tests.waiting import end, wait_until

if TYPE_CHECKING:
    from typing_extensions import Self

# An optimizer imports the compiler of torch.
TORCH = "import torch, torch._dynamo; from tb_sonify import SonifyWriter"

# Before the forks, nothing has started a thread. Each program has a keeper, which tells its number
# and how it ended, and ends it where nobody is there any more to be told. What follows the loop is
# the process of a program, which ends as any other does.
SERVER = """
import contextlib, gc, json, os, signal, socket, sys, threading

{imports}

def reap(*_):
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass

gc.freeze()
requests = socket.socket(fileno=int(sys.argv[1]))
signal.signal(signal.SIGCHLD, reap)
while given := socket.recv_fds(requests, 1, 3)[1]:
    if not os.fork():
        break
    for each in given:
        os.close(each)
else:
    os._exit(0)
requests.close()
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
told = socket.socket(fileno=given[0])
lines = told.makefile("rw")
job = json.loads(lines.readline())
if child := os.fork():
    for each in given[1:]:
        os.close(each)
    ended = []
    alone = lambda: told.recv(1) or ended or os.kill(child, signal.SIGKILL)
    threading.Thread(target=alone).start()
    print(child, file=lines, flush=True)
    ended.append(os.waitpid(child, 0)[1])
    print(os.waitstatus_to_exitcode(*ended), file=lines, flush=True)
    os._exit(0)
lines.close()
told.close()
for number, each in enumerate((os.open(os.devnull, os.O_RDONLY), *given[1:])):
    os.dup2(each, number)
    os.close(each)
os.chdir(job["directory"])
os.environ.clear()
os.environ.update(job["environment"])
sys.argv = ["-c", *job["arguments"]]
exec(compile(job["script"], "<string>", "exec"))
"""

FILE = """
import runpy, sys
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""

MODULE = """
import runpy, sys
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


PROGRAM = ("tb_sonify", "run")
LONGEST_SECONDS = 240  # that a program of a test takes


@dataclass(frozen=True)
class Ended:
    """How a script ended, as `subprocess.run` tells it."""

    returncode: int
    stdout: str
    stderr: str


class Process:
    """A program that goes on, with what `subprocess.Popen` has for it; it ends with the tests."""

    def __init__(self, keeper: socket.socket, job: Mapping[str, object]) -> None:
        keeper.sendall(json.dumps(job).encode() + b"\n")
        self._lines = keeper.makefile("rb", buffering=0)
        self.pid = int(self._lines.readline())
        self._status: int | None = None

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        """Kill it, unless it has ended."""
        self._lines.close()

    def send_signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def poll(self) -> int | None:
        """Its exit status, if it has ended."""
        if self._status is None and select([self._lines], [], [], 0)[0]:
            self._status = int(self._lines.readline())
        return self._status

    def wait(self, timeout: float = LONGEST_SECONDS) -> int:
        """Its exit status, when it has ended."""
        if self._status is None:
            select([self._lines], [], [], timeout)
        if (status := self.poll()) is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout)
        return status


@dataclass(frozen=True)
class Running:
    """A script that goes on, and where its output is."""

    process: Process
    stdout: Path
    stderr: Path

    def wait_for(self, line: str) -> None:
        """Wait until it has printed a line."""
        wait_until(lambda: line in self.stdout.read_text().splitlines(), f"it prints {line}")

    def ended(self) -> Ended:
        """How it has ended, when it has."""
        status = self.process.wait()
        return Ended(status, self.stdout.read_text(), self.stderr.read_text())


class ForkServer:
    """Runs scripts as `python -c` does, once what they need is imported."""

    def __init__(self, imports: str = TORCH) -> None:
        self._requests, theirs = socket.socketpair()
        with theirs:
            script = SERVER.replace("{imports}", imports)
            self._process = subprocess.Popen(
                [sys.executable, "-u", "-c", script, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )

    def start(
        self,
        script: str,
        *arguments: object,
        outputs: tuple[int, int],
        directory: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Process:
        """Start a script with arguments; `outputs` are file descriptors of stdout and stderr."""
        job = {
            "script": textwrap.dedent(script),
            "arguments": [*map(str, arguments)],
            "directory": str(directory or Path.cwd()),
            "environment": {**os.environ, **(environment or {})},
        }
        ours, theirs = socket.socketpair()
        with ours, theirs:
            socket.send_fds(self._requests, [b"."], [theirs.fileno(), *outputs])
            theirs.close()  # so that a keeper that ends is noticed
            return Process(ours, job)

    @contextmanager
    def running(
        self,
        script: str,
        *arguments: object,
        directory: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> "Iterator[Running]":
        """Start a script with arguments, in a directory; it reaches no network."""
        offline = {"HF_HUB_OFFLINE": "1", **(environment or {})}
        with TemporaryDirectory() as scratch:
            paths = [Path(scratch) / name for name in ("stdout", "stderr")]
            with paths[0].open("w") as stdout, paths[1].open("w") as stderr:
                process = self.start(
                    script,
                    *arguments,
                    outputs=(stdout.fileno(), stderr.fileno()),
                    directory=directory,
                    environment=offline,
                )
            with process:
                yield Running(process, *paths)

    def run(self, script: str, *arguments: object, **how: Any) -> Ended:
        """Run a script as `running` does, to its end."""
        with self.running(script, *arguments, **how) as running:
            return running.ended()

    def tb_sonify_run(self, *arguments: object, directory: Path) -> tuple[int, str, str]:
        """Exit status, output and errors of `tb-sonify run` with some arguments."""
        ended = self.run(MODULE, *PROGRAM, *arguments, directory=directory)
        return ended.returncode, ended.stdout, ended.stderr

    def close(self) -> None:
        """End it, once it has started what it was asked for."""
        self._requests.close()
        end(self._process)
