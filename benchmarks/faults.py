"""Damaged event files in a real TensorBoard: all rows that it can read must be playable.

python -m benchmarks.faults [--runs 1000] [--seed 0] [--loader fast|slow]
"""

import argparse
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import grpc
import numpy as np
from tensorboard.context import RequestContext
from tensorboard.data.grpc_provider import GrpcDataProvider, make_stub
from tensorboard.data.provider import DataProvider

from tb_sonify.schema.block import Block, decode_block
from tests import client, damaged_runs, serving
from tests.data_server import data_server
from tests.logs import LAYERS

LOADERS = {"fast": "true", "slow": "false"}
LONGEST_SECONDS = 5.0
_PATIENCE_SECONDS = 60.0


def main() -> None:
    """Damage runs, serve them, and check the answers for all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--loader", choices=LOADERS)
    arguments = parser.parse_args()
    for loader in [arguments.loader] if arguments.loader else LOADERS:
        problems, requests, slowest, rows = check(arguments.runs, arguments.seed, loader)
        print(
            f"{loader} loader: {arguments.runs:,} damaged event files, {requests:,} requests, "
            f"slowest {slowest:.2f} s, {rows:,} rows of whole blocks; {len(problems)} problems"
        )
        for problem in problems[:40]:
            print(f"  {problem}")


def check(runs: int, seed: int, loader: str) -> tuple[list[str], int, float, int]:
    """Problems, number of requests, the longest in seconds, and rows that must be playable."""
    with TemporaryDirectory() as folder:
        logdir = Path(folder)
        names = [f"run {number}" for number in range(runs)]
        wholes = {
            name: damaged_runs.write_damaged_run(logdir / name, seed + number)
            for number, name in enumerate(names)
        }
        option = f"--load_fast={LOADERS[loader]}"
        with _provider(logdir, loader) as provider, serving.served(logdir, option) as url:
            server = _Server(url)
            # Read by a bare provider, a block takes 43 ms on the fast loader, whatever its size.
            with ThreadPoolExecutor(32) as pool:
                whole = pool.map(
                    lambda name: damaged_runs.served(provider, name, wholes[name]), names
                )
                expected = dict(zip(names, whole, strict=True))
            with ThreadPoolExecutor(8) as pool:
                found = pool.map(lambda name: _settled(server, name, expected[name]), names)
                problems = [
                    f"{name}: {each}" for name, each in zip(names, found, strict=True) if each
                ]
        rows = sum(len(each.heard) for each in expected.values())
        return problems, server.requests, server.slowest, rows


class _Server:
    """Client of a TensorBoard that records latencies."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.requests, self.slowest = 0, 0.0

    def ask(self, route: str, **query: Any) -> tuple[int, bytes]:
        began = time.monotonic()
        address = f"{self._url}data/plugin/sonify/{route}?{urlencode(query)}"
        try:
            with urlopen(address, timeout=_PATIENCE_SECONDS) as response:
                return response.status, response.read()
        except HTTPError as error:
            with error:
                return error.code, error.read()
        finally:
            self.requests += 1
            self.slowest = max(self.slowest, time.monotonic() - began)

    def block(self, route: str, **query: Any) -> Block:
        status, body = self.ask(route, **query)
        if status != 200:
            raise RuntimeError(f"{route} answers {status}: {body[:300]!r}")
        return decode_block(body)


def _settled(server: _Server, run: str, expected: damaged_runs.Served) -> str | None:
    """Problem of a run, after TensorBoard has had time to read it; `None`: none."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (problem := _problem(server, run, expected)) and time.monotonic() < deadline:
        time.sleep(2)
    return problem


def _problem(server: _Server, run: str, expected: damaged_runs.Served) -> str | None:
    """First problem in the answers about a run; `None`: none."""
    status, body = server.ask("coverage", run=run)
    if status == 404 and not expected.heard:
        return None  # TensorBoard has found nothing that it could call a run
    try:
        if status != 200:
            return f"coverage answers {status}: {body[:300]!r}"
        coverage = decode_block(body)
        notes = coverage.header["notes"]
        steps = coverage.arrays["steps"][:notes].tolist()
        lacking = sorted(set(expected.heard) - set(map(int, steps)))
        if lacking:
            return f"steps {lacking[:5]} and {len(lacking)} in all are not heard"
        missing = coverage.header["missing"]
        for step in expected.lost:
            told = any(first <= step <= last for first, last in missing)
            if not told and not (steps and steps[0] <= step <= coverage.arrays["steps"][-1]):
                return f"the block at {step} is not told as missing: {missing}"
        wrong = _wrong_norms(server, run, steps, expected) if notes else None
        return wrong or _unanswered(server, run, notes)
    except (RuntimeError, ValueError, TimeoutError) as error:
        return repr(error)


def _wrong_norms(
    server: _Server, run: str, steps: list[float], expected: damaged_runs.Served
) -> str | None:
    layers: list[str] = []
    found: dict[int, np.ndarray[Any, Any]] = {}
    for first in range(0, len(steps), 1_000):
        table = server.block("notes", run=run, first_note=first, notes=1_000)
        layers = table.header["layers"]
        if len(steps) < 3_200:  # so that a note is a row
            own = map(int, steps[first : first + 1_000])
            found.update(zip(own, table.arrays["max"], strict=True))
    columns = [layers.index(name) for name in LAYERS if name in layers]
    if len(columns) < len(LAYERS) or not expected.exact:
        return None
    for step, norms in expected.heard.items():
        if step in found and not np.array_equal(found[step][columns], norms):
            return f"step {step} is heard as {found[step][columns]}, and is {norms}"
    return None


def _unanswered(server: _Server, run: str, notes: int) -> str | None:
    asked: list[tuple[str, dict[str, Any]]] = [
        ("signals", {}),
        ("landmarks", {}),
        ("layers", {}),
        ("describe", {}),
        ("table", {}),
        ("heatmap", {"from": -10, "to": 400, "columns": 50}),
        ("coverage", {"together": 4}),
    ]
    if notes:
        asked.append(("clip", {"preset": "smooth", "first_note": notes // 2, "notes": 50}))
        asked.append(("clip", {"preset": "arpeggio", "first_note": 0, "notes": 5}))
    for route, query in asked:
        status, body = server.ask(route, run=run, **query)
        if status != 200:
            return f"{route} answers {status}: {body[:300]!r}"
    status, body = server.ask("curve", run=run, tag="loss")
    return None if status in {200, 404} else f"curve answers {status}: {body[:300]!r}"


@contextmanager
def _provider(logdir: Path, loader: str) -> Iterator[DataProvider]:
    """Data provider of a loader, after it has read a log directory."""
    if loader == "slow":
        yield client.local_provider(logdir)
        return
    with data_server(logdir) as server:
        credentials = grpc.local_channel_credentials()
        with grpc.secure_channel(f"localhost:{server.port}", credentials) as channel:
            provider = GrpcDataProvider("", make_stub(channel))
            before, still = None, 0
            while still < 5:
                now = provider.list_blob_sequences(
                    RequestContext(), experiment_id="", plugin_name="sonify"
                )
                still = still + 1 if now and now == before else 0
                before = now
                time.sleep(0.5)
            yield provider


if __name__ == "__main__":
    main()
