"""A real `tensorboard`, in a process of its own and on a free port."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from shutil import copyfileobj
from typing import TextIO

TENSORBOARD = (sys.executable, "-m", "tensorboard.main")

# Browsers trust localhost as they trust https, and give a page on plain http less. With
# SONIFY_ORIGIN=insecure, all tests run under a name that they do not trust; it is resolved to this
# machine, in Chromium by an option and in Python by a fixture, so nothing leaves it.
INSECURE = os.environ.get("SONIFY_ORIGIN") == "insecure"
INSECURE_HOST = "tb.test"


def insecure(url: str) -> str:
    """The same server, under a name that browsers do not trust."""
    return url.replace("//localhost:", f"//{INSECURE_HOST}:")


@contextmanager
def served(
    logdir: Path | None,
    *options: str,
    command: tuple[str, ...] = TENSORBOARD,
    log: TextIO | None = None,
) -> Iterator[str]:
    """Serve a log directory, or what options name; the address that is given ends with a slash.

    What it logs once it serves is written to `log`.
    """
    where = [] if logdir is None else ["--logdir", str(logdir)]
    arguments = [*command, *where, "--port", "0", "--reload_interval", "1"]
    with (
        subprocess.Popen([*arguments, *options], stderr=subprocess.PIPE, text=True) as process,
        ThreadPoolExecutor(1) as reader,
    ):
        try:
            address = _address(process)
            # What nobody reads would fill the pipe and stop the server.
            errors, sink = process.stderr, log or StringIO()
            assert errors is not None
            reader.submit(lambda: copyfileobj(errors, sink))
            yield insecure(address) if INSECURE else address
        finally:
            process.terminate()
            process.wait(timeout=30)


def _address(process: "subprocess.Popen[str]") -> str:
    messages = []
    assert process.stderr is not None
    for line in process.stderr:
        messages.append(line)
        if found := re.search(r"TensorBoard \S+ at (http://\S+/)", line):
            return found.group(1)
    raise RuntimeError(f"tensorboard ended before it served: {''.join(messages)}")
