"""A classifier tells the twelve scenarios apart by their sound alone.

    python -m benchmarks.listening [--seeds N] [--json]

Every scenario of `examples/scenarios.py` at ten seeds, 200 steps each, rendered with `smooth`,
`arpeggio` and `classic` and as by the script of 2019. The classifier is the same for all, was fixed
before any score was seen, and must not be tuned:

* Clips at 24 kHz, without normalisation; mono is two equal channels.
* Log-mel energies: Hann windows of 1,024 samples every 512, power 1 for a sine of full scale,
  40 triangular bands from 60 Hz to 11 kHz, in dB above a floor of -80 dB.
* Mean and standard deviation over time of each band, within each quarter of the clip, for left
  and right separately: 640 features, standardised by the training clips.
* The nearest neighbour (Euclidean) among the clips of the other seeds names the scenario.

The row "norms" is the upper bound: the classifier on the norms themselves instead of a sound.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import resample_poly
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tqdm import tqdm

from examples.scenarios import SCENARIOS, train
from tb_sonify import SonifyWriter
from tb_sonify.schema.metadata import ROWS_TAG
from tb_sonify.schema.notes import aggregate
from tb_sonify.schema.records import Rows
from tb_sonify.sound import PRESETS, render, stream_layers

Floats = NDArray[np.float64]

STEPS = 200
SAMPLE_RATE = 24_000  # Hz
WINDOW, WINDOW_HOP = 1024, 512  # samples
BANDS, LOWEST_HZ, HIGHEST_HZ = 40, 60.0, 11_000.0
FLOOR = 1e-8  # of power
QUARTERS = 4


def main() -> None:
    """Train, render, classify, and print the scores."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10, help="at least 2 (default: 10)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    if options.seeds < 2:
        parser.error(f"--seeds must be at least 2, got {options.seeds}")

    torch.set_num_threads(1)  # networks of this size are faster so
    runs = [(name, seed) for name in SCENARIOS for seed in range(options.seeds)]
    heard: dict[str, list[Floats]] = {name: [] for name in FEATURES}
    for name, seed in tqdm(runs, unit="run"):
        norms = trained_norms(name, seed)
        for sound, features in FEATURES.items():
            heard[sound].append(features(norms))
    confusions = {
        sound: confusion(np.reshape(rows, (len(SCENARIOS), options.seeds, -1)))
        for sound, rows in heard.items()
    }
    print(as_json(confusions) if options.json else as_text(confusions))


def trained_norms(name: str, seed: int) -> NDArray[np.float32]:
    """Gradient norms of a training from its event file, shape ``(steps, layers)``."""
    with TemporaryDirectory() as run:
        with SonifyWriter(run, presets=()) as writer:
            train(SCENARIOS[name], writer, seed=seed, steps=STEPS)
        (path,) = Path(run).glob("events.out.tfevents.*")
        events = list(EventFileLoader(str(path)).Load())
    values = [value for event in events for value in event.summary.value]
    blocks = [Rows.decode(v.tensor.string_val[0]) for v in values if v.tag.startswith(ROWS_TAG)]
    return np.concatenate([block.norms for block in blocks])


def preset_features(preset_name: str) -> Callable[[NDArray[np.float32]], Floats]:
    """Features of norms rendered with a preset."""
    preset = PRESETS[preset_name]

    def features(norms: NDArray[np.float32]) -> Floats:
        pcm = render(aggregate(norms, rows_per_note=1), preset=preset)
        return sound_features(pcm / 32768, sample_rate=preset.sample_rate)

    return features


def script_features(norms: NDArray[np.float32]) -> Floats:
    """Features of norms as the script of 2019 writes them."""
    return sound_features(script_waveform(norms)[:, None], sample_rate=44_100)


def script_waveform(norms: NDArray[np.float32]) -> Floats:
    """Samples of the script of 2019 as a player decodes its file, shape ``(samples,)``.

    The script puts float32 samples under a header of 32-bit PCM, so a player takes their bits for
    integers. The NaN that torch computes on x86 has its sign bit set: so read, it is nearly
    silent.
    """
    norms = np.where(np.isnan(norms), -np.float32(np.nan), norms)
    with np.errstate(over="ignore", invalid="ignore"):
        tones = 200.0 + norms * np.float32(100)
        phase = 2 * np.pi * np.arange(441) * tones[..., None] / 44_100
        samples = np.float32(0.1) * np.sin(phase).astype(np.float32)
    silence = np.zeros((len(norms), 882), np.float32)
    steps = np.concatenate([samples.reshape(len(norms), -1), silence], axis=1)
    return np.asarray(steps.ravel().view(np.int32) / 2**31)


