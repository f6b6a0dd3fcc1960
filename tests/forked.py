"""Scripts in processes of their own that need not import torch first: forks of one that has."""

import json
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

# An optimizer imports the compiler of torch. Before the forks, nothing has started a thread; what
# follows the loop is the process of a script, which ends as any other does.
SERVER = """
import gc, json, os, sys, torch, torch._dynamo
from tb_sonify import SonifyWriter
gc.freeze()
for line in sys.stdin:
    job = json.loads(line)
    child = os.fork()
    if not child:
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    os._exit(0)
for number, name in enumerate(("/dev/null", *job["outputs"])):
    os.dup2(os.open(name, os.O_RDWR | os.O_CREAT), number)
os.chdir(job["directory"])
os.environ.update(job["environment"])
sys.argv = ["-c", *job["arguments"]]
exec(compile(job["script"], "<string>", "exec"))
"""

FILE = """
import runpy, sys
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""

PROGRAM = """
import runpy
runpy.run_module("tb_sonify", run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True)
class Ended:
    """How a script ended, as `subprocess.run` tells it."""

    returncode: int
    stdout: str
    stderr: str


class ForkServer:
    """Runs scripts as `python -c` does, once torch and the writer are imported."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-c", SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self,
        script: str,
        *arguments: object,
        directory: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Ended:
        """Run a script with arguments to its end, in a directory; it reaches no network."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with TemporaryDirectory() as scratch:
            outputs = [Path(scratch) / name for name in ("stdout", "stderr")]
            job = {
                "script": textwrap.dedent(script),
                "arguments": [*map(str, arguments)],
                "directory": str(directory or Path.cwd()),
                "outputs": [*map(str, outputs)],
                "environment": {"HF_HUB_OFFLINE": "1", **(environment or {})},
            }
            print(json.dumps(job), file=self._process.stdin, flush=True)
            status = int(self._process.stdout.readline())
            return Ended(status, *(path.read_text() for path in outputs))

    def tb_sonify_run(self, *arguments: object, directory: Path) -> tuple[int, str, str]:
        """Exit status, output and errors of `tb-sonify run` with some arguments."""
        ended = self.run(PROGRAM, "run", *arguments, directory=directory)
        return ended.returncode, ended.stdout, ended.stderr

    def close(self) -> None:
        """End it."""
        with suppress(BrokenPipeError):
            self._process.communicate()
