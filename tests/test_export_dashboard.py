"""An exported page in a real Chromium: what the tab does, from a plain file server."""

import re

import pytest
from playwright.sync_api import expect

from tests import dashboard
from tests.exported import SITE, clips, export, file_server
from tests.looks import look
from tests.pages import fresh_page

# The same tests as of the tab, with the fixtures below in the place of a TensorBoard.
from tests.test_dashboard import (  # noqa: F401
    RUNS,
    place,
    scouted,
    tab,
    test_a_click_elsewhere_seeks,
    test_the_other_run_goes_on_at_the_same_step,
    test_the_playhead_is_where_the_sound_is,
    write_runs,
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    root = tmp_path_factory.mktemp("files")
    write_runs(root / "runs")
    export(root / "runs", root / SITE)
    return root / SITE


@pytest.fixture(scope="module")
def url(site):
    with file_server(site.parents[len(SITE.parts) - 1]) as address:
        yield f"{address}{SITE}/"


@pytest.fixture(scope="module")
def known(site):
    return [clip for run in RUNS for clip in clips(site, run)]


def test_a_browser_that_cannot_decode_says_so(url, browser):
    with dashboard.opened(browser, url) as opened:
        opened.page.add_init_script(
            "OfflineAudioContext.prototype.decodeAudioData = async () => { throw new Error() }"
        )
        opened.page.reload()
        opened.page.locator(".timeline").click(timeout=dashboard.WAIT_MS)
        alert = opened.page.locator(dashboard.ALERT).first
        expect(alert).to_contain_text("have the page exported with --format wav")


def test_it_looks_as_the_tab_does(url, browser):
    with dashboard.opened(browser, url) as opened:
        opened.wait_until_ready()
        look(opened.page, "exported")


def test_a_page_from_a_disk_says_what_to_do(site, browser):
    with fresh_page(browser, expected=["blocked by CORS", "net::ERR_FAILED"]) as page:
        page.goto((site / "index.html").as_uri())
        expect(page.locator("main")).to_contain_text("This page needs a file server")


def test_a_run_whose_sound_was_left_out_says_so(site, browser):
    silent = site.parent / "silent.html"
    export(site.parents[len(SITE.parts) - 1] / "runs", silent, "--run", RUNS[0], "--steps", "9000:")
    with fresh_page(browser) as page:
        page.goto(silent.as_uri())
        page.locator(".timeline").press(" ", timeout=dashboard.WAIT_MS)
        expect(page.locator("#spoken")).to_have_text(
            re.compile(f"The sound of {RUNS[0]} is not in this copy")
        )


def test_what_takes_a_server_is_turned_off_and_says_so(url, browser):
    with dashboard.opened(browser, url) as opened:
        opened.wait_until_ready()
        follow = opened.page.get_by_role("button", name="Follow")
        expect(follow).to_be_disabled()
        expect(follow).to_have_attribute("title", re.compile("which has no server"))
        expect(opened.page.get_by_role("button", name="Alarm")).to_have_count(0)
        opened.page.locator(".timeline").focus()
        for key in (".", "z", "a"):
            opened.page.keyboard.press(key)
            expect(opened.page.locator("#spoken")).to_have_text(re.compile("which has no server"))
        opened.page.keyboard.press("3")
        expect(
            opened.page.get_by_role("radio", name="Hear A on the left and B on the right")
        ).to_be_checked()


def test_runs_that_were_not_laid_on_each_other_are_heard_one_by_one(url, browser):
    held = "#p.sonify.hear=both&p.sonify.x=time"
    with dashboard.opened(browser, url, path=held) as opened:
        alone = opened.page.get_by_role("radio", name="Hear A, calm")
        expect(alone).to_be_checked(timeout=dashboard.WAIT_MS)
        expect(opened.page.locator(".status")).to_contain_text("One run alone: Not in this copy")
