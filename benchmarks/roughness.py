"""How pleasant healthy runs sound, by models of hearing: roughness, sharpness, loudness.

    python -m benchmarks.roughness --cache DIR [--seeds 0 1] [--json]

Every healthy training of `divergences.py`, the first 600 steps (of the network of 2019 200), as
`smooth`, as its first version, as the other presets, as the script of 2019 and, where it is
installed, by STRAUSS as in `render.py`. Four seconds in the middle of a run are judged, mono,
played at the level at which -20 LUFS is 60 dB SPL:

* Roughness in asper after Daniel and Weber, and sharpness in acum after DIN 45692, by MoSQITo.
* Pulsation: depth of the modulation of the envelope at 2 to 8 Hz of three steady tones that are a
  quarter or half a doubling apart. Tremolo is 0.15 to 0.60 deep.
* Loudness in LUFS after BS.1770, by pyloudnorm.

A second table has the share of notes in which any stream is rough, or has tremolo, which are to
mean divergence and noise. A third says by how many dB `calm` comes forward, weighted as for LUFS:
the loudest note of half a second above the median of the 4 s before; in healthy runs by
themselves, where a layer becomes NaN or dies, and in trainings that diverge, with the step at which
it is 10 dB for the first time and that at which the loss is lost.
"""

import argparse
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyloudnorm
import soundfile
import torch
from mosqito.sq_metrics import roughness_dw, sharpness_din_st
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.signal import hilbert, lfilter, resample_poly
from tqdm import tqdm

from benchmarks.divergences import DIVERGING, HEALTHY, lost_at, record
from benchmarks.listener.sounds import script_waveform
from benchmarks.render import LAYERS, strauss_renderer
from tb_sonify.schema.notes import aggregate
from tb_sonify.sound import (
    EARLIER_PRESETS,
    PRESETS,
    Preset,
    StreamPreset,
    render,
    stream_layers,
)
from tb_sonify.sound.voicing import stream_controls

Floats = NDArray[np.float64]
Sound = Callable[[NDArray[np.float32]], Floats]  # norms to samples at 48 kHz

SECONDS = 4.0  # of a clip
STEPS = {"cnn": 200, "gpt": 600, "lstm": 600}
PASCAL = 0.02 * 10 ** (23 / 20)  # of full scale: -20 LUFS is about -23 dB of full scale, rms
MODELS_RATE = 48_000  # Hz
HALF_A_SECOND, BEFORE = 8, 64  # notes
FORWARD_DB = 10
SOUNDS: Mapping[str, Preset] = {
    name: {**PRESETS, **EARLIER_PRESETS}[name]
    for name in ("smooth", "calm", "smooth-1", "single", "arpeggio", "classic")
}


