"""What else the tab can do: landmarks, zoom, heat-map, sound to taste."""

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect
from torch.utils.tensorboard import SummaryWriter

from tests.broken_run import NAN_AT, SPIKE_AT, STEPS, write_pair, write_run
from tests.controls import panel, reveal
from tests.dashboard import ALONE, TAB, WAIT_MS
from tests.pages import wait_until


@pytest.fixture
def tab(request, serve_once, open_tab):
    path, url = getattr(request, "param", ALONE), serve_once(write_pair)
    tab = open_tab(url, path=path)
    tab.clips = []
    tab.page.on("request", lambda request: note_clip(tab, request.url))
    return tab


def note_clip(tab, url):
    if "/clip?" in url:
        tab.clips.append({name: value[0] for name, value in parse_qs(urlsplit(url).query).items()})


def timeline(tab):
    element = tab.frame.locator(".timeline")
    element.focus()
    return element


def status(tab):
    return tab.frame.locator(".status")


def test_the_landmarks_are_listed_and_reached_by_keys(tab):
    landmarks = panel(tab.frame, "Landmarks")
    buttons = landmarks.get_by_role("button")
    expect(buttons).to_have_count(2, timeout=WAIT_MS)
    expect(buttons.nth(0)).to_contain_text(f"step {SPIKE_AT}: spike")
    expect(buttons.nth(1)).to_contain_text(f"step {NAN_AT}: NaN")
    expect(tab.frame.locator(".flag")).to_have_count(2)
    moving = timeline(tab)
    for step, word in ((SPIKE_AT, "spike"), (NAN_AT, "NaN")):
        tab.page.keyboard.press("n")
        expect(moving).to_have_attribute("data-step", f"{step}.00")
        expect(status(tab)).to_contain_text(f"step {step}: {word}")
    tab.page.keyboard.press("n")
    expect(status(tab)).to_contain_text(f"From the start: step {SPIKE_AT}: spike")
    tab.page.keyboard.press("n")
    expect(status(tab)).to_contain_text(", 2 of 2, A, a-broken")
    tab.page.keyboard.press("Shift+N")
    expect(moving).to_have_attribute("data-step", f"{SPIKE_AT}.00")


def test_a_landmark_plays_from_two_notes_before_it(tab):
    listed = panel(tab.frame, "Landmarks")
    button = listed.get_by_role("button", name=f"step {SPIKE_AT}")
    button.focus()
    tab.page.keyboard.press("Enter")
    assert tab.heard_from() == SPIKE_AT - 2


def test_zoom_goes_around_the_playhead_and_fits_again(tab):
    timeline(tab)
    assert tab.seen() == (0, STEPS - 1)
    tab.page.keyboard.press("n")
    tab.page.keyboard.press("+")
    tab.page.keyboard.press("+")
    first, last = tab.seen()
    assert first < SPIKE_AT < last
    assert last - first == pytest.approx((STEPS - 1) / 4, abs=2)
    tab.page.keyboard.press("-")
    assert tab.seen()[1] - tab.seen()[0] == pytest.approx((STEPS - 1) / 2, abs=2)
    tab.page.keyboard.press("0")
    assert tab.seen() == (0, STEPS - 1)


@pytest.mark.parametrize("tab", [TAB], indirect=True)
def test_a_wheel_with_ctrl_zooms_where_the_pointer_is_and_a_click_there_plays_there(tab):
    place = tab.place()
    tab.page.mouse.move(place.x(200), place.y)
    tab.page.keyboard.down("Control")
    for _ in range(4):
        tab.page.mouse.wheel(0, -100)
    tab.page.keyboard.up("Control")
    tab.rest()
    closer = tab.place()
    assert closer.last_step - closer.first_step < (STEPS - 1) / 2
    assert closer.step(place.x(200)) == pytest.approx(200, abs=2)
    tab.page.mouse.click(closer.x(230), closer.y)
    assert tab.heard_from() == pytest.approx(230, abs=1)


def test_a_click_on_the_heat_map_plays_that_step(tab):
    place = tab.place()
    canvas = tab.frame.locator(".heatmap canvas").first
    expect(canvas).to_be_visible(timeout=WAIT_MS)
    box = canvas.bounding_box()
    assert (box["x"], box["width"]) == pytest.approx((place.left, place.width), abs=1)
    tab.page.mouse.click(place.x(250), box["y"] + box["height"] / 2)
    assert tab.heard_from() == pytest.approx(250, abs=1)


