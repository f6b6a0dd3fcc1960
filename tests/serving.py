"""A real `tensorboard`, in a process of its own and on a free port."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TENSORBOARD = (sys.executable, "-m", "tensorboard.main")


@contextmanager
def served(logdir: Path, *options: str, command: tuple[str, ...] = TENSORBOARD) -> Iterator[str]:
    """Serve a log directory and give the address, which ends with a slash."""
    arguments = [*command, "--logdir", str(logdir), "--port", "0", "--reload_interval", "1"]
    with subprocess.Popen([*arguments, *options], stderr=subprocess.PIPE, text=True) as process:
        try:
            yield _address(process)
        finally:
            process.terminate()
            process.communicate(timeout=30)


def _address(process: "subprocess.Popen[str]") -> str:
    messages = []
    assert process.stderr is not None
    for line in process.stderr:
        messages.append(line)
        if found := re.search(r"TensorBoard \S+ at (http://\S+/)", line):
            # What nobody reads would fill the pipe and stop the server.
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return found.group(1)
    raise RuntimeError(f"tensorboard ended before it served: {''.join(messages)}")
