"""Latency of the Sonify tab: a real TensorBoard, a real Chromium, real clicks.

    python -m benchmarks.dashboard [--clicks 50] [--seconds 8] [--json]

Measured, each against its target:

* latency from a click to sound, minus the output latency of the device: with the clip in the
  cache, and with a clip that the server has to render first;
* latency of the first click of a new page, output latency included;
* error of the playhead against the audible position, in every frame during playback;
* time between frames with 50 runs and a heat-map of 200 layers on screen;
* script time per frame while 50 runs of 5,000 points are panned;
* time to build the heat-map of 200 layers x 1,000 steps;
* time until the tab is ready to play, with 10 runs and with 50;
* time to turn a page of the table of 5,000 points, and from a click on another tab of TensorBoard
  to silence at the ear, output latency included;
* seams, loops, swaps and drift of two runs by the player's scheduling, in sample frames, on an
  offline audio context;
* compressed size of the dashboard.
"""

import argparse
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from playwright.sync_api import Browser, sync_playwright
from torch.utils.tensorboard import SummaryWriter

from benchmarks.figure import Figure, show
from tb_sonify import SonifyWriter
from tests.browser import find
from tests.controls import panel
from tests.dashboard import Clip, Dashboard, Place, audible, clips, opened, runs
from tests.offline import Renderer, drift, offline, seam_ratio, swap, wrong_in_loop
from tests.serving import served

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
REST_MS = 250  # between clicks
SETTLE_MS = 500  # nobody clicks within the picture that shows what there is to click


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clicks", type=int, default=50, help="default: 50")
    parser.add_argument("--seconds", type=float, default=8.0, help="of playing, default: 8")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    if options.clicks < 1 or options.seconds <= 0:
        parser.error("--clicks and --seconds must be above 0")
    figures = list(_measure(options.clicks, options.seconds))
    show(figures, as_json=options.json)


def _measure(clicks: int, seconds: float) -> Iterator[Figure]:
    with TemporaryDirectory() as root, sync_playwright() as playwright:
        ten, fifty, long = (Path(root) / name for name in ("ten", "fifty", "long"))
        for number in range(10):
            write_run(ten / f"run-{number}", seed=number, steps=1_000, layers=8)
        for number in range(50):
            write_run(fifty / f"run-{number:02}", seed=number, layers=200 if number < 2 else 2)
            write_scalar(long / f"run-{number:02}", seed=number, points=5_000)
        chromium = playwright.chromium.launch(executable_path=find(), args=list(ARGUMENTS))
        with served(ten) as url:
            yield from _clicks(chromium, url, clicks, seconds)
        with served(fifty) as url:
            yield _ready(chromium, url)
            yield from _playing(chromium, url, seconds)
            yield _leaving(chromium, url)
        with served(long, "--samples_per_plugin", "scalars=5000") as url:
            yield _panning(chromium, url)
            yield _turning(chromium, url)
        with offline(chromium) as render:
            yield from _scheduling(render)
        chromium.close()


def write_run(path: Path, *, seed: int, steps: int = 1_000, layers: int) -> None:
    """A run with norms and a loss, through the public writer."""
    random = np.random.default_rng(seed)
    norms = np.exp(np.cumsum(random.normal(0, 0.1, (steps, layers)), axis=0) * 0.3)
    with SonifyWriter(str(path), scalar_every=steps) as writer:
        for step, row in enumerate(norms):
            named = {f"block{layer // 8}.layer{layer % 8}": row[layer] for layer in range(layers)}
            writer.add_norms(named, step)
            writer.add_scalar("loss/train", 2.3 * 0.998**step + 0.05 * random.random(), step)


def write_scalar(path: Path, *, seed: int, points: int) -> None:
    """A run with a loss alone."""
    random = np.random.default_rng(seed)
    with SummaryWriter(str(path)) as writer:
        for step in range(points):
            writer.add_scalar("loss/train", 2.3 * 0.999**step + 0.05 * random.random(), step)