def test_the_heat_map_shows_the_spike_and_the_nan_in_their_rows_and_columns(tab):
    canvas = tab.frame.locator(".heatmap canvas").first
    expect(canvas).to_be_visible(timeout=WAIT_MS)
    pixel = """(canvas, [x, y]) => [...canvas.getContext("2d").getImageData(
        Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1).data]"""

    def colour(step, layer):
        return canvas.evaluate(pixel, [(step + 0.5) / (STEPS - 1), (layer + 0.5) / 6])

    calm, spike = colour(SPIKE_AT - 20, 2), colour(SPIKE_AT, 2)
    assert sum(spike[:3]) > sum(calm[:3]) + 100  # towards the yellow end
    assert colour(SPIKE_AT, 3) == pytest.approx(calm, abs=40)
    reds = [colour(NAN_AT + 20 + shift, 4)[:3] for shift in range(10)]
    assert [179, 38, 30] in reds
    assert [179, 38, 30] not in [colour(NAN_AT - 20 + shift, 4)[:3] for shift in range(10)]


def test_speed_sum_pitch_and_streams_are_asked_of_the_server_and_playing_goes_on(tab):
    frame = tab.frame
    timeline(tab)
    tab.page.keyboard.press("Space")
    tab.wait_for_sound()
    for label, option in (("Speed", "10"), ("Skim", "2"), ("Pitch range", "4")):
        asked = len(tab.clips)
        reveal(frame.get_by_label(label)).select_option(option)
        wait_until(tab.page, lambda before=asked: len(tab.clips) > before)
    reveal(frame.get_by_role("button", name="Mute middle", include_hidden=True)).click()
    wait_until(tab.page, lambda: tab.clips[-1].get("muted") == "1")
    tab.wait_for_sound()
    last = tab.clips[-1]
    assert (last["speed"], last["together"], last["zoom"], last["muted"]) == ("10", "2", "4", "1")
    expect(frame.locator(".timeline")).to_have_attribute("data-state", "playing")


def test_the_whole_run_can_be_heard_in_ten_seconds(tab):
    together = reveal(tab.frame.get_by_label("Skim"))
    together.select_option(label="the whole run in 10 s")
    expect(together).to_have_value("4")  # 400 notes of 60 ms take 24 s
    timeline(tab)
    tab.page.keyboard.press("Space")
    tab.wait_for_sound()
    assert tab.clips[-1]["together"] == "4"


def write_norms_and_scalar(logdir):
    write_run(logdir / "a-norms", broken=False)
    with SummaryWriter(str(logdir / "b-scalar")) as writer:
        for step in range(STEPS):
            writer.add_scalar("loss/train", 2.3 * 0.99**step, step)


def test_a_switch_to_a_sound_of_another_sample_rate_keeps_its_pace(serve_once, open_tab):
    tab = open_tab(serve_once(write_norms_and_scalar))
    tab.frame.get_by_label("B: b-scalar").check()
    reveal(tab.frame.get_by_label("Sound", exact=True)).select_option("classic")  # at 44,100 Hz
    tab.rest()
    expect(timeline(tab)).to_have_attribute("data-state", "paused", timeout=WAIT_MS)  # was heard
    tab.page.keyboard.press("Space")
    tab.wait_for_sound()
    tab.page.keyboard.press("x")
    tab.wait_for_answer()
    expect(tab.frame.locator(".timeline")).to_have_attribute("data-run", "b-scalar")
    place, left = tab.place(), tab.frame.locator(".timeline").bounding_box()["x"]
    tab.frame.evaluate("tap.follow()")
    ends = "tap.moves.length > 1 && tap.moves.at(-1).contextTime > tap.moves[0].contextTime + 2"
    tab.frame.wait_for_function(ends, timeout=WAIT_MS)
    first, *_, last = tab.report()["moves"]
    seconds = [
        move["contextTime"] + (move["now"] - move["performanceTime"]) / 1000
        for move in (first, last)
    ]
    steps = [
        place.step(left + float(move["transform"].removeprefix("translateX(")[:-3]))
        for move in (first, last)
    ]
    pace = (steps[1] - steps[0]) / (seconds[1] - seconds[0])
    assert pace == pytest.approx(1 / 0.06, rel=0.15)
