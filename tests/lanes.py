"""Runs for the lanes of layers, and what the lanes of a tab show of them."""

from pathlib import Path

import numpy as np
from playwright.sync_api import Locator

from tests.dashboard import WAIT_MS, Dashboard
from tests.logs import run_events, scalar_events, write_events

STEPS = 400
LAYERS = ("conv", "block1.a", "block1.b", "block2.a", "block2.b", "head")
SPIKE_AT, INF, NAN_AT = 120, slice(200, 220), 300
LIGHT_NAN, LIGHT_INF, LIGHT_ALONE, GROUND = [179, 38, 30], [20] * 3, [110] * 3, [255] * 3
PIXEL = """(canvas, [x, y]) => [...canvas.getContext("2d").getImageData(
    Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1).data].slice(0, 3)"""


def known_norms() -> np.ndarray:
    """Norms of `LAYERS`: 2 but for a spike, a stretch of infinities, and NaN from a step on."""
    norms = np.full((STEPS, len(LAYERS)), 2, np.float32)
    norms[:, 0] = 0.5 + np.arange(STEPS) % 7
    norms[SPIKE_AT, 2] = 2_000
    norms[INF, 4] = np.inf
    norms[NAN_AT:, 3] = np.nan
    return norms


def write_known(root: Path) -> None:
    """Run A as above; run B: a quarter of A, without its last layer; run C, without norms."""
    write(root / "a", known_norms(), LAYERS)
    quarter = np.full((STEPS, len(LAYERS) - 1), 0.5, np.float32)
    quarter[:, 1] = 8
    quarter[:, 2] = 2
    write(root / "b", quarter, LAYERS[:-1])
    write_events(root / "c", scalar_events("loss", [(step, 1.0) for step in range(STEPS)]))


def write(path: Path, norms: np.ndarray, layers: tuple[str, ...]) -> None:
    """A run with these norms, and a loss."""
    losses = [(step, 2.3 * 0.99**step) for step in range(len(norms))]
    events = run_events(norms, np.arange(len(norms)), layers=layers)
    write_events(path, [*events, *scalar_events("loss", losses)])


class Lanes:
    """The lanes of a tab that is ready."""

    def __init__(self, tab: Dashboard) -> None:
        self.tab = tab
        self.frame = tab.frame
        self.press = tab.page.keyboard.press
        self.status = self.frame.locator(".status")
        self.lane("a").locator("canvas").wait_for(timeout=WAIT_MS)
        self.rest()

    def lane(self, name: str) -> Locator:
        """One of ``a``, ``b`` and ``difference``."""
        return self.frame.locator(f".heatmap.{name}")

    def rest(self) -> None:
        """Wait until what is seen was asked for, answered and painted."""
        self.tab.rest()

    def tab_to(self, name: str) -> Locator:
        """Go to a lane by the Tab key alone, from the timeline."""
        self.frame.locator(".timeline").focus()
        lane = self.lane(name)
        for _ in range(8):
            self.press("Tab")
            if lane.evaluate("lane => lane === document.activeElement"):
                return lane
        raise AssertionError(f"no Tab leads from the timeline to the lane {name}")

    def row(self, name: str) -> str:
        """The row that the keys of a lane are about, as it is named."""
        label = self.lane(name).get_attribute("aria-label") or ""
        return label.translate({0x2068: None, 0x2069: None})

    def colours(self, name: str, step: float, along: float, pixels: int = 12) -> list[list[int]]:
        """The colours of a few pixels from a step on, so far down the lane, 0 to 1."""
        canvas = self.lane(name).locator("canvas")
        width = canvas.evaluate("canvas => canvas.width")
        place = self.tab.place()
        x = (step + 0.5 - place.first_step) / (place.last_step - place.first_step)
        return [canvas.evaluate(PIXEL, [x + shift / width, along]) for shift in range(pixels)]

    def painted(self) -> int:
        """How often a lane was painted."""
        return self.frame.evaluate("performance.getEntriesByName('sonify:heatmap').length")


def seen_row(row: int, rows: int) -> float:
    """How far down a lane the middle of a row is."""
    return (row + 0.5) / rows