def sound_features(waveform: Floats, *, sample_rate: int) -> Floats:
    """The 640 features of a clip of shape ``(samples, channels)``."""
    common = np.gcd(SAMPLE_RATE, sample_rate)
    resampled = resample_poly(waveform, SAMPLE_RATE // common, sample_rate // common, axis=0)
    channels = np.broadcast_to(resampled, (len(resampled), 2)).T
    return np.concatenate([summary(log_mel(channel)) for channel in channels])


def log_mel(samples: Floats) -> Floats:
    """Energy of each band over time in dB, shape ``(times, BANDS)``."""
    window = np.hanning(WINDOW)
    pieces = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::WINDOW_HOP]
    power = np.abs(np.fft.rfft(pieces * (2 / window.sum()) * window, axis=1)) ** 2
    return np.asarray(10 * np.log10(power @ mel_bands() + FLOOR))


def mel_bands() -> Floats:
    """Triangular filters, shape ``(bins, BANDS)``."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (LOWEST_HZ, HIGHEST_HZ))
    corners = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    hz = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)[:, None]
    left, center, right = corners[:-2], corners[1:-1], corners[2:]
    slopes = np.minimum((hz - left) / (center - left), (right - hz) / (right - center))
    return np.asarray(slopes.clip(min=0))


def summary(table: Floats) -> Floats:
    """Mean and standard deviation over time in each quarter, for a table ``(times, values)``."""
    quarters = np.array_split(table, QUARTERS)
    return np.concatenate([[q.mean(axis=0), q.std(axis=0)] for q in quarters], axis=None)


def norm_features(norms: NDArray[np.float32]) -> Floats:
    """Features of the norms themselves.

    Mean and standard deviation of each stream's log2 norm in each quarter, and what share of it
    is NaN, infinite, zero.
    """
    numbers: list[Floats] = []
    for stream in stream_layers(norms.shape[1]):
        for quarter in np.array_split(norms[:, stream], QUARTERS):
            ordinary = quarter[np.isfinite(quarter) & (quarter > 0)]
            levels = np.log2(ordinary, dtype=np.float64) if len(ordinary) else np.zeros(1)
            strange = [np.isnan(quarter), np.isinf(quarter), quarter == 0]
            numbers.append(
                np.array([levels.mean(), levels.std(), *(where.mean() for where in strange)])
            )
    return np.concatenate(numbers)


FEATURES: Mapping[str, Callable[[NDArray[np.float32]], Floats]] = {
    "smooth": preset_features("smooth"),
    "arpeggio": preset_features("arpeggio"),
    "classic": preset_features("classic"),
    "2019 script": script_features,
    "norms": norm_features,
}


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


def as_json(confusions: Mapping[str, NDArray[np.int64]]) -> str:
    """The scores for programs."""
    sounds = {
        sound: {"accuracy": np.trace(counts) / counts.sum(), "confusion": counts.tolist()}
        for sound, counts in confusions.items()
    }
    return json.dumps({"scenarios": list(SCENARIOS), "sounds": sounds}, indent=2)


def as_text(confusions: Mapping[str, NDArray[np.int64]]) -> str:
    """The scores as tables."""
    names = list(SCENARIOS)
    lines = [f"{'':<24}accuracy  right"]
    for sound, counts in confusions.items():
        right, total = int(np.trace(counts)), int(counts.sum())
        lines.append(f"{sound:<24}{right / total:>8.1%}  {right} of {total}")
    for sound, counts in confusions.items():
        lines += ["", f"{sound}: a row's scenario is taken for a column's"]
        lines.append(" " * 25 + "".join(f"{number:>4}" for number in range(1, len(names) + 1)))
        for number, (name, row) in enumerate(zip(names, counts, strict=True), start=1):
            cells = "".join(f"{count or '·':>4}" for count in row)
            lines.append(f"{number:>2} {name:<22}{cells}")
        wrong = Counter(
            {
                f"{names[i]} for {names[j]}": int(counts[i, j])
                for i, j in np.argwhere(counts)
                if i != j
            }
        )
        lines += [f"   {count} {which}" for which, count in wrong.most_common()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
