"""Sound that is late, cannot be had, or is not allowed."""

import pytest
from playwright.sync_api import expect

from tests import dashboard
from tests.dashboard import ALERT, ALONE, WAIT_MS
from tests.looks import look
from tests.pages import fail, fresh_page, routed, wait_until
from tests.state_runs import write_two_runs

FAILED = r"status of 500"


@pytest.fixture
def url(serve_once):
    return serve_once(write_two_runs)


def test_a_clip_that_cannot_be_had_stops_the_sound_and_says_why(url, open_tab):
    tab = open_tab(url, expected=[FAILED])
    routed(tab.page, "clip", fail)
    place = tab.place()
    tab.page.mouse.click(place.x(350), place.y)
    expect(tab.page.locator(ALERT)).to_contain_text("could not be loaded", timeout=WAIT_MS)
    expect(tab.page.locator(ALERT)).to_contain_text("the disk is on fire")
    expect(tab.page.locator(".timeline")).to_have_attribute("data-state", "paused")
    look(tab.page, "clip-fails")
    tab.page.unroute_all(behavior="wait")
    tab.page.mouse.click(place.x(350), place.y)
    tab.wait_for_sound()
    assert tab.page.locator(ALERT).inner_text() == ""


def test_slow_clips_are_waited_for_in_sight(url, open_tab):
    tab = open_tab(url)
    place = tab.place()
    routed(tab.page, "clip", lambda _: None)
    tab.page.mouse.click(place.x(350), place.y)
    expect(tab.page.get_by_text("Loading sound…")).to_be_visible()
    expect(tab.page.locator(".timeline")).to_have_attribute("data-state", "waiting")
    tab.page.unroute_all(behavior="ignoreErrors")  # those that are held go on
    tab.wait_for_sound()


def test_sound_that_the_browser_refuses_is_told_and_can_be_had_by_a_gesture(url, browser):
    with fresh_page(browser) as page:
        # Without a device, or before a gesture that counts, a browser does not let it run.
        page.add_init_script("AudioContext.prototype.resume = () => new Promise(() => {})")
        page.add_init_script(
            """AudioContext = class extends AudioContext {
              constructor(options) { super(options); this.suspend(); }
            }"""
        )
        page.goto(f"{url}{ALONE}")
        page.locator(".blocks .here").first.wait_for(timeout=WAIT_MS)
        page.get_by_role("button", name="Play", exact=True).click()
        expect(page.locator(ALERT)).to_contain_text("keeps the sound off", timeout=WAIT_MS)
        expect(page.locator(".timeline")).to_have_attribute("data-state", "paused")
        look(page, "audio-locked")


@pytest.mark.parametrize("how", ["suspend", "close"])
def test_sound_that_is_taken_away_is_told_and_comes_back(url, open_tab, how):
    tab = open_tab(url)
    tab.page.get_by_role("button", name="Play", exact=True).click()
    tab.wait_for_sound()
    tab.frame.evaluate(f"tap.context().{how}()")
    expect(tab.page.locator(ALERT)).to_contain_text("was interrupted", timeout=WAIT_MS)
    expect(tab.page.locator(".timeline")).to_have_attribute("data-state", "paused")
    if how == "suspend":
        look(tab.page, "audio-interrupted")
    tab.page.get_by_role("button", name="Play", exact=True).click()
    tab.wait_for_sound()
    assert tab.page.locator(ALERT).inner_text() == ""


def test_a_sound_waits_for_clips_that_the_server_cannot_give_yet(url, browser):
    with fresh_page(browser, expected=["status of 503"]) as page:
        tab = dashboard.Dashboard(page)
        refused = []
        ready = False

        def refuse_at_first(route):
            if ready:
                route.continue_()
                return
            refused.append(route)
            later = {"Retry-After": "1"}
            route.fulfill(status=503, body="it reads", headers=later, content_type="text/plain")

        routed(page, "clip", refuse_at_first)
        page.goto(f"{url}{ALONE}")
        tab.wait_until_ready()
        page.get_by_role("button", name="Play", exact=True).click()
        wait_until(page, lambda: len(refused) > 2)
        ready = True
        tab.wait_for_sound()
        assert page.locator(ALERT).inner_text() == ""