def main() -> None:
    """Train what is not in the cache, render, measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True, help="of recordings")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="(default: 0)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    torch.set_num_threads(1)
    runs = {
        f"{name} {seed}": healthy_norms(name, seed=seed, cache=options.cache)
        for name in HEALTHY
        for seed in options.seeds
    }
    sounds: dict[str, Sound] = {
        name: partial(heard, preset=preset) for name, preset in SOUNDS.items()
    }
    sounds["2019 script"] = script_heard
    strauss = strauss_renderer()
    if strauss is not None:
        sounds["STRAUSS"] = partial(strauss_heard, render_wav=strauss)
    textures = {
        name: {run: texture(norms, preset) for run, norms in runs.items()}
        for name, preset in SOUNDS.items()
        if isinstance(preset, StreamPreset)
    }
    forward = {**healthy_rises(runs), **diverging_rises(options.seeds, options.cache)}
    table = {name: measure(runs, sound) for name, sound in tqdm(sounds.items(), unit="sound")}
    if options.json:
        made = {"sounds": table, "texture": textures, "forward": forward}
        print(json.dumps(made, indent=2))
    else:
        print(as_text(table), texture_as_text(textures), rises_as_text(forward), sep="\n\n")


def healthy_norms(name: str, *, seed: int, cache: Path) -> NDArray[np.float32]:
    """Gradient norms of the first steps of a healthy training, shape ``(steps, layers)``."""
    training = replace(HEALTHY[name], steps=STEPS[HEALTHY[name].network])
    norms = record(name, training, seed=seed, cache=cache).norms["gradient"]
    return norms[: training.steps].astype(np.float32)  # a cached recording may be longer


def texture(norms: NDArray[np.float32], preset: StreamPreset) -> tuple[float, float]:
    """Share of the notes in which any stream is rough, and has tremolo."""
    controls = stream_controls(aggregate(norms, rows_per_note=1), preset=preset, first_note=0)
    rough_notes, tremolo = (
        (depths > 0).any(axis=1).mean() for depths in (controls.roughness, controls.tremolo)
    )
    return float(rough_notes), float(tremolo)


def rises(norms: NDArray[np.float32]) -> Floats:
    """By how many dB the half second from each note on rises above the 4 s before, in `calm`.

    Weighted as by BS.1770, but for its mean over 400 ms. From note `BEFORE` on.
    """
    preset = SOUNDS["calm"]
    hop = preset.hop(norms.shape[1])
    samples = render(aggregate(norms, rows_per_note=1), preset=preset) / 32_768
    for weight in pyloudnorm.Meter(preset.sample_rate)._filters.values():
        samples = weight.passband_gain * lfilter(weight.b, weight.a, samples, axis=0)
    power = np.square(samples[: len(norms) * hop]).sum(axis=1).reshape(-1, hop).mean(axis=1)
    levels = 10 * np.log10(power + 1e-12)
    loudest = sliding_window_view(levels, HALF_A_SECOND)[BEFORE:].max(axis=1)
    return np.asarray(
        loudest - np.median(sliding_window_view(levels, BEFORE), axis=1)[: len(loudest)]
    )


def healthy_rises(runs: Mapping[str, NDArray[np.float32]]) -> dict[str, str]:
    """Of healthy runs alone, and where a layer becomes NaN, or exactly 0, in the last quarter."""
    found = {}
    for name, norms in runs.items():
        at, layer = len(norms) * 3 // 4, norms.shape[1] // 2
        alone = rises(norms)
        words = [f"alone above 10 dB {np.mean(alone >= FORWARD_DB):.1%} of the time"]
        for event, value in (("NaN", np.nan), ("dead", 0.0)):
            struck = norms.copy()
            struck[at:, layer] = value
            words.append(f"{event} {rises(struck)[at - BEFORE]:.1f} dB")
        found[name] = ", ".join(words)
    return found


def diverging_rises(seeds: Sequence[int], cache: Path) -> dict[str, str]:
    """Of trainings that diverge, but for those whose loss is lost before there are 4 s."""
    found = {}
    for name, training in DIVERGING.items():
        for seed in seeds:
            recording = record(name, training, seed=seed, cache=cache)
            lost = lost_at(recording.loss)
            if lost is None or lost < BEFORE:
                continue
            rise = rises(recording.norms["gradient"].astype(np.float32))
            first = np.flatnonzero(rise >= FORWARD_DB)
            step = int(first[0]) + BEFORE + HALF_A_SECOND - 1 if len(first) else None
            found[f"{name} {seed}"] = f"{rise.max():.1f} dB, 10 dB by step {step}, lost at {lost}"
    return found


def heard(norms: NDArray[np.float32], preset: Preset) -> Floats:
    """Norms as a preset plays them, in both channels, at 48 kHz, shape ``(samples, channels)``."""
    pcm = render(aggregate(norms, rows_per_note=1), preset=preset) / 32_768
    return at_48_khz(pcm, preset.sample_rate)


def script_heard(norms: NDArray[np.float32]) -> Floats:
    """Norms as the script of 2019 writes them and players read its file."""
    return at_48_khz(script_waveform(norms)[:, None], 44_100)


def strauss_heard(norms: NDArray[np.float32], render_wav: Callable[[Any], bytes]) -> Floats:
    """The medians of the three groups, each as those of as many layers as `render.py` has."""
    groups = [np.median(norms[:, group], axis=1) for group in stream_layers(norms.shape[1])]
    sizes = [len(group) for group in stream_layers(LAYERS)]
    samples, rate = soundfile.read(
        io.BytesIO(render_wav(np.repeat(np.stack(groups, axis=1), sizes, axis=1))), always_2d=True
    )
    return at_48_khz(samples, rate)


def at_48_khz(samples: Floats, sample_rate: int) -> Floats:
    """Samples at the rate that the models of hearing take."""
    common = np.gcd(MODELS_RATE, sample_rate)
    return np.asarray(resample_poly(samples, MODELS_RATE // common, sample_rate // common, axis=0))


def measure(runs: Mapping[str, NDArray[np.float32]], sound: Sound) -> dict[str, float]:
    """What the models say of a sound."""
    roughness, sharpness, loudness = [], [], []
    frames = int(SECONDS * MODELS_RATE)
    for norms in runs.values():
        samples = sound(norms)
        loudness.append(pyloudnorm.Meter(MODELS_RATE).integrated_loudness(samples))
        start = max(len(samples) - frames, 0) // 2
        clip = samples[start : start + frames].mean(axis=1)
        roughness.append(rough(clip))
        sharpness.append(sharpness_din_st(PASCAL * clip, MODELS_RATE))
    low, middle, high = np.percentile(np.concatenate(roughness), [10, 50, 90])
    apart = [pulsation(steady(doublings, sound)) for doublings in (0.25, 0.5)]
    return {
        "roughness_10": low,
        "roughness_50": middle,
        "roughness_90": high,
        "roughness_worst_run": max(float(np.median(run)) for run in roughness),
        "pulsation": max(apart),
        "sharpness": float(np.median(sharpness)),
        "lufs_quietest": min(loudness),
        "lufs_loudest": max(loudness),
    }


def rough(mono: Floats) -> Floats:
    """Roughness in asper, of parts of 200 ms."""
    return np.asarray(roughness_dw(PASCAL * mono, MODELS_RATE, overlap=0)[0])


def steady(doublings: float, sound: Sound) -> Floats:
    """Three steady tones so many doublings apart, mono."""
    norms = np.tile(0.1 * np.exp2(doublings * np.arange(3)), (100, 1))
    return np.asarray(sound(norms.astype(np.float32)).mean(axis=1))


def pulsation(mono: Floats) -> float:
    """Largest depth of the modulation of the envelope at 2 to 8 Hz, relative to its mean."""
    envelope = np.abs(hilbert(mono[MODELS_RATE // 2 : -MODELS_RATE // 2]))
    window = np.hanning(len(envelope))
    spectrum = np.abs(np.fft.rfft(envelope * window)) / window.sum()
    hz = np.fft.rfftfreq(len(envelope), 1 / MODELS_RATE)
    return float(2 * spectrum[(hz >= 2) & (hz <= 8)].max() / spectrum[0])


def as_text(table: Mapping[str, Mapping[str, float]]) -> str:
    """The measures as a table."""
    lines = [
        "| sound | roughness, asper: 10 %, median, 90 % | worst run | pulsation | acum | LUFS |"
    ]
    for name, row in table.items():
        low, middle, high, worst, pulse, sharp, quiet, loud = row.values()
        lines.append(
            f"| {name} | {low:.3f}, {middle:.3f}, {high:.3f} | {worst:.3f} | {pulse:.3f} "
            f"| {sharp:.2f} | {quiet:.1f} to {loud:.1f} |"
        )
    return "\n".join(lines)


def texture_as_text(textures: Mapping[str, Mapping[str, tuple[float, float]]]) -> str:
    """The shares as a table."""
    runs = next(iter(textures.values()))
    lines = [f"| rough, tremolo | {' | '.join(runs)} |"]
    for name, shares in textures.items():
        cells = (f"{part:.1%}, {tremolo:.1%}" for part, tremolo in shares.values())
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def rises_as_text(forward: Mapping[str, str]) -> str:
    """How `calm` comes forward, as a table."""
    return "\n".join(
        ["| run | calm |", *(f"| {run} | {words} |" for run, words in forward.items())]
    )


if __name__ == "__main__":
    main()
