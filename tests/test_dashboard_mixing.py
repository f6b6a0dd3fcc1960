"""What the desk does to the sound: gain, pan, solo and mute, of runs and of streams."""

import re
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import expect

from tb_sonify import SonifyWriter
from tests.controls import reveal
from tests.dashboard import ALONE, WAIT_MS
from tests.pages import fresh_page, wait_until

STEPS, LOSS_FROM = 1_200, 1_000  # before that, the curve is silent
LAYERS = ("conv1", "conv2", "fc1", "fc2", "fc3", "fc4")


def write_steady(path, norm):
    """A run that sounds the same all the time, with a loss towards its end."""
    with SonifyWriter(str(path)) as writer:
        for step in range(STEPS):
            writer.add_norms(dict.fromkeys(LAYERS, norm), step)
            if step >= LOSS_FROM:
                writer.add_scalar("loss/train", 0.99**step, step)


def write_steady_runs(logdir):
    for name, norm in (("a", 0.5), ("b", 2.0), ("c", 8.0)):
        write_steady(logdir / name, norm)


@pytest.fixture
def url(serve_once):
    return serve_once(write_steady_runs)


@pytest.fixture
def tab(url, open_tab):
    tab = open_tab(url)
    tab.clips = []
    tab.page.on("request", lambda request: note_clip(tab, request.url))
    tab.frame.locator(".timeline").focus()
    return tab


def note_clip(tab, url):
    if "/clip?" in url:
        tab.clips.append({name: value[0] for name, value in parse_qs(urlsplit(url).query).items()})


def listen(tab):
    """Play; gives the level on the left and on the right, in dB, as soon as they are steady."""
    tab.page.keyboard.press("Space")
    tab.wait_for_answer()
    found = [levels(tab), levels(tab)]
    wait_until(tab.page, lambda: np.allclose(*found[-2:], atol=0.3) or found.append(levels(tab)))
    return found[-1]


def levels(tab):
    """Level on the left and on the right, in dB, over a while."""
    return 20 * np.log10(np.mean(tab.levels_over(0.3), axis=0) + 1e-9)


def wait_for_levels(tab, condition):
    """Wait until a condition on the levels on the left and on the right holds."""
    wait_until(tab.page, lambda: condition(*levels(tab)))


def row(tab, run):
    return tab.frame.locator(f"[data-row={run}]")


def head(tab, run):
    """The head of the track of a run."""
    return tab.frame.locator(".head", has=tab.frame.get_by_role("heading", name=run))


def strip(tab, run, name):
    return head(tab, run).get_by_role("button", name=name)


def type_in(tab, run, slider, *keys):
    head(tab, run).get_by_role("slider", name=slider).focus()
    for key in keys:
        tab.page.keyboard.press(key)


def test_gain_makes_the_run_louder_or_softer_by_what_it_says(tab):
    before = listen(tab)
    for keys, gain, off in (
        (["ArrowLeft"] * 12, -12, 1),
        (["End"], 12, 1.5),
        (["Delete"], 0, 1),
    ):
        type_in(tab, "a", "Gain", *keys)
        wait_until(
            tab.page,
            lambda wanted=[gain] * 2, off=off: (
                levels(tab) - before == pytest.approx(wanted, abs=off)
            ),
        )
    expect(tab.frame.locator(".timeline")).to_have_attribute("data-state", "playing")


def test_a_single_note_at_rest_is_as_loud_as_the_run(tab):
    marks = "tap.starts.length"
    strip(tab, "a", "Mute").click()
    tab.frame.locator(".timeline").focus()
    before = tab.frame.evaluate(marks)
    tab.page.keyboard.press("ArrowRight")
    tab.frame.wait_for_function(f"{marks} > {before}")
    heard = [tab.frame.evaluate("tap.level()") for _ in range(10)]
    assert max(heard) == 0


def test_gain_is_kept_until_the_next_visit(url, browser):
    with fresh_page(browser) as page:
        gain = page.get_by_role("slider", name="Gain").first
        for words in ("0 dB", "−3 dB"):
            page.goto(f"{url}{ALONE}")
            expect(gain).to_have_attribute("aria-valuetext", words, timeout=WAIT_MS)
            gain.focus()
            for _ in range(3):
                page.keyboard.press("ArrowLeft")
        spoilt = """localStorage["tb_sonify.gains"] = '[["a", "x"], 1, ["b", 1e999], null]'"""
        page.evaluate(spoilt)
        page.reload()
        expect(gain).to_have_attribute("aria-valuetext", "0 dB", timeout=WAIT_MS)


def test_pan_puts_the_run_on_one_side_and_by_itself_again(tab):
    listen(tab)
    type_in(tab, "a", "Pan", "Home")
    wait_for_levels(tab, lambda left, right: left - right > 40)
    type_in(tab, "a", "Pan", "End")
    wait_for_levels(tab, lambda left, right: right - left > 40)
    type_in(tab, "a", "Pan", "Delete")
    wait_for_levels(tab, lambda left, right: abs(left - right) < 6)


