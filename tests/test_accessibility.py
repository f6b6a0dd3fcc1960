"""No violation of WCAG 2.0 A to 2.2 AA, or of best practice, that axe-core can find in the tab."""

from contextlib import contextmanager

import pytest

from tests import dashboard
from tests.axe import small_targets, violations
from tests.broken_run import write_run
from tests.pages import fresh_page
from tests.serving import served


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    logdir = tmp_path_factory.mktemp("runs")
    write_run(logdir / "broken", broken=True)
    write_run(logdir / '<b onclick="x">calm</b> \u202e', broken=False)
    with served(logdir) as url:
        yield url


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "keys",
    [[], ["n", "+", "Space"], ["h"], ["o"], ["d"]],
    ids=["rest", "playing", "help", "options", "description"],
)
def test_axe_finds_nothing(url, browser, scheme, keys):
    # Without TensorBoard's frame, as somebody with a screen reader may open it.
    with opened(browser, url, color_scheme=scheme) as page:
        page.locator(".timeline").focus()
        for key in keys:
            page.keyboard.press(key)
            page.wait_for_timeout(300)
        assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_what_can_be_unfolded(url, browser, scheme):
    with opened(browser, url, color_scheme=scheme) as page:
        unfold(page)
        assert violations(page) == []


@pytest.mark.parametrize("colours", ["none", "active"])
def test_at_320_pixels_nothing_is_scrolled_sideways_and_no_target_is_small(url, browser, colours):
    options = {"viewport": {"width": 320, "height": 640}, "forced_colors": colours}
    with opened(browser, url, **options) as page:
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


@contextmanager
def opened(browser, url, **options):
    with fresh_page(browser, **options) as page:
        page.goto(f"{url}{dashboard.ALONE}")
        page.locator(".events button").first.wait_for(timeout=dashboard.WAIT_MS)
        yield page


def unfold(page):
    """Open the table, the log, and the menu of places to go to."""
    page.get_by_role("button", name="Table", exact=True).click()
    page.get_by_text("What has happened").click()
    page.locator("summary", has_text="Go to").click()
