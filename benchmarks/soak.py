"""Load test of a real TensorBoard: many concurrent clients, and small requests beside huge ones.

    python -m benchmarks.soak [--clients 50] [--seconds 600] [--probes 200] [--json]

Clients send requests of the tab without a pause, for three runs and with varying arguments, so that
no cache can hold all responses: ordinary requests, and occasionally the largest that the arguments
allow. Before that, one client sends small requests, first alone, then while others send huge ones
or read responses at one byte per second. Memory is that of all of TensorBoard's processes.
"""

import argparse
import math
import multiprocessing
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.figure import Figure, show
from benchmarks.requests import Client, Request, huge, ordinary, small
from benchmarks.server import mib
from tests.logs import norms_of, run_events, scalar_events, write_events
from tests.serving import TENSORBOARD, served

RUNS = {"small": (1_500, 12), "medium": (10_000, 30), "large": (200_000, 100)}  # steps, layers
HUGE_SHARE = 0.02  # of all that is asked for
WARM_SECONDS = 20  # until caches have their shape
HUGE_CLIENTS = 6
PAUSE_SECONDS = 0.05  # between small requests
SLOW_CLIENTS = 10


def main() -> None:
    """Write the runs, send the requests and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--probes", type=int, default=200, help="small requests, alone and beside")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    with TemporaryDirectory() as logdir:
        _write(Path(logdir))
        with served(Path(logdir), command=TENSORBOARD) as url:
            _wait_until_read(url)
            figures = [*beside(url, options.probes)]
            if options.seconds:
                figures += soak(url, options.clients, options.seconds)
    show(figures, as_json=options.json)


def soak(url: str, clients: int, seconds: float) -> list[Figure]:
    """Latencies of many concurrent clients, processor time and memory."""
    ordinary_ones: dict[str, list[float]] = defaultdict(list)
    huge_ones: dict[str, list[float]] = defaultdict(list)
    memory: list[tuple[float, float]] = []
    errors: Counter[str] = Counter()
    start = time.monotonic()
    end = start + seconds

    def ask(seed: int) -> None:
        random = np.random.default_rng(seed)
        client = Client(url)
        while time.monotonic() < end:
            much = random.random() < HUGE_SHARE
            request = (
                huge(random, str(random.choice(list(RUNS)))) if much else ordinary(random, RUNS)
            )
            (huge_ones if much else ordinary_ones)[request.route].append(
                client.ask(request, errors)
            )

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(clients)]
    start_mib = mib()
    for thread in threads:
        thread.start()
    time.sleep(min(WARM_SECONDS, seconds / 2))
    while time.monotonic() < end:
        memory.append((time.monotonic() - start, mib()))
        time.sleep(1)
    for thread in threads:
        thread.join()
    for error, count in errors.most_common():
        print(f"{count} x {error}")
    return [
        Figure("errors", (errors.total(),), "", 100, 0),
        *_latencies("ordinary", ordinary_ones),
        *_latencies("huge", huge_ones),
        Figure("memory before", (start_mib,), "MiB", 100, math.nan),
        *_memory(memory),
    ]


def _latencies(kind: str, by_route: dict[str, list[float]]) -> Iterator[Figure]:
    every = [taken for each in by_route.values() for taken in each]
    for name, values in [("all", every), *sorted(by_route.items())]:
        for percentile in (50, 95, 99):
            yield Figure(f"{kind}: {name}", tuple(values), "ms", percentile, math.nan)


def _memory(samples: Sequence[tuple[float, float]]) -> Iterator[Figure]:
    """Maximum in each quarter of the time, and a linear fit of the second half."""
    seconds, mebibytes = np.array(samples).T
    for number, quarter in enumerate(np.array_split(mebibytes, 4), 1):
        yield Figure(f"memory, quarter {number}", tuple(quarter), "MiB", 100, math.nan)
    half = len(samples) // 2
    slope = 60 * np.polyfit(seconds[half:], mebibytes[half:], 1)[0]
    yield Figure("memory, slope over the second half", (slope,), "MiB/min", 100, math.nan)


def beside(url: str, probes: int) -> Iterator[Figure]:
    """Latency of small requests alone, and beside huge and slow ones."""
    alone = _probe(url, probes)
    with _asking(url):
        together = _probe(url, probes)
    for percentile in (50, 95, 99):
        yield Figure("a small request alone", tuple(alone), "ms", percentile, math.nan)
    for percentile in (50, 95, 99):
        target = float(np.percentile(alone, percentile)) + 100
        yield Figure("a small request beside", tuple(together), "ms", percentile, target)


def _probe(url: str, probes: int) -> list[float]:
    random = np.random.default_rng(0)
    client, errors = Client(url), Counter[str]()
    latencies = []
    for _ in range(probes + 20):
        latencies.append(client.ask(small(random), errors))
        time.sleep(PAUSE_SECONDS)
    assert not errors, errors
    return latencies[20:]


@contextmanager
def _asking(url: str) -> Iterator[None]:
    """Clients in a process of their own that send huge requests."""
    spawn = multiprocessing.get_context("spawn")
    ended = spawn.Event()
    others = spawn.Process(target=_others, args=(url, ended))
    others.start()
    time.sleep(5)
    try:
        yield
    finally:
        ended.set()
        others.join()


def _others(url: str, ended: Event) -> None:
    """Send huge requests, and read the responses as fast as possible or one byte per second."""
    done, errors = Counter[str](), Counter[str]()

    def ask(seed: int) -> None:
        random = np.random.default_rng(seed)
        client = Client(url)
        while not ended.is_set():
            request = huge(random, "large")
            client.ask(request, errors)
            done[request.route] += 1

    def read_slowly(seed: int) -> None:
        request = huge(np.random.default_rng(seed), "large", sound=True)
        Client(url).read_slowly(request, ended)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(HUGE_CLIENTS)]
    threads += [threading.Thread(target=read_slowly, args=(seed,)) for seed in range(SLOW_CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(
        f"{done.total()} huge answers meanwhile: {dict(done)}; errors: {dict(errors)}", flush=True
    )


def _write(logdir: Path) -> None:
    for name, (steps, layers) in RUNS.items():
        norms = norms_of(steps, layers)
        names = tuple(f"blocks.{layer // 4}.part{layer % 4}" for layer in range(layers))
        every = max(steps // 1_000, 1)
        losses = scalar_events("loss", zip(range(0, steps, every), norms[::every, 0], strict=True))
        presets = ("smooth",) if name != "large" else ()
        events = run_events(norms, np.arange(steps), layers=names, presets=presets)
        write_events(logdir / name, [*events, *losses])


def _wait_until_read(url: str) -> None:
    client, deadline = Client(url), time.monotonic() + 120
    while time.monotonic() < deadline:
        errors: Counter[str] = Counter()
        for name, (steps, _) in RUNS.items():
            query = {"run": name, "from": steps - 1, "to": steps, "columns": 1}
            client.ask(Request("layers", {"run": name, "from": steps - 1}), errors)
            client.ask(Request("heatmap", query), errors)
        if not errors:
            return
        time.sleep(0.5)
    raise TimeoutError("TensorBoard has not read the runs")


if __name__ == "__main__":
    main()
