"""Runs that change while the tab is open: they grow, start anew, or are deleted; tabs that hide."""

import re
import shutil
from contextlib import contextmanager
from urllib.parse import urljoin

import numpy as np
from playwright.sync_api import expect

from tests.controls import panel, reveal
from tests.dashboard import ALONE, TAB, WAIT_MS, Dashboard
from tests.growing import FIRST, last_step, trained
from tests.logs import norms_of, row_events, run_events, write_events
from tests.looks import look
from tests.pages import fresh_page, routed, wait_until
from tests.serving import served
from tests.state_runs import write_run, write_two_runs


def test_a_run_that_is_being_trained_grows_without_moving_the_playhead_or_the_sound(show, logdir):
    with trained(logdir / "live"):
        tab = show()
        before = last_step(tab)
        expect(tab.page.get_by_role("gridcell", name="heard, live")).to_be_visible()
        timeline = tab.frame.locator(".timeline")
        timeline.focus()
        tab.page.keyboard.press("Control+ArrowRight")
        at = timeline.get_attribute("data-step")
        wait_until(tab.page, lambda: last_step(tab) > before)
        assert timeline.get_attribute("data-step") == at
        look(tab.page, "live-run")

        reveal(tab.frame.get_by_label("Speed")).select_option("5")
        tab.frame.get_by_role("button", name="Play", exact=True).click()
        tab.wait_for_sound()
        grown, starts = last_step(tab), tab.report()["starts"]
        wait_until(tab.page, lambda: last_step(tab) > grown)
        assert tab.report()["starts"][: len(starts)] == starts  # none of them was cut short
        tab.wait_for_sound()
        expect(timeline).to_have_attribute("data-state", "playing")


def test_follow_stays_at_the_live_end(show, logdir):
    with trained(logdir / "live"):
        tab = show()
        tab.frame.get_by_role("button", name="Follow").click()
        tab.wait_for_sound()
        timeline = tab.frame.locator(".timeline")
        wait_until(tab.page, lambda: float(timeline.get_attribute("data-step")) > FIRST)
        assert timeline.get_attribute("data-state") in ("playing", "waiting")
        expect(tab.frame.get_by_role("button", name="Follow")).to_have_attribute(
            "aria-pressed", "true"
        )
        look(tab.page, "following")


def test_a_calm_sound_is_offered_once_while_a_live_run_is_followed(show, logdir):
    with trained(logdir / "live"):
        tab = show()
        offer = tab.frame.get_by_role("region", name="Calm sound for a live run")
        sound = reveal(tab.frame.get_by_label("Sound", exact=True))
        expect(offer).to_have_count(0)
        tab.frame.locator(".timeline").focus()
        tab.page.keyboard.press("m")
        expect(offer).to_be_visible()
        expect(tab.frame.locator("#spoken")).to_contain_text("Calm sound for a live run")
        look(tab.page, "calm-offered")
        offer.get_by_role("button", name="Use it").focus()
        tab.page.keyboard.press("Enter")
        expect(sound).to_have_value("calm")
        expect(sound).to_be_focused()
        expect(offer).to_have_count(0)
        expect(tab.frame.get_by_role("button", name="Follow")).to_have_attribute(
            "aria-pressed", "true"
        )
        tab.wait_for_sound()

        sound.select_option("smooth")
        expect(offer).to_have_count(0)
        tab.page.reload()
        tab.wait_until_ready()
        tab.frame.get_by_role("button", name="Follow").click()
        tab.wait_for_sound()
        expect(offer).to_have_count(0)


def test_a_run_that_starts_again_at_an_earlier_step_is_marked(show, logdir):
    write_run(logdir / "resumed", steps=range(400), session=1_000.0)
    tab = show()
    reveal(tab.frame.get_by_label("Speed")).select_option("5")
    tab.frame.get_by_role("button", name="Play", exact=True).click()
    tab.wait_for_sound()
    write_run(logdir / "resumed", steps=range(200, 320), seed=4, session=9_000.0)
    expect(tab.page.get_by_text("restarted")).to_be_visible(timeout=45_000)
    expect(panel(tab.page, "Landmarks")).to_contain_text("restart")
    expect(tab.frame.locator(".timeline")).to_have_attribute("data-state", "playing")
    wait_until(tab.page, lambda: last_step(tab) == 319)
    look(tab.page, "restarted-live")


def test_a_run_that_is_deleted_while_it_plays_is_told_and_no_other_plays_instead(show, logdir):
    write_run(logdir / "adam")
    write_run(logdir / "sgd", seed=1)
    tab = show(expected=["status of 404"])
    reveal(tab.frame.get_by_label("Speed")).select_option("5")
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


def test_behind_another_tab_of_tensorboard_it_is_silent(serve_once, open_tab):
    tab = open_tab(serve_once(write_two_runs), path=TAB)
    tab.frame.get_by_role("button", name="Play", exact=True).click()
    tab.wait_for_sound()
    tab.page.get_by_role("tab", name=re.compile("scalars", re.IGNORECASE)).click()
    tab.wait_for_sound(silence=True)
    expect(tab.page.frame_locator("iframe").locator(".timeline")).to_have_attribute(
        "data-state", "paused", timeout=WAIT_MS
    )


