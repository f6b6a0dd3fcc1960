"""The main path in Firefox, and what leaves the sound device in Firefox and in Chromium."""

import io
import os
import shlex
from contextlib import closing

import numpy as np
import pytest
import soundfile

from tb_sonify import SonifyWriter
from tb_sonify.sound import Encoding
from tests import firefox, sound_device
from tests.browser import find as find_chromium
from tests.dashboard import TAB, fetch, opened
from tests.exported import export, file_server
from tests.sound_device import FIRST, RATE
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

# Norms that hold for so many notes of 60 ms, each.
NORMS, NOTES, NOTE_SECONDS = (1.0, 0.5, 0.25, 0.5), 30, 0.06
STEPS = len(NORMS) * NOTES
REGISTERS = (0.5, 1, 2)
WINDOW = round(0.4 * RATE)  # of which the pitch is measured
SETTLED = 14  # notes into a norm, the window is within it, however late the sound is
SILENT, LONGEST_SILENCE = 1e-4, round(0.002 * RATE)
CENTS = 5
ATTEMPTS = 5
# Where it is clicked at a step, in CSS pixels, and the step under the playhead.
PLACE = """
  const box = (selector) => document.querySelector(selector).getBoundingClientRect();
  const timeline = box(".timeline");
  const plot = box(".blocks");
  const y = timeline.y + timeline.height / 3;
"""
CLICK = f"{PLACE} return [plot.x + plot.width * arguments[0], y];"
PLAYHEAD = f"""{PLACE}
  const playhead = box(".playhead");
  return (playhead.x + playhead.width / 2 - plot.x) / plot.width;
"""
ATTRIBUTES = "return {...document.querySelector('.timeline').dataset}"
READY = "return document.querySelectorAll('.blocks .here').length > 0"


