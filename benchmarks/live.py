"""Following a long run that still grows: a real TensorBoard, a real Chromium.

    python -m benchmarks.live [--steps 1000000] [--layers 20] [--rate 300] [--seconds 60] [--json]

The public writer logs `--steps` steps, and then `--rate` rows per second, flushed twice a second.
The tab must show new rows within TensorBoard's reload interval, which is one second here, and two
seconds more, without interaction: first while paused, then while playing from the start. At
the end it follows the run. Requests and the bytes of their responses are counted.
"""

import argparse
import math
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Request, sync_playwright

from benchmarks.dashboard import ARGUMENTS
from benchmarks.figure import Figure, show
from benchmarks.logs_of_size import LOSS, LOSS_EVERY, series
from benchmarks.storage import names
from tb_sonify import SonifyWriter
from tests.browser import find
from tests.dashboard import Dashboard, opened
from tests.growing import last_step, meanwhile
from tests.serving import served

FLUSH_SECONDS = 0.5
LOOK_SECONDS = 0.1
DELAY_SECONDS = 3  # TensorBoard's reload interval, and two more


def main() -> None:
    """Write the run, watch it grow and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--layers", type=int, default=20)
    parser.add_argument("--rate", type=int, default=300, help="rows a second, once it is watched")
    parser.add_argument("--seconds", type=float, default=60, help="standing still, and playing")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    with TemporaryDirectory() as logdir, sync_playwright() as playwright:
        training = Training(Path(logdir) / "run", options.layers)
        training.log(options.steps)
        training.flush()
        chromium = playwright.chromium.launch(executable_path=find(), args=list(ARGUMENTS))
        with served(Path(logdir)) as url, opened(chromium, url) as tab:
            tab.wait_until_ready()
            while last_step(tab) < options.steps - 1:
                tab.page.wait_for_timeout(500)
            with training.going_on(options.rate):
                figures = [*_watched(tab, training, options.seconds, playing=False)]
                tab.frame.get_by_role("button", name="Play", exact=True).click()
                tab.wait_for_sound()
                figures += _watched(tab, training, options.seconds, playing=True)
                figures.append(_followed(tab, training, options.seconds))
        chromium.close()
    show(figures, as_json=options.json)


class Training:
    """Writes rows.

    Attributes
    ----------
    stored
        Times at which the event file held all rows up to a step.
    """

    def __init__(self, path: Path, layers: int) -> None:
        self.stored: list[tuple[float, int]] = []
        self._writer = SonifyWriter(str(path))
        self._names = names(layers)
        self._rows = _rows(layers)
        self._step = 0

    def log(self, rows: int) -> None:
        """Log some rows."""
        for _, row in zip(range(rows), self._rows, strict=False):
            self._writer.add_norms(dict(zip(self._names, row.tolist(), strict=True)), self._step)
            if self._step % LOSS_EVERY == 0:
                self._writer.add_scalar(LOSS, 0.3 + 2 / (1 + self._step / 1e5), self._step)
            self._step += 1

    def flush(self) -> None:
        """Flush the writer."""
        self._writer.flush()
        self.stored.append((time.monotonic(), self._step - 1))

    @contextmanager
    def going_on(self, rate: int) -> Iterator[None]:
        """Log rows at a constant rate in the background; close the writer at the end."""
        start, first = time.monotonic(), self._step

        def train(ended: threading.Event) -> None:
            while not ended.wait(FLUSH_SECONDS):
                self.log(first + round(rate * (time.monotonic() - start)) - self._step)
                self.flush()

        try:
            with meanwhile(train):
                yield
        finally:
            self._writer.close()


def _watched(
    tab: Dashboard, training: Training, seconds: float, *, playing: bool
) -> Iterator[Figure]:
    """Delay of the tab, its requests, and interruptions of playback."""
    how = "playing" if playing else "standing still"
    asked: list[Request] = []

    def note(request: Request) -> None:
        asked.append(request)

    tab.page.on("requestfinished", note)
    timeline = tab.frame.locator(".timeline")
    before = timeline.get_attribute("data-step")
    silent = looks = 0
    delays: list[float] = []
    waiting = len(training.stored)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        reached, now = last_step(tab), time.monotonic()
        while waiting < len(training.stored) and training.stored[waiting][1] <= reached:
            delays.append(now - training.stored[waiting][0])
            waiting += 1
        if playing:
            silent += tab.frame.evaluate("tap.level() < 1e-5")
        looks += 1
        tab.page.wait_for_timeout(1_000 * LOOK_SECONDS)
    overdue = [time.monotonic() - at for at, _ in training.stored[waiting:]]
    delays += [age for age in overdue if age > DELAY_SECONDS]
    tab.page.remove_listener("requestfinished", note)
    for percentile in (50, 95, 100):
        yield Figure(f"behind, {how}", tuple(delays), "s", percentile, DELAY_SECONDS)
    if playing:
        state = timeline.get_attribute("data-state")
        yield Figure("silent moments", (silent,), f"of {looks}", 100, 2)
        yield Figure("sound stopped", (float(state != "playing"),), "", 100, 0)
    else:
        moved = timeline.get_attribute("data-step") != before
        yield Figure("playhead moved", (float(moved),), "", 100, 0)
    yield from _traffic(asked, seconds, how)


def _followed(tab: Dashboard, training: Training, seconds: float) -> Figure:
    """Whether following stays at the live end, and goes on."""
    tab.frame.get_by_role("button", name="Follow").click()
    first = training.stored[-1][1]
    tab.page.wait_for_timeout(1_000 * seconds)
    timeline = tab.frame.locator(".timeline")
    state, step = timeline.get_attribute("data-state"), timeline.get_attribute("data-step")
    lost = state not in ("playing", "waiting") or float(step or 0) <= first
    return Figure("following lost", (float(lost),), "", 100, 0)


def _traffic(asked: list[Request], seconds: float, how: str) -> Iterator[Figure]:
    count, volume, clips = Counter[str](), Counter[str](), Counter[str]()
    for request in asked:
        route = request.url.split("?")[0].rpartition("/")[2]
        sizes: Any = request.sizes()
        count[route] += 1
        volume[route] += sizes["responseBodySize"]
        clips[request.url] += route == "clip"
    twice = sum(times - 1 for times in clips.values() if times > 1)
    yield Figure(f"clips asked for again, {how}", (twice,), "", 100, 0)
    yield Figure(f"all, {how}", (count.total() / seconds,), "requests/s", 100, math.nan)
    yield Figure(f"all, {how}", (volume.total() / seconds / 1024,), "KiB/s", 100, math.nan)
    for route, times in count.most_common():
        kib = volume[route] / times / 1024
        yield Figure(f"{route}, {how}: {times} requests", (kib,), "KiB each", 100, math.nan)


def _rows(layers: int) -> Iterator[NDArray[np.float64]]:
    for seed in range(2**31):
        for part in series(1_000_000, layers, seed=seed):
            yield from part


if __name__ == "__main__":
    main()
