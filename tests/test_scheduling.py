"""The player's scheduling, to the sample frame: on an offline audio context in a real browser."""

from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser

from hatch_build import npm

ROOT = Path(__file__).parents[1]
RATE = 24_000
HOP = 1_440
TAIL = 96
LEFT = {"gain": 1, "pan": -1}
RIGHT = {"gain": 1, "pan": 1}
CENTRE = {"gain": 1, "pan": 0}
LSB = 1 / 32_768

Renderer = Callable[..., np.ndarray]


@pytest.fixture(scope="module")
def rendered(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Renderer]:
    """Renders tapes as the player would play them: shape ``(2, sample frames)``."""
    bundle = tmp_path_factory.mktemp("offline") / "offline.js"
    arguments = ["test/offline.ts", "--bundle", "--format=iife", "--global-name=offline"]
    assert npm(ROOT, "exec", "--", "esbuild", *arguments, f"--outfile={bundle}") == 0
    page = browser.new_page()
    page.add_script_tag(path=bundle)

    def render(*tapes: dict[str, Any], **options: Any) -> np.ndarray:
        channels = page.evaluate("offline.render", {"tapes": tapes, **options})
        return np.array([np.frombuffer(b64decode(each), "<f4") for each in channels], float)

    yield render
    page.close()


def tape(side: str, kind: str, value: float, level: dict[str, float] = CENTRE) -> dict[str, Any]:
    return {"side": side, "kind": kind, "value": value, "level": level}


def bends(sound: np.ndarray) -> float:
    return float(np.abs(np.diff(sound, 2)).max())


def test_no_seam_bends_the_sound_more_than_the_sound_itself(rendered):
    sound = rendered(tape("a", "sine", 440), seconds=30, notes=600, **{"from": 40 * HOP})[0]
    steady = sound[RATE:]
    clean = 0.4 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    assert bends(steady) <= 1.05 * bends(clean)
    assert np.abs(steady).max() <= 0.4 + LSB


def test_a_loop_has_no_wrong_sample_frame_in_a_hundred_rounds(rendered):
    loop = {"from": 95 * HOP, "to": 107 * HOP}
    options = {"from": loop["from"], "course": {"loop": loop}}
    sound = rendered(tape("a", "noise", 0), seconds=0.72 * 101, notes=300, **options)[0]
    began = int(np.flatnonzero(sound)[0] // 120 * 120)
    rounds = sound[began : began + 100 * 12 * HOP].reshape(100, -1)
    # The first round comes in by itself, every other over the end of the one before it.
    assert np.abs(rounds[2:, :] - rounds[1]).max() <= 2 * LSB
    frames = np.arange(loop["from"], loop["to"], dtype=np.uint64)
    tape_itself = 0.8 * (frames * 2_654_435_761 % 65_536) / 65_536 - 0.4
    assert np.abs(rounds[1:, TAIL + 4 :] - tape_itself[TAIL + 4 :]).max() <= 2 * LSB


def test_two_runs_do_not_drift_apart_in_ten_minutes(rendered):
    tapes = [tape("a", "pulse", RATE, LEFT), tape("b", "pulse", RATE, RIGHT)]
    left, right = rendered(*tapes, seconds=600, notes=11_000, **{"from": 37 * HOP})
    beats = [np.flatnonzero(channel > 0.4) for channel in (left, right)]
    assert len(beats[0]) >= 598
    assert np.abs(beats[0] - beats[1]).max() <= 1
    assert set(np.diff(beats[0])) == {RATE}


def test_a_swap_takes_less_than_30_ms_and_does_not_click(rendered):
    tapes = [tape("a", "sine", 440), tape("b", "sine", 660)]
    sound = rendered(*tapes, seconds=4, notes=300, swapAt=2.0, **{"from": 0})[0]
    time = np.arange(len(sound)) / RATE
    before, after = sound[RATE : 2 * RATE], sound[int(2.03 * RATE) + 128 : int(3.5 * RATE)]
    for part, hz in ((before, 440), (after, 660)):
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
        peak = np.fft.rfftfreq(len(part), 1 / RATE)[spectrum.argmax()]
        assert peak == pytest.approx(hz, abs=2)
        assert bends(part) <= 1.05 * bends(0.4 * np.sin(2 * np.pi * hz * time))
    # A step of the envelope would be heard far above the two tones.
    around = sound[RATE * 18 // 10 :][: RATE // 2]
    window = np.hanning(len(around))
    spectrum = 2 * np.abs(np.fft.rfft(around * window)) / window.sum()
    beyond = np.fft.rfftfreq(len(around), 1 / RATE) > 3_000
    assert 20 * np.log10(spectrum[beyond].max()) < -60


def test_blinking_lets_one_run_through_at_a_time_two_seconds_each(rendered):
    tapes = [tape("a", "sine", 440), tape("b", "sine", 660)]
    sound = rendered(*tapes, seconds=8, notes=300, blink=True, **{"from": 0})[0]
    for second, hz in ((1.0, 440), (3.0, 660), (5.0, 440), (7.0, 660)):
        part = sound[int(second * RATE) :][: RATE // 2]
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
        frequencies = np.fft.rfftfreq(len(part), 1 / RATE)
        assert frequencies[spectrum.argmax()] == pytest.approx(hz, abs=2)
        other = spectrum[np.abs(frequencies - (1_100 - hz)) < 10].max()
        assert other < 1e-3 * spectrum.max()


def test_backwards_the_notes_come_in_reverse_without_a_click(rendered):
    options = {"from": 50 * HOP, "course": {"direction": -1}}
    sound = rendered(tape("a", "pulse", HOP), seconds=4, notes=100, **options)[0]
    beats = np.flatnonzero(sound > 0.4)
    assert len(beats) == 51
    assert set(np.diff(beats)) == {HOP}
