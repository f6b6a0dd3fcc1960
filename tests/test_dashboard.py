"""The Sonify tab by mouse, keyboard and ear: real TensorBoard, real Chromium, real input events.

Until the first gesture of a test, nothing is evaluated in its page: to the browser, Playwright's
evaluations are gestures, and would unlock the sound by themselves. So where to click is looked up
in another page.
"""

import re
from contextlib import contextmanager

import numpy as np
import pytest
from playwright.sync_api import expect

from tb_sonify import SonifyWriter
from tests import dashboard
from tests.dashboard import WAIT_MS, audible, first_sound
from tests.pages import fresh_page

STEPS = 200
NOTE_MS = 60
RUNS = ("calm", "wild")
UNTOUCHED = "tap: ready, suspended, untouched"


def write_run(path, seed):
    random = np.random.default_rng(seed)
    norms = np.exp(np.cumsum(random.normal(0, 0.2, (STEPS, 4)), axis=0))
    with SonifyWriter(str(path)) as writer:
        for step, row in enumerate(norms):
            writer.add_norms(dict(zip(("conv1", "conv2", "fc1", "fc2"), row, strict=True)), step)
            writer.add_scalar("loss/train", 2.3 * 0.99**step, step)


def write_runs(logdir):
    for seed, name in enumerate(RUNS):
        write_run(logdir / name, seed)


@pytest.fixture(scope="module")
def url(serve_once):
    return serve_once(write_runs)


@pytest.fixture(scope="module", params=[(), ("--path_prefix=/x",)], ids=["root", "path prefix"])
def each_url(request, serve_once):
    """At the root, and under a path prefix: for what depends on where TensorBoard is."""
    return serve_once(write_runs, *request.param)


@pytest.fixture(scope="module")
def known(url):
    """All clips, to recognise what is heard."""
    return [clip for run in RUNS for clip in dashboard.clips(url, run)]


@pytest.fixture(scope="module")
def scouted(url, browser):
    """What the tap says of a page that is ready, and where its plot is."""
    with dashboard.opened(browser, url) as scout:
        return scout.wait_until_ready(), scout.place()


@pytest.fixture
def place(scouted):
    return scouted[1]


@contextmanager
def untouched(browser, url, scouted):
    """A fresh page that nobody has touched, with its plot where the scout has found it."""
    with dashboard.opened(browser, url) as tab:
        ready = tab.wait_until_ready()
        assert ready.startswith(UNTOUCHED)
        assert where(ready) == where(scouted[0])
        yield tab


def where(said):
    """What the tap says of the layout, but for the height of the timeline: lanes may be coming."""
    return re.sub(r"(?<=at )(\d+,\d+,\d+),\d+;", r"\1;", said)


@pytest.fixture
def tab(url, browser, scouted):
    with untouched(browser, url, scouted) as tab:
        yield tab


def click(tab, place, step):
    """Click the curve, and wait until what is heard comes from there."""
    tab.page.mouse.click(place.x(step), place.y)
    tab.wait_for_answer()


def heard(report, known):
    """The run at the ear at the time of a report, and the note."""
    return audible(report, report, known)


def assert_is_heard_since(step, report, known):
    """What is at the ear has begun with a step, at the latest gesture, and goes on by the clock."""
    sound = first_sound(report, report["gestures"][-1])
    note = heard(report, known)[1]
    assert note == pytest.approx(step + (report["now"] - sound) / NOTE_MS, abs=1 / 3)
    # What was heard before the gesture may still fade out.
    now = report["contextTime"]
    gesture = now + (report["gestures"][-1] - report["performanceTime"]) / 1_000
    assert sum(gesture < each["when"] < now < each["end"] for each in report["starts"]) == 1


def test_the_first_click_plays_that_step(each_url, browser, scouted, place, known):
    with untouched(browser, each_url, scouted) as tab:
        click(tab, place, 50)
        report = tab.report()
        assert len(report["gestures"]) == 1
        assert heard(report, known)[0] == RUNS[0]
        assert_is_heard_since(50, report, known)


