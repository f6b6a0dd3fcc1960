"""The dashboard without TensorBoard's frame, in a page of its own, steered by the keyboard."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, expect

from tb_sonify import SonifyWriter
from tests.controls import KNOWN
from tests.dashboard import ALONE, WAIT_MS
from tests.pages import fresh_page

STEPS, SPIKE_AT = 400, 120


def write_run(path: Path, *, depth: float, lowest: int, highest: int, steps: int = STEPS) -> None:
    """A run with a spike, and a loss that is lowest and highest where it is told to be."""
    random = np.random.default_rng(3)
    norms = np.exp(random.normal(-1, 0.1, (steps, 3)))
    norms[SPIKE_AT, 1] *= 1e4
    loss = np.full(steps, 2.0)
    loss[lowest], loss[highest] = 1 / depth, 2 + depth
    with SonifyWriter(str(path)) as writer:
        for step, row in enumerate(norms):
            writer.add_norms({f"block.{layer}": norm for layer, norm in enumerate(row)}, step)
            writer.add_scalar("loss", loss[step], step)


LOWEST, HIGHEST = {"a": 250, "b": 90, "c": 60}, {"a": 30, "b": 310, "c": 70}


def write_three_runs(logdir: Path) -> None:
    """Write the runs a, b and c, whose curves are lowest and highest at steps of their own."""
    for name, depth in (("a", 2), ("b", 4), ("c", 8)):
        write_run(logdir / name, depth=depth, lowest=LOWEST[name], highest=HIGHEST[name])


class Screen:
    """The dashboard in a page of its own, with the focus on the timeline."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.kept = False  # whether all but the step is as the latest link has it
        self.timeline = page.locator(".timeline")
        self.status = page.locator(".status")

    def open(self, **link: Any) -> None:
        """Open what a link holds: at step 50, unless told otherwise."""
        self.kept = False
        held = {"a": "a", "b": "b", "step": 50, **link}
        values = "&".join(f"p.sonify.{name}={value}" for name, value in held.items())
        self.page.goto("about:blank")
        self.page.goto(f"{self.url}{ALONE}#{values}")
        self.page.locator(KNOWN).wait_for(timeout=WAIT_MS)
        self.page.locator(".blocks .here").first.wait_for(timeout=WAIT_MS)
        self.page.locator(".position[aria-valuetext*=loss]").wait_for(timeout=WAIT_MS)
        self.timeline.focus()

    def open_at(self, step: float = 50) -> None:
        """Open at a step; what was opened before is gone on with, where it was kept."""
        if not self.kept:
            self.open(step=step)
            return
        self.kept = False
        self.press("g")
        self.page.keyboard.type(str(step))
        self.press("Enter")
        self.stands(step=step)
        expect(self.timeline).to_be_focused()

    def press(self, *chords: str) -> None:
        for chord in chords:
            self.page.keyboard.press(chord.replace("Ctrl", "Control"))

    def stands(
        self, *, step: float | None = None, state: str | None = None, run: str | None = None
    ) -> None:
        """Expect the playhead, what it does, and the run that is heard."""
        expected = {
            "data-step": None if step is None else f"{step:.2f}",
            "data-state": state,
            "data-run": run,
        }
        for name, value in expected.items():
            if value is not None:
                expect(self.timeline).to_have_attribute(name, value, timeout=WAIT_MS)

    def says(self, text: str) -> None:
        expect(self.status).to_contain_text(text)

    def seen(self) -> tuple[float, float]:
        """The first and the last step that are seen."""
        label = self.timeline.get_attribute("aria-label")
        first, last = (float(text.replace(",", "")) for text in re.findall(r"[\d,.]+", label))
        return first, last


@contextmanager
def opened_screen(browser: Browser, url: str) -> Iterator[Screen]:
    """A fresh page, with nothing open in it yet."""
    with fresh_page(browser) as page:
        yield Screen(page, url)
