"""Speed of rendering norms to WAV: tb_sonify, the script of 2019, and STRAUSS, on one core.

    python benchmarks/render.py [--steps N] [--rounds N] [--json]

All render one series: 12 layers, one note per step, with calm, growing and oscillating parts, and
jumps that trigger earcons. Each round renders every sound once, from the norms to the bytes of a
WAV in memory; times are CPU seconds of one thread.

* `smooth`: three streams with texture and earcons, stereo; `arpeggio` and `classic` for reference.
* `2019`: a tone of 10 ms for each layer and 20 ms of silence for each step, as the script has them.
* `STRAUSS`: three sources, the median of each stream, with its preset for one-dimensional data,
  stereo, at our sample rate. It is left out where it is not installed (`pip install strauss`).
"""

import argparse
import io
import json
import os
import sys
import time
import wave
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_sonify.schema.notes import aggregate
from tb_sonify.sound import PRESETS, StreamPreset, encode_wav, render, stream_layers
from tb_sonify.sound.pitch import DOUBLINGS_PER_OCTAVE, HZ_AT_NORM_1, NORM_RANGE
from tb_sonify.sound.voicing import stream_controls

LAYERS = 12
STRETCH = 50  # steps that are calm, then as many that grow, then as many that oscillate

Norms = NDArray[np.float32]
Renderer = Callable[[Norms], bytes]


