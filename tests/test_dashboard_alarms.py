"""What is told of runs while nothing plays, also of those that nobody looks at."""

import re
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
from playwright.sync_api import expect

from tb_sonify import SonifyWriter
from tests.dashboard import ALONE, TAB, WAIT_MS
from tests.logs import norms_of, run_events, scalar_events, write_events
from tests.looks import look
from tests.pages import LISTEN, fresh_page, wait_until
from tests.serving import served
from tests.state_runs import losses, write_run

LAYERS = ("conv1", "conv2", "fc1", "fc2")
HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


class Training:
    """A run that is written by hand, a few steps at a time."""

    def __init__(self, path):
        self.writer = SonifyWriter(str(path), flush_secs=1)
        self.random = np.random.default_rng(2)
        self.step = 0

    def go_on(self, steps=50, broken=()):
        for _ in range(steps):
            norms = np.exp(self.random.normal(-1, 0.1, len(LAYERS)))
            norms[[LAYERS.index(layer) for layer in broken]] = np.nan
            self.writer.add_norms(dict(zip(LAYERS, norms.tolist(), strict=True)), self.step)
            self.writer.add_scalar("loss", 2 * 0.999**self.step, self.step)
            self.step += 1
        self.writer.flush()


@pytest.fixture
def train(logdir):
    """Begins a training of a name."""
    with ExitStack() as stack:

        def begun(name):
            training = Training(logdir / name)
            stack.callback(training.writer.close)
            return training

        yield begun


@contextmanager
def listening(browser, url, path=ALONE):
    """A page whose dashboard is listened to."""
    with fresh_page(browser) as page:
        page.add_init_script(LISTEN)
        page.goto(f"{url}{path}")
        yield page


def said(page):
    """What was said, without marks of direction, each message by its parts."""
    texts = page.evaluate("window.said.map(([, text]) => text.trim())")
    return [part for text in texts for part in re.sub("[\u2068\u2069]", "", text).split("; ")]


def says(page, *parts):
    """Wait until all of these have been said."""
    wait_until(page, lambda: set(parts) <= set(said(page)))


def test_what_happens_to_a_run_that_nobody_hears_is_told_once(browser, logdir, train):
    logdir.mkdir()
    with served(logdir) as url, listening(browser, url) as page:
        page.get_by_role("heading", name="No runs yet").wait_for(timeout=WAIT_MS)
        page.get_by_role("button", name="Alarm").click()
        on = "Alarm on: a sound and a notification when a run breaks, stalls or ends"
        says(page, on)
        wait_until(page, lambda: page.evaluate("window.tones") == [880, 1320])

        live = train("live1")
        live.go_on()
        says(page, "live1 began")
        state = page.locator("[data-row=live1] .states")
        expect(state).to_contain_text("live", timeout=WAIT_MS)
        assert page.title() == "Sonify"
        assert page.get_by_role("button", name="Problems").count() == 0
        page.evaluate("window.tones.length = 0")

        live.go_on(20)
        live.go_on(30, broken=["fc2", "fc1"])
        nan = "live1, step 70: NaN, first in fc1 and 1 more layer"
        says(page, nan)
        expect(page).to_have_title("⚠ NaN, live1 – Sonify")
        expect(state).to_contain_text("NaN at 70 in fc1")
        assert page.evaluate("window.tones") == [622, 659] * 3
        assert page.evaluate("window.notified.length") == 1
        assert "⚠ NaN, live1: " in page.evaluate("window.notified[0]")
        problem = page.locator(".problems").get_by_role("button", include_hidden=True)
        expect(problem).to_have_text(re.compile("live1 NaN at step 70 in fc1"))

        live.go_on(30, broken=["fc2", "fc1"])
        live.writer.close()
        says(page, "live1 ended at step 129")
        expect(state).not_to_contain_text("live")

        hears_while_hidden(page, train("live2"))
        parts = said(page)
        assert len(parts) == len(set(parts)), parts


def hears_while_hidden(page, other):
    page.evaluate(HIDE, True)
    other.go_on(50)
    other.go_on(50, broken=["conv2"])
    says(page, "live2 began", "live2, step 50: NaN, first in conv2")
    expect(page).to_have_title("⚠ NaN, live1 and 1 more – Sonify")
    assert len([text for text in page.evaluate("window.notified") if "live2" in text]) == 1


def test_a_run_that_is_killed_is_said_to_have_stopped_and_is_live_no_longer(browser, logdir, train):
    train("killed").go_on()
    write_run(logdir / "old")
    with served(logdir) as url, fresh_page(browser) as page:
        page.clock.install()
        page.add_init_script(LISTEN)
        page.goto(f"{url}{ALONE}")
        state = page.locator("[data-row=killed] .states")
        expect(state).to_contain_text("live", timeout=WAIT_MS)
        elapsed = 0
        while "killed has written nothing for 60 s" not in said(page):
            page.clock.run_for(5_000)
            with page.expect_response(re.compile("/states")):
                page.clock.run_for(1_200)
            elapsed += 6.2
            assert elapsed < 90
        expect(state).to_contain_text("stalled")
        expect(page).to_have_title("⚠ stalled, killed – Sonify")
        assert not [text for text in said(page) if "old" in text]


