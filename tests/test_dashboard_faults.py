"""A server that is slow, fails, says nothing or is started anew."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests import dashboard
from tests.controls import panel, reveal
from tests.dashboard import ALERT, ALONE, WAIT_MS
from tests.looks import look
from tests.pages import fail, fresh_page, routed, wait_until
from tests.serving import served
from tests.state_runs import write_run

FAILED = r"status of 500|net::ERR_FAILED"
NO_SERVER = r"net::ERR_|status of 404"
# Neither Chromium nor Playwright can make the time-outs of requests pass sooner.
TIME_OUTS = """(() => {
  const controllers = [];
  AbortSignal.timeout = (milliseconds) => {
    const controller = new AbortController();
    controllers.push([milliseconds, controller]);
    return controller.signal;
  };
  window.pass = (milliseconds) => {
    const due = controllers.filter(([after]) => after <= milliseconds);
    for (const [, controller] of due) {
      controller.abort(new DOMException("signal timed out", "TimeoutError"));
    }
    return due.length;
  };
})()"""
LISTEN = """() => {
  const region = document.querySelector("[role=status]");
  const observer = new MutationObserver(() => note(region.innerText));
  observer.observe(region, { childList: true, subtree: true, characterData: true });
}"""


def write_run_alone(logdir):
    write_run(logdir / "adam")


def press_retry(page, asked):
    """Press Retry while everything fails still: later, the tab might have recovered by itself."""
    before = len(asked)
    page.get_by_role("button", name="Retry").click()
    wait_until(page, lambda: len(asked) > before)


def write_five_runs(logdir):
    for number in range(5):
        write_run(logdir / f"run-{number}", seed=number)


def test_a_slow_server_is_waited_for_with_a_skeleton_and_each_quarter_is_said_once(
    serve_once, browser
):
    url = serve_once(write_five_runs)
    with fresh_page(browser) as page:
        held = []
        routed(page, ".*", lambda route: held.append(route))
        page.goto(f"{url}{ALONE}")
        expect(page.locator(".skeleton")).to_be_visible(timeout=WAIT_MS)
        page.wait_for_function("performance.now() > 1100")  # what comes sooner needs no words
        look(page, "loading")
        said = []
        page.expose_function("note", lambda text: said.append(text))
        page.evaluate(LISTEN)
        bar = page.get_by_role("progressbar", name="Loading")
        shares = set()

        def let_one_through():
            if held:
                held.pop(0).continue_()
            # At once, as it may be gone in the next moment.
            shares.update(bar.evaluate_all("bars => bars.map((bar) => bar.position.toFixed(2))"))
            return "Loaded" in said

        wait_until(page, let_one_through)
        quarters = [f"Loading, {quarter} %" for quarter in (25, 50, 75)] + ["Loaded"]
        said = [each for each in said if each != ""]
        assert said[-1] == "Loaded"
        assert said == [each for each in quarters if each in said]
        assert len(shares) > 3
        expect(bar).to_have_count(0)
        for route in held:
            route.continue_()
        page.unroute_all(behavior="ignoreErrors")


def test_a_key_that_needs_notes_says_that_they_still_load(serve_once, open_tab):
    tab = open_tab(serve_once(write_run_alone))
    held = []
    routed(tab.page, "coverage", lambda route: held.append(route))
    reveal(tab.page.get_by_label("Speed")).select_option("5")
    loop = tab.page.get_by_role("button", name="Loop")
    expect(loop).to_be_disabled()
    tab.page.locator(".timeline").focus()
    tab.page.keyboard.press("Shift+ArrowRight")
    expect(tab.page.locator(".status")).to_have_text("The notes of adam are still loading")
    for route in held:
        route.continue_()
    expect(loop).to_be_enabled(timeout=WAIT_MS)
    tab.page.unroute_all(behavior="wait")
    tab.page.keyboard.press("Shift+ArrowRight")
    expect(loop).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("presses", [1, 2])
def test_a_click_before_the_notes_are_loaded_plays_once_they_are_unless_paused(
    serve_once, browser, presses
):
    url = serve_once(write_run_alone)
    with fresh_page(browser) as page:
        tab = dashboard.Dashboard(page)
        routed(page, "coverage", lambda _: None)
        page.goto(f"{url}{ALONE}")
        expect(page.locator(".curve canvas")).to_be_visible(timeout=WAIT_MS)
        timeline = page.locator(".timeline")
        box = timeline.bounding_box()
        timeline.click(position={"x": box["width"] / 2, "y": box["height"] / 3})
        expect(page.locator(".status")).to_contain_text("are still loading")
        for _ in range(presses - 1):
            page.keyboard.press("Space")
            expect(page.locator(".status")).to_contain_text("Paused")
        page.unroute_all(behavior="ignoreErrors")  # those that are held go on
        if presses == 1:
            expect(timeline).to_have_attribute("data-state", "playing", timeout=WAIT_MS)
            tab.wait_for_sound()
            assert tab.heard_from() > 100
        else:
            tab.wait_until_ready()
            expect(timeline).to_have_attribute("data-state", "paused")
            assert tab.report()["starts"] == []


def test_an_error_is_told_and_what_was_there_stays_until_it_is_better(serve_once, browser):
    url = serve_once(write_run_alone)
    with fresh_page(browser, expected=[FAILED]) as page:
        tab = dashboard.Dashboard(page)
        page.clock.install()
        page.goto(f"{url}{ALONE}")
        tab.wait_until_ready()
        asked = []

        def break_once(route):
            asked.append(route)
            route.abort() if len(asked) == 1 else route.continue_()

        routed(page, "news", break_once)
        wait_until(page, lambda: len(asked) > 2)  # tried again, and then asked as usual
        assert page.locator(ALERT).inner_text() == ""

        def note_and_fail(route):
            asked.append(route)
            fail(route)

        for route in ("runs", "signals", "coverage", "curve", "summaries", "heatmap", "landmarks"):
            routed(page, route, note_and_fail)
        retry = page.get_by_role("button", name="Retry")
        expect(retry).to_have_count(0)
        for _ in range(
            2
        ):  # alone, it looks for news every half a minute, for which no request waits
            with page.expect_response(re.compile("/news")):
                page.clock.fast_forward(15_000)
        expect(page.locator(ALERT)).to_contain_text("the disk is on fire", timeout=WAIT_MS)
        expect(page.locator(".curve canvas")).to_be_visible()
        assert panel(page, "Log").locator("li").all_text_contents() == ["the disk is on fire"]
        look(page, "error", golden=True)
        press_retry(page, asked)
        page.unroute_all(behavior="wait")
        page.clock.fast_forward(60_000)  # by itself, it asks again ever less often
        expect(retry).to_have_count(0, timeout=WAIT_MS)
        assert page.locator(ALERT).inner_text() == ""


def test_an_error_at_first_is_told_and_mends_by_itself(serve_once, browser):
    url = serve_once(write_run_alone)
    with fresh_page(browser, expected=[FAILED]) as page:
        routed(page, "runs", fail)
        page.goto(f"{url}{ALONE}")
        expect(page.locator(ALERT)).to_contain_text("the disk is on fire", timeout=WAIT_MS)
        expect(page.locator(".skeleton")).to_have_count(0)
        look(page, "error-at-first")
        page.unroute_all(behavior="wait")
        expect(page.locator(".curve canvas")).to_be_visible(timeout=WAIT_MS)
        expect(page.get_by_role("button", name="Retry")).to_have_count(0)


def test_a_server_that_says_nothing_is_given_up_after_half_a_minute(serve_once, browser):
    url = serve_once(write_run_alone)
    with fresh_page(browser, expected=[FAILED]) as page:
        page.add_init_script(TIME_OUTS)
        routed(page, "(coverage|heatmap)", lambda _: None)
        page.goto(f"{url}{ALONE}")
        expect(page.locator(".curve canvas")).to_be_visible(timeout=WAIT_MS)
        look(page, "no-answer-yet")
        assert page.evaluate("window.pass(30_000)") > 0
        expect(page.locator(ALERT)).to_contain_text("does not answer", timeout=WAIT_MS)
        expect(page.get_by_role("button", name="Play", exact=True)).to_be_disabled()
        page.unroute_all(behavior="ignoreErrors")  # those that are held go on
        expect(page.get_by_role("button", name="Play", exact=True)).to_be_enabled(timeout=WAIT_MS)


def test_tensorboard_that_ends_and_starts_again_is_told_of_and_the_tab_recovers(browser, logdir):
    write_run(logdir / "adam")
    write_run(logdir / "sgd", seed=1)
    with fresh_page(browser, expected=[NO_SERVER]) as page:
        tab = dashboard.Dashboard(page)
        with served(logdir) as url:
            page.goto(f"{url}{ALONE}")
            tab.wait_until_ready()
            tab.page.get_by_role("button", name="Play", exact=True).click()
            tab.wait_for_sound()
            tab.page.get_by_role("radio", name="A: sgd").check()
            expect(page.locator(".timeline")).to_have_attribute("data-run", "sgd")
            tab.rest()
        tab.page.get_by_role("radio", name="A: adam").check()
        reveal(tab.page.get_by_label("Speed")).select_option("5")
        expect(page.locator(ALERT)).to_contain_text("does not answer", timeout=WAIT_MS)
        expect(page.locator(".curve canvas")).to_be_visible()
        look(page, "server-gone")
        port = urlsplit(url).port
        with served(logdir, f"--port={port}"):
            expect(page.get_by_role("button", name="Retry")).to_have_count(0, timeout=60_000)
            expect(page.get_by_role("grid").get_by_role("rowheader", name="adam")).to_have_count(1)
            page.get_by_role("button", name=re.compile("Play|Pause")).first.wait_for()
            if page.get_by_role("button", name="Play", exact=True).count():
                page.get_by_role("button", name="Play", exact=True).click()
            tab.wait_for_sound()


def test_what_is_loaded_after_the_first_picture_is_tried_again(serve_once, browser):
    url = serve_once(write_run_alone)
    with fresh_page(browser, expected=[FAILED]) as page:
        failed = []
        page.route("**/parts/later*", lambda route: (failed.append(route), route.abort())[1])
        page.goto(f"{url}{ALONE}")
        expect(page.locator(".curve canvas")).to_be_visible(timeout=WAIT_MS)
        wait_until(page, lambda: failed)
        page.unroute_all(behavior="wait")
        expect(page.locator(".heard-lane canvas")).to_be_visible(timeout=WAIT_MS)
