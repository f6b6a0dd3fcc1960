"""A real `tensorboard`, in a process of its own and on a free port."""

import atexit
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from io import StringIO
from pathlib import Path
from shutil import copyfileobj
from typing import TextIO

from tests.forked import MODULE, ForkServer, Process
from tests.waiting import WAIT_SECONDS

TENSORBOARD = (sys.executable, "-m", "tensorboard.main")
# What it imports until it serves, and computes for each server anew: compressed assets. Checksums
# are a loop over bytes in its Python code, which a test has no time for.
PRELOAD = """
import functools
import google_crc32c
import tensorboard.main, tensorboard.program
import tensorboard.backend.application, tensorboard.backend.event_processing.data_ingester
import tensorboard.data.server_ingester, tensorboard_data_server
import tb_sonify.plugin.plugin
from tensorboard.assets import get_default_assets_zip_provider
from tensorboard.compat.tensorflow_stub import pywrap_tensorflow
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.core import core_plugin

core_plugin._gzip = functools.cache(core_plugin._gzip)
assets = TBContext(assets_zip_provider=get_default_assets_zip_provider())
core_plugin.CorePlugin(assets).get_resource_apps()
pywrap_tensorflow.crc32c = google_crc32c.value
"""

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
    command: tuple[str, ...] = (),
    log: TextIO | None = None,
) -> Iterator[str]:
    """Serve a log directory, or what options name; the address that is given ends with a slash.

    Without a command it is a fork of a process that has imported what TensorBoard imports. What it
    logs once it serves is written to `log`.
    """
    where = [] if logdir is None else ["--logdir", str(logdir)]
    arguments = [*where, "--port", "0", "--reload_interval", "1", *options]
    with _started(command, arguments) as (process, errors), ThreadPoolExecutor(1) as reader:
        try:
            address = _address(errors)
            # What nobody reads would fill the pipe and stop the server.
            reader.submit(lambda: copyfileobj(errors, log or StringIO()))
            yield insecure(address) if INSECURE else address
        finally:
            process.terminate()
            try:
                process.wait(WAIT_SECONDS)
            except (TimeoutError, subprocess.TimeoutExpired):
                process.kill()


@contextmanager
def _started(
    command: tuple[str, ...], arguments: list[str]
) -> Iterator[tuple[Process | subprocess.Popen[bytes], TextIO]]:
    process: Process | subprocess.Popen[bytes]
    read, write = os.pipe()
    with os.fdopen(read) as errors:
        try:
            if command:
                process = subprocess.Popen([*command, *arguments], stderr=write)
            else:
                server = _fork_server()
                process = server.start(MODULE, TENSORBOARD[-1], *arguments, outputs=(1, write))
        finally:
            os.close(write)
        with process:
            yield process, errors


@cache
def _fork_server() -> ForkServer:
    server = ForkServer(PRELOAD)
    atexit.register(server.close)
    return server


def _address(errors: TextIO) -> str:
    messages = []
    for line in errors:
        messages.append(line)
        if found := re.search(r"TensorBoard \S+ at (http://\S+/)", line):
            return found.group(1)
    raise RuntimeError(f"tensorboard ended before it served: {''.join(messages)}")
