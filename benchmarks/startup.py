"""Start-up time that the plugin adds to TensorBoard, paired: from start to first response.

    python -m benchmarks.startup [--rounds 12] [--json]

TensorBoard is started alternately with and without the plugin, in changing order, on an empty log
directory; the first response is the list of plugins, which asks each whether it is active.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

from benchmarks.figure import Figure, show
from benchmarks.server import loaded_libraries
from tests.serving import served

TARGET_MS = 150
_WITHOUT = """
import sys
from importlib.metadata import EntryPoint
from tensorboard import default, main
load = EntryPoint.load
EntryPoint.load = lambda entry: None if entry.name == "sonify" else load(entry)
found = default.get_dynamic_plugins
default.get_dynamic_plugins = lambda: [each for each in found() if each is not None]
sys.exit(main.run_main())
"""
COMMANDS = {
    "with": (sys.executable, "-m", "tensorboard.main"),
    "without": (sys.executable, "-c", _WITHOUT),
}


def main() -> None:
    """Start and stop TensorBoard, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with TemporaryDirectory() as logdir:
        for number in range(-1, options.rounds):
            for name in list(COMMANDS)[:: 1 if number % 2 else -1]:
                milliseconds = _started(Path(logdir), name)
                if number >= 0:  # the first round fills the system's caches
                    taken[name].append(milliseconds)
    added = [a - b for a, b in zip(taken["with"], taken["without"], strict=True)]
    figures = [
        Figure(f"first answer {name} the plugin", tuple(values), "ms", 50, float("nan"))
        for name, values in taken.items()
    ]
    figures.append(Figure("added, median of pairs", tuple(added), "ms", 50, TARGET_MS))
    show(figures, as_json=options.json)


def _started(logdir: Path, name: str) -> float:
    """Milliseconds to the first response."""
    start = time.perf_counter()
    with served(logdir, "--load_fast=false", command=COMMANDS[name]) as url:
        with urlopen(f"{url}data/plugins_listing", timeout=60) as response:
            plugins = json.load(response)
        taken = 1_000 * (time.perf_counter() - start)
        if ("sonify" in plugins) != (name == "with"):
            raise RuntimeError(f"{name} the plugin there are {', '.join(plugins)}")
        if any("torch" in library for library in loaded_libraries()):
            raise RuntimeError("TensorBoard has loaded torch")
    return taken


if __name__ == "__main__":
    main()
