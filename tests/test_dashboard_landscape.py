"""The loss landscape in the tab: lane and map, by keys, by mouse, and pixel by pixel."""

import io
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.axe import violations
from tests.controls import panel
from tests.dashboard import ALONE, WAIT_MS
from tests.landscapes import NAN_AT, STEPS, path_of, surface_of, write_landscapes
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


# The middle of the playhead, and of the markers of the paths, at one moment.
MARKERS = """() => [".playhead", ".marker"].map((each) =>
  [...document.querySelectorAll(each)].map((found) => {
    const { x, y, width, height } = found.getBoundingClientRect();
    return [x + width / 2, y + height / 2];
  }))"""
# The frame of the map in its canvas, and the ends of its coordinates.
FRAME = """canvas => {
  const { surface, width, height } = canvas.drawn;
  const [x, y] = [surface.x, surface.y].map((all) => [all[0], all.at(-1)]);
  return { x, y, width, height };
}"""


@pytest.fixture
def mapped(tab):
    """The tab with the panel open."""
    panel(tab.frame, "Landscape")
    tab.frame.locator(".map canvas").wait_for(timeout=WAIT_MS)
    tab.frame.wait_for_function("document.querySelector('.map canvas').drawn !== undefined")
    return tab


def pixel(tab, x, y):
    """Where a place of the map is on the page."""
    canvas = tab.frame.locator(".map canvas")
    frame, box = canvas.evaluate(FRAME), canvas.bounding_box()
    (left, right), (low, high) = frame["x"], frame["y"]
    top, under, before, beside = 10, 22, 40, 12  # as in draw/projection.ts
    wide, tall = frame["width"] - before - beside, frame["height"] - top - under
    tall = min(tall, wide / ((right - left) / (high - low)))
    wide = tall * (right - left) / (high - low)
    along, up = (x - left) / (right - left), (y - low) / (high - low)
    return box["x"] + before + along * wide, box["y"] + top + (1 - up) * tall


def test_the_map_is_painted_with_contours_and_what_is_no_number_is_hatched(mapped):
    shot = mapped.frame.locator(".map").screenshot()
    from PIL import Image

    image = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)
    box = mapped.frame.locator(".map").bounding_box()

    def around(x, y):
        across, down = pixel(mapped, x, y)
        left, top = round(across - box["x"]), round(down - box["y"])
        return image[top - 5 : top + 6, left - 5 : left + 6].reshape(-1, 3)

    low, high = around(1.03, 0.03).mean(), around(0.2, 0.65).mean()
    assert low > high + 40  # a valley is pale
    assert {tuple(LIGHT_NAN), tuple(GROUND)} <= {*map(tuple, around(-0.42, -0.7).tolist())}
    assert {tuple(LIGHT_INF), tuple(GROUND)} <= {*map(tuple, around(-0.42, 0.72).tolist())}


def test_a_path_is_walked_by_keys_and_heard_where_it_is(mapped):
    press, status = mapped.page.keyboard.press, mapped.frame.locator(".status")
    timeline = mapped.frame.locator(".timeline")
    mapped.frame.locator(".map").focus()
    press("ArrowRight")
    expect(status).to_have_text(
        re.compile(r"^step 20, 2 of 21: loss 0.501\d, map 0.\d+, 0.03\d* from")
    )
    expect(timeline).to_have_attribute("data-step", "20.00")
    press("End")
    expect(status).to_contain_text("step 400, 21 of 21: loss 0.05, map 0.05, ")
    press("Home")
    press("ArrowDown")
    expect(timeline).to_have_attribute("data-run", "b")
    expect(status).to_contain_text("b, step 0, 1 of 21: loss 0.55")
    label = mapped.frame.locator(".map").get_attribute("aria-label")
    assert label.startswith("Loss landscape plane: b, step 0, 1 of 21")
    press("Enter")
    mapped.wait_for_sound()
    expect(timeline).to_have_attribute("data-state", "playing")


def test_a_click_on_a_path_plays_from_there_and_beside_it_says_loss_and_distance(mapped):
    own = path_of("a", 0.3)
    mapped.page.mouse.move(*pixel(mapped, *own.points[10]))
    pointed = mapped.frame.locator(".pointed")
    expect(pointed).to_contain_text("a · step 200, 11 of 21: loss 0.175, map ")
    mapped.page.mouse.click(*pixel(mapped, 1.3, 0.5))
    x, y, losses = (getattr(surface_of(), each) for each in ("x", "y", "losses"))
    nearest = losses[np.abs(y - 0.5).argmin(), np.abs(x - 1.3).argmin()]
    said = mapped.frame.locator(".status")
    expect(said).to_contain_text(f"(1.3, 0.5): loss {nearest:.4g}, 1.4 from a at step 0")
    mapped.page.mouse.click(*pixel(mapped, *own.points[10]))
    mapped.wait_for_sound()
    assert mapped.heard_from() == 200
    other = path_of("b", -0.35)
    mapped.page.mouse.click(*pixel(mapped, *other.points[5]))
    expect(mapped.frame.locator(".timeline")).to_have_attribute("data-run", "b")


