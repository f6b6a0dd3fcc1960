"""Scenarios: a listener names the training that it hears, of those of `examples/`."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from benchmarks.listener.excitation import excite
from benchmarks.listener.observer import Listener
from benchmarks.listener.percept import Percept, read
from benchmarks.listener.sounds import Norms, Sound
from examples.scenarios import SCENARIOS, train
from tb_sonify import SonifyWriter
from tb_sonify.schema.metadata import ROWS_TAG
from tb_sonify.schema.records import Rows

Floats = NDArray[np.float64]

STEPS = 200
LOUDNESS = 60.0  # dB SPL of the healthy scenario
FRAMES = 56  # of a percept
PARTS = 4  # of a clip, of each of which a listener remembers the mean and the spread


def trained_norms(name: str, seed: int) -> Norms:
    """Gradient norms of a training from its event file, shape ``(STEPS, layers)``."""
    with TemporaryDirectory() as run:
        with SonifyWriter(run, presets=()) as writer:
            train(SCENARIOS[name], writer, seed=seed, steps=STEPS)
        (path,) = Path(run).glob("events.out.tfevents.*")
        events = list(EventFileLoader(str(path)).Load())
    values = [value for event in events for value in event.summary.value]
    blocks = [Rows.decode(v.tensor.string_val[0]) for v in values if v.tag.startswith(ROWS_TAG)]
    return np.concatenate([block.norms for block in blocks])


def told_apart(sound: Sound, runs: dict[str, list[Norms]], listener: Listener) -> NDArray[np.int64]:
    """Confusion matrix, true scenario by the one that it is taken for.

    A clip is taken for that of another seed to which it sounds most alike: the nearest neighbour.

    Parameters
    ----------
    runs
        Norms by scenario, of as many seeds each.
    """
    rng = np.random.default_rng(0)
    start = np.zeros((0, 1), np.float32)
    healthy = sound.play(start, next(iter(runs.values()))[0])
    gain = 10 ** (LOUDNESS / 20) / np.sqrt(np.mean(healthy**2))
    heard = [
        [remembered(gain * sound.play(start, norms), listener, rng) for norms in seeds]
        for seeds in runs.values()
    ]
    return confusion(np.array(heard))


def remembered(waveform: Floats, listener: Listener, rng: np.random.Generator) -> Floats:
    """Mean and spread of what is heard in each part of a clip."""
    readout = read(excite(waveform))
    starts = np.arange(0, len(readout.level) - FRAMES + 1, FRAMES // 2)
    percept = readout.percept(starts, FRAMES)
    heard = listener.hear(percept, rng, overlap=2)
    numbers = []
    for part in np.array_split(np.arange(len(starts)), PARTS):
        kept = Percept(heard[part].mean(axis=0)[None], percept.looks[part].mean(axis=0)[None])
        numbers += [listener.remember(kept.values, kept, rng)[0], heard[part].std(axis=0)]
    return np.concatenate(numbers)


def confusion(features: Floats) -> NDArray[np.int64]:
    """Confusion matrix, true scenario by predicted one, leaving out one seed at a time.

    Parameters
    ----------
    features
        Shape ``(scenarios, seeds, numbers)``.
    """
    scenarios, seeds, _ = features.shape
    counts = np.zeros((scenarios, scenarios), np.int64)
    for seed in range(seeds):
        known = np.delete(features, seed, axis=1).reshape(scenarios * (seeds - 1), -1)
        spread = known.std(axis=0)
        spread[spread == 0] = 1
        apart = (features[:, seed, None] - known) / spread
        nearest = np.argmin((apart**2).sum(axis=2), axis=1) // (seeds - 1)
        counts[np.arange(scenarios), nearest] += 1
    return counts
