"""Latency and memory of the tab's requests by log size, in a real TensorBoard.

    python -m benchmarks.scale --dir DIR [--steps 10000,1000000] [--loaders fast,slow]

The logs are written once, by the public writer, into DIR, and are kept there. For each of them a
TensorBoard is started; after it has loaded everything, the requests of the tab are sent.
"""

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.figure import Figure, show
from benchmarks.logs_of_size import LOSS, Log, long_run, many_layers, many_runs, many_tags
from benchmarks.server import Server, started
from tb_sonify.schema.block import Block

CLIPS = 100
PLACES = 20
ZOOM = 1_000  # steps


def main() -> None:
    """Write missing logs, send all requests and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--dir", type=Path, required=True, help="where logs are kept")
    parser.add_argument("--steps", default="10000,100000,1000000", help="of runs of 100 layers")
    parser.add_argument("--loaders", default="fast,slow", help="TensorBoard's loaders")
    parser.add_argument("--others", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    logs = [long_run(options.dir, int(steps)) for steps in options.steps.split(",") if steps]
    if options.others:
        logs += [many_runs(options.dir), many_layers(options.dir), many_tags(options.dir)]
    figures: list[Figure] = []
    for loader in options.loaders.split(","):
        for log in logs:
            figures += measured(log, loader)
    show(figures, as_json=options.json)


def measured(log: Log, loader: str) -> Iterator[Figure]:
    """Figures of one log with one loader."""

    def figure(what: str, values: Sequence[float], percentile: int, target: float) -> Figure:
        name = f"{log.name}, {loader}: {what}"
        return Figure(name, tuple(values), "ms", percentile, target)

    with started(log, loader) as server:
        yield replace(figure("loaded", [server.loaded_seconds], 100, math.nan), unit="s")
        yield figure("first curve", [server.first_curve()], 100, 2_000)
        yield figure("summaries", [server.milliseconds("summaries", tag=LOSS)], 100, 2_000)
        coverage = server.block("coverage", run=log.run)
        if coverage.header["notes"]:
            clips = list(_clips(server, coverage))
            yield figure("first clip, at the end", clips[:1], 100, 150)
            yield figure("any clip", clips[1:], 95, 150)
            heard, seen = zip(*_zooms(server), strict=True)
            yield figure("single rows, heard", heard, 95, 300)
            yield figure("single rows, seen", seen, 95, 300)
            for route, query in _WHOLE.items():
                asked = query | {"from": 0, "to": log.last_step} if query else query
                yield figure(route, [server.milliseconds(route, run=log.run, **asked)], 100, 2_000)
        memory = figure("memory", [server.mib()], 100, 1_024)
        yield replace(memory, unit="MiB")


_WHOLE: dict[str, dict[str, object]] = {
    "heatmap": {"columns": 1_000},
    "layers": {"from": 0},
    "landmarks": {},
    "describe": {},
}


def _clips(server: Server, coverage: Block) -> Iterator[float]:
    """Milliseconds for the clip of the last but one segment, then for random ones."""
    segments = coverage.header["segments"]
    last = len(segments) - 2  # the very last is logged in any case, and need not be rendered
    order = [last, *np.random.default_rng(0).permutation(last)[:CLIPS]]
    for number in order:
        segment = {name: segments[number][name] for name in ("first_note", "notes")}
        yield server.milliseconds("clip", run=server.log.run, preset="smooth", **segment)


def _zooms(server: Server) -> Iterator[tuple[float, float]]:
    """Milliseconds for the first clip of single rows, and for their heat-map, at random steps."""
    run, random = server.log.run, np.random.default_rng(0)
    for low in random.integers(0, max(server.log.last_step - ZOOM, 1), PLACES).tolist():
        seen = server.milliseconds("heatmap", run=run, columns=1_000, **_between(low))
        low = int(random.integers(0, max(server.log.last_step - ZOOM, 1)))
        view = {"run": run, "rows_from": low, "rows_to": low + ZOOM}
        start = time.perf_counter()
        steps = server.block("coverage", **view).arrays["steps"]
        first = int(np.searchsorted(steps, low))
        server.get("clip", preset="smooth", first_note=first, notes=100, **view)
        yield 1_000 * (time.perf_counter() - start), seen


def _between(low: int) -> dict[str, object]:
    return {"from": low, "to": low + ZOOM}


if __name__ == "__main__":
    main()
