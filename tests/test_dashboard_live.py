"""Runs that change while the tab is open: they grow, start anew, or are deleted; tabs that hide."""

import re
import shutil

import numpy as np
from playwright.sync_api import expect

from tests import dashboard
from tests.dashboard import WAIT_MS
from tests.growing import FIRST, last_step, trained, wait_for_growth, wait_until
from tests.logs import norms_of, row_events, run_events, write_events
from tests.looks import look
from tests.serving import served
from tests.state_runs import write_run


def test_a_run_that_is_being_trained_grows_without_moving_the_playhead_or_the_sound(show, logdir):
    with trained(logdir / "live"):
        tab = show()
        before = last_step(tab)
        expect(tab.page.get_by_role("gridcell", name="heard, live")).to_be_visible()
        timeline = tab.frame.locator(".timeline")
        timeline.focus()
        tab.page.keyboard.press("Control+ArrowRight")
        at = timeline.get_attribute("data-step")
        wait_for_growth(tab, before)
        assert timeline.get_attribute("data-step") == at
        look(tab.page, "live-run")

        tab.frame.get_by_label("Speed").select_option("5")
        tab.frame.get_by_role("button", name="Play", exact=True).click()
        tab.wait_for_sound()
        grown = last_step(tab)
        silent = []
        while last_step(tab) == grown and len(silent) < 400:
            silent.append(tab.frame.evaluate("tap.level() < 1e-5"))
            tab.page.wait_for_timeout(100)
        assert last_step(tab) > grown
        assert sum(silent) <= 2
        expect(timeline).to_have_attribute("data-state", "playing")


def test_follow_stays_at_the_live_end(show, logdir):
    with trained(logdir / "live"):
        tab = show()
        tab.frame.get_by_role("button", name="Follow").click()
        tab.wait_for_sound()
        tab.page.wait_for_timeout(12_000)
        timeline = tab.frame.locator(".timeline")
        assert timeline.get_attribute("data-state") in ("playing", "waiting")
        assert float(timeline.get_attribute("data-step")) > FIRST
        expect(tab.frame.get_by_role("button", name="Follow")).to_have_attribute(
            "aria-pressed", "true"
        )
        look(tab.page, "following")


def test_a_run_that_starts_again_at_an_earlier_step_is_marked(show, logdir):
    write_run(logdir / "resumed", steps=range(400), session=1_000.0)
    tab = show()
    tab.frame.get_by_label("Speed").select_option("5")
    tab.frame.get_by_role("button", name="Play", exact=True).click()
    tab.wait_for_sound()
    write_run(logdir / "resumed", steps=range(200, 320), seed=4, session=9_000.0)
    expect(tab.page.get_by_text("restarted")).to_be_visible(timeout=45_000)
    expect(tab.page.get_by_role("region", name="Landmarks")).to_contain_text("restart")
    expect(tab.frame.locator(".timeline")).to_have_attribute("data-state", "playing")
    assert last_step(tab) == 319
    look(tab.page, "restarted-live")


def test_a_run_that_is_deleted_while_it_plays_is_told_and_no_other_plays_instead(show, logdir):
    write_run(logdir / "adam")
    write_run(logdir / "sgd", seed=1)
    tab = show(expected=["status of 404"])
    tab.frame.get_by_label("Speed").select_option("5")
    tab.frame.get_by_role("button", name="Play", exact=True).click()
    tab.wait_for_sound()
    shutil.rmtree(logdir / "adam")
    # Either its next clip is missed first, or it is missed among the runs.
    told = tab.page.locator(".alerts, .status").filter(has_text=re.compile("is gone|no run 'adam'"))
    expect(told.first).to_be_visible(timeout=60_000)
    tab.wait_for_sound(silence=True)
    expect(tab.page.get_by_role("grid")).to_contain_text("gone", timeout=60_000)
    expect(tab.page.locator(".timeline")).to_have_attribute("data-state", "paused")
    look(tab.page, "deleted-run")


LISTEN = """() => {
  let hiddenAt = null;
  const hidden = () => { hiddenAt ??= performance.now(); };
  new IntersectionObserver((all) => all.some(each => !each.isIntersecting) && hidden())
    .observe(document.body);
  addEventListener("resize", () => innerHeight === 0 && hidden());
  tap.heard = setInterval(() => {
    if (hiddenAt === null || tap.level() > 1e-5) return;
    clearInterval(tap.heard);
    tap.silentAfter = performance.now() - hiddenAt;
  }, 5);
}"""


