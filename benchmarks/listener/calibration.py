"""Calibration: thresholds of the listeners in experiments that were made with people."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.listener.excitation import SAMPLE_RATE, excite
from benchmarks.listener.observer import Listener, template
from benchmarks.listener.percept import Percept, read
from benchmarks.listener.staircase import threshold

Floats = NDArray[np.float64]
Stimulus = Callable[[float, np.random.Generator], Floats]

LEVEL = 60.0  # dB SPL
LEAD = 0.05  # s of silence before a stimulus
TRAINING, HEARINGS = 128, 6  # stimuli without the change, and how often each is heard


@dataclass(frozen=True)
class Experiment:
    """Two intervals, of which one has a change; the threshold has a d' of 1.

    Attributes
    ----------
    stimulus
        Samples of a change of a size; 0 is the standard.
    frames
        First frame and number of frames of 10 ms that are listened to.
    between
        Smallest and largest threshold that are considered.
    learned
        Size of the change that the template is of.
    power
        Of the size, to which d' is proportional.
    published
        Smallest and largest value that agree with people, for the trained and the untrained.
    """

    name: str
    stimulus: Stimulus
    frames: tuple[int, int]
    between: tuple[float, float]
    learned: float
    published: tuple[tuple[float, float], tuple[float, float] | None]
    power: float = 1.0
    shown: Callable[[float], float] = float

    def measure(self, listener: Listener, *, trials: int = 80, seed: int = 0) -> float:
        """Threshold of a listener."""
        rng = np.random.default_rng(seed)
        seeds = rng.integers(2**31, size=TRAINING)
        plain = [self._percept(0.0, int(each)) for each in seeds]
        changed = [self._percept(self.learned, int(each)) for each in seeds]
        change = np.mean([b.values - a.values for a, b in zip(plain, changed, strict=True)], axis=0)
        heard = [listener.hear(each, rng)[0] for each in plain for _ in range(HEARINGS)]
        weights = template(change[0], np.stack(heard))

        def trial(size: float) -> bool:
            first, second = (self._percept(each, int(rng.integers(2**31))) for each in (0.0, size))
            remembered = listener.remember(listener.hear(first, rng), first, rng)
            return bool(weights @ (listener.hear(second, rng) - remembered)[0] > 0)

        return threshold(trial, between=self.between, trials=trials, power=self.power, seed=seed)

    def _percept(self, size: float, seed: int) -> Percept:
        samples = self.stimulus(size, np.random.default_rng(seed))
        return read(excite(samples)).percept(np.array([self.frames[0]]), self.frames[1])


def tone(
    rng: np.random.Generator,
    *,
    hz: float,
    seconds: float,
    level: float = LEVEL,
    am: tuple[float, float] = (0.0, 4.0),
) -> Floats:
    """Tone with ramps and silence around it, modulated to a depth at a rate."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    phase = 2 * np.pi * rng.random()
    carrier = np.sqrt(2) * np.sin(2 * np.pi * hz * time + phase)
    carrier *= 1 + am[0] * np.sin(2 * np.pi * am[1] * time + 2 * np.pi * rng.random())
    return 10 ** (level / 20) * placed(carrier, ramp=0.005)


