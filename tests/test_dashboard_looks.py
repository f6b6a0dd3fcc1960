"""The dashboard in the dark, in forced colours, without motion, and on a narrow screen."""

import re

import pytest
from playwright.sync_api import expect

from tests.axe import small_targets, violations
from tests.dashboard import TAB, WAIT_MS
from tests.looks import SETTLE, look, photograph
from tests.state_runs import write_two_runs


@pytest.fixture
def url(serve_once):
    return serve_once(write_two_runs)


def test_it_is_dark_where_tensorboard_is(url, open_tab):
    tab = open_tab(url, path=TAB)
    root = tab.frame.locator(":root")
    expect(root).to_have_attribute("data-theme", "light")
    photograph(tab.page, "in-tensorboard-light")
    assert violations(tab.frame) == []
    tab.page.get_by_role("button", name=re.compile("dark|theme", re.IGNORECASE)).first.click()
    tab.page.get_by_role("menuitem", name=re.compile("dark", re.IGNORECASE)).click()
    expect(root).to_have_attribute("data-theme", "dark")
    tab.frame.wait_for_function(SETTLE)
    photograph(tab.page, "in-tensorboard-dark")
    assert violations(tab.frame) == []


def test_in_forced_colours_nothing_is_told_by_colour_alone(url, open_tab):
    tab = open_tab(url, forced_colors="active")
    look(tab.page, "forced-colours")
    assert "CanvasText" in tab.page.evaluate("document.querySelector('.legend line').outerHTML")


def test_with_reduced_motion_nothing_moves_by_itself_but_the_playhead(url, open_tab):
    tab = open_tab(url, reduced_motion="reduce")
    tab.frame.get_by_role("button", name="Play", exact=True).click()
    tab.wait_for_sound()
    tab.frame.evaluate("window.tap.follow()")
    tab.frame.wait_for_function("tap.moves.length >= 8", timeout=WAIT_MS)
    report = tab.report()
    moves = report["moves"]
    assert len(moves) <= 2 + (report["now"] - moves[0]["now"]) / 250  # 4 a second
    moving = "document.getAnimations().filter(each => each.playState === 'running').length"
    assert tab.page.evaluate(moving) == 0
    look(tab.page, "reduced-motion")


@pytest.mark.parametrize("width", [320, 600, 860, 1100])
def test_on_a_narrow_screen_the_page_is_not_scrolled_sideways(url, open_tab, width):
    tab = open_tab(url, viewport={"width": width, "height": 900})
    look(tab.page, f"width-{width}")
    assert tab.page.evaluate("document.documentElement.scrollWidth") == width
    assert small_targets(tab.page) == []
    if width == 320:
        tab.page.screenshot(full_page=True)


def test_a_page_of_320_pixels_can_be_read_to_its_end(url, open_tab):
    tab = open_tab(url, viewport={"width": 320, "height": 3_000})
    expect(tab.page.locator(".curve canvas")).to_be_visible(timeout=WAIT_MS)
    look(tab.page, "tall-320")