def test_following_the_live_end_tells_nothing_twice(browser, logdir, train):
    live = train("live1")
    live.go_on(300)
    with served(logdir) as url, listening(browser, url) as page:
        timeline = page.locator(".timeline")
        expect(page.locator("[data-row=live1] .states")).to_contain_text("live", timeout=WAIT_MS)
        page.get_by_role("button", name="Follow").click()
        expect(timeline).to_have_attribute("data-state", "playing", timeout=WAIT_MS)
        live.go_on(30)
        for _ in range(3):  # each time, it skips to the new end, where it is NaN as well
            live.go_on(400, broken=["fc2"])
            near = live.step - 100
            wait_until(page, lambda near=near: float(timeline.get_attribute("data-step")) > near)
        assert len([part for part in said(page) if "NaN" in part]) == 1, said(page)

        page.keyboard.press("Escape")
        timeline.focus()
        page.keyboard.press("Space")
        page.keyboard.press("Shift+m")
        says(page, "Monitoring live1: its newest point is said as it comes")
        stays = timeline.get_attribute("data-step")
        live.go_on(50)
        newest = f"step {live.step - 1:,}, loss "
        wait_until(page, lambda: any(part.startswith(newest) for part in said(page)))
        assert timeline.get_attribute("data-step") == stays


def write_runs_that_fail(logdir):
    write_run(logdir / "adam", spike=True, layers=LAYERS)
    write_run(logdir / "late", nan_from=300, layers=LAYERS, seed=1)
    norms = norms_of(400, 4, seed=5)
    norms[5:] *= 1e5
    norms[5, 1] *= 10
    events = run_events(norms, np.arange(400), layers=LAYERS)
    write_events(
        logdir / "sgd-1.0", [*events, *scalar_events("loss/train", losses(range(400)), start=1e3)]
    )


def test_which_run_failed_and_where_takes_one_key(serve_once, browser):
    url = serve_once(write_runs_that_fail)
    with listening(browser, url) as page:
        problems = page.get_by_role("dialog", name="Problems 2")
        page.get_by_role("button", name="Problems 2").click(timeout=WAIT_MS)
        expect(problems.get_by_role("button")).to_have_count(2)
        assert page.title() == "Sonify"  # they are no news
        assert not [text for text in said(page) if "NaN" in text]
        expect(page.locator("[data-row=adam] .states")).not_to_contain_text("problem")
        look(page, "problems", golden=True)
        page.keyboard.press("Escape")

        timeline = page.locator(".timeline")
        page.keyboard.press("w")
        says(page, "late, 1 of 2 runs, step 300: NaN, first in fc2")
        expect(timeline).to_have_attribute("data-step", "300.00")
        expect(timeline).to_have_attribute("data-run", "late")
        expect(timeline).to_be_focused()
        page.keyboard.press("w")
        expect(timeline).to_have_attribute("data-run", "sgd-1.0")
        expect(timeline).to_have_attribute("data-step", "5.00")
        wait_until(page, lambda: any("explosion" in text for text in said(page)))
        page.get_by_role("button", name="Problems 2").click()
        problems.get_by_role("button", name="late").click()
        expect(timeline).to_have_attribute("data-run", "late")

        page.keyboard.press("Shift+a")
        says(page, "The alarm is off: A turns it on")
        page.keyboard.press("a")
        page.keyboard.press("Shift+a")
        muted = page.get_by_role("button", name=re.compile(r"Alarm, muted until \d"))
        expect(muted).to_have_attribute("aria-pressed", "true")
        look(page, "alarm-muted")
        page.keyboard.press("o")
        page.get_by_role("button", name=re.compile("Unmute")).click()
        expect(page.get_by_role("button", name="Mute for an hour")).to_be_visible()
        page.keyboard.press("Escape")
        page.reload()
        expect(page.get_by_role("button", name="Alarm")).to_have_attribute("aria-pressed", "true")


def test_within_tensorboard_its_own_title_tells_too(browser, logdir, train):
    live = train("live1")
    live.go_on()
    with served(logdir) as url, fresh_page(browser) as page:
        page.goto(f"{url}{TAB}")
        frame = page.frame_locator("iframe")
        expect(frame.locator("[data-row=live1] .states")).to_contain_text("live", timeout=WAIT_MS)
        live.go_on(20, broken=["fc2"])
        expect(page).to_have_title("⚠ NaN, live1 – TensorBoard", timeout=WAIT_MS)
        expect(page.locator("iframe")).to_have_attribute("title", "⚠ NaN, live1 – Sonify")
