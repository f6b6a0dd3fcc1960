"""The Sonify tab in a real Chromium, and what can be heard and seen there, in plain numbers."""

import io
import json
import re
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import numpy as np
from playwright.sync_api import Browser, Frame, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from tb_sonify.schema.block import decode_block
from tb_sonify.site.requests import spans_of
from tests.pages import POLL_MS, fresh_page

TAP = Path(__file__).with_name("tap.js").read_text()
SNIPPET = slice(2000, 2064)  # as in tap.js
SOUNDS = "tap.heard() && tap.runs()"
ALERT = "[role=alert]"
WAIT_MS = 120_000
TAB, ALONE = "#sonify", "data/plugin_entry.html?name=sonify"


@dataclass(frozen=True)
class Place:
    """Where the plot is on the page, in CSS pixels, and which steps it shows."""

    left: float
    width: float
    y: float
    first_step: float
    last_step: float

    def x(self, step: float) -> float:
        along = (step - self.first_step) / (self.last_step - self.first_step)
        return self.left + along * self.width

    def step(self, x: float) -> float:
        along = (x - self.left) / self.width
        return self.first_step + along * (self.last_step - self.first_step)


@dataclass(frozen=True)
class Clip:
    """A clip as the server sends it: `snippet` recognises it."""

    run: str
    first_note: int
    hop: int
    rate: int
    snippet: np.ndarray


class Dashboard:
    """A page that shows the tab; nothing is evaluated in it before it is asked to."""

    problems: list[str] = []  # noqa: RUF012

    def __init__(self, page: Page) -> None:
        self.page = page
        self.said: list[str] = []
        self.loads = 0
        page.on("console", lambda message: self.said.append(message.text))
        page.on("framenavigated", self._count)
        page.add_init_script(TAP)

    def wait_until_ready(self) -> str:
        """Wait for a clip to play and for a layout that rests, without a gesture.

        Gives what the tap says of the page: whether it was used, and where the timeline is.
        """
        while True:
            # Now and then TensorBoard loads the frame a second time, soon after the first.
            ready = [text for text in self.said if text.startswith("tap: ready")]
            if 0 < len(ready) == self.loads:
                return ready[-1]
            try:
                self.page.wait_for_event("console", timeout=WAIT_MS)
            except PlaywrightTimeoutError as error:
                said = f"the tab must have a clip to play, it said {self.said}"
                raise AssertionError(said) from error

    @property
    def frame(self) -> Frame:
        return next(frame for frame in self.page.frames if "plugin_entry" in frame.url)

    def place(self) -> Place:
        """Where the plot is; this evaluates."""
        timeline = self.frame.locator(".timeline")
        plot = self.frame.locator(".blocks").first.bounding_box()
        box = timeline.bounding_box()
        assert plot is not None
        assert box is not None
        return Place(plot["x"], plot["width"], box["y"] + box["height"] / 3, *self.seen())

    def seen(self) -> tuple[float, float]:
        """The first and the last step that are seen; this evaluates."""
        label = self.frame.locator(".timeline").get_attribute("aria-label") or ""
        first, last = (float(text.replace(",", "")) for text in re.findall(r"[\d,.]+", label))
        return first, last

    def heard_from(self) -> float:
        """The step at which what is heard has begun; this evaluates, and waits for a sound."""
        marks = "performance.getEntriesByName('sonify:sound')"
        self.frame.wait_for_function(f"{marks}.length > 0", timeout=WAIT_MS)
        return float(self.frame.evaluate(f"{marks}.at(-1).detail.step"))

    def report(self) -> dict[str, Any]:
        """What the tap has noted so far."""
        report: dict[str, Any] = self.frame.evaluate("window.tap.report()")
        return report

    def levels_over(self, seconds: float) -> list[list[float]]:
        """Root mean square at the left and the right ear, again and again meanwhile."""
        levels = self.frame.wait_for_function(f"tap.levelsOver({seconds})", timeout=WAIT_MS)
        found: list[list[float]] = levels.json_value()
        return found

    def wait_for_sound(self, *, silence: bool = False) -> None:
        """Wait until something has gone to the loudspeaker, or until nothing does."""
        self.wait_for("tap.silent()" if silence else SOUNDS)

    def wait_for_answer(self) -> None:
        """Wait until what the latest gesture has started is at the ear."""
        self.wait_for(f"tap.answered() && {SOUNDS}")

    def rest(self) -> None:
        """Wait until what is seen was asked for, answered and drawn."""
        self.frame.wait_for_function("tap.rest()", timeout=WAIT_MS)

    def wait_for(self, condition: str) -> None:
        """Wait for a condition on the tap."""
        try:
            self.frame.wait_for_function(condition, timeout=WAIT_MS, polling=POLL_MS)
        except PlaywrightTimeoutError as error:
            raise AssertionError(f"{condition} must hold; tapped: {self.report()}") from error

    def _count(self, frame: Frame) -> None:
        self.loads += "plugin_entry" in frame.url


