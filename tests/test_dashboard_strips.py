"""The strips on their one axis: overview, zoom and loop by mouse, what lies along x, smoothing."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.broken_run import NAN_AT, STEPS, write_pair
from tests.controls import panel, reveal
from tests.dashboard import ALONE, TAB
from tests.heard_lane import glyphs
from tests.logs import run_events, scalar_events, write_events
from tests.pages import wait_until

LAST = STEPS - 1


def write_paced_run(path, steps, *, start=1_000.0):
    """A run that takes a second from each of these steps to the next."""
    norms = np.exp(np.random.default_rng(3).normal(0, 0.3, (len(steps), 1)))
    loss = [(int(step), 1 / (1 + at)) for at, step in enumerate(steps)]
    events = run_events(norms, steps, session=start, layers=("fc",))
    write_events(path, [*events, *scalar_events("loss", loss, start=start)])


def write_paced_runs(logdir):
    write_paced_run(logdir / "a", np.arange(401))
    write_paced_run(logdir / "b", 10 * np.arange(201))


def write_one_after_the_other(logdir):
    write_paced_run(logdir / "a", np.arange(101), start=1_000.0)
    write_paced_run(logdir / "b", np.arange(101), start=1_200.0)


def write_environment_steps(logdir):
    """Norms at each update, a return at each 2,048th step of an environment, at the same times."""
    events = run_events(np.ones((41, 1)), np.arange(41), session=1_000.0, layers=("fc",))
    returns = [(2_048 * update, float(update)) for update in range(41)]
    write_events(logdir / "ppo", [*events, *scalar_events("return", returns, start=1_000.0)])


def test_where_norms_and_curve_count_other_steps_the_tab_says_so_and_lays_them_by_time(
    serve_once, open_tab
):
    tab = open_tab(serve_once(write_environment_steps))
    said = tab.frame.get_by_text("The norms have steps 0 to 40, the curve has 0 to 81,920")
    expect(said).to_be_visible()
    assert tab.seen() == (0, 81_920)
    tab.frame.get_by_role("button", name="Lay both along time").click()
    expect(said).to_have_count(0)
    wait_until(tab.page, lambda: tab.seen()[1] == 40)
    tab.frame.locator(".timeline").focus()
    tab.page.keyboard.press("End")
    panel(tab.frame, "Values")
    expect(tab.frame.locator(".readout td.number").first).to_have_text("40")


@pytest.fixture
def tab(request, serve_once, open_tab):
    return open_tab(serve_once(write_pair), path=getattr(request, "param", ALONE))


def drag(tab, from_x, to_x, y, *, key=None):
    mouse = tab.page.mouse
    if key:
        tab.page.keyboard.down(key)
    mouse.move(from_x, y)
    mouse.down()
    mouse.move((from_x + to_x) / 2, y)
    mouse.move(to_x, y, steps=4)
    mouse.up()
    if key:
        tab.page.keyboard.up(key)
    tab.rest()


def stands_at(tab):
    """The step of the playhead."""
    return float(tab.frame.locator(".timeline").get_attribute("data-step"))


@pytest.mark.parametrize("tab", [TAB], indirect=True)
def test_a_drag_zooms_and_a_double_click_shows_all_again(tab):
    place = tab.place()
    drag(tab, place.x(100), place.x(200), place.y)
    assert tab.seen() == pytest.approx((100, 200), abs=2)
    assert tab.report()["starts"] == []  # a drag is not a click
    hairline = tab.frame.locator(".hairline")  # stays at the pointer, where another step is now
    left = tab.frame.evaluate("document.querySelector('.hairline').getBoundingClientRect().left")
    frame = tab.page.locator("iframe").last.bounding_box()["x"]
    assert frame + left == pytest.approx(place.x(200), abs=2)
    expect(hairline).to_contain_text(re.compile("step (149|150|151)"))
    tab.page.mouse.dblclick(place.x(150), place.y)
    wait_until(tab.page, lambda: tab.seen() == (0, LAST))


def test_who_zooms_elsewhere_while_it_plays_stays_there_until_the_playhead_comes(tab):
    place = tab.place()
    tab.page.mouse.click(place.x(100), place.y)
    tab.wait_for_sound()
    drag(tab, place.x(200), place.x(240), place.y)
    zoomed = tab.seen()
    assert zoomed == pytest.approx((200, 240), abs=2)
    begun = stands_at(tab)
    assert begun < 200
    wait_until(tab.page, lambda: stands_at(tab) > begun + 10)
    assert tab.seen() == zoomed
    tab.page.mouse.click(place.x(LAST) - 1, place.y)  # near the right edge of what is seen
    wait_until(tab.page, lambda: stands_at(tab) > 242)
    assert tab.seen()[0] == pytest.approx(240, abs=3)  # the page is turned


def test_escape_gives_a_drag_up(tab):
    place = tab.place()
    tab.frame.locator(".timeline").focus()
    tab.page.mouse.move(place.x(100), place.y)
    tab.page.mouse.down()
    tab.page.mouse.move(place.x(200), place.y, steps=4)
    expect(tab.frame.locator(".region.zoom")).to_be_visible()
    tab.page.keyboard.press("Escape")
    tab.page.mouse.up()
    expect(tab.frame.locator(".region")).to_have_count(0)
    assert tab.seen() == (0, LAST)


def test_a_drag_with_shift_makes_a_loop_that_is_played_again_and_again(tab):
    place = tab.place()
    drag(tab, place.x(50), place.x(70), place.y, key="Shift")
    expect(tab.frame.locator(".region.loop.on")).to_be_visible()
    loop = tab.frame.get_by_role("button", name="Loop")
    expect(loop).to_have_attribute("aria-pressed", "true")
    tab.page.mouse.click(place.x(60), place.y)
    tab.wait_for_sound()
    now = "tap.context().currentTime"
    end = tab.frame.evaluate(now) + 2  # 20 notes take 1.2 seconds
    while tab.frame.evaluate(now) < end:
        assert 49 <= stands_at(tab) <= 71
    loop.click()
    wait_until(tab.page, lambda: stands_at(tab) > 72)


def test_the_loop_button_alone_loops_what_is_seen(tab):
    place = tab.place()
    drag(tab, place.x(100), place.x(140), place.y)
    tab.frame.get_by_role("button", name="Loop").click()
    expect(tab.frame.locator(".status")).to_have_text(re.compile(r"Loop, steps (99|100|101) to"))


def test_the_window_of_the_overview_is_drawn_moved_and_widened(tab):
    strip = tab.frame.locator(".overview .strip")
    box = strip.bounding_box()
    y = box["y"] + box["height"] / 2

    def x(step):
        return box["x"] + box["width"] * step / LAST

    drag(tab, x(100), x(200), y)
    assert tab.seen() == pytest.approx((100, 200), abs=3)
    drag(tab, x(150), x(250), y)
    assert tab.seen() == pytest.approx((200, 300), abs=4)
    drag(tab, x(300), x(350), y)
    assert tab.seen() == pytest.approx((200, 350), abs=5)
    drag(tab, x(200), x(150), y)
    assert tab.seen() == pytest.approx((150, 350), abs=6)
    assert tab.report()["starts"] == []
    tab.page.mouse.click(x(30), y)  # a click plays from there, and brings it into sight
    assert tab.heard_from() == pytest.approx(30, abs=2)
    first, last = tab.seen()
    assert first <= 32 <= last


def test_what_is_seen_can_be_typed(tab):
    reveal(tab.frame.get_by_label("From")).fill("120")
    tab.page.keyboard.press("Tab")
    reveal(tab.frame.get_by_label("to", exact=True)).fill("180")
    tab.page.keyboard.press("Enter")
    wait_until(tab.page, lambda: tab.seen() == (120, 180))
    reveal(tab.frame.get_by_role("button", name="Show all", include_hidden=True)).click()
    assert tab.seen() == (0, LAST)


def test_the_heard_lane_shows_where_a_run_is_not_a_number(tab):
    place = tab.place()
    first, second = (glyphs(tab, side) for side in (0, 1))
    nan = [glyph["x"] for glyph in first if glyph["name"] == "nan"]
    assert place.left + min(nan) == pytest.approx(place.x(NAN_AT), abs=3)
    assert len(nan) > 1  # it lasts
    assert "nan" not in {glyph["name"] for glyph in second}


def test_smoothing_is_kept_and_leaves_the_curve_itself_behind(tab):
    drawn = "canvas => canvas.toDataURL()"
    canvas = tab.frame.locator(".curve canvas")
    before = canvas.evaluate(drawn)
    reveal(tab.frame.get_by_label("Smoothing")).fill("0.9")
    wait_until(tab.page, lambda: canvas.evaluate(drawn) != before)
    assert tab.frame.evaluate("localStorage.getItem('tb_sonify.smoothing')") == "0.9"


@pytest.mark.parametrize(
    ("measure", "by", "pace"), [("step", "step", 1), ("time", "time", 10), ("share", "fraction", 5)]
)
def test_runs_are_compared_by_what_lies_along_x(serve_once, open_tab, measure, by, pace):
    tab = open_tab(serve_once(write_paced_runs))
    asked = []
    tab.page.on("request", lambda request: asked.append(request.url))
    reveal(tab.frame.get_by_label("Along x")).select_option(measure)
    timeline = tab.frame.locator(".timeline")
    timeline.focus()
    for _ in range(5):
        tab.page.keyboard.press("Shift+ArrowRight")
        tab.page.keyboard.press("ArrowRight")
    tab.rest()
    step = float(timeline.get_attribute("data-step"))
    tab.page.keyboard.press("x")
    expect(timeline).to_have_attribute("data-run", "b")
    assert step > 0
    wait_until(tab.page, lambda: stands_at(tab) == pytest.approx(pace * step, abs=1))
    tab.page.keyboard.press("3")
    wait_until(tab.page, lambda: any(f"by={by}" in url and "along=a" in url for url in asked))


def test_by_the_clock_runs_lie_where_they_were_trained(serve_once, open_tab):
    tab = open_tab(serve_once(write_one_after_the_other))
    reveal(tab.frame.get_by_label("Along x")).select_option("clock")
    tab.rest()
    lanes = [tab.frame.locator(".heard-lane").nth(lane).locator(".blocks") for lane in (0, 1)]
    plot = lanes[0].bounding_box()
    edges = [lane.locator("> i").last.bounding_box() for lane in lanes]
    a, b = (edge["x"] + edge["width"] - plot["x"] for edge in edges)
    assert a == pytest.approx(plot["width"] / 3, abs=4)
    assert b == pytest.approx(plot["width"], abs=4)
