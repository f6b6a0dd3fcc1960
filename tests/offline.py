"""The player's own scheduling on an offline audio context, and what can be measured of it."""

from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser

from hatch_build import npm

ROOT = Path(__file__).parents[1]
RATE = 24_000
HOP = 1_440
TAIL = 96
LSB = 1 / 32_768
ALONE = 48  # frames by which a tone is told to sound by itself: 2 ms
LEFT = {"gain": 1, "pan": -1}
RIGHT = {"gain": 1, "pan": 1}
CENTRE = {"gain": 1, "pan": 0}

Sound = NDArray[np.float64]
Renderer = Callable[..., Sound]


@contextmanager
def offline(browser: Browser) -> Iterator[Renderer]:
    """Renders tapes as the player would play them: shape ``(2, sample frames)``."""
    with TemporaryDirectory() as folder:
        bundle = Path(folder) / "offline.js"
        arguments = ["test/offline.ts", "--bundle", "--format=iife", "--global-name=offline"]
        assert npm(ROOT, "exec", "--", "esbuild", *arguments, f"--outfile={bundle}") == 0
        page = browser.new_page()
        page.add_script_tag(path=bundle)

    def render(*tapes: dict[str, Any], **options: Any) -> Sound:
        channels = page.evaluate("offline.render", {"tapes": tapes, **options})
        return np.array([np.frombuffer(b64decode(each), "<f4") for each in channels], np.float64)

    yield render
    page.close()


def tape(side: str, kind: str, value: float, level: Mapping[str, float] = CENTRE) -> dict[str, Any]:
    """What is played: a "sine" of so many Hz, a "pulse" every so many sample frames, "noise"."""
    return {"side": side, "kind": kind, "value": value, "level": level}


def bends(sound: Sound) -> float:
    """The largest second difference, in which a click stands out."""
    return float(np.abs(np.diff(sound, 2)).max())


def sine(hz: float, frames: int = RATE) -> Sound:
    """A clean sine as loud as those of the tapes."""
    return np.asarray(0.4 * np.sin(2 * np.pi * hz * np.arange(frames) / RATE), np.float64)


def seam_ratio(render: Renderer) -> float:
    """How much more a sine bends at the joints of its clips than a clean one does."""
    sound = render(tape("a", "sine", 440), seconds=30, notes=600, **{"from": 40 * HOP})[0]
    return bends(sound[RATE:]) / bends(sine(440))


def wrong_in_loop(render: Renderer) -> int:
    """Sample frames that differ from one round to the next, or from the tape, in 100 rounds."""
    loop = {"from": 95 * HOP, "to": 107 * HOP}
    options = {"from": loop["from"], "course": {"loop": loop}}
    sound = render(tape("a", "noise", 0), seconds=0.72 * 101, notes=300, **options)[0]
    began = int(np.flatnonzero(sound)[0] // 120 * 120)
    # The first round comes in by itself, every other over the end of the one before it.
    rounds = sound[began : began + 100 * 12 * HOP].reshape(100, -1)[1:]
    frames = np.arange(loop["from"], loop["to"], dtype=np.uint64)
    tape_itself = 0.8 * (frames * 2_654_435_761 % 65_536) / 65_536 - 0.4
    away = np.abs(rounds - rounds[0]) > 2 * LSB
    off = np.abs(rounds - tape_itself)[:, TAIL + 4 :] > 2 * LSB
    return int(away.sum() + off.sum())


def drift(render: Renderer) -> int:
    """Sample frames by which two runs have come apart at most in ten minutes."""
    tapes = [tape("a", "pulse", RATE, LEFT), tape("b", "pulse", RATE, RIGHT)]
    left, right = render(*tapes, seconds=600, notes=11_000, **{"from": 37 * HOP})
    beats = [np.flatnonzero(channel > 0.4) for channel in (left, right)]
    assert len(beats[0]) == len(beats[1]) >= 598
    assert set(np.diff(beats[0])) == {RATE}
    return int(np.abs(beats[0] - beats[1]).max())


def swap(render: Renderer) -> tuple[float, float]:
    """How long both runs are heard when one is turned to, in ms; and what it clicks, in dBFS."""
    tapes = [tape("a", "sine", 440), tape("b", "sine", 660)]
    sound = render(*tapes, seconds=4, notes=300, swapAt=2.0, **{"from": 0})[0]
    begins = _alone(sound, 440)[-1] + ALONE
    ends = _alone(sound[RATE:], 660)[0] + RATE
    around = sound[RATE * 18 // 10 :][: RATE // 2]
    window = np.hanning(len(around))
    spectrum = 2 * np.abs(np.fft.rfft(around * window)) / window.sum()
    # A step of the envelope would be heard far above the two tones.
    beyond = np.fft.rfftfreq(len(around), 1 / RATE) > 3_000
    return 1_000 * float(ends - begins) / RATE, float(20 * np.log10(spectrum[beyond].max()))


def _alone(sound: Sound, hz: float) -> NDArray[np.intp]:
    """Where stretches of `ALONE` frames begin that are an undisturbed sine."""
    # Of a sine, each frame follows from the two before it.
    foretold = 2 * np.cos(2 * np.pi * hz / RATE) * sound[1:-1] - sound[:-2]
    explained = (np.abs(sound[2:] - foretold) < 4 * LSB) & (np.abs(sound[2:]) > 0)
    return np.flatnonzero(np.convolve(explained, np.ones(ALONE), "valid") == ALONE)
