"""The loss landscape in the tab: the lane of strips, by keys, by mouse, and pixel by pixel."""

import pytest
from playwright.sync_api import expect

from tests.dashboard import WAIT_MS
from tests.landscapes import NAN_AT, STEPS, write_landscapes
from tests.lanes import GROUND, LIGHT_INF, LIGHT_NAN, PIXEL


@pytest.fixture
def tab(serve_once, open_tab):
    tab = open_tab(serve_once(write_landscapes))
    strips(tab, "a").locator("canvas").first.wait_for(timeout=WAIT_MS)
    tab.rest()
    return tab


def strips(tab, side):
    """The lane of a run."""
    return tab.frame.locator(f".lanes.{side} .strips")


def colours(tab, side, step, row, *, pixels=8):
    """Some pixels from a step on in a row of the lane, 0 at the bottom."""
    canvas = strips(tab, side).locator("canvas").first
    width = canvas.evaluate("canvas => canvas.width")
    along, up = (step + 0.5) / (STEPS - 1), 1 - (row + 0.5) / 9
    return [canvas.evaluate(PIXEL, [along + shift / width, up]) for shift in range(pixels)]


def test_strips_are_painted_lower_and_higher_and_broken(tab):
    lower, higher = colours(tab, "a", 20, 3)[0], colours(tab, "a", 20, 6)[0]
    assert lower[2] > lower[0] + 50  # blue, one step ahead
    assert higher[0] > higher[2] + 50  # brown, eight steps ahead
    assert colours(tab, "a", 20, 5) == colours(tab, "a", 20, 1)  # back, at twice the floor
    assert colours(tab, "a", 220, 5)[0][2] > 150  # lower there, as the valley is wider
    assert {tuple(each) for each in colours(tab, "b", NAN_AT + 20, 4)} == {
        tuple(LIGHT_NAN),
        tuple(GROUND),
    }
    infinite = {tuple(each) for each in colours(tab, "b", 20, 8)}
    assert infinite == {tuple(LIGHT_INF), tuple(GROUND)}


def test_the_lane_is_read_by_keys_and_all_others_are_the_timelines(tab):
    press, status = tab.page.keyboard.press, tab.frame.locator(".status")
    lane = strips(tab, "a")
    tab.frame.locator(".timeline").focus()
    for _ in range(9):
        press("Tab")
        if lane.evaluate("lane => lane === document.activeElement"):
            break
    expect(status).to_have_text("loss 2 here; floor 2 steps ahead; headroom 4 steps")
    assert lane.get_attribute("aria-label") == "Loss landscape of A, a, 2 of 9: here"
    for _ in range(3):
        press("ArrowUp")
    expect(status).to_have_text("2 steps ahead: loss 1.9, 5% below here")
    assert lane.get_attribute("aria-label") == "Loss landscape of A, a, 5 of 9: 2 steps ahead"
    press("End")
    expect(status).to_contain_text("32 steps ahead: loss 24.4, 12.2 times above here")
    press("ArrowUp")
    assert lane.get_attribute("aria-label") == "Loss landscape of A, a, 9 of 9: 32 steps ahead"
    press("Home")
    expect(status).to_have_text("one step back: loss 2.125, 6.3% above here")
    press("Control+End")  # to the last step
    expect(tab.frame.locator(".timeline")).to_have_attribute("data-step", f"{STEPS - 1}.00")
    head = tab.frame.locator(".head.a .strip-head")
    expect(head.locator(".number")).to_have_text("headroom 8 steps")
    press("Escape")
    assert tab.frame.locator(".timeline").evaluate("each => each === document.activeElement")


def test_the_pointer_is_told_the_strip_and_the_ball_is_at_the_playhead(tab):
    box = strips(tab, "a").locator(".plate").bounding_box()
    tab.page.mouse.move(box["x"] + 0.13 * box["width"], box["y"] + 5)
    pointed = tab.frame.locator(".pointed")
    expect(pointed).to_have_text(
        "A · step 50, 32 steps ahead: loss 24.4, 12.2 times above here; headroom 4 steps"
    )
    tab.frame.locator(".timeline").focus()
    tab.page.keyboard.press("Control+ArrowRight")
    playhead, ball = (tab.frame.locator(each).first for each in (".playhead", ".ball"))
    at, of = playhead.bounding_box(), ball.bounding_box()
    assert at["x"] + at["width"] / 2 == pytest.approx(of["x"] + of["width"] / 2, abs=2)
