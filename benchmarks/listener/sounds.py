"""Sounds of a series: presets of tb_sonify, the script of 2019, STRAUSS, and chart2music."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import gcd

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from benchmarks.listener.excitation import SAMPLE_RATE
from benchmarks.render import LAYERS as STRAUSS_LAYERS
from benchmarks.render import strauss_renderer
from tb_sonify.schema.notes import aggregate
from tb_sonify.sound import (
    EARLIER_PRESETS,
    PRESETS,
    Preset,
    advance_state,
    render,
    stream_layers,
)

Floats = NDArray[np.float64]
Norms = NDArray[np.float32]

CONTEXT = 300  # steps before a clip, by which its texture and earcons are judged
POINT_SECONDS = 0.05  # chart2music's speed that is nearest to 60 ms
NOTE_SECONDS = 0.25  # of chart2music
LOWEST_NOTE, NOTES = 33, 74  # A1, 55 Hz, to 3,729 Hz, as MIDI numbers


@dataclass(frozen=True)
class Sound:
    """A way to sound a series.

    Attributes
    ----------
    play
        Samples at `SAMPLE_RATE` of norms of shape ``(steps, layers)`` that follow others; shape
        ``(samples,)`` or ``(samples, 2)``.
    step_seconds
        How long a step sounds, of so many layers.
    """

    play: Callable[[Norms, Norms], Floats]
    step_seconds: Callable[[int], float]


def sounds() -> dict[str, Sound]:
    """All sounds by name; STRAUSS where it is installed."""
    presets: dict[str, Preset] = {**PRESETS, **EARLIER_PRESETS}
    found = {
        name: Sound(partial(play_preset, preset=preset), partial(_preset_seconds, preset=preset))
        for name, preset in presets.items()
        if name in {*PRESETS, "smooth-1"}
    }
    found["2019 script"] = Sound(play_script, lambda layers: 0.01 * layers + 0.02)
    strauss = strauss_renderer()
    if strauss is not None:
        found["STRAUSS"] = Sound(
            partial(play_strauss, render_wav=strauss),
            partial(_preset_seconds, preset=PRESETS["smooth"]),
        )
    found["chart2music"] = Sound(play_chart2music, lambda _: POINT_SECONDS)
    return found


def _preset_seconds(layers: int, preset: Preset) -> float:
    return preset.hop(layers) / preset.sample_rate


def play_preset(before: Norms, norms: Norms, *, preset: Preset) -> Floats:
    """Norms as a clip of a preset."""
    context = aggregate(before[-CONTEXT:], rows_per_note=1)
    state = advance_state(context, preset=preset) if len(before) else None
    pcm = render(aggregate(norms, rows_per_note=1), preset=preset, state=state)
    return resampled(pcm / 32_768, preset.sample_rate)


def play_script(before: Norms, norms: Norms) -> Floats:  # noqa: ARG001
    """Norms as the script of 2019 writes them and players read its file."""
    return resampled(script_waveform(norms)[:, None], 44_100)


def script_waveform(norms: Norms) -> Floats:
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


def play_strauss(before: Norms, norms: Norms, *, render_wav: Callable[[Norms], bytes]) -> Floats:  # noqa: ARG001
    """The medians of three groups by STRAUSS; what is not a positive number is left out."""
    groups = [np.median(norms[:, group], axis=1) for group in stream_layers(norms.shape[1])]
    sizes = [len(group) for group in stream_layers(STRAUSS_LAYERS)]
    series = np.stack(groups, axis=1)
    series = np.where(np.isfinite(series) & (series > 0), series, 1e-8)  # one NaN makes all NaN
    samples, rate = soundfile.read(
        io.BytesIO(render_wav(np.repeat(series, sizes, axis=1))), always_2d=True
    )
    return resampled(samples, rate)


def play_chart2music(before: Norms, norms: Norms) -> Floats:  # noqa: ARG001
    """The total norm by the mapping of chart2music 1.20: semitones on a linear axis of its range.

    A note is a sine and a triangle an octave lower for a quarter of a second, NaN is silence.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.sqrt((norms.astype(np.float64) ** 2).sum(axis=1))
    finite = total[np.isfinite(total)]
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 1.0)
    hop, frames = round(POINT_SECONDS * SAMPLE_RATE), round(NOTE_SECONDS * SAMPLE_RATE)
    waveform = np.zeros(len(total) * hop + frames)
    time = np.arange(frames) / SAMPLE_RATE
    shape = 0.5 * (1 - time / NOTE_SECONDS)
    for number in np.flatnonzero(np.isfinite(total)):
        place = (total[number] - low) / (high - low) if high > low else 0.0
        hz = 440 * 2 ** ((LOWEST_NOTE + np.floor(place * (NOTES - 1)) - 69) / 12)
        triangle = 2 / np.pi * np.arcsin(np.sin(np.pi * hz * time))
        note = 0.5 * (np.sin(2 * np.pi * hz * time) + triangle)
        waveform[number * hop : number * hop + frames] += shape * note
    return waveform


def resampled(samples: Floats, sample_rate: int) -> Floats:
    """Samples at the rate of the listener."""
    common = gcd(SAMPLE_RATE, sample_rate)
    if common == sample_rate == SAMPLE_RATE:
        return samples
    return np.asarray(resample_poly(samples, SAMPLE_RATE // common, sample_rate // common, axis=0))
