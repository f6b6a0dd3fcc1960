"""The table of what is seen, and other ways out of the picture."""

import pytest
from playwright.sync_api import expect

from tests import dashboard
from tests.controls import panel, reveal
from tests.dashboard import WAIT_MS
from tests.screen import SPIKE_AT, opened_screen, write_run
from tests.serving import served


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """Of two runs, one of them with 5,000 points that TensorBoard keeps."""
    logdir = tmp_path_factory.mktemp("runs")
    write_run(logdir / "a", depth=2, lowest=250, highest=30, steps=5_000)
    write_run(logdir / "b", depth=2, lowest=250, highest=31)
    with served(logdir, "--samples_per_plugin=scalars=10000") as url:
        yield url


@pytest.fixture
def screen(url, browser):
    with opened_screen(browser, url) as screen:
        screen.open()
        panel(screen.page, "Table")
        yield screen


def cells(row):
    return row.locator("th, td").all_text_contents()


def test_the_table_has_what_is_drawn_a_page_at_a_time(screen):
    table = screen.page.get_by_role("region", name="Table of what is seen").get_by_role("table")
    rows = table.locator("tbody tr")
    heads = table.get_by_role("columnheader").all_text_contents()
    assert heads == ["Step", "A a", "B b", "B − A", "Largest gradient norm, A"]
    expect(rows).to_have_count(25)
    pages = screen.page.get_by_role("navigation", name="Pages of the table")
    expect(pages.get_by_role("status")).to_have_text("Page 1 of 200")
    pages.get_by_role("button", name="Next").focus()
    screen.press("Enter")
    assert cells(rows.nth(5))[:4] == ["30", "4", "2", "−2"]
    assert cells(rows.nth(6))[:4] == ["31", "2", "4", "+2"]
    pages.get_by_role("button", name="Last").click()
    expect(pages.get_by_role("status")).to_have_text("Page 200 of 200")
    assert cells(rows.nth(24))[:4] == ["4,999", "2", "—", "—"]
    pages.get_by_role("button", name="At the playhead").click()
    current = table.locator("[aria-current]")
    expect(current).to_have_count(1)
    assert cells(current)[0] == "50"


def test_the_table_follows_the_zoom_and_names_the_worst_layer(screen):
    screen.timeline.focus()
    screen.press("n", *["+"] * 6)
    screen.page.get_by_role("button", name="At the playhead").click()
    current = screen.page.locator(".twin [aria-current]")
    expect(current).to_contain_text("block.1", timeout=WAIT_MS)
    assert cells(current)[0] == str(SPIKE_AT)
    expect(screen.page.locator(".twin nav")).to_contain_text("of 4")


def test_a_row_plays_from_there(screen):
    screen.page.get_by_role("button", name="Play from step 7", exact=True).focus()
    screen.press("Enter")
    screen.stands(state="playing")
    step = screen.page.evaluate("document.querySelector('.timeline').dataset.step")
    assert 7 <= float(step) < 50  # where it was


def test_the_sound_is_offered_in_the_formats_that_the_server_can_write(screen):
    links = panel(screen.page, "Values").locator(".downloads a")
    wanted = ["sound (WAV)", "sound (FLAC)", "numbers (CSV)"]
    expect(links).to_have_text(wanted)
    for place in range(len(wanted)):
        with screen.page.expect_download() as download:
            links.nth(place).click()
        assert download.value.path().stat().st_size > 100


def test_the_frame_can_be_left_behind_with_all_that_is_chosen(url, browser):
    name = "Open in its own page"
    with dashboard.opened(browser, url) as tab:
        tab.wait_until_ready()
        tab.frame.locator(".timeline").focus()
        for key in ("x", "n", "+"):
            tab.page.keyboard.press(key)
        with tab.page.context.expect_page() as opened:
            reveal(tab.frame.get_by_role("link", name=name, include_hidden=True)).click()
        alone = opened.value
        expect(alone.locator(".timeline")).to_have_attribute(
            "data-step", f"{SPIKE_AT}.00", timeout=WAIT_MS
        )
        expect(alone.locator(".timeline")).to_have_attribute("data-run", "b")
        assert "data/plugin_entry.html?name=sonify#" in alone.url
        expect(alone.get_by_role("link", name=name, include_hidden=True)).to_have_count(0)
