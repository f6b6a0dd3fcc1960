"""No violation of WCAG 2.0 A to 2.2 AA, or of best practice, that axe-core can find in the tab."""

import pytest
from playwright.sync_api import expect

from tests.axe import small_targets
from tests.broken_run import write_run
from tests.controls import KNOWN, panel
from tests.dashboard import WAIT_MS
from tests.looks import look


def write_runs(logdir):
    write_run(logdir / "broken", broken=True)
    write_run(logdir / '<b onclick="x">calm</b> \u202e', broken=False)


@pytest.fixture
def open_page(serve_once, open_tab):
    """Opens the dashboard without TensorBoard's frame, as somebody with a screen reader may."""

    def opened(**options):
        page = open_tab(serve_once(write_runs), **options).page
        page.locator(KNOWN).wait_for(timeout=WAIT_MS)
        return page

    return opened


@pytest.mark.parametrize(
    ("state", "keys"),
    [
        ("rest", []),
        ("playing", ["n", "+", "Space"]),
        ("help", ["h"]),
        ("options", ["o"]),
        ("description", ["d"]),
    ],
)
def test_axe_finds_nothing(open_page, state, keys):
    page = open_page()
    page.locator(".timeline").focus()
    for key in keys:
        page.keyboard.press(key)
    if state == "playing":
        expect(page.locator(".timeline")).to_have_attribute("data-state", "playing")
    else:
        expect(page.locator("dialog[open]")).to_have_count(len(keys))
    look(page, f"axe-{state}")


def test_axe_finds_nothing_in_what_can_be_unfolded(open_page):
    page = open_page()
    unfold(page)
    look(page, "axe-unfolded")


@pytest.mark.parametrize("colours", ["none", "active"])
def test_at_320_pixels_nothing_is_scrolled_sideways_and_no_target_is_small(open_page, colours):
    page = open_page(viewport={"width": 320, "height": 640}, forced_colors=colours)
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert small_targets(page) == []
    for key in "hod":
        page.locator(".timeline").focus()
        page.keyboard.press(key)
        dialog = page.locator("dialog[open]")
        assert dialog.evaluate("dialog => dialog.scrollWidth - dialog.clientWidth") == 0
        assert small_targets(page) == []
        page.keyboard.press("Escape")


def unfold(page):
    """Open the panels with a table and with the log, and the menu of the view over them."""
    panel(page, "Log")
    panel(page, "Table")
    page.get_by_role("button", name="View", exact=True).click()
