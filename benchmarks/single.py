"""Processor time and memory of the largest single requests that the arguments allow.

    python -m benchmarks.single --dir DIR [--only layers]

A real TensorBoard with its fast loader, on the logs of `scale.py`: a million steps of 100 layers,
20,000 of 2,000. Each request is sent after the run has been read, the largest first.
"""

import argparse
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.logs_of_size import long_run, many_layers
from benchmarks.server import Server, children, started

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
            with started(log, "fast") as server:
                _measure(server)


def _measure(server: Server) -> None:
    run, last_step = server.log.run, server.log.last_step
    notes = server.block("coverage", run=run).header["notes"]
    layers = len(server.block("layers", run=run, to=0).header["layers"])
    whole = {"run": run, "from": 0, "to": last_step}
    sound = {"run": run, "preset": "smooth", "first_note": 0, "notes": min(notes, 10_000)}
    requests: list[tuple[str, dict[str, object]]] = [
        ("clip", sound),
        ("heatmap", {**whole, "columns": min(4_000, 4_000_000 // layers)}),
        ("layers", whole),
        ("landmarks", {"run": run}),
        ("describe", {"run": run}),
        ("table", {"run": run}),
        ("coverage", {"run": run, "together": 2}),
    ]
    for route, query in requests:
        with _watched(children()[0]) as taken:
            size = len(server.get(route, **query))
        seconds, mib = taken
        print(f"| {server.log.name} | {route} | {size / 1e6:.1f} | {seconds:.2f} | {mib:.0f} |")


@contextmanager
def _watched(pid: int) -> Iterator[list[float]]:
    """Measure the processor seconds of a process in a `with` block, and its growth in MiB."""
    taken: list[float] = []
    done, before, seconds = threading.Event(), _resident(pid), _busy(pid)
    most = [before]

    def watch() -> None:
        while not done.wait(0.002):
            most.append(max(most.pop(), _resident(pid)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    yield taken
    done.set()
    watcher.join()
    taken += [_busy(pid) - seconds, (most[0] - before) / MIB]


def _resident(pid: int) -> int:
    return os.sysconf("SC_PAGE_SIZE") * int(Path(f"/proc/{pid}/statm").read_text().split()[1])


def _busy(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
