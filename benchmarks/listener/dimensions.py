"""Dimensions of a tone of `smooth`: how small a change of each is heard, also if others rove."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.listener.calibration import LEVEL, Experiment, placed
from benchmarks.listener.excitation import SAMPLE_RATE
from benchmarks.listener.observer import Listener
from tb_sonify.sound import PRESETS, StreamPreset

Floats = NDArray[np.float64]

SECONDS = 0.6
ROUGH_HZ, TREMOLO_HZ = 66.7, 4.2
ROVING = 2.0  # JNDs to either side
# Value of a tone, and the smallest and largest threshold that are considered.
VALUES = {
    "pitch, cents": (0.0, (1.0, 400.0)),
    "roughness, depth": (0.3, (0.01, 0.65)),
    "pulsation, depth": (0.3, (0.01, 0.65)),
    "pan": (0.0, (0.01, 0.9)),
}


def tone(values: Mapping[str, float], rng: np.random.Generator) -> Floats:
    """Tone of the middle stream, shape ``(samples, 2)``."""
    cents, rough, pulse, pan = (values[name] for name in VALUES)
    time = np.arange(round(SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    preset = PRESETS["smooth"]
    assert isinstance(preset, StreamPreset)
    harmonics = np.array(preset.voices[1].harmonics)
    numbers = np.arange(1, len(harmonics) + 1)
    turns = 2 * np.pi * 440 * 2 ** (cents / 1200) * time + 2 * np.pi * rng.random()
    carrier = harmonics @ np.sin(numbers[:, None] * turns)
    start = 2 * np.pi * rng.random()
    envelope = (1 + rough * np.sin(2 * np.pi * ROUGH_HZ * time)) * (
        1 + pulse * np.sin(2 * np.pi * TREMOLO_HZ * time + start)
    )
    samples = carrier * envelope / np.sqrt(np.mean((carrier * envelope) ** 2))
    angle = (pan + 1) * np.pi / 4
    ears = np.array([np.cos(angle), np.sin(angle)]) * np.sqrt(2)
    return np.asarray(10 ** (LEVEL / 20) * placed(samples, ramp=0.01)[:, None] * ears)


def stimulus(
    size: float, rng: np.random.Generator, *, changed: str, roving: Mapping[str, float]
) -> Floats:
    """Tone of which one dimension has changed, and others rove by so much."""
    values = {name: value for name, (value, _) in VALUES.items()}
    for name, by in roving.items():
        values[name] += rng.uniform(-by, by)
    values[changed] += size
    limits = {"pitch, cents": (-2_400, 2_400), "pan": (-1, 1)}
    return tone({n: np.clip(v, *limits.get(n, (0, 1))) for n, v in values.items()}, rng)


def interference(listener: Listener, *, seed: int = 0) -> Iterator[tuple[str, str | None, float]]:
    """Thresholds of each dimension alone, then with another one that roves."""
    alone = {name: _experiment(name, {}).measure(listener, seed=seed) for name in VALUES}
    for name, jnd in alone.items():
        yield name, None, jnd
    for name in VALUES:
        for other, jnd in alone.items():
            if other != name:
                experiment = _experiment(name, {other: ROVING * jnd})
                yield name, other, experiment.measure(listener, seed=seed)


def _experiment(name: str, roving: Mapping[str, float]) -> Experiment:
    _, between = VALUES[name]
    learned = float(np.sqrt(between[0] * between[1]) * 2)
    return Experiment(
        name,
        partial(stimulus, changed=name, roving=roving),
        frames=(5, 56),
        between=between,
        learned=learned,
        published=(between, None),
    )