def _clicks(browser: Browser, url: str, clicks: int, seconds: float) -> Iterator[Figure]:
    first, ready = [], []
    place = None
    for _ in range(6):
        with _page(browser, url) as tab:
            if place is None:
                place = tab.place()  # evaluates, so that this page is used up
                continue
            tab.page.mouse.click(place.x(50), place.y)
            tab.page.wait_for_timeout(800)
            first.append(_delays(tab)[0])
            ready.append(tab.frame.evaluate("window.tap.readyAt"))
    assert place is not None
    known = [clip for run in runs(url) for clip in clips(url, run)]
    yield Figure("first click of a page to sound", tuple(first), "ms", 100, 60)
    with _page(browser, url) as tab:
        tab.page.mouse.click(place.x(500), place.y)
        tab.page.wait_for_timeout(1_000)
        for number in range(clicks):
            tab.page.mouse.click(place.x(505 + 90 * (number % 2) * number / clicks), place.y)
            tab.page.wait_for_timeout(REST_MS)
        latency = tab.frame.evaluate("window.tap.latency()")
        warm = tuple(delay - latency for delay in _delays(tab)[1:])
        tab.frame.evaluate("window.tap.follow()")
        tab.page.wait_for_timeout(1_000 * seconds)
        errors = _playhead_errors(tab, place, known)
    yield Figure("click to sound, beyond output latency", warm, "ms", 95, 20)
    yield Figure("playhead against the ear", tuple(map(abs, errors)), "ms", 95, 5)
    yield Figure("playhead against the ear", tuple(map(abs, errors)), "ms", 100, 36.7)
    with _page(browser, url) as tab:
        for number in range(min(clicks, 9)):  # each in a segment that nobody has asked for
            tab.page.mouse.click(place.x(50 + 100 * ((number * 7) % 10)), place.y)
            tab.page.wait_for_timeout(600)
        cold = _delays(tab)[1:]
    yield Figure("click to sound, clip to be fetched", tuple(cold), "ms", 95, 120)
    yield Figure("ready to play, 10 runs", tuple(ready), "ms", 100, 800)


def _ready(browser: Browser, url: str) -> Figure:
    ready = []
    with _page(browser, url):
        pass  # TensorBoard has read the runs
    for _ in range(5):
        with _page(browser, url) as tab:
            ready.append(tab.frame.evaluate("window.tap.readyAt"))
    return Figure("ready to play, 50 runs x 1,000 points", tuple(ready), "ms", 100, 1_500)


def _playing(browser: Browser, url: str, seconds: float) -> Iterator[Figure]:
    with _page(browser, url) as tab:
        _show_all(tab)
        place = tab.place()
        tab.page.mouse.click(place.x(100), place.y)
        tab.page.wait_for_timeout(1_500)
        frames = tuple(tab.frame.evaluate(_FRAMES, 1_000 * seconds))
        built = tuple(tab.frame.evaluate(_MEASURES, "sonify:heatmap"))
    yield Figure("picture while playing, 50 runs, 200 layers", frames, "ms", 95, 17)
    yield Figure("picture while playing, 50 runs, 200 layers", frames, "ms", 99, 34)
    yield Figure("heat-map of 200 x 1,000 built", built, "ms", 100, 20)


def _scheduling(render: Renderer) -> Iterator[Figure]:
    yield Figure("bend at a seam, against a clean sine", (seam_ratio(render),), "x", 100, 1.05)
    yield Figure("wrong frames in 100 loops", (wrong_in_loop(render),), "frames", 100, 0)
    yield Figure("A against B after ten minutes", (drift(render),), "frames", 100, 1)
    milliseconds, click = swap(render)
    yield Figure("swap of A and B", (milliseconds,), "ms", 100, 30)
    yield Figure("click of a swap", (click,), "dBFS", 100, -60)


def _panning(browser: Browser, url: str) -> Figure:
    with _page(browser, url) as tab:
        _show_all(tab)
        place = tab.place()
        tab.page.mouse.move(place.x(2_500), place.y)
        tab.page.keyboard.down("Control")
        for _ in range(6):
            tab.page.mouse.wheel(0, -120)
        tab.page.keyboard.up("Control")
        tab.page.wait_for_timeout(500)
        tab.frame.evaluate("performance.clearMeasures()")
        tab.page.keyboard.down("Shift")
        for number in range(60):
            tab.page.mouse.wheel(0, 40 if number < 30 else -40)
            tab.page.wait_for_timeout(16)
        tab.page.keyboard.up("Shift")
        drawn = tuple(tab.frame.evaluate(_MEASURES, "sonify:draw"))
    return Figure("script to draw, panning 50 x 5,000", drawn, "ms", 95, 16)


