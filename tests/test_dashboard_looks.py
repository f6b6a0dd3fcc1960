"""The dashboard in the dark, in forced colours, without motion, and on a narrow screen."""

import re

import pytest
from playwright.sync_api import expect

from tests import dashboard
from tests.axe import small_targets, violations
from tests.dashboard import WAIT_MS
from tests.looks import look, photograph
from tests.serving import served
from tests.state_runs import NAN_AT, write_run


@pytest.fixture
def two_runs(logdir):
    write_run(logdir / "adam", spike=True)
    write_run(logdir / "sgd", nan_from=NAN_AT, seed=1)


@pytest.mark.usefixtures("two_runs")
def test_it_is_dark_where_tensorboard_is(browser, logdir):
    with served(logdir) as url, dashboard.opened(browser, url) as tab:
        tab.wait_until_ready()
        root = tab.frame.locator(":root")
        expect(root).to_have_attribute("data-theme", "light")
        photograph(tab.page, "in-tensorboard-light")
        assert violations(tab.frame) == []
        tab.page.get_by_role("button", name=re.compile("dark|theme", re.IGNORECASE)).first.click()
        tab.page.get_by_role("menuitem", name=re.compile("dark", re.IGNORECASE)).click()
        expect(root).to_have_attribute("data-theme", "dark")
        tab.page.wait_for_timeout(500)
        photograph(tab.page, "in-tensorboard-dark")
        assert violations(tab.frame) == []


@pytest.mark.usefixtures("two_runs")
def test_in_forced_colours_nothing_is_told_by_colour_alone(show):
    tab = show(forced_colors="active")
    look(tab.page, "forced-colours")
    assert "CanvasText" in tab.page.evaluate("document.querySelector('.legend line').outerHTML")


@pytest.mark.usefixtures("two_runs")
def test_with_reduced_motion_nothing_moves_by_itself_but_the_playhead(show):
    tab = show(reduced_motion="reduce")
    tab.frame.get_by_role("button", name="Play", exact=True).click()
    tab.wait_for_sound()
    tab.frame.evaluate("window.tap.follow()")
    tab.page.wait_for_timeout(2_000)
    moves = tab.report()["moves"]
    assert 0 < len(moves) <= 10  # 4 a second
    moving = "document.getAnimations().filter(each => each.playState === 'running').length"
    assert tab.page.evaluate(moving) == 0
    look(tab.page, "reduced-motion")


@pytest.mark.usefixtures("two_runs")
@pytest.mark.parametrize("width", [320, 600, 860, 1100])
def test_on_a_narrow_screen_the_page_is_not_scrolled_sideways(show, width):
    tab = show(viewport={"width": width, "height": 900})
    look(tab.page, f"width-{width}")
    assert tab.page.evaluate("document.documentElement.scrollWidth") == width
    assert small_targets(tab.page) == []
    if width == 320:
        tab.page.screenshot(full_page=True)


@pytest.mark.usefixtures("two_runs")
def test_a_page_of_320_pixels_can_be_read_to_its_end(show):
    tab = show(viewport={"width": 320, "height": 3_000})
    expect(tab.page.locator(".curve canvas")).to_be_visible(timeout=WAIT_MS)
    look(tab.page, "tall-320")
