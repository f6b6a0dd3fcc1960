"""What single requests take, of the most that arguments allow: processor time and memory.

    python -m benchmarks.single --dir DIR [--only layers]

The application in this process, with TensorBoard's slow loader, on logs of `scale.py`: a million
steps of 100 layers, 20,000 of 2,000. Each request is asked for once the run has been read.
"""

import argparse
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.logs_of_size import Log, long_run, many_layers
from tests.client import TensorBoardClient, opened_client

MIB = 2**20


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--dir", type=Path, required=True, help="where logs are kept")
    parser.add_argument("--only", default="", help="logs whose names have this")
    options = parser.parse_args()
    logs = [long_run(options.dir, 1_000_000), many_layers(options.dir / "wide", steps=20_000)]
    print("| log | request | MB | s | MiB |\n|---|---|---|---|---|")
    for log in logs:
        if options.only in log.name:
            with opened_client(log.path, "slow") as client:
                _measure(log, client)


def _measure(log: Log, client: TensorBoardClient) -> None:
    notes = client.block_of("coverage", run=log.run).header["notes"]
    layers = len(client.block_of("layers", run=log.run, to=0).header["layers"])
    whole = {"from": 0, "to": log.last_step}
    sound = {"preset": "smooth", "first_note": 0, "notes": min(notes, 10_000)}
    requests: list[tuple[str, dict[str, object]]] = [
        ("clip", sound),
        ("heatmap", {**whole, "columns": min(4_000, 4_000_000 // layers)}),
        ("heatmap", {**whole, "columns": 1_000}),
        ("layers", {"from": 0}),
        ("landmarks", {}),
        ("describe", {}),
        ("table", {}),
        ("coverage", {"together": 2}),
    ]
    for route, query in requests:
        with _watched() as taken:
            size = len(client.sonify(route, run=log.run, **query).data)
        seconds, mib = taken
        print(
            f"| {log.name} | {route} | {size / 1e6:.1f} | {seconds:.2f} | {mib:.0f} |", flush=True
        )


@contextmanager
def _watched() -> Iterator[list[float]]:
    """Processor seconds of what is done within, and by how many MiB this process grew at most."""
    taken: list[float] = []
    done, before = threading.Event(), _resident()
    most = [before]

    def watch() -> None:
        while not done.wait(0.002):
            most.append(max(most.pop(), _resident()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.process_time()
    yield taken
    seconds = time.process_time() - start
    done.set()
    watcher.join()
    taken += [seconds, (most[0] - before) / MIB]


def _resident() -> int:
    return 4_096 * int(Path("/proc/self/statm").read_text().split()[1])


if __name__ == "__main__":
    main()
