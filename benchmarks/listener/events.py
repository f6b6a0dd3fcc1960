"""Events in healthy runs, which a listener tells from healthy runs without them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.divergences import HEALTHY, record
from benchmarks.listener.excitation import excite
from benchmarks.listener.observer import Listener, interval, sensitivity, template
from benchmarks.listener.percept import FRAMES_PER_SECOND, Percept, read
from benchmarks.listener.sounds import Sound

Floats = NDArray[np.float64]
Norms = NDArray[np.float32]

RUNS = ("gpt-adamw-cosine", "gpt-adamw", "gpt-momentum")  # healthy ones
STEPS, FIRST = 800, 300  # of a run, and the first that is heard
LAYERS = 12  # of those of a run, evenly spaced
SECONDS, LEAST_STEPS = 4.8, 16  # of a clip
LOUDNESS = 60.0  # dB SPL of the healthy clips of a sound: everybody turns the volume so
# Windows in frames of 10 ms: what is new, what it is held against, and what has gone on.
HOP, SHORT, LONG = 4, 8, 56
LATEST = 2.0  # s after an event at which it is best heard
REPEATS = 3  # hearings of each clip


def _from(step: int, norms: Norms, layers: slice, factor: float) -> None:
    norms[step:, layers] *= np.float32(factor)


def _spike(step: int, norms: Norms, factor: float) -> None:
    norms[step, ONE] *= np.float32(factor)


def _drift(step: int, norms: Norms) -> None:
    growth = np.minimum(np.arange(len(norms) - step) / 16, 2)  # doublings
    norms[step:] *= np.exp2(growth)[:, None].astype(np.float32)


def _oscillation(step: int, norms: Norms) -> None:
    norms[step::2] *= 2
    norms[step + 1 :: 2] /= 2


ONE = slice(5, 6)  # a layer of the middle group
GROUP = slice(4, 8)
EVENTS: Mapping[str, Callable[[int, Norms], None]] = {
    "a group doubles": partial(_from, layers=GROUP, factor=2.0),
    "all double": partial(_from, layers=slice(None), factor=2.0),
    "one layer of 12 doubles": partial(_from, layers=ONE, factor=2.0),
    "spike of 1.5": partial(_spike, factor=1.5),
    "spike of 2": partial(_spike, factor=2.0),
    "spike of 3": partial(_spike, factor=3.0),
    "spike of 6": partial(_spike, factor=6.0),
    "all grow 4-fold in 32 steps": _drift,
    "oscillation of 4": _oscillation,
    "one layer dies": partial(_from, layers=ONE, factor=0.0),
    "NaN in one layer": partial(_from, layers=ONE, factor=np.nan),
}


@dataclass(frozen=True)
class Window:
    """Part of a healthy run, and where in it something is to happen.

    Attributes
    ----------
    before, norms
        Steps before those that are heard, and these; shape ``(steps, LAYERS)``.
    step
        Of the event.
    """

    before: Norms
    norms: Norms
    step: int

    def with_event(self, event: Callable[[int, Norms], None]) -> Norms:
        """Norms in which the event happens."""
        norms = self.norms.copy()
        event(self.step, norms)
        return norms


@dataclass(frozen=True)
class Heard:
    """Percepts of a clip: windows that begin every 40 ms, short and long ones."""

    short: Percept
    long: Percept

    def contrasts(self, listener: Listener, rng: np.random.Generator) -> Floats:
        """Each moment against what was heard before it, with noise."""
        short = listener.hear(self.short, rng, overlap=SHORT // HOP)
        long = listener.hear(self.long, rng, overlap=LONG // HOP)
        return _contrasts(short, listener.remember(long, self.long, rng), long)

    def clean(self) -> Floats:
        """Contrasts without noise."""
        return _contrasts(self.short.values, self.long.values, self.long.values)


def _contrasts(short: Floats, remembered: Floats, long: Floats) -> Floats:
    behind = LONG // HOP  # windows; the remembered one ends where the new ones begin
    moments = len(long) - behind
    past = remembered[:moments]
    now = [values[behind : behind + moments] - past for values in (short, long)]
    return np.concatenate(now, axis=1)


def healthy_runs(cache: Path) -> list[Norms]:
    """Norms of healthy runs, from the cache or trained, shape ``(STEPS, LAYERS)`` each."""
    runs = []
    for name in RUNS:
        training = replace(HEALTHY[name], steps=STEPS)
        norms = record(name, training, seed=0, cache=cache).norms["gradient"][:STEPS]
        layers = np.linspace(0, norms.shape[1] - 1, LAYERS).round().astype(int)
        runs.append(norms[:, layers].astype(np.float32))
    return runs


def windows(
    runs: list[Norms], *, norm: float, count: int, steps: int, seed: int = 0
) -> list[Window]:
    """Parts of runs, their median norm as given; events are in the second quarter."""
    rng = np.random.default_rng(seed)
    chosen = []
    for number in range(count):
        run = runs[number % len(runs)]
        first = int(rng.integers(FIRST, len(run) - steps))
        scaled = run * np.float32(norm / np.median(run[first : first + steps]))
        at = int(rng.integers(round(0.3 * steps), round(0.45 * steps)))
        chosen.append(Window(scaled[:first], scaled[first : first + steps], at))
    return chosen


@dataclass(frozen=True)
class Audition:
    """All clips of one sound: of healthy windows, and of these with each event."""

    windows: list[Window]
    healthy: list[Heard]
    step_frames: float
    gain: float
    sound: Sound

    @classmethod
    def of(cls, sound: Sound, runs: list[Norms], *, norm: float, count: int) -> "Audition":
        """Healthy clips at the level at which they are listened to."""
        seconds = sound.step_seconds(LAYERS)
        steps = max(round(SECONDS / seconds), LEAST_STEPS)
        chosen = windows(runs, norm=norm, count=count, steps=steps)
        clips = [sound.play(window.before, window.norms) for window in chosen]
        power = np.median([np.mean(clip**2) for clip in clips])
        gain = 10 ** (LOUDNESS / 20) / np.sqrt(power)
        healthy = [_heard(gain * clip) for clip in clips]
        return cls(chosen, healthy, seconds * FRAMES_PER_SECOND, gain, sound)

    def with_event(self, event: Callable[[int, Norms], None]) -> list[Heard]:
        """Clips of the windows with an event."""
        return [
            _heard(self.gain * self.sound.play(window.before, window.with_event(event)))
            for window in self.windows
        ]

    def judge(
        self, present: list[Heard], listener: Listener, *, seed: int = 0
    ) -> tuple[float, float, float]:
        """Sensitivity d' to an event, and 95 % of its bootstrap.

        The template is of the other half of the windows. When the event happens is unknown: a
        clip is judged by the moment that is most like it.
        """
        rng = np.random.default_rng(seed)
        count = len(present)
        noisy = [
            [[clip.contrasts(listener, rng) for clip in clips] for clips in (present, self.healthy)]
            for _ in range(REPEATS)
        ]
        scores = np.zeros((2, count, REPEATS))
        for half in range(2):
            known = np.arange(half, count, 2)
            weights = self._template(present, [noisy[0][1][clip] for clip in known], known)
            for clip in range(1 - half, count, 2):
                for repeat in range(REPEATS):
                    for which in range(2):
                        moments = noisy[repeat][which][clip] @ weights
                        scores[which, clip, repeat] = moments.max()
            # Halves have templates of their own: their scores are made comparable.
            other = slice(1 - half, count, 2)
            scores[:, other] -= scores[1, other].mean()
            scores[:, other] /= scores[1, other].std() + 1e-12
        low, high = interval(*scores)
        return sensitivity(scores[0].ravel(), scores[1].ravel()), low, high

    def _template(
        self, present: list[Heard], absent: list[Floats], known: NDArray[np.intp]
    ) -> Floats:
        """Weights for the moment after the event at which it is heard best."""
        changes = []
        for clip in known:
            change = present[clip].clean() - self.healthy[clip].clean()
            start = round(self.windows[clip].step * self.step_frames / HOP) - LONG // HOP
            lags = start + np.arange(round(LATEST * FRAMES_PER_SECOND / HOP))
            changes.append(change[lags.clip(0, len(change) - 1)])
        mean = np.mean(changes, axis=0)
        pooled = np.concatenate(absent)
        candidates = template(mean.T, pooled)
        return np.asarray(candidates[:, np.argmax((candidates * mean.T).sum(axis=0))])


def _heard(waveform: Floats) -> Heard:
    readout = read(excite(waveform))
    frames = len(readout.level)
    starts = np.arange(0, frames - LONG + 1, HOP)
    return Heard(readout.percept(starts, SHORT), readout.percept(starts, LONG))


def clip_seconds(sound: Sound) -> float:
    """How long a clip of a sound is."""
    seconds = sound.step_seconds(LAYERS)
    return max(round(SECONDS / seconds), LEAST_STEPS) * seconds
