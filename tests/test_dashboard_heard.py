"""The heard lane: what it shows is what its clip sounds like."""

import io
import re
import wave

import numpy as np
import pytest
from playwright.sync_api import expect

from benchmarks.heard import Part
from tb_sonify.sound import PRESETS
from tests.broken_run import NAN_AT, SPIKE_AT, write_pair
from tests.controls import reveal
from tests.dashboard import ALONE, WAIT_MS, fetch
from tests.heard_lane import drawn, painted_hz, pitches
from tests.pages import wait_until

NOTES = range(20, 60)


@pytest.fixture(scope="module")
def url(serve_once):
    return serve_once(write_pair)


def clip(url, **query):
    """Left and right of a clip, as a share of full scale."""
    with wave.open(io.BytesIO(fetch(url, "clip", preset="smooth", **query))) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return pcm.reshape(-1, 2).T / 32767


def test_the_lane_shows_the_pitches_and_earcons_of_the_clip(url, open_tab):
    tab = open_tab(url, path=ALONE)
    picture = drawn(tab, 0)
    shown = pitches(picture)
    assert picture["notesPerColumn"] == 1
    for stream in range(3):
        muted = ",".join(str(other) for other in range(3) if other != stream)
        sound = clip(url, run="a-broken", first_note=NOTES[0], notes=len(NOTES), muted=muted)
        measured = Part(PRESETS["smooth"], stream, 3).pitches(sound[stream // 2], len(NOTES))
        cents = 1200 * np.log2(shown[NOTES, stream] / measured)
        assert np.abs(cents).max() <= 5
        painted = [painted_hz(tab, 0, picture, note, stream) for note in NOTES[::8]]
        pixel = 100 / picture["bands"][stream]["perSemitone"]  # in cents
        apart = 1200 * np.log2(np.array(painted) / measured[::8])
        # The grid, and a line that rises, are painted, too.
        assert np.median(np.abs(apart)) < 2 * pixel
    place = tab.place()
    for name, step in (("nan", NAN_AT), ("spike", SPIKE_AT)):
        found = [
            place.step(place.left + each["x"]) for each in picture["glyphs"] if each["name"] == name
        ]
        assert min(found) == pytest.approx(step, abs=2)


def test_zoomed_in_the_lane_is_a_piano_roll_that_says_what_is_under_the_pointer(url, open_tab):
    tab = open_tab(url, path=ALONE)
    assert not drawn(tab, 0)["boxes"]
    reveal(tab.frame.get_by_label("From")).fill("280")
    tab.page.keyboard.press("Tab")
    tab.frame.get_by_label("to", exact=True).fill("340")
    tab.page.keyboard.press("Enter")
    wait_until(tab.page, lambda: tab.seen() == (280, 340))
    assert drawn(tab, 0)["boxes"]
    place = tab.place()
    plate = tab.frame.locator(".heard-lane .blocks").first.bounding_box()
    tab.page.mouse.move(place.x(NAN_AT + 0.5), plate["y"] + 0.2 * plate["height"])
    expect(tab.frame.locator(".pointed")).to_have_text(
        re.compile(r"^A · Late layers: [\d,]+ Hz, norm [\d.]+.*; clash: NaN$")
    )
    tab.page.mouse.move(10, 10)
    expect(tab.frame.locator(".pointed")).not_to_have_text(re.compile("Hz"))


def test_dots_follow_what_sounds_and_nothing_is_drawn_again(url, open_tab):
    tab = open_tab(url, path=ALONE)
    picture = drawn(tab, 0)
    place = tab.place()
    tab.page.mouse.click(place.x(40), place.y)
    tab.wait_for_answer()
    expect(tab.frame.locator(".dots.playing")).not_to_have_count(0)
    here = tab.frame.locator(".heard-lane .blocks i.here")
    wait_until(tab.page, lambda: here.count() > 0)
    before = tab.frame.evaluate("performance.getEntriesByName('sonify:heard').length")
    read = """() => {
        const at = each => new DOMMatrix(getComputedStyle(each).transform);
        const dots = [...document.querySelector(".heard-lane .dots").children];
        return [at(document.querySelector(".playhead")).e, dots.map(at).map(({e, f}) => [e, f])];
    }"""
    left = tab.frame.locator(".timeline").bounding_box()["x"]
    seen = set()
    for _ in range(10):
        playhead, dots = tab.frame.evaluate(read)
        step = place.step(left + playhead)
        for stream, (x, y) in enumerate(dots):
            assert left + playhead == pytest.approx(place.left + x, abs=3)
            near = pitches(picture)[int(step) - 1 : int(step) + 2, stream]
            band, of = picture["bands"][stream], picture["streams"][stream]
            hz = of["hzAt1"] * 2 ** ((band["middle"] - y) / band["perSemitone"] / 12)
            assert np.abs(12 * np.log2(near / hz)).min() < 0.1
        seen.add(round(step))
        wait_until(
            tab.page, lambda step=step: tab.frame.evaluate(read)[0] > place.x(step + 1) - left
        )
    assert len(seen) > 5
    assert tab.frame.evaluate("performance.getEntriesByName('sonify:heard').length") == before


def test_what_is_not_loaded_is_pale_and_a_stream_that_is_muted_too(url, open_tab):
    tab = open_tab(url, path=ALONE)
    drawn(tab, 0)
    opacity = "each => getComputedStyle(each).opacity"
    assert tab.frame.locator(".blocks i.away").first.evaluate(opacity) == "0.65"
    expect(tab.frame.locator(".heard-lane").first).to_have_accessible_name(
        re.compile("What is heard of A, .*norm 1 at: early 220 Hz, middle 440 Hz, late 880 Hz")
    )
    reveal(tab.frame.get_by_role("button", name="Mute late", include_hidden=True)).click()
    expect(tab.frame.locator(".pitches li.muted")).to_have_text(["880 Hz"] * 2, timeout=WAIT_MS)
