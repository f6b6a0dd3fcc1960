"""The screen as an instrument: sentence, list of runs, drawer, key of the sounds."""

import re

import pytest
from playwright.sync_api import expect

from tests.controls import panel
from tests.dashboard import WAIT_MS
from tests.pages import wait_until
from tests.screen import opened_screen, write_three_runs

TOP_PIXELS = 180  # above which the plot begins
MOST_CONTROLS = 26  # beside the clauses of the sentences
# What is one stop for Tab, as tabs, flags and radio buttons, is one control; surfaces are none.
CONTROLS = """() => {
  const inSight = (e) => { const box = e.getBoundingClientRect();
    return box.width > 1 && box.bottom <= innerHeight
      && e.checkVisibility({ opacityProperty: true, visibilityProperty: true }); };
  const all = [...document.querySelectorAll("button, input, select, a")].filter(inSight);
  const controls = all.filter((e) => !e.matches(".clause"));
  return new Set(controls.map((e) => e.closest("[role=tablist], .switch, .flags") ?? e)).size; }"""


@pytest.fixture
def screen(serve_once, browser):
    with opened_screen(browser, serve_once(write_three_runs)) as screen:
        screen.page.set_viewport_size({"width": 1440, "height": 900})
        screen.open()
        yield screen


def test_the_plot_begins_near_the_top_and_few_controls_are_in_sight(screen):
    assert screen.page.locator(".curve").bounding_box()["y"] <= TOP_PIXELS
    assert screen.page.evaluate(CONTROLS) <= MOST_CONTROLS
    for place in (".story .clause", ".legend .number", ".lanes.a", ".lanes.b", ".shades.scale"):
        box = screen.page.locator(place).first.bounding_box()
        assert box["y"] + box["height"] <= 900, place


def test_legends_stay_in_sight_below_lanes_that_are_higher_than_the_screen(screen):
    screen.page.set_viewport_size({"width": 1440, "height": 620})
    assert screen.page.locator(".stage").evaluate("e => e.scrollHeight > e.clientHeight")
    for scrolled in (0, 10_000):
        screen.page.locator(".stage").evaluate("(e, top) => e.scrollTo(0, top)", scrolled)
        for legend in (".shades.scale", ".shades.heard"):
            expect(screen.page.locator(legend)).to_be_in_viewport(ratio=1)


def test_a_first_visit_is_told_what_sounds_and_the_next_one_is_not(screen):
    told = screen.page.get_by_text("Each step is a note")
    expect(told).to_be_visible()
    screen.press("Space")
    expect(told).to_have_count(0)
    screen.page.reload()
    expect(screen.page.get_by_text("Click the curve")).to_be_visible(timeout=WAIT_MS)
    expect(told).to_have_count(0)


def test_a_clause_of_the_sentence_plays_its_moment(screen):
    story = screen.page.get_by_role("region", name="What happened")
    story.get_by_role("button", name="spikes at step 120 in block.1").first.click()
    screen.stands(run="a", state="playing")
    screen.says("step 120: spike")
    story.get_by_role("button", name=re.compile("lowest .* at step 90")).click()
    screen.stands(run="b", state="playing")


def test_a_click_on_a_run_hears_it_and_with_shift_compares_it(screen):
    row = screen.page.locator("[data-row=c]")
    row.get_by_role("rowheader").click()
    screen.says("A is now c")
    screen.stands(run="c")
    screen.page.locator("[data-row=a]").get_by_role("rowheader").click(modifiers=["Shift"])
    screen.says("B is now a")


def test_the_drawer_is_opened_and_closed_by_keys_and_stays_as_it_was_left(screen):
    page = screen.page
    page.get_by_role("tab", name="Values").focus()
    screen.press("ArrowRight", "ArrowRight", "Enter")
    expect(page.get_by_role("tabpanel", name="Landmarks")).to_be_visible()
    page.reload()
    expect(page.get_by_role("tabpanel", name="Landmarks")).to_be_visible(timeout=WAIT_MS)
    page.get_by_role("tab", name="Landmarks").focus()
    screen.press("Enter")
    expect(page.get_by_role("tabpanel")).to_have_count(0)


def test_every_sound_is_played_from_its_key(screen):
    key = panel(screen.page, "What you hear")
    bell = key.get_by_role("button", name="Play: a bell: a spike in one layer for one step")
    with screen.page.expect_response(re.compile(r"/lesson\?name=spike")):
        bell.focus()
        screen.press("Enter")
    stop = key.get_by_role("button", name=re.compile("^Stop: a bell"))
    expect(stop).to_have_attribute("aria-pressed", "true")
    expect(bell).to_be_visible(timeout=WAIT_MS)  # it has ended


def test_a_sound_that_is_chosen_while_paused_is_heard_from_the_playhead_and_it_comes_back(screen):
    screen.page.get_by_role("button", name=re.compile("Sound settings")).click()
    with screen.page.expect_response(re.compile("/clip.*preset=calm")):
        screen.page.get_by_label("Sound", exact=True).select_option("calm")
    wait_until(screen.page, lambda: min(screen.page.evaluate(LEVELS)) > 0.1)
    screen.stands(state="paused", step=50)
    wait_until(screen.page, lambda: screen.page.evaluate(LEVELS) == [0, 0])


LEVELS = """() => [...document.querySelectorAll(".level i")].map(
    (bar) => new DOMMatrix(getComputedStyle(bar).transform).a)"""


def test_the_meter_moves_while_there_is_sound_and_rests_without(screen):
    assert screen.page.evaluate(LEVELS) == [0, 0]
    screen.press("Space")
    wait_until(screen.page, lambda: min(screen.page.evaluate(LEVELS)) > 0.2)
    screen.press("Space")
    screen.stands(state="paused")
    wait_until(screen.page, lambda: screen.page.evaluate(LEVELS) == [0, 0])
