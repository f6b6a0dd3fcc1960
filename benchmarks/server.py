"""A TensorBoard process tree to be measured, and requests to it."""

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

from benchmarks.logs_of_size import END, LOSS, LOSS_EVERY, Log
from tb_sonify.schema.block import Block, decode_block
from tests.serving import TENSORBOARD, served

ROUTE = "data/plugin/sonify/"
SECONDS = 900  # that loading may take
SETTLE_SECONDS = 2  # what follows the last loss


class Server:
    """A TensorBoard that has loaded all of a log.

    Attributes
    ----------
    loaded_seconds
        Seconds from its start until everything was loaded.
    """

    def __init__(self, url: str, log: Log, loaded_seconds: float) -> None:
        self._url = url
        self.log = log
        self.loaded_seconds = loaded_seconds

    def get(self, route: str, **query: object) -> bytes:
        """Response to a request."""
        return _get(f"{self._url}{ROUTE}{route}?{urlencode(query)}")

    def block(self, route: str, **query: object) -> Block:
        """Response to a request, decoded as a block."""
        return decode_block(self.get(route, **query))

    def milliseconds(self, route: str, **query: object) -> float:
        """Latency of a request."""
        start = time.perf_counter()
        self.get(route, **query)
        return 1_000 * (time.perf_counter() - start)

    def first_curve(self) -> float:
        """Milliseconds until the first curve, in parallel with the tab's other initial requests."""
        start = time.perf_counter()
        self.get("runs")
        run, tag = self.log.run, LOSS
        with ThreadPoolExecutor(6) as pool:  # as many as a browser has connections
            rest = [pool.submit(self.get, route, run=run) for route in ("coverage", "landmarks")]
            self.get("signals", run=run)
            rest.append(pool.submit(self.get, "summaries", tag=tag))
            self.get("curve", run=run, tag=tag, points=5_000)
            taken = 1_000 * (time.perf_counter() - start)
            for each in rest:
                each.result()
        return taken

    def mib(self) -> float:
        """Memory of all its processes in MiB."""
        return mib()


@contextmanager
def started(log: Log, loader: str) -> Iterator[Server]:
    """Start a TensorBoard and wait until it has loaded all; `loader` is ``fast`` or ``slow``."""
    load_fast = {"fast": "true", "slow": "false"}[loader]
    start = time.perf_counter()
    with served(log.path, "--load_fast", load_fast, command=TENSORBOARD) as url:
        while not _has_read(url, log):
            if time.perf_counter() - start > SECONDS:
                raise TimeoutError(f"{log.name} is not read after {SECONDS} s")
            time.sleep(0.1)
        loaded_seconds = time.perf_counter() - start
        time.sleep(SETTLE_SECONDS)
        yield Server(url, log, loaded_seconds)


def mib() -> float:
    """Memory of all descendants of this process, shared pages counted once (PSS), in MiB."""
    return sum(map(_pss_kib, children())) / 1024


def children() -> list[int]:
    """Descendants of this process, its children first."""
    return _below(os.getpid())


def loaded_libraries() -> set[str]:
    """Names of the libraries that the descendants of this process have loaded."""
    maps = (Path(f"/proc/{pid}/maps").read_text() for pid in children())
    return {line.rpartition("/")[2] for each in maps for line in each.splitlines() if ".so" in line}


def _has_read(url: str, log: Log) -> bool:
    tags = json.loads(_get(f"{url}data/plugin/scalars/tags"))
    if sum(END in of_run for of_run in tags.values()) < log.runs:
        return False
    # The slow loader has the last file before it is through with the first.
    query = urlencode({"run": log.run, "tag": LOSS})
    *_, (_, step, _) = json.loads(_get(f"{url}data/plugin/scalars/scalars?{query}"))
    return bool(step > log.last_step - LOSS_EVERY)


def _get(url: str) -> bytes:
    with urlopen(url, timeout=120) as response:
        data: bytes = response.read()
    return data


def _below(pid: int) -> list[int]:
    """Descendants of a process."""
    files = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for file in files for child in file.read_text().split()]
    return [*children, *(each for child in children for each in _below(child))]


def _pss_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0
