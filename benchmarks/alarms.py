"""Many live runs in a real page: what breaks and what ends, each told once, and how soon.

    python -m benchmarks.alarms [--runs 50] [--seconds 600] [--broken 25] [--ended 10] [--json]

Real writers log norms of twelve layers and a loss, three rows each 1.5 s. Some runs turn NaN and go
on, others are closed, evenly over the time. A page of Chromium has *Alarm* on and plays nothing;
what its live region says is noted with the time at which it is shown.
"""

import argparse
import math
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import numpy as np
from playwright.sync_api import Page, sync_playwright
from tqdm import tqdm

from benchmarks.figure import Figure, show
from tb_sonify import SonifyWriter
from tests.browser import find
from tests.dashboard import ALONE
from tests.pages import LISTEN
from tests.serving import served

LAYERS = [f"blocks.{number}" for number in range(12)]
ROWS, PAUSE_SECONDS = 3, 1.5
BEFORE = 200  # rows of each run, before the page is opened
LEAST_SECONDS = 0.9  # between two messages: a second, in a page that may be late to show the first
QUIET_SECONDS = 20  # at both ends: until all runs were looked into; until all is told


@dataclass
class Training:
    """All runs, and when each was broken or closed, in seconds since the epoch."""

    directory: Path
    runs: int
    broken: dict[str, float] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(0)
        names = [f"run{number:03}" for number in range(self.runs)]
        self._writers = {
            name: SonifyWriter(str(self.directory / name), presets=()) for name in names
        }
        self._steps = dict.fromkeys(names, 0)
        for name in names:
            self._log(name, BEFORE, is_broken=False)

    def go_on(self, seconds: float, to_break: Sequence[str], to_end: Sequence[str]) -> None:
        """Train for a time, and break and end these runs one after the other meanwhile."""
        start = time.monotonic()
        due = [(share, name) for each in (to_break, to_end) for share, name in _spread(each)]
        while (passed := time.monotonic() - start) < seconds:
            over = {name for share, name in due if passed > share * seconds}
            for name in over.intersection(to_end) - self.ended.keys():
                self._writers.pop(name).close()
                self.ended[name] = time.time()
            for name in self._writers:
                self._log(name, ROWS, is_broken=name in over)
                if name in over:
                    self.broken.setdefault(name, time.time())
            time.sleep(PAUSE_SECONDS)

    def close(self) -> None:
        """End all runs."""
        for writer in self._writers.values():
            writer.close()

    def _log(self, name: str, rows: int, *, is_broken: bool) -> None:
        writer = self._writers[name]
        for norms in np.exp(self._random.normal(-2, 0.3, (rows, len(LAYERS)))):
            step, loss = self._steps[name], 2 * 0.999 ** self._steps[name]
            told = np.full_like(norms, math.nan) if is_broken else norms
            writer.add_norms(dict(zip(LAYERS, told.tolist(), strict=True)), step)
            writer.add_scalar("loss/train", math.nan if is_broken else loss, step)
            self._steps[name] += 1
        writer.flush()


def main() -> None:
    """Train, listen and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--broken", type=int, default=25, help="of the runs")
    parser.add_argument("--ended", type=int, default=10, help="of the others")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    if options.broken + options.ended > options.runs:
        parser.error("--broken and --ended together must be at most --runs")
    with ExitStack() as stack:
        training = Training(Path(stack.enter_context(TemporaryDirectory())), options.runs)
        stack.callback(training.close)
        names = [f"run{number:03}" for number in range(options.runs)]
        chosen = names[: options.broken], names[options.broken :][: options.ended]
        url = stack.enter_context(served(training.directory))
        page = _listening(stack, url)
        worker = Thread(target=training.go_on, args=(options.seconds, *chosen))
        worker.start()
        for _ in tqdm(range(math.ceil(options.seconds) + QUIET_SECONDS), unit="s"):
            page.wait_for_timeout(1_000)
        worker.join()
        page.wait_for_timeout(1_000 * QUIET_SECONDS)
        origin = page.evaluate("performance.timeOrigin")
        said = [((origin + at) / 1_000, text) for at, text in page.evaluate("window.said")]
    show(figures_of(said, training.broken, training.ended), as_json=options.json)


def figures_of(
    said: Sequence[tuple[float, str]], broken: Mapping[str, float], ended: Mapping[str, float]
) -> list[Figure]:
    """How soon each event was told, how often, and how far messages are apart.

    Parameters
    ----------
    said
        Time in seconds since the epoch, and text, of each message.
    """
    found: list[Figure] = []
    for words, events in (("NaN", broken), ("ended", ended)):
        told = {
            name: [at for at, text in _parts(said) if name in text and words in text]
            for name in events
        }
        delays = tuple(times[0] - events[name] for name, times in told.items() if times)
        counts = tuple(float(abs(len(times) - 1)) for times in told.values())
        found += [
            Figure(f"{words}: after the flush, median", delays, "s", 50, 8.0),
            Figure(f"{words}: after the flush", delays, "s", 100, 8.0),
            Figure(f"{words}: told another number of times than once", counts, "", 100, 0.0),
        ]
    by_itself = [at for at, text in said if not text.startswith("Alarm")]  # no answer to a key
    near = tuple(
        float(sum(at <= each < at + LEAST_SECONDS for each in by_itself)) for at in by_itself
    )
    return [*found, Figure(f"messages within {LEAST_SECONDS} s", near, "", 100, 1.0)]


def _listening(stack: ExitStack, url: str) -> Page:
    chromium = stack.enter_context(sync_playwright()).chromium
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    browser = chromium.launch(executable_path=find(), args=quiet)
    stack.callback(browser.close)
    page = browser.new_page()
    page.add_init_script(LISTEN)
    page.goto(f"{url}{ALONE}")
    page.locator(".timeline").focus()
    page.keyboard.press("a")
    return page


def _parts(said: Sequence[tuple[float, str]]) -> Iterator[tuple[float, str]]:
    """What was said at once, part by part, without marks of direction."""
    for at, text in said:
        for part in re.sub("[\u2068\u2069]", "", text).split("; "):
            yield at, part


def _spread(names: Sequence[str]) -> Iterator[tuple[float, str]]:
    """Names, each with its share of the time: from a tenth to nine tenths of it."""
    return zip(np.linspace(0.1, 0.9, len(names)).tolist(), names, strict=True)


if __name__ == "__main__":
    main()