# Every half a minute, the tab asks for all there is; without that, only news tell it of a change.
NEWS_ALONE = """(() => {
  const { setInterval } = window;
  window.setInterval = (call, after) => (after === 30_000 ? 0 : setInterval(call, after));
})()"""


@contextmanager
def told_by_news(browser, logdir, **options):
    """The dashboard of a server of its own, without TensorBoard's frame."""
    with served(logdir) as url, fresh_page(browser, **options) as page:
        page.add_init_script(NEWS_ALONE)
        tab = Dashboard(page)
        page.goto(f"{url}{ALONE}")
        tab.wait_until_ready()
        yield tab


def test_what_changes_is_seen_soon_and_nothing_that_is_here_is_asked_for_again(browser, logdir):
    norms, steps = norms_of(900), np.arange(900)
    write_events(logdir / "live", run_events(norms[:400], steps[:400]))
    write_run(logdir / "other", seed=1)
    gone = ["status of 404"]
    with told_by_news(browser, logdir, expected=gone) as tab:
        asked = []
        tab.page.on("request", lambda request: asked.append(request.url))
        reveal(tab.frame.get_by_label("Speed")).select_option("5")
        tab.frame.get_by_role("button", name="Play", exact=True).click()
        tab.wait_for_sound()
        tab.rest()
        asked.clear()
        wait_until(tab.page, lambda: len([url for url in asked if route_of(url) == "news"]) > 3)
        assert {route_of(url) for url in asked} <= {"news", "states", "notes", "clip"}

        for first in range(400, 900, 100):
            part = slice(first, first + 100)
            events = row_events(norms[part], steps[part], first_row=first)
            write_events(logdir / "live", events)
            wait_until(tab.page, lambda last=first + 99: last_step(tab) == last)
        clips = [url for url in asked if "/clip?" in url]
        assert len(clips) == len(set(clips))
        # Of the run that stands still: clips, each once, to change over to, what is at the
        # playhead, and wider lanes.
        others = {route_of(url) for url in asked if "run=other" in url}
        assert others <= {"news", "clip", "notes", "heatmap", "heard"}
        expect(tab.frame.locator(".timeline")).to_have_attribute("data-state", "playing")

        names = tab.frame.get_by_role("grid").get_by_role("rowheader")
        write_run(logdir / "new", seed=2)
        wait_until(tab.page, lambda: names.filter(has_text="new").count() == 1)
        shutil.rmtree(logdir / "new")
        wait_until(tab.page, lambda: names.filter(has_text="new").count() == 0)
        expect(tab.frame.locator(".timeline")).to_have_attribute("data-state", "playing")


def test_a_run_that_is_deleted_before_news_tell_of_it_is_listed_no_longer(browser, logdir):
    write_two_runs(logdir)
    with told_by_news(browser, logdir, expected=["status of 404"]) as tab:
        names = tab.frame.get_by_role("grid").get_by_role("rowheader")
        held = []
        routed(tab.page, "news", lambda route: held.append(route))
        wait_until(tab.page, lambda: held)
        write_run(logdir / "new", seed=2)
        wait_until(tab.page, lambda: names.filter(has_text="new").count() == 1)
        shutil.rmtree(logdir / "new")
        states = urljoin(tab.page.url, "plugin/sonify/states")
        wait_until(tab.page, lambda: '"new"' not in tab.page.request.get(states).text())
        tab.page.unroute_all(behavior="ignoreErrors")  # what is held goes on
        wait_until(tab.page, lambda: names.filter(has_text="new").count() == 0)


def route_of(url):
    return url.split("?")[0].rpartition("/")[2]


def test_a_change_in_the_moment_of_a_choice_is_seen_soon(browser, logdir):
    norms, steps = norms_of(600), np.arange(600)
    names = [f"run{number}" for number in range(7)]
    for name in names:
        write_events(logdir / name, run_events(norms[:300], steps[:300]))
    with told_by_news(browser, logdir) as tab:
        for name in names[2:]:  # the first two are in A and B
            chosen = tab.frame.get_by_role("radio", name=f"A: {name}")
            of_it = re.compile(rf"/coverage\?run={name}\b")
            with tab.page.expect_response(re.compile("/news")):
                pass  # so that it is a while until news are looked for the next time
            with tab.page.expect_response(of_it):
                chosen.check()
            write_events(logdir / name, row_events(norms[300:], steps[300:], first_row=300))
            wait_until(tab.page, lambda: last_step(tab) == 599)


def test_a_run_whose_writer_was_closed_is_not_called_live(show, logdir):
    with trained(logdir / "done"):
        tab = show()
        state = tab.page.get_by_role("gridcell", name=re.compile("^heard"))
        expect(state).to_have_accessible_name("heard, live")
    expect(state).to_have_accessible_name("heard")
