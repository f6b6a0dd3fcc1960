"""The Sonify tab by mouse, keyboard and ear: real TensorBoard, real Chromium, real input events.

Until the first gesture of a test, nothing is evaluated in its page: to the browser, Playwright's
evaluations are gestures, and would unlock the sound by themselves. So where to click is looked up
in another page.
"""

import numpy as np
import pytest
from playwright.sync_api import expect

from tb_sonify import SonifyWriter
from tests import dashboard
from tests.dashboard import WAIT_MS, audible, first_sound
from tests.pages import fresh_page
from tests.serving import served

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


@pytest.fixture(scope="module", params=["", "/x"], ids=["at the root", "under a path prefix"])
def url(request, tmp_path_factory):
    logdir = tmp_path_factory.mktemp("runs")
    for seed, name in enumerate(RUNS):
        write_run(logdir / name, seed)
    with served(logdir, f"--path_prefix={request.param}") as url:
        yield url


@pytest.fixture(scope="module")
def known(url):
    """All clips, to recognise what is heard."""
    return [clip for run in RUNS for clip in dashboard.clips(url, run)]


@pytest.fixture(scope="module")
def place(url, browser):
    with dashboard.opened(browser, url) as scout:
        scout.wait_until_ready()
        return scout.place()


@pytest.fixture
def tab(url, browser):
    """A fresh page that nobody has touched."""
    with dashboard.opened(browser, url) as tab:
        assert tab.wait_until_ready() == UNTOUCHED
        yield tab


def click(tab, place, step):
    """Click the curve, and listen for a while."""
    tab.page.mouse.click(place.x(step), place.y)
    tab.page.wait_for_timeout(700)
    tab.wait_for_sound()


def heard(report, known):
    """The run at the ear at the time of a report, and the note."""
    return audible(report, report, known)


def test_the_first_click_plays_that_step_within_200_ms(url, browser, place, known):
    delays = []
    for _ in range(3):  # the quickest counts: on a machine that is busy, one may be late
        with dashboard.opened(browser, url) as tab:
            assert tab.wait_until_ready() == UNTOUCHED
            click(tab, place, 50)
            report = tab.report()
            (gesture,) = report["gestures"]
            sound = first_sound(report, gesture)
            delays.append(sound - gesture)
            run, note = heard(report, known)
            assert run == RUNS[0]
            assert note == pytest.approx(50 + (report["now"] - sound) / NOTE_MS, abs=20 / NOTE_MS)
    assert min(delays) < 200


def test_the_playhead_is_where_the_sound_is(tab, place, known):
    click(tab, place, 20)
    tab.frame.evaluate("window.tap.follow()")
    tab.page.wait_for_timeout(3_000)
    report = tab.report()
    left = tab.frame.locator(".timeline").bounding_box()["x"]
    late = []
    for move in report["moves"]:
        shown = place.step(left + float(move["transform"].removeprefix("translateX(")[:-3]))
        late.append(NOTE_MS * (shown - audible(report, move, known)[1]))
    assert len(late) > 60  # pictures, of 3 s
    assert max(map(abs, late)) < 20


def test_a_click_elsewhere_seeks_within_200_ms(tab, place, known):
    click(tab, place, 20)
    assert 20 < heard(tab.report(), known)[1] < 40
    delays = []
    for clicks, step in enumerate((150, 60, 10), start=1):
        click(tab, place, step)
        report = tab.report()
        gesture, now = report["gestures"][clicks], report["contextTime"]
        sound = first_sound(report, gesture)
        delays.append(sound - gesture)
        note = heard(report, known)[1]
        assert note == pytest.approx(step + (report["now"] - sound) / NOTE_MS, abs=20 / NOTE_MS)
        assert sum(begun["when"] < now < begun["end"] for begun in report["starts"]) == 1
    assert min(delays) < 200


def test_space_pauses_and_goes_on_from_there(tab, place, known):
    click(tab, place, 30)
    before = tab.report()
    tab.page.keyboard.press("Space")
    tab.wait_for_sound(silence=True)
    assert tab.frame.get_by_role("button", name="Play").is_visible()
    rest = tab.report()
    rested_at = float(tab.frame.locator(".timeline").get_attribute("data-step"))  # a note a step
    tab.page.keyboard.press("Space")
    tab.wait_for_sound()
    report = tab.report()
    started = len(before["starts"])
    (resumed,) = [each for each in report["starts"] if each not in rest["starts"]]
    assert len(rest["starts"]) == started
    clip = dashboard.recognised(resumed["snippet"], known)
    goes_on_at = clip.first_note + resumed["offset"] * clip.rate / clip.hop
    assert goes_on_at == int(rested_at)  # at the start of the note of the pause
    pressed_at = heard(before, known)[1] + (report["gestures"][1] - before["now"]) / NOTE_MS
    assert pressed_at - 0.5 < rested_at < pressed_at + 200 / NOTE_MS


@pytest.mark.parametrize("gesture", ["key", "mouse"])
def test_the_other_run_goes_on_at_the_same_step(tab, place, known, gesture):
    click(tab, place, 40)
    assert heard(tab.report(), known)[0] == RUNS[0]
    if gesture == "key":
        tab.page.keyboard.press("x")
    else:
        tab.frame.get_by_role("radio", name="Hear B").click()
    tab.page.wait_for_timeout(500)
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
    assert NOTE_MS * abs(note - expected) < 20


def test_a_run_is_heard_to_its_end_where_the_playhead_rests(tab, place):
    click(tab, place, 180)
    timeline = tab.frame.locator(".timeline")
    expect(timeline).to_have_attribute("data-state", "ended")
    expect(timeline).to_have_attribute("data-step", f"{STEPS - 1}.00")
    tab.wait_for_sound(silence=True)


def test_the_stock_tabs_show_the_norms_and_play_the_clips(url, browser):
    with fresh_page(browser) as page:
        page.goto(f"{url}#timeseries")
        page.get_by_text("grad_norm/fc1").first.wait_for(timeout=WAIT_MS)
        page.goto(f"{url}#audio")
        page.reload()
        clip = page.locator("audio").first
        clip.wait_for(timeout=WAIT_MS)
        clip.evaluate("audio => audio.play()")
        page.wait_for_timeout(500)
        assert clip.evaluate("audio => audio.duration") == pytest.approx(6.004, abs=0.001)
        assert clip.evaluate("audio => audio.currentTime") > 0.1