def test_behind_another_tab_of_tensorboard_it_is_silent_within_300_ms(browser, logdir):
    write_run(logdir / "adam")
    with served(logdir) as url, dashboard.opened(browser, url) as tab:
        tab.wait_until_ready()
        tab.frame.get_by_role("button", name="Play", exact=True).click()
        tab.wait_for_sound()
        tab.frame.evaluate(LISTEN)
        tab.page.get_by_role("tab", name=re.compile("scalars", re.IGNORECASE)).click()
        tab.page.wait_for_timeout(1_500)
        assert tab.frame.evaluate("tap.silentAfter") < 300
        expect(tab.page.frame_locator("iframe").locator(".timeline")).to_have_attribute(
            "data-state", "paused", timeout=WAIT_MS
        )


def test_what_changes_is_seen_soon_and_nothing_that_is_here_is_asked_for_again(browser, logdir):
    norms, steps = norms_of(900), np.arange(900)
    write_events(logdir / "live", run_events(norms[:400], steps[:400]))
    write_run(logdir / "other", seed=1)
    gone = ["status of 404"]
    with served(logdir) as url, dashboard.opened(browser, url, expected=gone) as tab:
        tab.wait_until_ready()
        asked = []
        tab.page.on("request", lambda request: asked.append(request.url))
        tab.frame.get_by_label("Speed").select_option("5")
        tab.frame.get_by_role("button", name="Play", exact=True).click()
        tab.wait_for_sound()
        tab.page.wait_for_timeout(2_000)
        asked.clear()
        tab.page.wait_for_timeout(4_000)
        assert {route_of(url) for url in asked} <= {"news", "notes"}

        for first in range(400, 900, 100):
            part = slice(first, first + 100)
            events = row_events(norms[part], steps[part], first_row=first)
            write_events(logdir / "live", events)
            wait_until(lambda last=first + 99: last_step(tab) == last)
        clips = [url for url in asked if "/clip?" in url]
        assert len(clips) == len(set(clips))
        # Of the run that stands still: clips, each once, to change over to, and a wider heat-map.
        others = {route_of(url) for url in asked if "run=other" in url}
        assert others <= {"news", "clip", "heatmap"}
        expect(tab.frame.locator(".timeline")).to_have_attribute("data-state", "playing")

        names = tab.frame.get_by_role("grid").get_by_role("rowheader")
        write_run(logdir / "new", seed=2)
        wait_until(lambda: names.filter(has_text="new").count() == 1)
        shutil.rmtree(logdir / "new")
        wait_until(lambda: names.filter(has_text="new").count() == 0)
        expect(tab.frame.locator(".timeline")).to_have_attribute("data-state", "playing")


def route_of(url):
    return url.split("?")[0].rpartition("/")[2]


def test_a_change_in_the_moment_of_a_choice_is_seen_soon(browser, logdir):
    norms, steps = norms_of(600), np.arange(600)
    names = [f"run{number}" for number in range(6)]
    for name in names:
        write_events(logdir / name, run_events(norms[:300], steps[:300]))
    with served(logdir) as url, dashboard.opened(browser, url, path=dashboard.ALONE) as tab:
        tab.wait_until_ready()
        for name in names[1:]:
            chosen = tab.frame.get_by_role("radio", name=f"A: \u2068{name}\u2069")
            of_it = re.compile(rf"/coverage\?run={name}\b")
            with tab.page.expect_response(re.compile("/news")):
                pass  # so that it is a while until news are looked for the next time
            with tab.page.expect_response(of_it):
                chosen.check()
            write_events(logdir / name, row_events(norms[300:], steps[300:], first_row=300))
            wait_until(lambda: last_step(tab) == 599)


def test_a_run_whose_writer_was_closed_is_not_called_live(show, logdir):
    with trained(logdir / "done"):
        tab = show()
        state = tab.page.get_by_role("gridcell", name=re.compile("^heard"))
        expect(state).to_have_accessible_name("heard, live")
    expect(state).to_have_accessible_name("heard", timeout=6_000)