def write_two_runs(logdir):
    for run, factor in (("a", 1.0), ("b", 4.0)):
        with SonifyWriter(str(logdir / run)) as writer:
            for step in range(STEPS):
                norm = factor * NORMS[step // NOTES]
                writer.add_norms(dict.fromkeys(("early.0", "middle.0", "late.0"), norm), step)
                writer.add_scalar("loss", 2 * 0.99**step, step)


@pytest.fixture(scope="module")
def url(serve_once):
    return serve_once(write_two_runs)


@pytest.fixture(scope="module")
def device(tmp_path_factory):
    absent = sound_device.missing() + ([] if firefox.find() else ["firefox"])
    if absent:
        reason = f"needs {', '.join(absent)}: `make browser` installs them on Debian as root"
        assert "CI" not in os.environ, reason
        pytest.skip(reason)
    with sound_device.started(tmp_path_factory.mktemp("device")) as device:
        yield device


@pytest.fixture(scope="module")
def window(device, tmp_path_factory):
    environment = {**os.environ, **device.environment}
    with firefox.started(tmp_path_factory.mktemp("profile"), environment) as window:
        yield window


class InFirefox:
    """A page, loaded anew; it plays through the sound device."""

    def __init__(self, window, page, *, frame=None):
        self.window = window
        self.window.open("about:blank")
        self.window.open(page)
        if frame is not None:
            self.window.enter_frame(frame)
        self.window.wait_for(READY)

    def click(self, step):
        self.window.click(*self.window.evaluate(CLICK, step / (STEPS - 1)))

    def step(self):
        return self.window.evaluate(PLAYHEAD) * (STEPS - 1)

    def stands(self, **expected):
        """Wait until the timeline says so."""
        want = {name: str(value) for name, value in expected.items()}
        wait_until(lambda: want.items() <= self.window.evaluate(ATTRIBUTES).items(), str(want))

    def glitches(self):
        return 0  # it has no count of its own


class InChromium:
    """The same in a Chromium that is not mute."""

    def __init__(self, tab):
        self.tab = tab

    def evaluate(self, script, *arguments):
        body = script.replace("arguments", "given")
        return self.tab.frame.evaluate(f"(given) => {{{body}}}", [*arguments])

    def click(self, step):
        place = self.tab.place()
        self.tab.page.mouse.click(place.x(step), place.y)

    def step(self):
        return self.evaluate(PLAYHEAD) * (STEPS - 1)

    def stands(self, *, state):
        want = f"document.querySelector('.timeline').dataset.state === '{state}'"
        self.tab.frame.wait_for_function(want)

    def glitches(self):
        """How often the page was late with what it plays."""
        stats = "tap.context().playbackStats?.underrunEvents ?? 0"
        return self.tab.frame.evaluate(stats)


def test_the_main_path_in_firefox(window, url, device):
    tab = InFirefox(window, f"{url}{TAB}", frame="iframe")
    tab.stands(state="paused", run="a")
    with device.recorded() as recording:
        tab.click(20)
        tab.stands(state="playing")
        wait_until(lambda: tab.step() > 24, "the playhead moves")
        wait_until(lambda: np.abs(recording.samples()).max() > SILENT, "it sounds")
        tab.click(70)
        wait_until(lambda: 70 <= tab.step() < STEPS - 1, "it plays from where it was clicked")
    window.press("x")
    tab.stands(run="b")
    window.press("Space")
    tab.stands(state="paused")
    window.press("Home")
    tab.stands(step="0.00")
    window.press("ArrowRight", "ArrowRight")
    tab.stands(step="2.00")
    window.press("Space")
    tab.stands(state="playing", run="b")
    window.press("Control")
    tab.stands(state="paused", step="2.00")
    window.press("1")
    tab.stands(run="a")


def test_an_exported_page_plays_in_firefox(window, device, tmp_path):
    write_two_runs(tmp_path / "runs")
    export(tmp_path / "runs", tmp_path / "site")
    with file_server(tmp_path) as address:
        page = InFirefox(window, f"{address}site/")
        with device.recorded() as recording:
            page.click(20)
            page.stands(state="playing", run="a")
            wait_until(lambda: page.step() > 24, "the playhead moves")
            wait_until(lambda: np.abs(recording.samples()).max() > SILENT, "it sounds")
        window.press("x")
        page.stands(run="b")


@pytest.mark.alone
def test_what_firefox_plays_is_what_was_logged_without_a_gap(window, url, device):
    tab = InFirefox(window, f"{url}{TAB}", frame="iframe")
    assert_plays_what_was_logged(tab, device, url)


@pytest.mark.alone
def test_what_chromium_plays_is_what_was_logged_without_a_gap(browser, url, device, tmp_path):
    first = tmp_path / "chromium"
    first.write_text(f'#!/bin/sh\nexec {shlex.join([*FIRST, find_chromium()])} "$@"\n')
    first.chmod(0o755)
    chromium = browser.browser_type.launch(
        executable_path=first,
        args=["--no-sandbox", "--disable-gpu"],
        env={**os.environ, **device.environment},
        ignore_default_args=["--mute-audio"],
    )
    with closing(chromium), opened(chromium, url) as tab:
        tab.wait_until_ready()
        assert_plays_what_was_logged(InChromium(tab), device, url)


def assert_plays_what_was_logged(tab, device, url):
    """Record the run until nothing is wrong; what is wrong where nobody was late is ours."""
    for _ in range(ATTEMPTS):
        wrong, late = heard(tab, device, url)
        if not (wrong and late):
            break
    assert not wrong


def heard(tab, device, url):
    """What is not as logged from beginning to end, and how often the device had nothing to play."""
    places = {}

    def is_almost_over():
        frames, step = len(recording), tab.step()
        if step // NOTES == tab.step() // NOTES and step % NOTES > SETTLED:
            places[int(step // NOTES)] = frames
        return step >= STEPS - 2

    with device.recorded() as recording:
        tab.click(0)
        tab.stands(state="playing")
        wait_until(lambda: tab.step() > 1, "it plays")
        before = device.underruns() + tab.glitches()  # the beginning is one, too
        wait_until(is_almost_over, "it plays to the end")
        late = device.underruns() + tab.glitches() - before
        tab.stands(state="ended")
    sound = recording.samples().mean(axis=1)
    return [*flaws(sound, sent(url)), *pitches_off(sound, places)], late


def sent(url):
    """What the server has rendered of the run, and its sample rate."""
    query = {"run": "a", "preset": "smooth", "first_note": 0, "notes": STEPS}
    samples, rate = soundfile.read(io.BytesIO(fetch(url, "sound", **query)))
    return samples.mean(axis=1), rate


def flaws(sound, expected):
    audible = np.flatnonzero(np.abs(sound) > SILENT)
    sound = sound[audible[0] : audible[-1] + 1]
    seconds, steepest = len(sound) / RATE, slope(sound, RATE)
    gaps = np.flatnonzero(np.diff(np.flatnonzero(np.abs(sound) > SILENT)) > LONGEST_SILENCE)
    if abs(seconds - STEPS * NOTE_SECONDS) > 0.1:
        yield f"{STEPS * NOTE_SECONDS} s last {seconds:.3f} s"
    if len(gaps):
        yield f"{len(gaps)} gaps"
    if steepest > 1.2 * slope(*expected):
        yield f"a click: slope {steepest:.0f}, of what was sent {slope(*expected):.0f}"


def slope(sound, rate):
    """The largest jump from sample to sample, for each second and relative to the level."""
    return np.abs(np.diff(sound)).max() * rate / sound.std()


def pitches_off(sound, places):
    if len(places) < len(NORMS):
        yield f"the playhead was seen only at norms {sorted(places)}"
    for number, frames in places.items():
        hz = Encoding()(np.array(NORMS[number])) * np.array(REGISTERS)
        for expected in hz:
            cents = 1200 * np.log2(pitch(sound[frames - WINDOW : frames], expected) / expected)
            if abs(cents) > CENTS:
                yield f"norm {NORMS[number]} at {expected:.0f} Hz: {cents:.1f} cents off"


def pitch(sound, near):
    """Frequency in Hz of the loudest partial near one: a parabola through the logarithm."""
    padded = 8 * len(sound)
    level = np.log(np.abs(np.fft.rfft(sound * np.hanning(len(sound)), padded)) + 1e-12)
    low, high = (round(near * factor * padded / RATE) for factor in (0.95, 1.05))
    peak = low + int(np.argmax(level[low:high]))
    left, middle, right = level[peak - 1 : peak + 2]
    return (peak + (left - right) / (left - 2 * middle + right) / 2) * RATE / padded