def main() -> None:
    """Time every renderer and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=1_000, help="default: 1,000, a minute")
    parser.add_argument("--rounds", type=int, default=9, help="default: 9")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    if min(options.steps, options.rounds) < 1:
        parser.error("--steps and --rounds must be at least 1")

    norms = series(options.steps)
    renderers = {name: ours(name) for name in ("smooth", "calm", "arpeggio", "classic")}
    renderers["2019"] = script_of_2019
    strauss = strauss_renderer()
    if strauss is not None:
        renderers["STRAUSS"] = strauss
    results = measure(renderers, norms, rounds=options.rounds)
    if options.json:
        print(json.dumps({"steps": options.steps, "rounds": options.rounds, "sounds": results}))
        return
    print(f"{options.steps:,} steps, {LAYERS} layers, {options.rounds} rounds; {effects(norms)}")
    print(as_text(results))
    if strauss is None:
        print("STRAUSS is left out, it is not installed: pip install strauss")


def series(steps: int) -> Norms:
    """Positive, finite norms with calm, growing and oscillating parts."""
    random = np.random.default_rng(0)
    number = np.arange(steps)
    stretch, within = number // STRETCH % 3, number % STRETCH
    growth = np.where(stretch == 1, 0.8 * within, 0.0)  # doublings
    swing = np.where(stretch == 2, 3.0 * (-1.0) ** number, 0.0)
    noise = random.normal(0, 0.5, (steps, LAYERS))
    doublings = np.linspace(-3, 3, LAYERS) + (growth + swing)[:, None] + noise
    norms = np.exp2(doublings)
    norms[random.random(norms.shape) < 0.01] *= 1e4
    return np.asarray(norms, np.float32)


def effects(norms: Norms) -> str:
    """Share of notes with texture and with earcons in `smooth`, as text."""
    preset = PRESETS["smooth"]
    assert isinstance(preset, StreamPreset)
    controls = stream_controls(aggregate(norms, rows_per_note=1), preset=preset, first_note=0)
    texture = (controls.roughness > 0) | (controls.tremolo > 0)
    return (
        f"texture in {texture.any(axis=1).mean():.0%} of the notes, "
        f"earcons in {(controls.earcon > 0).any(axis=1).mean():.0%}"
    )


def ours(name: str) -> Renderer:
    """Renderer of a preset, from norms to a WAV."""
    preset = PRESETS[name]

    def renderer(norms: Norms) -> bytes:
        pcm = render(aggregate(norms, rows_per_note=1), preset=preset)
        return encode_wav(pcm, sample_rate=preset.sample_rate)

    return renderer


def script_of_2019(norms: Norms) -> bytes:
    """The script of 2019, statement by statement, with its wrong header of 32-bit PCM."""
    rate, duration, base = 44_100, 0.01, 200.0
    frames = []
    for step in norms:
        for norm in step:
            tone = (base + norm * 100.0).astype(np.float32)
            cycle = np.sin(2 * np.pi * np.arange(rate * duration) * tone / rate)
            samples = 0.1 * cycle.astype(np.float32)
            frames.append(samples)
        frames.append(np.zeros(samples.shape[0] * 2, dtype=np.float32))
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(4)
        writer.setframerate(rate)
        writer.writeframes(b"".join(frames))
    return file.getvalue()


def strauss_renderer() -> Renderer | None:
    """STRAUSS with our range and the pans of `smooth`, or `None` if it is not installed."""
    try:
        generator, score, sonification, sources = (
            import_module(f"strauss.{name}")
            for name in ("generator", "score", "sonification", "sources")
        )
    except ImportError:
        return None
    preset = PRESETS["smooth"]
    rate, groups = preset.sample_rate, stream_layers(LAYERS)
    low, high = np.log2(NORM_RANGE)

    def renderer(norms: Norms) -> bytes:
        streams = [np.median(np.log2(norms[:, group]), axis=1) for group in groups]
        objects = sources.Objects(["pitch", "time_evo", "pitch_shift", "azimuth", "polar"])
        objects.fromdict(
            {
                "pitch": [0.0] * len(groups),
                "time_evo": [np.linspace(0, 1, len(norms))] * len(groups),
                "pitch_shift": streams,
                "azimuth": [0.25, 0.0, 0.75],
                "polar": [0.5] * len(groups),
            }
        )
        semitones = 12 / DOUBLINGS_PER_OCTAVE
        objects.apply_mapping_functions(
            map_lims={"pitch_shift": (low, high)},
            param_lims={"pitch_shift": (low * semitones, high * semitones)},
        )
        synthesizer = generator.Synthesizer(samprate=rate)
        synthesizer.load_preset("pitch_mapper")
        seconds = len(norms) * preset.hop(LAYERS) / rate
        music = score.Score([[HZ_AT_NORM_1]], seconds)
        file = io.BytesIO()
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            sound = sonification.Sonification(music, objects, synthesizer, "stereo", samprate=rate)
            sound.render()
            sound.save(file)
        return file.getvalue()

    return renderer


def measure(
    renderers: dict[str, Renderer], norms: Norms, *, rounds: int
) -> dict[str, dict[str, Any]]:
    """Duration of each sound, quartiles of CPU seconds, and derived rates."""
    lengths = {name: _wav_seconds(renderer(norms)) for name, renderer in renderers.items()}
    taken: dict[str, list[float]] = {name: [] for name in renderers}
    for _ in range(rounds):
        for name, renderer in renderers.items():
            start = time.process_time()
            renderer(norms)
            taken[name].append(time.process_time() - start)
    results = {}
    for name, length in lengths.items():
        first, median, third = np.quantile(taken[name], [0.25, 0.5, 0.75])
        results[name] = {
            "sound_seconds": length,
            "cpu_seconds": [first, median, third],
            "times_real_time": length / median,
            "steps_per_second": len(norms) / median,
        }
    return results


def _wav_seconds(data: bytes) -> float:
    """Duration of a WAV, also of STRAUSS's, which has 32 bits per sample."""
    with wave.open(io.BytesIO(data)) as reader:
        return float(reader.getnframes() / reader.getframerate())


def as_text(results: dict[str, dict[str, Any]]) -> str:
    """A table, with the speed of `smooth` relative to each."""
    smooth = results["smooth"]
    lines = [
        f"{'sound':10}{'length':>9}{'CPU ms, median (quartiles)':>30}{'real time':>12}"
        f"{'steps/s':>10}   smooth is faster: by real time, by steps"
    ]
    for name, result in results.items():
        first, median, third = (1_000 * seconds for seconds in result["cpu_seconds"])
        by_time, by_steps = (
            smooth[what] / result[what] for what in ("times_real_time", "steps_per_second")
        )
        quartiles = f"{median:.1f} ({first:.1f}-{third:.1f})"
        lines.append(
            f"{name:10}{result['sound_seconds']:>7.1f} s{quartiles:>30}"
            f"{result['times_real_time']:>11,.0f}x{result['steps_per_second']:>10,.0f}"
            f"   {by_time:.2f}x, {by_steps:.2f}x"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    # Libraries read these when they load, which is before this line.
    one_thread = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    if any(os.environ.get(name) != "1" for name in one_thread):
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | one_thread)
    main()