def test_the_playhead_is_where_the_sound_is(tab, place, known):
    """Each picture shows the note of the moment at which the audio clock was read for it."""
    click(tab, place, 20)
    tab.frame.evaluate("window.tap.follow()")
    tab.frame.wait_for_function("tap.moves.length > 60", timeout=WAIT_MS)
    report = tab.report()
    left = tab.frame.locator(".timeline").bounding_box()["x"]
    away = []
    for move in report["moves"]:
        assert move["picture"] == move["moved"]
        shown = place.step(left + float(move["transform"].removeprefix("translateX(")[:-3]))
        away.append(shown - audible(report, move, known)[1])
    # The tab smooths the clock, which jumps on a busy machine.
    assert np.median(np.abs(away)) < 1 / 3


def test_a_click_elsewhere_seeks(tab, place, known):
    click(tab, place, 20)
    assert_is_heard_since(20, tab.report(), known)
    for clicks, step in enumerate((150, 60, 10), start=2):
        click(tab, place, step)
        report = tab.report()
        assert len(report["gestures"]) == clicks
        assert_is_heard_since(step, report, known)


def test_space_pauses_and_goes_on_from_there(tab, place, known):
    click(tab, place, 30)
    started = len(tab.report()["starts"])
    tab.page.keyboard.press("Space")
    tab.wait_for_sound(silence=True)
    assert tab.frame.get_by_role("button", name="Play").is_visible()
    rest = tab.report()
    rested_at = float(tab.frame.locator(".timeline").get_attribute("data-step"))  # a note a step
    tab.page.keyboard.press("Space")
    tab.wait_for_answer()
    report = tab.report()
    (resumed,) = [each for each in report["starts"] if each not in rest["starts"]]
    clip = dashboard.recognised(resumed["snippet"], known)
    goes_on_at = clip.first_note + resumed["offset"] * clip.rate / clip.hop
    assert goes_on_at == int(rested_at)  # at the start of the note of the pause
    before = [{**each, "end": np.inf} for each in rest["starts"][:started]]
    pressed_at = audible({"starts": before}, report["pressed"][1], known)[1]
    assert rested_at == pytest.approx(pressed_at, abs=1)


@pytest.mark.parametrize("gesture", ["key", "mouse"])
def test_the_other_run_goes_on_at_the_same_step(tab, place, known, gesture):
    click(tab, place, 40)
    assert heard(tab.report(), known)[0] == RUNS[0]
    if gesture == "key":
        tab.page.keyboard.press("x")
    else:
        tab.frame.get_by_role("radio", name="Hear B").click()
    tab.wait_for_answer()
    report = tab.report()
    assert heard(report, known)[0] == RUNS[1]
    (switch,) = [
        begun["when"]
        for begun in report["starts"]
        if dashboard.recognised(begun["snippet"], known).run == RUNS[1]
    ]
    before = [{**begun, "end": np.inf} for begun in report["starts"] if begun["when"] < switch]
    moment = {"now": 0, "performanceTime": 0, "contextTime": switch}
    _, expected = audible({"starts": before}, moment, known)
    run, note = audible(report, moment, known)
    assert run == RUNS[1]
    assert note == pytest.approx(expected, abs=1 / 3)


def test_a_run_is_heard_to_its_end_where_the_playhead_rests(tab, place):
    click(tab, place, 180)
    timeline = tab.frame.locator(".timeline")
    expect(timeline).to_have_attribute("data-state", "ended")
    expect(timeline).to_have_attribute("data-step", f"{STEPS - 1}.00")
    tab.wait_for_sound(silence=True)


def test_the_stock_tabs_show_the_norms_and_play_the_clips(each_url, browser):
    with fresh_page(browser) as page:
        page.goto(f"{each_url}#timeseries")
        page.get_by_text("grad_norm/fc1").first.wait_for(timeout=WAIT_MS)
        page.goto(f"{each_url}#audio")
        page.reload()
        clip = page.locator("audio").first
        clip.wait_for(timeout=WAIT_MS)
        clip.evaluate("audio => audio.play()")
        plays = "audio => audio.currentTime > 0.1"
        page.wait_for_function(plays, arg=clip.element_handle(), timeout=WAIT_MS)
        assert clip.evaluate("audio => audio.duration") == pytest.approx(6.004, abs=0.001)
