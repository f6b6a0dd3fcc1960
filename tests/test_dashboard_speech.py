"""What is said, and when: a live region that is counted as a screen reader would hear it."""

import numpy as np
import pytest
from playwright.sync_api import expect

from tb_sonify import SonifyWriter
from tests.controls import panel, reveal
from tests.dashboard import WAIT_MS
from tests.pages import wait_until
from tests.screen import opened_screen

STEPS = 200
# At a note of 60 ms, all within a second.
SPIKE_AT, INF_AT, NAN_AT = 55, 60, 64
# What is told is said a second later at most, by a timer that was set before this one.
TOLD = """() => new Promise((done) => setTimeout(() => requestAnimationFrame(
  () => requestAnimationFrame(() => done())), 1_100))"""
LISTEN = """window.said = [];
const regions = "[role=status], [role=alert], [role=log]:not([aria-live=off]), [aria-live=polite]";
new MutationObserver((changes) => {
  for (const { target } of changes) {
    const element = target.nodeType === 1 ? target : target.parentElement;
    const region = element?.closest(regions);
    if (region?.textContent) window.said.push(region.textContent);
  }
}).observe(document.body, { subtree: true, childList: true, characterData: true });"""


def write_runs(logdir):
    random = np.random.default_rng(3)
    norms = np.exp(random.normal(-1, 0.1, (STEPS, 3)))
    norms[SPIKE_AT, 1] *= 1e4
    norms[INF_AT, 0] = np.inf
    norms[NAN_AT:, 2] = np.nan
    for name in "ab":
        with SonifyWriter(str(logdir / name)) as writer:
            for step, row in enumerate(norms):
                writer.add_norms({f"block.{layer}": norm for layer, norm in enumerate(row)}, step)
                writer.add_scalar("loss", 2.0 - step / 200, step)


@pytest.fixture
def url(serve_once):
    return serve_once(write_runs)


@pytest.fixture
def screen(url, browser):
    with opened_screen(browser, url) as screen:
        screen.open(step=40)
        yield screen


def speaking(screen, verbosity):
    """Have so much said, and write down what is."""
    screen.press("o")
    screen.page.get_by_label(verbosity).check()
    screen.press("Escape")
    screen.page.evaluate(LISTEN)


def play_to_the_end(screen):
    """What is said from Space to the end, but for "Playing A"."""
    screen.press("Space")
    screen.stands(state="ended")
    screen.page.evaluate(TOLD)
    said = screen.page.evaluate("window.said")
    assert said[0].startswith("Playing A")
    return [text.strip() for text in said[1:]]


def test_events_within_a_second_are_said_together_and_all_are_in_the_log(screen):
    speaking(screen, "what happens")
    assert play_to_the_end(screen) == [
        "step 55: spike, 8,000 times the usual norm in block.1",
        "step 60: infinity, first in block.0; NaN in block.2 at step 64",
        "A, a ends at step 199",
    ]
    entries = panel(screen.page, "Log").get_by_role("log").get_by_role("listitem")
    assert entries.all_text_contents() == [
        "step 55: spike, 8,000 times the usual norm in block.1",
        "step 60: infinity, first in block.0",
        "NaN in block.2 at step 64",
        "A, a ends at step 199",
    ]


def test_every_tenth_is_said_and_nothing_else(screen):
    speaking(screen, "every 10 %")
    said = play_to_the_end(screen)
    *tenths, end = said
    assert end == "A, a ends at step 199"
    assert all("%, step" in text and "loss 1." in text for text in tenths)
    shares = [int(text.partition(" ")[0]) for text in tenths]
    assert shares == sorted(set(shares))
    assert shares[0] in (30, 40)
    assert len(shares) >= 6


def test_nothing_is_said_by_itself_where_nothing_is_asked_for(screen):
    speaking(screen, "nothing by itself")
    assert play_to_the_end(screen) == []
    screen.press("p")
    screen.says("step 199")


def test_all_of_it_is_said_with_each_round_of_a_loop(screen):
    speaking(screen, "all of it")
    screen.press(*["Shift+ArrowRight"] * 25)
    screen.says("Loop, steps 40 to 65")
    screen.page.evaluate("window.said.length = 0")
    screen.press("Space")
    again = "window.said.filter((text) => text.startsWith('Loop again from step 4')).length"
    screen.page.wait_for_function(f"{again} >= 3", timeout=WAIT_MS)
    screen.press("Space")
    texts = screen.page.evaluate("window.said")
    assert sum("spike" in text for text in texts) <= 2  # not again in each round


def test_while_an_arrow_is_held_only_where_it_ends_is_said_with_the_change(url, browser):
    with opened_screen(browser, url) as screen:
        clock = screen.page.clock
        clock.install()
        screen.open(step=40)
        speaking(screen, "what happens")
        clock.pause_at(screen.page.evaluate("Date.now()") + 60_000)
        screen.page.evaluate("window.said.length = 0")
        screen.press(*["ArrowRight"] * 10)
        # What is said may wait for an answer of the server, too.
        said = "window.said.length"
        wait_until(screen.page, lambda: clock.run_for(1_000) or screen.page.evaluate(said))
        clock.run_for(3_000)
        said = screen.page.evaluate("window.said")
        # Requests may time out on a clock that is set forward, which is said, too.
        (step,) = [text for text in said if text.startswith("step")]
        assert step.startswith("step 50, 1.75, down"), said


def test_the_position_is_a_slider_too_which_is_quiet_while_it_plays(screen):
    slider = screen.page.get_by_role("slider", name="Position")
    expect(slider).to_have_attribute("aria-valuetext", "step 40 of 199, loss 1.8")
    slider.focus()
    screen.press("ArrowRight")
    screen.stands(step=41)
    screen.press("End")
    screen.stands(step=199)
    screen.press("Home")
    screen.stands(step=0)
    screen.timeline.focus()
    screen.press("Space")
    screen.stands(state="playing")
    expect(slider).to_have_attribute("aria-valuetext", "playing")


def test_what_is_heard_and_seen_is_described_and_can_be_copied(screen):
    reveal(screen.page.get_by_role("button", name="Describe", include_hidden=True)).click()
    dialog = screen.page.get_by_role("dialog", name="Description")
    expect(dialog).to_contain_text("NaN, first in block.2")
    expect(dialog).to_contain_text("A, a: from 2 to 1.005; lowest 1.005 at step 199")
    expect(dialog).not_to_contain_text("b\nsteps")
    screen.page.evaluate("addEventListener('copy', () => { window.copied = `${getSelection()}`; })")
    dialog.get_by_role("button", name="Copy").click()
    expect(dialog.get_by_role("status")).to_have_text("Copied")
    assert "NaN, first in block.2" in screen.page.evaluate("window.copied")
    screen.press("Escape")
    screen.timeline.focus()
    screen.press("3", "d")  # where both are heard, both are described
    expect(dialog.locator(".words > p")).to_have_count(3)
