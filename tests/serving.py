"""A real `tensorboard`, in a process of its own and on a free port."""

import atexit
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from tests.forked import MODULE, ForkServer, Process
from tests.waiting import ending, wait_until

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
    log: IO[str] | None = None,
) -> Iterator[str]:
    """Serve a log directory, or what options name; the address that is given ends with a slash.

    Without a command it is a fork of a process that has imported what TensorBoard imports. What it
    logs is appended to the file `log`.
    """
    where = [] if logdir is None else ["--logdir", str(logdir)]
    arguments = [*where, "--port", "0", "--reload_interval", "1", *options]
    with ExitStack() as stack:
        errors = log or stack.enter_context(TemporaryFile("a+"))
        process = stack.enter_context(ending(_started(command, arguments, errors.fileno())))
        address = _address(process, errors)
        yield insecure(address) if INSECURE else address


def _started(
    command: tuple[str, ...], arguments: list[str], errors: int
) -> "Process | subprocess.Popen[bytes]":
    if command:
        return subprocess.Popen([*command, *arguments], stderr=errors)
    return _fork_server().start(MODULE, TENSORBOARD[-1], *arguments, outputs=(1, errors))


@cache
def _fork_server() -> ForkServer:
    server = ForkServer(PRELOAD)
    atexit.register(server.close)
    return server


def _address(process: "Process | subprocess.Popen[bytes]", errors: IO[str]) -> str:
    def said(pattern: str) -> list[str]:
        errors.seek(0)
        return re.findall(pattern, errors.read())

    address = r"TensorBoard \S+ at (http://\S+/)"
    wait_until(lambda: said(address) or process.poll() is not None, "TensorBoard serves")
    assert said(address), said(".+")
    return said(address)[0]
