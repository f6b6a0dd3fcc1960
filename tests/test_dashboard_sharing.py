"""What the tab gives away: a sound, numbers, a link."""

import io
import wave

import pytest
from playwright.sync_api import expect

from tests import dashboard
from tests.broken_run import SPIKE_AT, STEPS, write_pair
from tests.controls import KNOWN, panel, reveal
from tests.dashboard import ALONE, TAB, WAIT_MS, Dashboard
from tests.pages import fresh_page, wait_until


@pytest.fixture(scope="module")
def url(serve_once):
    return serve_once(write_pair)


def test_what_is_seen_can_be_kept_as_sound_and_as_numbers(url, browser):
    with dashboard.opened(browser, url) as tab:
        tab.wait_until_ready()
        tab.frame.locator(".timeline").focus()
        for key in ("n", "+", "+", "+"):
            tab.page.keyboard.press(key)
        first, last = tab.seen()
        files = {}
        for kind in ("WAV", "CSV"):
            with tab.page.expect_download() as download:
                panel(tab.frame, "Values").get_by_role("link", name=kind).click()
            files[kind] = download.value.path().read_bytes()
    with wave.open(io.BytesIO(files["WAV"])) as sound:
        notes = (sound.getnframes() - 96) / 1_440
    lines = files["CSV"].decode().splitlines()
    assert lines[0].split(",")[:3] == ["step", "loss/train", "block.0"]
    steps = [float(line.split(",")[0]) for line in lines[1:]]
    assert steps[0] == pytest.approx(first, abs=1)
    assert steps[-1] == pytest.approx(last, abs=1)
    assert notes == pytest.approx(len(steps), abs=1)


def shown(tab, address):
    """The frame of the dashboard, or the page itself, as soon as it has opened an address."""
    tab.page.goto("about:blank")
    tab.said.clear()
    tab.loads = 0
    tab.page.goto(address)
    tab.wait_until_ready()
    tab.frame.locator(KNOWN).wait_for(timeout=WAIT_MS)
    return tab.frame


@pytest.mark.parametrize("path", [TAB, ALONE], ids=["tab", "alone"])
def test_a_link_opens_what_it_was_made_of(url, browser, path):
    with fresh_page(browser) as page:
        tab = Dashboard(page)
        # Where the page may not write to the clipboard, it shows the link.
        page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
        links = []
        page.on("dialog", lambda dialog: (links.append(dialog.default_value), dialog.accept()))

        frame = shown(tab, f"{url}{path}")
        frame.get_by_label("A: b-calm").check()
        frame.get_by_label("B: a-broken").check()
        reveal(frame.get_by_label("Speed")).select_option("10")
        frame.locator(".timeline").focus()
        page.keyboard.press("x")
        expect(frame.get_by_role("button", name="Loop")).to_be_enabled(timeout=WAIT_MS)
        frame.locator(KNOWN).wait_for()
        for key in ("n", "+", "Shift+ArrowRight", "Shift+ArrowRight", "4"):
            page.keyboard.press(key)
        reveal(frame.get_by_label("Smoothing")).fill("0.5")
        reveal(frame.get_by_role("button", name="Copy link", include_hidden=True)).click()
        wait_until(page, lambda: links)
        (link,) = links
        assert link.startswith(url)

        frame = shown(tab, link)
        assert frame.get_by_label("A: b-calm").is_checked()
        assert frame.get_by_label("B: a-broken").is_checked()
        expect(reveal(frame.get_by_label("Speed"))).to_have_value("10")
        expect(frame.locator(".timeline")).to_have_attribute("data-step", f"{SPIKE_AT}.00")
        expect(
            frame.get_by_role("radio", name="Alternate A and B every two seconds")
        ).to_be_checked()
        expect(frame.get_by_role("button", name="Loop")).to_have_attribute("aria-pressed", "true")
        expect(frame.locator(".region.loop")).to_be_visible()
        expect(reveal(frame.get_by_label("Smoothing"))).to_have_value("0.5")
        label = frame.locator(".timeline").get_attribute("aria-label")
        assert label != f"Steps 0 to {STEPS - 1}"