def test_solo_and_mute_of_a_run_are_heard_where_both_play(tab):
    tab.page.keyboard.press("3")
    both = listen(tab)
    assert min(both) > -60
    strip(tab, "b", "Mute").click()
    wait_for_levels(tab, lambda left, right: left - right > 6)  # A alone, on the left
    strip(tab, "b", "Mute").click()
    strip(tab, "b", "Solo").click()
    wait_for_levels(tab, lambda left, right: right - left > 6)
    expect(row(tab, "a").locator(".states")).to_contain_text("silent")
    strip(tab, "b", "Mute").click()
    wait_for_levels(tab, lambda left, right: max(left, right) < -100)
    strip(tab, "b", "Mute").click()
    reveal(tab.frame.get_by_role("button", name="Hear all again", include_hidden=True)).click()
    wait_until(tab.page, lambda: levels(tab) == pytest.approx(both, abs=1))


def test_a_stream_alone_is_asked_of_the_server_and_playing_goes_on(tab):
    listen(tab)
    stream = reveal(tab.frame.get_by_role("region", name="Layer groups", include_hidden=True))
    stream.get_by_role("button", name="Solo late").focus()
    tab.page.keyboard.press("Space")
    wait_until(tab.page, lambda: tab.clips[-1].get("muted") == "0,1")
    stream.get_by_role("button", name="Mute late").click()
    wait_until(tab.page, lambda: tab.clips[-1].get("muted") == "0,1,2")
    reveal(tab.frame.get_by_role("button", name="Hear all again", include_hidden=True)).click()
    wait_until(tab.page, lambda: tab.clips[-1].get("muted") == "2")
    expect(tab.frame.locator(".timeline")).to_have_attribute("data-state", "playing")
    wait_for_levels(tab, lambda left, right: min(left, right) > -60)


def test_the_curve_alone_silences_the_norms_and_a_stream_alone_the_curve(tab):
    norms = max(listen(tab))
    streams = reveal(tab.frame.get_by_role("region", name="Layer groups", include_hidden=True))
    curve = streams.get_by_role("button", name="Mute curve, loss/train")
    expect(curve).to_have_attribute("aria-pressed", "true")
    streams.get_by_role("button", name="Solo curve, loss/train").click()
    expect(curve).to_have_attribute("aria-pressed", "false")
    wait_until(tab.page, lambda: any(clip.get("tag") == "loss/train" for clip in tab.clips))
    # There is no curve yet at these steps.
    wait_for_levels(tab, lambda left, right: max(left, right) < norms - 30)
    tab.frame.locator(".timeline").focus()
    tab.page.keyboard.press("End")
    tab.page.keyboard.press("Control+ArrowLeft")
    tab.page.keyboard.press("Space")
    wait_for_levels(tab, lambda left, right: max(left, right) > norms - 10)
    reveal(streams).get_by_role("button", name="Solo early").click()
    streams.get_by_role("button", name="Solo curve, loss/train").click()
    streams.get_by_role("button", name="Mute early").click()
    wait_for_levels(tab, lambda left, right: max(left, right) < norms - 30)


def test_a_preset_without_streams_says_that_there_is_nothing_to_mute(tab):
    streams = reveal(tab.frame.get_by_role("region", name="Layer groups", include_hidden=True))
    expect(streams.get_by_role("button", name="Mute early")).to_be_enabled()
    reveal(tab.frame.get_by_label("Sound", exact=True)).select_option("arpeggio")
    expect(streams.get_by_role("button", name="Mute early")).to_be_disabled()
    expect(streams).to_contain_text("does not play the streams one by one")


@pytest.mark.parametrize("preset", ["arpeggio", "classic"])
def test_a_preset_that_the_curve_cannot_join_says_so(tab, preset):
    streams = reveal(tab.frame.get_by_role("region", name="Layer groups", include_hidden=True))
    mute = streams.get_by_role("button", name="Mute curve")
    mute.click()
    expect(mute).to_have_attribute("aria-pressed", "false")
    reveal(tab.frame.get_by_label("Sound", exact=True)).select_option(preset)
    expect(tab.frame.locator(".status")).to_contain_text("has a beat of its own")
    expect(mute).to_be_disabled()
    expect(mute).to_have_attribute("aria-pressed", "true")  # for it is not heard
    expect(mute).to_have_accessible_description(re.compile("is heard beside other sounds only"))
    expect(streams).to_contain_text("the curve is heard beside other sounds only")
    tab.frame.locator(".timeline").focus()
    tab.page.keyboard.press("c")
    expect(tab.frame.locator(".status")).to_contain_text("has a beat of its own")


def test_another_run_for_one_side_leaves_the_other_one_playing(tab):
    listen(tab)
    before = tab.report()["starts"]
    assert row(tab, "b").get_by_role("radio").last.is_checked()
    row(tab, "c").get_by_role("radio").last.focus()
    tab.page.keyboard.press("Space")
    wait_until(tab.page, lambda: any(clip["run"] == "c" for clip in tab.clips))
    expect(row(tab, "c").get_by_role("radio").last).to_be_checked()
    after = tab.report()["starts"]
    assert after[: len(before)] == before  # none of them was cut short
    expect(tab.frame.locator(".timeline")).to_have_attribute("data-run", "a")
    expect(tab.frame.locator(".timeline")).to_have_attribute("data-state", "playing")
