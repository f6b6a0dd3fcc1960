"""The player's scheduling, to the sample frame: on an offline audio context in a real browser."""

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser

from tests import offline
from tests.offline import HOP, LSB, RATE, Renderer, tape


@pytest.fixture(scope="module")
def render(browser: Browser) -> Iterator[Renderer]:
    with offline.offline(browser) as render:
        yield render


def test_no_seam_bends_the_sound_more_than_the_sound_itself(render):
    assert offline.seam_ratio(render) <= 1.05


def test_a_loop_has_no_wrong_sample_frame_in_a_hundred_rounds(render):
    assert offline.wrong_in_loop(render) == 0


def test_two_runs_do_not_drift_apart_in_ten_minutes(render):
    assert offline.drift(render) <= 1


def test_a_swap_takes_less_than_30_ms_and_does_not_click(render):
    milliseconds, click = offline.swap(render)
    assert 5 < milliseconds <= 30
    assert click < -60


def test_blinking_lets_one_run_through_at_a_time_two_seconds_each(render):
    tapes = [tape("a", "sine", 440), tape("b", "sine", 660)]
    sound = render(*tapes, seconds=8, notes=300, blink=True, **{"from": 0})[0]
    for second, hz in ((1.0, 440), (3.0, 660), (5.0, 440), (7.0, 660)):
        part = sound[int(second * RATE) :][: RATE // 2]
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
        frequencies = np.fft.rfftfreq(len(part), 1 / RATE)
        assert frequencies[spectrum.argmax()] == pytest.approx(hz, abs=2)
        other = spectrum[np.abs(frequencies - (1_100 - hz)) < 10].max()
        assert other < 1e-3 * spectrum.max()


def test_backwards_the_notes_come_in_reverse_without_a_click(render):
    options = {"from": 50 * HOP, "course": {"direction": -1}}
    sound = render(tape("a", "pulse", HOP), seconds=4, notes=100, **options)[0]
    beats = np.flatnonzero(sound > 0.4)
    assert len(beats) == 51
    assert set(np.diff(beats)) == {HOP}


def test_a_gain_changes_what_comes_out_and_nothing_else(render):
    loud = render(tape("a", "sine", 440), seconds=2, notes=100, **{"from": 0})[0]
    half = {"gain": 0.5, "pan": 0}
    quiet = render(tape("a", "sine", 440, half), seconds=2, notes=100, **{"from": 0})[0]
    assert np.abs(loud / 2 - quiet).max() <= LSB