def _turning(browser: Browser, url: str) -> Figure:
    with _page(browser, url) as tab:
        panel(tab.frame, "Table")
        pages = tab.frame.get_by_role("navigation", name="Pages of the table")
        button = pages.get_by_role("button", name="Next")
        turned = tuple(button.evaluate(_TURNED) for _ in range(10))
    return Figure("page of the table turned, 5,000 points", turned, "ms", 50, 100)


def _leaving(browser: Browser, url: str) -> Figure:
    silent = []
    for _ in range(5):
        with _page(browser, url) as tab:
            tab.frame.get_by_role("button", name="Play", exact=True).click()
            tab.wait_for_sound()
            tab.frame.evaluate(_SILENT_AFTER)
            tab.page.get_by_role("tab", name=re.compile("scalars", re.IGNORECASE)).click()
            tab.wait_for("tap.silentAfter !== undefined")
            silent.append(tab.frame.evaluate("tap.silentAfter"))
    return Figure("another tab clicked, to silence at the ear", tuple(silent), "ms", 100, 300)


def _show_all(tab: Dashboard) -> None:
    """Draw the curves of all runs, and wait until they are loaded."""
    tab.frame.get_by_role("button", name="All", exact=True).click()
    tab.page.wait_for_timeout(4_000)


_MEASURES = "name => performance.getEntriesByName(name).map(({ duration }) => duration)"
_FRAMES = """milliseconds => new Promise((resolve) => {
  const gaps = [];
  let last = performance.now();
  const end = last + milliseconds;
  const next = (now) => {
    gaps.push(now - last);
    last = now;
    if (now < end) requestAnimationFrame(next);
    else resolve(gaps.slice(1));
  };
  requestAnimationFrame(next);
})"""
_TURNED = """button => new Promise(done => {
  const start = performance.now();
  button.click();
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
})"""
_SILENT_AFTER = """() => {
  let clickedAt = null;
  const origin = parent.performance.timeOrigin - performance.timeOrigin;
  const clicked = ({ timeStamp }) => { clickedAt = origin + timeStamp; };
  parent.addEventListener("click", clicked, { capture: true, once: true });
  const timer = setInterval(() => {
    if (clickedAt === null || tap.level() > 1e-5) return;
    clearInterval(timer);
    // From the samples, as TensorBoard blocks all timers while it builds its other tab.
    tap.silentAfter = tap.endedAt() - clickedAt;
  }, 5);
}"""
_MARKS = """() => ["gesture", "sound"].map((name) =>
  performance.getEntriesByName(`sonify:${name}`).map(({ startTime }) => startTime))"""


def _delays(tab: Dashboard) -> list[float]:
    """Latency of each gesture whose sound started before the next gesture."""
    gestures, sounds = tab.frame.evaluate(_MARKS)
    ends = [*gestures[1:], float("inf")]
    heard = [
        (gesture, [sound for sound in sounds if gesture < sound < end])
        for gesture, end in zip(gestures, ends, strict=True)
    ]
    return [sounds[0] - gesture for gesture, sounds in heard if sounds]


def _playhead_errors(tab: Dashboard, place: Place, known: list[Clip]) -> list[float]:
    """Difference between playhead and audible note in each frame, in ms of sound."""
    report = tab.report()
    box = tab.frame.locator(".timeline").bounding_box()
    assert box is not None
    note_ms = 1000 * known[0].hop / known[0].rate
    errors = []
    for move in report["moves"]:
        shown = place.step(box["x"] + float(move["transform"].removeprefix("translateX(")[:-3]))
        errors.append(note_ms * (shown - audible(report, move, known)[1]))
    return errors


@contextmanager
def _page(browser: Browser, url: str) -> Iterator[Dashboard]:
    """A page that is ready to play."""
    with opened(browser, url) as tab:
        tab.wait_until_ready()
        tab.page.wait_for_timeout(SETTLE_MS)
        yield tab


if __name__ == "__main__":
    main()