@contextmanager
def opened(browser: Browser, url: str, *, path: str = TAB, **options: Any) -> Iterator[Dashboard]:
    """The tab in a fresh page, or the dashboard without TensorBoard's frame; it may not complain.

    Options are those of `fresh_page`.
    """
    with fresh_page(browser, **options) as page:
        tab = Dashboard(page)
        page.goto(f"{url}{path}")
        yield tab


def clips(url: str, run: str, **view: Any) -> list[Clip]:
    """All clips of a run with the first preset, as the tab asks for them."""
    coverage = decode_block(fetch(url, "coverage", run=run, **view))
    preset = coverage.header["presets"][0]
    found = []
    for first_note, notes in spans_of(coverage, preset):
        span = {"first_note": first_note, "notes": notes}
        data = fetch(url, "clip", run=run, preset=preset["name"], **span, **view)
        with wave.open(io.BytesIO(data)) as wav:
            pcm = np.frombuffer(wav.readframes(wav.getnframes()), "<i2")
            snippet = pcm.reshape(-1, wav.getnchannels())[SNIPPET, 0] / 32768
        hop, rate = preset["hop"], preset["sample_rate"]
        found.append(Clip(run, first_note, hop, rate, snippet))
    return found


def fetch(url: str, route: str, **query: Any) -> bytes:
    with urlopen(f"{url}data/plugin/sonify/{route}?{urlencode(query)}") as response:
        return bytes(response.read())


def runs(url: str) -> list[str]:
    return [run["run"] for run in json.loads(fetch(url, "runs"))["runs"]]


def first_sound(report: dict[str, Any], after: float) -> float:
    """When the first clip that was started after that time comes out, in ms of the page."""
    heard = [at(report, begun["when"]) for begun in report["starts"]]
    return min(time for time in heard if time > after)


def at(report: dict[str, Any], context_time: float) -> float:
    """Time of the page, in ms, at which a moment of the audio clock is at the ear."""
    return float(report["performanceTime"] + 1000 * (context_time - report["contextTime"]))


def audible(report: dict[str, Any], moment: dict[str, Any], known: list[Clip]) -> tuple[str, float]:
    """The run that is at the ear at a moment, and the note, with a fraction."""
    elapsed = (moment["now"] - moment["performanceTime"]) / 1000
    now = moment["contextTime"] + elapsed
    begun = [each for each in report["starts"] if each["when"] <= now < each["end"]]
    latest = max(begun, key=lambda each: each["when"])
    clip = recognised(latest["snippet"], known)
    seconds = latest["offset"] + now - latest["when"]
    return clip.run, clip.first_note + seconds * clip.rate / clip.hop


def recognised(snippet: list[float], known: list[Clip]) -> Clip:
    (clip,) = [clip for clip in known if np.abs(clip.snippet - snippet).max() < 1.5 / 32768]
    return clip
