"""Cost of following runs in a terminal: an hour of twenty runs that grow, and how soon it tells.

    python -m benchmarks.watch [--rows 1000000] [--runs 20] [--layers 20] [--seconds 3600] [--json]

The hour is simulated. A real writer logs one run with all that it logs by default, flushed as often
as while training; what each flush added is appended to the event files of all runs in turn, and
between, `tb-sonify watch` looks as often as it would: twice a second. Processor time is that of the
looks alone, memory that of the process, with what it writes.

Then a real process is started, in a pipe and in a pseudo-terminal, and loss after loss turns NaN:
how long after the flush of the event file is the line there?
"""

import argparse
import math
import os
import pty
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.figure import Figure, show
from tb_sonify import SonifyWriter
from tb_sonify.cli.main import defaults_of
from tb_sonify.cli.watch.actions import Actions
from tb_sonify.cli.watch.follow import GrowingLogdir
from tb_sonify.cli.watch.logdir_watch import LogdirWatch
from tb_sonify.cli.watch.printer import Printer

LOOKS_A_SECOND = 2
FLUSH_SECONDS = 9  # of a `SonifyWriter`
QUARTERS = 4


def main() -> None:
    """Write the run, follow its copies and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="of all runs")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--layers", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=3_600)
    parser.add_argument("--failures", type=int, default=10, help="of a real process")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    with TemporaryDirectory() as directory:
        flushes = options.seconds // FLUSH_SECONDS
        rows = options.rows // options.runs
        parts = list(_flushed(Path(directory) / "written", rows, options.layers, flushes))
        figures = follow(Path(directory) / "logs", parts, options.runs, options.seconds)
        for name, pair in {"pipe": os.pipe, "terminal": pty.openpty}.items():
            found = delays(Path(directory) / name, *pair(), options.failures)
            figures.append(Figure(f"delay of a line, {name}", tuple(found), "s", 100, 3.0))
    show(figures, as_json=options.json)


def _flushed(directory: Path, rows: int, layers: int, flushes: int) -> Iterator[bytes]:
    """What each flush of a writer adds to its event file."""
    random = np.random.default_rng(0)
    names = [f"blocks.{number}" for number in range(layers)]
    with SonifyWriter(str(directory)) as writer:
        writer.flush()
        [path] = directory.iterdir()
        with path.open("rb") as file:
            for part in np.array_split(np.arange(rows), flushes):
                noise = np.exp(0.1 * random.standard_normal((len(part), 2, layers)))
                for step, (gradient, update) in zip(part.tolist(), noise, strict=True):
                    writer.add_norms(dict(zip(names, gradient.tolist(), strict=True)), step)
                    norms = dict(zip(names, (0.01 * update).tolist(), strict=True))
                    writer.add_norms(norms, step, quantity="update")
                    writer.add_scalar("loss/train", 1.0 + 0.1 * gradient[0], step)
                writer.flush()
                yield file.read()


def follow(logdir: Path, parts: list[bytes], runs: int, seconds: int) -> list[Figure]:
    """Processor time and memory of looking at runs that grow by these parts."""
    paths = [logdir / f"run{number:03}" / "events.out.tfevents.1.host" for number in range(runs)]
    for path in paths:
        path.parent.mkdir(parents=True)
        path.touch()
    lines: list[int] = []
    options = defaults_of("watch", str(logdir), "--every", "1s")
    printer = Printer(as_json=False, write=lambda text: lines.append(len(text)))
    actions = Actions(sound="off", bell=False, command=None, say=printer.remark)
    source = GrowingLogdir(logdir)
    watch = LogdirWatch(options, printer, actions, source)
    between = FLUSH_SECONDS * LOOKS_A_SECOND
    cpu, memory, written = 0.0, [], 0
    for look in range(seconds * LOOKS_A_SECOND):
        for number in range(look % between, runs, between):
            with paths[number].open("ab") as file:
                written += file.write(b"".join(parts[look // between : look // between + 1]))
        if look % LOOKS_A_SECOND == 0:
            source._next_walk = 0.0  # a second is over
        start = time.process_time()
        watch.look()
        cpu += time.process_time() - start
        if (look + 1) % (seconds * LOOKS_A_SECOND // QUARTERS) == 0:
            memory.append(resident_mib())
    assert {each.step for each in watch.runs.values()} == {watch.runs["run000"].step}
    return [
        Figure("processor time, of one core", (100 * cpu / seconds,), "%", 100, 5.0),
        Figure("processor time", (cpu,), "s", 100, 0.05 * seconds),
        Figure("memory after a quarter", (memory[0],), "MiB", 100, np.nan),
        Figure("memory, growth since then", (memory[-1] - memory[0],), "MiB", 100, 10.0),
        Figure("event files", (written / 2**20,), "MiB", 100, np.nan),
        Figure("lines", (len(lines),), "", 100, np.nan),
    ]


def delays(logdir: Path, reading: int, writing: int, failures: int) -> Iterator[float]:
    """Seconds from the flush of a NaN to the line that tells it, of one run after the other."""
    logdir.mkdir()
    command = [sys.executable, "-m", "tb_sonify", "watch", str(logdir)]
    process = subprocess.Popen(command, stdout=writing, stdin=subprocess.DEVNULL)
    text = b""
    try:
        for number in range(failures):
            with SonifyWriter(str(logdir / f"run{number}")) as writer:
                for value, told in ((1.0, b" loss 1"), (math.nan, b" PROBLEM NaN")):
                    writer.add_scalar("loss", value, 0)
                    writer.flush()
                    flushed = time.monotonic()
                    while f"run{number}".encode() not in text or told not in text:
                        text += os.read(reading, 65_536)
                    text = b""
                yield time.monotonic() - flushed
    finally:
        process.terminate()
        process.wait()


def resident_mib() -> float:
    """Resident memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    main()