def noise(
    rng: np.random.Generator,
    *,
    seconds: float,
    am: tuple[float, float] = (0.0, 4.0),
    gap: float = 0.0,
) -> Floats:
    """Broadband noise with ramps, modulated to a depth at a rate, or with a gap of so many ms."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    carrier = rng.standard_normal(len(time))
    carrier *= 1 + am[0] * np.sin(2 * np.pi * am[1] * time + 2 * np.pi * rng.random())
    carrier /= np.sqrt(1 + am[0] ** 2 / 2)
    carrier[np.abs(time - seconds / 2) < gap / 2_000] = 0
    return 10 ** (LEVEL / 20) * placed(carrier, ramp=0.01)


def placed(samples: Floats, *, ramp: float) -> Floats:
    """Samples with ramps of so many seconds and silence before and after."""
    frames = round(ramp * SAMPLE_RATE)
    edge = np.sin(np.pi / 2 * np.arange(frames) / frames) ** 2
    samples[:frames] *= edge
    samples[-frames:] *= edge[::-1]
    silence = np.zeros(round(LEAD * SAMPLE_RATE))
    return np.concatenate([silence, samples, silence])


def as_decibels(depth: float) -> float:
    """Depth of modulation as 20 log m."""
    return float(20 * np.log10(depth))


def viemeister(hz: float) -> float:
    """Least depth of modulation of broadband noise that is heard, 20 log m.

    The low-pass filter of 2.5 ms that Viemeister (JASA 66:1364, 1979) fits to his listeners, who
    hear -25 dB at slow rates.
    """
    return float(-25 + 10 * np.log10(1 + (2 * np.pi * 0.0025 * hz) ** 2))


def level_stimulus(size: float, rng: np.random.Generator, *, hz: float) -> Floats:
    """Tone of 200 ms that is louder by so many dB."""
    return tone(rng, hz=hz, seconds=0.2, level=LEVEL + size)


def frequency_stimulus(
    size: float, rng: np.random.Generator, *, hz: float, seconds: float
) -> Floats:
    """Tone that is higher by so many per cent."""
    return tone(rng, hz=hz * (1 + size / 100), seconds=seconds)


def modulation_stimulus(size: float, rng: np.random.Generator, *, hz: float) -> Floats:
    """Noise that is modulated to a depth."""
    return noise(rng, seconds=0.5, am=(size, hz))


def tremolo_stimulus(size: float, rng: np.random.Generator, *, hz: float) -> Floats:
    """Tone of 1 kHz that is modulated to a depth."""
    return tone(rng, hz=1_000.0, seconds=0.5, am=(size, hz))


def gap_stimulus(size: float, rng: np.random.Generator) -> Floats:
    """Noise with a gap of so many ms."""
    return noise(rng, seconds=0.4, gap=size)


def experiments() -> Iterator[Experiment]:
    """All of the calibration."""
    for hz in (500.0, 1_000.0, 2_000.0):
        yield Experiment(
            f"level, {hz:.0f} Hz, 200 ms, dB",
            partial(level_stimulus, hz=hz),
            frames=(5, 20),
            between=(0.1, 10),
            learned=3.0,
            published=((0.7, 1.5), (0.7, 1.5)),
        )
    for hz in (500.0, 1_000.0, 2_000.0):
        # Of the untrained, about a semitone: 43 to 150 cents.
        for seconds, frames, trained, untrained in (
            (0.2, 20, (0.2, 0.6), (2.5, 9.0)),
            (0.01, 2, (0.6, 4.8), None),
        ):
            yield Experiment(
                f"frequency, {hz:.0f} Hz, {seconds * 1_000:.0f} ms, %",
                partial(frequency_stimulus, hz=hz, seconds=seconds),
                frames=(5, frames),
                between=(0.05, 12),
                learned=3.0,
                published=(trained, untrained),
            )
    for hz in (4.0, 16.0, 64.0, 128.0, 256.0):
        expected = viemeister(hz)
        yield Experiment(
            f"modulation of noise, {hz:.0f} Hz, dB",
            partial(modulation_stimulus, hz=hz),
            frames=(7, 46),
            between=(0.01, 1.0),
            learned=min(3 * 10 ** (expected / 20), 0.8),
            published=((expected - 3, expected + 3),) * 2,
            power=2.0,
            shown=as_decibels,
        )
    for hz in (4.0, 64.0):
        yield Experiment(
            f"modulation of a tone of 1 kHz, {hz:.0f} Hz, dB",
            partial(tremolo_stimulus, hz=hz),
            frames=(7, 46),
            between=(0.001, 1.0),
            learned=0.15,
            published=((-30.0, -22.0), (-30.0, -22.0)),
            shown=as_decibels,
        )
    yield Experiment(
        "gap in noise, ms",
        gap_stimulus,
        frames=(7, 36),
        between=(0.5, 20),
        learned=6.0,
        published=((2.0, 4.0), (2.0, 4.0)),
        power=2.0,
    )
