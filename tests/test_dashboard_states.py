"""Each state that runs can be in, as it is shown and said."""

import time

import pytest
from playwright.sync_api import expect

from tests import dashboard
from tests.controls import panel, reveal
from tests.dashboard import ALONE, WAIT_MS
from tests.looks import look
from tests.pages import fresh_page
from tests.serving import served
from tests.state_runs import NAN_AT, STEPS, layer_names, write_run, write_scalars, write_two_runs


def play(tab):
    tab.frame.get_by_role("button", name="Play", exact=True).click()
    tab.wait_for_sound()


def write_one_run(logdir):
    write_run(logdir / "adam", spike=True)


def write_runs_of_all_kinds(logdir):
    write_run(logdir / "broken", nan_from=NAN_AT)
    write_run(logdir / "hopeless", nan_from=0, layers=("fc1",))
    write_run(logdir / "fine", seed=1)
    write_run(logdir / "resumed", steps=range(300), session=1_000.0)
    write_run(logdir / "resumed", steps=range(200, 400), seed=2, session=9_000.0)
    for name, seed in (("layers-a", 0), ("layers-b", 1)):
        write_run(logdir / name, layers=layer_names(200), seed=seed, spike=True)


def write_a_killed_run(logdir):
    write_run(logdir / "killed", session=time.time() - STEPS)  # a step takes a second


# How far what was seen has moved while the page was loaded; marks are told after shifts.
LAYOUT_SHIFT = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const shift of list.getEntries()) sum += shift.hadRecentInput ? 0 : shift.value;
  }).observe({ type: "layout-shift", buffered: true });
  new PerformanceObserver(() => done(sum)).observe({ type: "mark", buffered: true });
})"""


@pytest.fixture
def show_kind(serve_once, open_tab):
    """Shows one run of all kinds in A, and another one in B."""

    def shown(a, b="fine"):
        url = serve_once(write_runs_of_all_kinds)
        return open_tab(url, path=f"{ALONE}#p.sonify.a={a}&p.sonify.b={b}")

    return shown


def test_two_runs_at_rest(serve_once, open_tab):
    tab = open_tab(serve_once(write_two_runs))
    expect(panel(tab.frame, "Landmarks").get_by_role("button")).not_to_have_count(0)
    tab.rest()
    assert 0 < tab.frame.evaluate(LAYOUT_SHIFT) < 0.1  # which Web Vitals calls good
    look(tab.page, "two-runs", golden=True)


def test_a_run_that_was_killed_ceases_to_be_live(serve_once, browser):
    url = serve_once(write_a_killed_run)
    with fresh_page(browser) as page:
        page.clock.install()
        page.goto(f"{url}{ALONE}")
        live = page.get_by_role("gridcell", name="live")
        expect(live).to_be_visible(timeout=WAIT_MS)
        page.clock.fast_forward(150_000)
        expect(live).to_have_count(0)


def test_two_runs_playing(serve_once, open_tab):
    tab = open_tab(serve_once(write_two_runs))
    reveal(tab.frame.get_by_label("Speed")).select_option("5")  # so that it is not over too soon
    play(tab)
    expect(tab.frame.get_by_text("Loading sound…")).to_have_count(0, timeout=WAIT_MS)
    look(tab.page, "playing", golden=True, masked=True)
    expect(tab.frame.locator(".timeline")).to_have_attribute("data-state", "playing")


@pytest.mark.parametrize(("key", "state"), [("h", "help"), ("o", "options")])
def test_a_dialog_is_open(serve_once, open_tab, key, state):
    tab = open_tab(serve_once(write_one_run))
    tab.frame.locator(".timeline").focus()
    tab.page.keyboard.press(key)
    expect(tab.frame.locator("dialog[open]")).to_be_visible()
    look(tab.page, state, golden=True)


def test_without_runs_the_tab_says_how_to_log_one_and_shows_it_when_it_comes(browser, logdir):
    logdir.mkdir()
    with served(logdir) as url, dashboard.opened(browser, url, path=ALONE) as tab:
        expect(tab.page.get_by_role("heading", name="No runs yet")).to_be_visible(timeout=WAIT_MS)
        expect(tab.page.get_by_role("status").first).to_contain_text("No runs yet")
        expect(tab.page.get_by_text("SonifyWriter", exact=False)).to_be_visible()
        look(tab.page, "no-runs", golden=True)
        tab.page.keyboard.press("Shift+A")  # it is before a training that an alarm is set
        expect(tab.page.locator("#spoken")).to_contain_text("The alarm is off: A turns it on")
        tab.page.keyboard.press("h")
        expect(tab.page.locator("dialog[open]")).to_be_visible()
        tab.page.keyboard.press("Escape")
        write_run(logdir / "adam")
        expect(tab.page.locator(".curve canvas")).to_be_visible(timeout=60_000)
        look(tab.page, "first-run")


def test_scalars_alone_are_heard_on_a_scale_that_is_named(show, logdir):
    write_scalars(logdir / "plain", "loss", [(step, 1 / (step + 1)) for step in range(10)])
    tab = show()
    expect(tab.frame.get_by_text("linear scale: 0.1 is 110 Hz, 1 is 1,760 Hz")).to_be_visible()
    look(tab.page, "scalars-only", golden=True)
    play(tab)
    expect(tab.frame.locator(".timeline")).to_have_attribute("data-state", "ended")


def test_a_run_that_becomes_nan_says_from_where(show_kind):
    tab = show_kind("broken")
    expect(tab.frame.get_by_text(f"NaN at {NAN_AT}").first).to_be_visible(timeout=WAIT_MS)
    tab.frame.locator(".timeline").focus()
    tab.page.keyboard.press("n")
    expect(tab.frame.locator(".timeline")).to_have_attribute("data-step", f"{NAN_AT}.00")
    look(tab.page, "nan-run")


def test_a_run_of_nothing_but_nan_can_be_chosen_heard_and_says_so(show_kind):
    tab = show_kind("hopeless")
    play(tab)
    expect(tab.frame.get_by_text("all NaN").first).to_be_visible(timeout=WAIT_MS)
    expect(tab.frame.locator(".timeline")).to_have_attribute("data-run", "hopeless")
    tab.page.keyboard.press("Space")
    look(tab.page, "all-nan-run")


def test_one_run_is_shown_without_a_and_b(serve_once, open_tab):
    tab = open_tab(serve_once(write_one_run))
    for role, name in (("radio", "Hear"), ("radio", "A:"), ("columnheader", "B")):
        expect(tab.page.get_by_role(role, name=name)).to_have_count(0)
    look(tab.page, "one-run")


def test_two_hundred_layers(show_kind):
    tab = show_kind("layers-a", "layers-b")
    expect(tab.frame.locator(".heatmap canvas").first).to_be_visible(timeout=WAIT_MS)
    look(tab.page, "two-hundred-layers")


def test_a_run_that_was_restarted_earlier_says_so(show_kind):
    tab = show_kind("resumed")
    expect(tab.frame.get_by_text("restart").first).to_be_visible(timeout=WAIT_MS)
    look(tab.page, "restarted-run")