def test_markers_are_where_the_playhead_is_while_it_plays(mapped):
    place, own = mapped.place(), path_of("a", 0.3)
    mapped.frame.locator(".timeline").focus()
    mapped.page.keyboard.press("Space")
    mapped.wait_for_sound()
    for _ in range(20):
        (((playhead, _),), (marker, _)) = mapped.frame.evaluate(MARKERS)
        step = place.step(playhead)
        x, y = pixel(mapped, *(np.interp(step, own.steps, column) for column in own.points.T))
        # A step is 0.7 pixels and sounds for 60 ms, so this is 20 ms.
        assert marker == [pytest.approx(x, abs=0.23), pytest.approx(y, abs=0.23)]


def test_the_relief_is_turned_by_keys_and_by_dragging(mapped):
    def seen_from(differs=None):
        """The view, once it is another."""
        view = "document.querySelector('.map canvas').drawn.view"
        old = f"{{yaw: {differs[0]}, tilt: {differs[1]}}}" if differs else "null"
        apart = (
            "(found, old) => found !== null && found.yaw !== old?.yaw && found.tilt !== old?.tilt"
        )
        mapped.frame.wait_for_function(f"({apart})({view}, {old})")
        found = mapped.frame.evaluate(view)
        return found["yaw"], found["tilt"]

    mapped.frame.get_by_role("button", name="3-D").click()
    first = seen_from()
    mapped.frame.locator(".map").focus()
    mapped.page.keyboard.press("ArrowLeft")
    mapped.page.keyboard.press("ArrowUp")
    second = seen_from(first)
    mapped.page.keyboard.press("Shift+ArrowRight")
    expect(mapped.frame.locator(".timeline")).to_have_attribute("data-step", "20.00")
    box = mapped.frame.locator(".map").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mapped.page.mouse.move(*middle)
    mapped.page.mouse.down()
    mapped.page.mouse.move(middle[0] + 60, middle[1] + 20, steps=3)
    mapped.page.mouse.up()
    seen_from(second)
    assert mapped.frame.locator(".timeline").get_attribute("data-step") == "20.00"


def test_a_map_is_saved_as_picture_and_numbers(mapped):
    saved = {}
    for name in ("PNG", "CSV", "paths", "NPZ"):
        with mapped.page.expect_download() as download:
            role = "button" if name == "PNG" else "link"
            mapped.frame.get_by_role(role, name=name, exact=True).click()
        saved[name] = download.value.path().read_bytes()
    assert saved["PNG"].startswith(b"\x89PNG")
    assert saved["CSV"].startswith(b"x,y,loss")
    assert saved["paths"].startswith(b"path,step,x,y,distance,loss")
    assert np.load(io.BytesIO(saved["NPZ"]))["losses"].shape == (25, 25)


def test_tables_have_all_numbers_and_play_from_their_rows(mapped):
    rows = mapped.frame.locator(".paths tbody tr")
    assert [row.split("\t")[1:] for row in rows.all_inner_texts()] == [
        ["0.55", "0.55", "0", "87%"],
        ["0.55", "0.55", "0", "87%"],
    ]
    snapshots = mapped.frame.locator("details", has_text="Snapshots of a")
    snapshots.locator("summary").click()
    assert snapshots.locator("tbody tr").count() == 21
    strips = mapped.frame.locator(".strip-table").first
    strips.locator("summary").click()
    assert strips.locator("tbody tr").first.inner_text().split("\t")[1:] == [
        "2",
        "2",
        "4 steps",
        "9",
    ]
    strips.get_by_role("button", name="Play from step 100").click()
    mapped.wait_for_sound()
    assert mapped.heard_from() == 100


@pytest.mark.parametrize("forced", ["none", "active"])
def test_axe_finds_nothing_in_lane_and_map(serve_once, open_tab, forced):
    tab = open_tab(serve_once(write_landscapes), forced_colors=forced)
    panel(tab.frame, "Landscape")
    tab.frame.locator(".map canvas").wait_for(timeout=WAIT_MS)
    tab.frame.locator("details", has_text="Snapshots").locator("summary").click()
    assert not violations(tab.frame)
    tab.frame.get_by_role("button", name="3-D").click()
    tab.page.emulate_media(color_scheme="dark")
    assert not violations(tab.frame)


def test_a_map_of_a_run_without_anything_else_is_walked_too(serve_once, browser):
    from tests.dashboard import opened

    with opened(browser, serve_once(write_landscapes), path=f"{ALONE}#p.sonify.a=map") as tab:
        tab.frame.get_by_role("tab", name="Landscape").click()
        tab.frame.get_by_label("Map", exact=True).select_option("map")
        found = tab.frame.locator(".map")
        found.focus()
        tab.page.keyboard.press("ArrowRight")
        expect(tab.frame.locator(".status")).to_contain_text("step 20, 2 of 21: loss 0.501")
        assert found.get_attribute("aria-label").startswith("Loss landscape map: sgd, step 20")
