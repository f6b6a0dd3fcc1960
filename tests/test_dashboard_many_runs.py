"""Fifty runs at the desk: search, sort, show; how each fares; names that mean harm."""

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests import many_runs
from tests.controls import KNOWN
from tests.dashboard import ALONE, TAB, WAIT_MS
from tests.desk import line_of, press, row, rows, shown
from tests.looks import look
from tests.many_runs import BREAKS_AT, HOSTILE, OVERFLOWS_AT, PREFIX, write_crowd
from tests.pages import fresh_page, wait_until

A, B = f"{PREFIX}a-broken", f"{PREFIX}b-calm"


@pytest.fixture
def crowd(serve_once):
    """The address of fifty runs."""
    return serve_once(write_crowd)


@pytest.fixture
def tab(crowd, open_tab):
    tab = open_tab(crowd)
    expect(tab.frame.get_by_role("grid")).to_have_attribute("aria-rowcount", "51")
    return tab


CURVES = """performance.getEntriesByType("resource").map(({ name }) => new URL(name))
    .filter(({ pathname }) => pathname.endsWith("/curve"))
    .map(({ searchParams }) => searchParams.get("run"))"""


def curves(tab):
    """The runs whose curves the server has given."""
    return set(tab.frame.evaluate(CURVES))


def test_of_fifty_runs_five_are_shown_and_only_their_curves_are_asked_for(tab):
    assert len(shown(tab)) == 5
    assert {A, B} <= set(shown(tab))
    tab.rest()
    assert curves(tab) == set(shown(tab))
    tab.frame.get_by_role("button", name="Best 5").click()
    best = shown(tab)
    assert len(best) <= 7
    tab.frame.get_by_role("button", name="None").click()
    assert shown(tab) == [A, B]
    tab.frame.get_by_role("button", name="All", exact=True).click()
    assert len(shown(tab)) == 50
    expect(tab.frame.locator(".status")).to_contain_text("50 curves are shown")
    wait_until(tab.page, lambda: len(curves(tab)) == 50)


def test_runs_are_found_by_text_and_by_expression(tab):
    search = tab.frame.get_by_role("searchbox")
    search.fill("LR0")
    assert all("lr0" in run for run in rows(tab))
    grid = tab.frame.get_by_role("grid")
    expect(grid).to_have_attribute("aria-rowcount", str(len(rows(tab)) + 1))
    search.fill("/lr[13]2$/")
    assert rows(tab) == [f"{PREFIX}lr12", f"{PREFIX}lr32"]
    search.fill("/[/")
    expect(tab.frame.get_by_text("Not a regular expression")).to_be_visible()
    assert len(rows(tab)) == 50
    search.fill("nobody")
    expect(tab.frame.get_by_text("No run has “nobody” in its name")).to_be_visible()
    assert rows(tab) == []
    search.fill("")
    press(tab, "Tab")
    tab.frame.get_by_label("Sort runs").select_option("broken")
    assert rows(tab)[0] == f"{PREFIX}{many_runs.ALL_NAN}"
    worst = [f"{PREFIX}{many_runs.BREAKS}", A, f"{PREFIX}{many_runs.OVERFLOWS}"]
    wait_until(tab.page, lambda: rows(tab)[1:4] == worst)  # by kind, then by step
    tab.frame.get_by_label("Sort runs").select_option("value")
    values = tab.frame.locator("[data-row] .number").all_text_contents()
    numbers = [float(text.replace("−", "-")) for text in values if text not in ("NaN", "Inf")]
    assert numbers == sorted(numbers)
    assert values[-1] in ("NaN", "Inf")


def test_every_run_says_how_it_fares(tab):
    said = {
        A: "NaN at step 300 in block.4, heard",
        B: "no problems found",
        many_runs.ALL_NAN: "all NaN, no norms",
        many_runs.BREAKS: f"NaN at step {BREAKS_AT}, no norms",
        many_runs.OVERFLOWS: f"infinity at step {OVERFLOWS_AT}, no norms",
        many_runs.LIVE: "live, no norms",
        "lr00": "no norms",
    }
    found = {
        run: row(tab, f"{PREFIX}{run.removeprefix(PREFIX)}").locator(".states").first
        for run in said
    }
    expect(found[A]).to_have_attribute("aria-label", re.compile("block.4"))
    for run, states in found.items():
        # All were written a moment ago, if the machine is quick.
        told = set(states.get_attribute("aria-label").split(", ")) - {"live"}
        assert told in (set(said[run].split(", ")) - {"live"}, set()), run
    assert "live" in found[many_runs.LIVE].get_attribute("aria-label")
    tab.frame.locator(".timeline").focus()
    press(tab, "Space")
    tab.wait_for_sound()
    expect(row(tab, A).locator(".states")).to_contain_text("playing")


def test_a_run_that_is_gone_and_one_that_cannot_be_loaded_say_so(crowd, browser):
    with fresh_page(browser, expected=["ERR_FAILED"]) as page:
        failing = f"{PREFIX}lr00"
        page.route(re.compile(f"/curve.*{failing}"), lambda route: route.abort())
        lost = "no <i>such</i> run"
        page.goto(f"{crowd}{ALONE}#p.sonify.b={quote(lost)}")
        page.get_by_role("button", name="All", exact=True).click(timeout=WAIT_MS)
        expect(page.locator(f"{line_of(failing)} .states")).to_contain_text(
            "error", timeout=WAIT_MS
        )
        expect(page.locator(f"{line_of(lost)} .states")).to_contain_text("gone")
        expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", "52")


@pytest.mark.parametrize("width", [1280, 320])
def test_hostile_names_stay_text_and_within_their_cells(crowd, browser, width):
    with fresh_page(browser, viewport={"width": width, "height": 900}) as page:
        asked, dialogs = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("dialog", lambda dialog: dialogs.append(dialog.dismiss()))
        page.goto(f"{crowd}{ALONE}")
        page.locator("[data-row]").first.wait_for(timeout=WAIT_MS)
        for name in HOSTILE:
            line = page.locator(line_of(PREFIX + name))
            line.scroll_into_view_if_needed()
            expect(line.locator(".name")).to_have_attribute("title", PREFIX + name)
            assert line.locator(".name").text_content() == name
            assert line.get_by_role("rowheader").get_attribute("aria-label") == PREFIX + name
            line.click(position={"x": 100, "y": 14})
        panel = page.locator(".runs").bounding_box()
        lines = page.locator("[data-row]").evaluate_all(
            "rows => rows.map(row => [row.getBoundingClientRect().right, row.offsetHeight,"
            " row.scrollWidth - row.clientWidth])"
        )
        assert max(right for right, _, _ in lines) <= panel["x"] + panel["width"]
        assert min(height for _, height, _ in lines) >= 24
        assert max(beyond for _, _, beyond in lines) <= 0
        assert panel["x"] + panel["width"] <= width
        assert dialogs == []
        assert [url for url in asked if url.endswith("/x")] == []


@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_at_the_desk(crowd, open_tab, width):
    tab = open_tab(crowd, viewport={"width": width, "height": 900})
    look(tab.page, f"fifty-runs-{width}")
    tab.page.locator(KNOWN).wait_for(timeout=WAIT_MS)
    tab.page.get_by_role("searchbox").fill("/[/")
    tab.page.get_by_role("button", name="Solo").first.click()
    look(tab.page, f"desk-{width}")


def test_the_list_of_runs_makes_the_page_no_longer(crowd, open_tab):
    tab = open_tab(crowd, path=TAB)
    beyond = "document.documentElement.scrollHeight - window.innerHeight"
    assert tab.frame.evaluate(beyond) < 300
