"""The lanes of layers in the tab: by keys alone, by mouse, and pixel by pixel."""

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.controls import reveal
from tests.dashboard import WAIT_MS
from tests.lanes import (
    GROUND,
    INF,
    LAYERS,
    LIGHT_ALONE,
    LIGHT_INF,
    LIGHT_NAN,
    NAN_AT,
    SPIKE_AT,
    STEPS,
    Lanes,
    seen_row,
    write_known,
)
from tests.pages import routed, wait_until

# So quickly that no machine takes a rest in between.
WHEELS = """(timeline, [clientX, clientY]) => {
  for (let turn = 0; turn < 6; turn++) {
    const options = { clientX, clientY, deltaY: -100, ctrlKey: true, bubbles: true };
    timeline.dispatchEvent(new WheelEvent("wheel", options));
  }
  return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""
VIK_MIDDLE = [236, 229, 224]


@pytest.fixture
def tab(serve_once, open_tab):
    tab = open_tab(serve_once(write_known))
    tab.requests = []
    tab.page.on("request", lambda request: tab.requests.append(request.url))
    return tab


@pytest.fixture
def lanes(tab):
    return Lanes(tab)


def asked(tab, route):
    """The arguments of all requests of a route so far."""
    urls = [urlsplit(url) for url in tab.requests]
    return [
        {name: value[0] for name, value in parse_qs(url.query).items()}
        for url in urls
        if url.path.endswith(f"/{route}")
    ]


def test_a_lane_is_reached_and_walked_by_keys_and_says_layer_norm_and_stream(lanes):
    lane = lanes.tab_to("a")
    assert lane.get_attribute("role") == "application"
    assert lanes.row("a") == "Gradient norms of A, a, 1 of 6: conv"
    expect(lanes.status).to_have_text("conv, 0.5, early")
    lanes.press("ArrowUp")
    assert lanes.row("a") == "Gradient norms of A, a, 1 of 6: conv"
    for _ in range(2):
        lanes.press("ArrowDown")
    expect(lanes.status).to_have_text("block1.b, 2, middle")
    assert lanes.row("a") == "Gradient norms of A, a, 3 of 6: block1.b"
    assert lanes.row("b") == "Gradient norms of B, b, 3 of 5: block1.b"
    for _ in range(9):
        lanes.press("ArrowDown")
    expect(lanes.status).to_have_text("head, 2, late")


def test_in_a_lane_all_other_keys_are_the_timelines(lanes, tab):
    lanes.tab_to("a")
    timeline = lanes.frame.locator(".timeline")
    last = STEPS - 1
    for key, step in (
        ("Control+End", last),
        ("Control+Home", 0),
        ("ArrowRight", 1),
        ("Control+ArrowRight", 40.9),
    ):
        lanes.press(key)
        expect(timeline).to_have_attribute("data-step", f"{step:.2f}")
    lanes.press("Space")
    expect(timeline).to_have_attribute("data-state", "playing")
    tab.wait_for_sound()
    lanes.press("Space")
    expect(timeline).to_have_attribute("data-state", "paused")
    lanes.press("Control+Home")
    lanes.press("Enter")
    expect(timeline).to_have_attribute("data-state", "playing")
    expect(timeline).to_have_attribute("data-state", "paused")
    expect(timeline).to_have_attribute("data-step", "0.00")  # it has come back
    lanes.press("Escape")
    expect(timeline).to_be_focused()


def test_shift_s_hears_only_the_stream_of_the_layer_and_all_again(lanes, tab):
    lanes.tab_to("a")
    for _ in range(2):
        lanes.press("ArrowDown")
    lanes.press("Shift+S")
    expect(lanes.status).to_have_text("Only middle, with block1.b")
    lanes.rest()
    assert asked(tab, "clip")[-1]["muted"] == "0,2"
    lanes.press("Shift+S")
    expect(lanes.status).to_have_text("All streams are heard")
    reveal(lanes.frame.get_by_label("Sound", exact=True)).select_option("classic")
    lanes.tab_to("a")
    lanes.press("Shift+S")
    expect(lanes.status).to_contain_text("has no streams to be heard alone")


def test_a_click_plays_the_step_and_takes_the_focus_to_the_layer(lanes, tab):
    place, box = tab.place(), lanes.lane("b").bounding_box()
    tab.page.mouse.click(place.x(250), box["y"] + box["height"] * seen_row(3, 5))
    marks = "performance.getEntriesByName('sonify:sound')"
    lanes.frame.wait_for_function(f"{marks}.length > 0", timeout=WAIT_MS)
    assert lanes.frame.evaluate(f"{marks}.at(-1).detail.step") == pytest.approx(250, abs=1)
    expect(lanes.lane("b")).to_be_focused()
    assert lanes.row("b") == "Gradient norms of B, b, 4 of 5: block2.a"
    lanes.press("ArrowDown")
    assert lanes.row("b") == "Gradient norms of B, b, 5 of 5: block2.b"


def test_the_row_under_the_pointer_is_read_out_in_one_place(lanes, tab):
    # So wide that a step has more than a pixel.
    tab.page.set_viewport_size({"width": 1600, "height": 900})
    lanes.rest()
    place, box = tab.place(), lanes.lane("a").bounding_box()
    readout = lanes.frame.locator(".pointed")
    for step, row, words in (
        (SPIKE_AT, 2, "block1.b step 120 2000"),
        (55, 0, "conv step 55 6.5"),
        (INF.start + 5, 4, "block2.b step 205 Inf"),
        (NAN_AT + 50, 3, "block2.a step 350 NaN"),
    ):
        x = place.x(step + 0.5)
        tab.page.mouse.move(x, box["y"] + box["height"] * seen_row(row, len(LAYERS)))
        assert " ".join(readout.inner_text().split()) == f"A {words}"
    tab.page.mouse.move(5, 5)
    expect(readout).to_contain_text("step 0")


def test_a_spike_of_one_step_is_seen_at_every_zoom(lanes):
    lanes.frame.locator(".timeline").focus()
    lanes.press("n")
    expect(lanes.frame.locator(".timeline")).to_have_attribute("data-step", f"{SPIKE_AT}.00")
    for _ in range(6):
        row = seen_row(2, len(LAYERS))
        spike = lanes.colours("a", SPIKE_AT, row, pixels=1)[0]
        calm = lanes.colours("a", SPIKE_AT + 1.1, row, pixels=1)[0]
        assert spike[0] > 200 > 150 > calm[0]
        above = lanes.colours("a", SPIKE_AT, seen_row(1, len(LAYERS)), pixels=1)[0]
        assert above == calm
        lanes.press("+")
        lanes.rest()


def test_what_is_no_number_is_hatched(lanes):
    nan = lanes.colours("a", NAN_AT + 10, seen_row(3, len(LAYERS)))
    assert sorted(map(tuple, {*map(tuple, nan)})) == sorted(map(tuple, (LIGHT_NAN, GROUND)))
    inf = lanes.colours("a", INF.start + 2, seen_row(4, len(LAYERS)))
    assert sorted(map(tuple, {*map(tuple, inf)})) == sorted(map(tuple, (LIGHT_INF, GROUND)))
    assert lanes.colours("b", NAN_AT, seen_row(3, 5)) != nan


def test_the_difference_lane_compares_layers_by_name(lanes):
    assert lanes.lane("difference").count() == 0
    reveal(lanes.frame.get_by_label("Difference of A and B")).focus()
    lanes.press("Space")
    lanes.press("Escape")
    lanes.rest()

    def one(row, step=50):
        (colour,) = {*map(tuple, lanes.colours("difference", step, seen_row(row, len(LAYERS))))}
        return list(colour)

    more, less, same = one(3), one(1), one(2)
    assert same == VIK_MIDDLE  # 2 and 2
    assert more[0] > more[2] + 60  # 2 and 0.5: towards the red end
    assert less[2] > less[0] + 60  # 2 and 8: towards the blue one
    nan = lanes.colours("difference", NAN_AT + 10, seen_row(3, len(LAYERS)))
    assert LIGHT_NAN in nan
    assert GROUND in nan
    alone = lanes.colours("difference", 50, seen_row(5, len(LAYERS)))
    assert LIGHT_ALONE in alone
    assert GROUND in alone
    legend = lanes.frame.get_by_role("list", name="What the colours mean")
    for words in ("B 8 times A", "A 8 times B", "only in one", "NaN", "Inf", "0.1", "10000"):
        expect(legend).to_contain_text(words)
    lanes.tab_to("difference")
    assert lanes.row("difference") == "Gradient norms, difference of A and B, 1 of 6: conv"
    lanes.press("ArrowDown")
    expect(lanes.status).to_have_text("block1.a, B 4 times A, early")
    lanes.press("Control+End")
    lanes.rest()
    lanes.press("ArrowDown")
    lanes.press("ArrowDown")
    expect(lanes.status).to_have_text("block2.a, A NaN, B 0.5, middle")


def test_without_norms_in_both_runs_there_is_no_difference_and_it_is_said_why(tab):
    tab.frame.get_by_label("B: c").check()
    choice = reveal(tab.frame.get_by_label("Difference of A and B"))
    expect(choice).to_be_disabled()
    expect(choice).to_have_accessible_description("needs gradient norms in both runs")


def test_zooming_asks_the_server_once_it_rests_and_stretches_the_picture_until_then(lanes, tab):
    place = tab.place()
    before, painted = len(asked(tab, "heatmap")), lanes.painted()
    routed(tab.page, "heatmap", lambda _: None)
    tab.frame.locator(".timeline").evaluate(WHEELS, [place.x(200), place.y])
    canvas = lanes.lane("a").locator("canvas")
    wait_until(tab.page, lambda: "scaleX" in canvas.evaluate("canvas => canvas.style.transform"))
    wait_until(tab.page, lambda: len(asked(tab, "heatmap")) == before + 2)
    assert lanes.painted() == painted
    tab.page.unroute_all(behavior="ignoreErrors")  # those that are held go on
    lanes.rest()
    assert len(asked(tab, "heatmap")) == before + 2  # once for each run
    assert canvas.evaluate("canvas => canvas.style.transform") == ""


def test_nothing_is_painted_while_it_plays(lanes, tab):
    lanes.tab_to("a")
    lanes.press("ArrowDown")
    lanes.rest()
    lanes.press("Space")
    tab.wait_for_sound()
    painted = lanes.painted()
    tab.levels_over(2)
    expect(lanes.frame.locator(".timeline")).to_have_attribute("data-state", "playing")
    assert lanes.painted() == painted
