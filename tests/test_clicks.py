"""Nothing clicks and nothing hums: inside clips, where they join, and wherever one seeks."""

from dataclasses import replace

import numpy as np
import pytest

from tb_sonify.schema.notes import aggregate
from tb_sonify.sound import PRESETS, advance_state, render
from tb_sonify.sound.earcons import SECONDS, Earcon, earcon_waveform
from tb_sonify.sound.voicing import stream_controls

SMOOTH, SINGLE = PRESETS["smooth"], PRESETS["single"]
RATE, HOP, TAIL = SMOOTH.sample_rate, SMOOTH.hop(1), SMOOTH.tail
MINUS_60_DB = 10 ** (-60 / 20)
ALLOWED = 1.5  # of the slope bound
ONE_LSB = 1 / 32767

# The steepest that an earcon of peak 1 may be: as steep as a sine at its highest partial, in Hz.
# Those that sweep, and the clash of three partials, are steeper by what their partials add up to.
EARCON_HZ = {
    Earcon.NONE: 0,
    Earcon.NO_GRADIENT: 330,
    Earcon.ZERO: 2 * 240,
    Earcon.BELOW: 150,
    Earcon.ABOVE: 3_400,
    Earcon.SPIKE: 2 * 2_600,
    Earcon.INF: 2 * 3_000,
    Earcon.NAN: 620 + 1.41 * 620 + 1.93 * 620,
    Earcon.CHIME: 0.5 * 1_975.5,  # its peak is half
    Earcon.RISES: 0.3 * 987.8,
    Earcon.FALLS: 0.3 * 987.8,
}
LONGEST = 4  # notes


def notes_of(norms):
    return aggregate(np.asarray(norms, np.float32), rows_per_note=1)


def wandering(notes, layers, *, center, seed=0):
    """Norms around `center`, mostly within four doublings, with jumps by a thousand."""
    random = np.random.default_rng(seed)
    norms = center * np.exp2(random.normal(0, 2, (notes, layers)))
    norms[random.random(norms.shape) < 0.05] *= 1e3
    return norms.clip(1e-8, 1e8)


def troubled(notes, layers, *, center, seed=0):
    """The same with NaN, infinity, zero and missing gradients, alone and in rows."""
    random = np.random.default_rng(seed + 1)
    norms = wandering(notes, layers, center=center, seed=seed)
    for trouble in (np.nan, np.inf, 0.0, -1.0):
        norms[random.random(norms.shape) < 0.05] = trouble
        start = random.integers(notes - 5)
        norms[start : start + 5, random.integers(layers)] = trouble
    return norms


def slope_bounds(norms, preset):
    """The steepest that each note's sounding partials can be, per sample, in both channels.

    Returns
    -------
    bounds
        Shape ``(notes, 2)``.
    """
    controls = stream_controls(notes_of(norms), preset=preset, first_note=0)
    loud = controls.gain * (1 + controls.roughness) * (1 + controls.tremolo)
    voices = preset.stream_voices(loud.shape[1])
    timbres = [np.array(each.harmonics) for each in voices]
    partials = [timbre @ np.arange(1, len(timbre) + 1) for timbre in timbres]
    slopes = 2 * np.pi / RATE * preset.level * loud * np.nan_to_num(controls.hz) * partials
    earcon_hz = np.vectorize(EARCON_HZ.get, otypes=[float])(controls.earcon)
    beside_hz = np.vectorize(EARCON_HZ.get, otypes=[float])(controls.beside)
    for later in range(LONGEST + 1):
        earcon_hz[later:] += beside_hz[: len(beside_hz) - later]
    slopes = slopes + 2 * np.pi / RATE * preset.earcon_level * earcon_hz
    # A note begins with what the note before it left.
    slopes = np.maximum(slopes, np.concatenate([slopes[:1], slopes[:-1]]))
    width = preset.width if loud.shape[1] > 1 else 0.0
    angle = (np.linspace(-width, width, loud.shape[1]) + 1) * np.pi / 4
    return slopes @ np.stack([np.cos(angle), np.sin(angle)], axis=1)


def steepness(clip, bounds):
    """The largest jump between two samples of a clip, relative to the bound of its note."""
    jumps = np.abs(np.diff(clip.astype(float), axis=0)) / 32767 - ONE_LSB
    note = np.minimum(np.arange(len(jumps)) // HOP, len(bounds) - 1)
    return (jumps / np.maximum(bounds[note], ONE_LSB)).max()


def clip_of(norms, first, count, preset=SMOOTH):
    """The clip that a seek to note `first` plays."""
    state = advance_state(notes_of(norms[:first]), preset=preset) if first else None
    return render(notes_of(norms[first : first + count]), preset=preset, state=state)


def impurity_db(norms, preset):
    """The strongest that sounds besides harmonics, under 12 kHz, relative to the fundamental."""
    clip = render(notes_of(np.tile(norms, (60, 1))), preset=preset)[5 * HOP : -5 * HOP, 0] / 32767
    window = np.kaiser(len(clip), 18)
    level = np.abs(np.fft.rfft(clip * window))
    hz = np.fft.rfftfreq(len(clip), 1 / RATE)
    lobe = 12 * hz[1]  # half the width of the window's main lobe, and some
    other = (hz > lobe) & (hz < 12_000)
    fundamental = 0.0
    registers = [voice.transposition for voice in preset.stream_voices(len(norms))]
    for pitch in 440 * np.asarray(norms) ** (1 / 12) * registers:
        other &= np.abs(hz - pitch * np.maximum(np.rint(hz / pitch), 1)) > lobe
        fundamental = max(fundamental, level[np.abs(hz - pitch) < lobe].max())
    return 20 * np.log10(level[other].max() / fundamental)


@pytest.mark.parametrize("run", [wandering, troubled])
@pytest.mark.parametrize("center", [1e-7, 1e-4, 1.0, 1e4, 1e7])
def test_no_jump_is_steeper_than_what_sounds(run, center):
    norms = run(150, 4, center=center)
    clip = clip_of(norms, 0, 150)
    assert steepness(clip, slope_bounds(norms, SMOOTH)) <= ALLOWED


@pytest.mark.parametrize("run", [wandering, troubled])
@pytest.mark.parametrize("first", [1, 7, 16, 30, 47, 89])
def test_a_seek_does_not_click(run, first):
    norms = run(110, 4, center=1e-4)
    clip = clip_of(norms, first, 20)
    assert steepness(clip, slope_bounds(norms, SMOOTH)[first : first + 20]) <= ALLOWED
    assert np.abs(clip[[0, -1]]).max() / 32767 < MINUS_60_DB


@pytest.mark.parametrize("run", [wandering, troubled])
@pytest.mark.parametrize(("ends", "begins"), [(20, 20), (20, 50), (20, 3), (31, 90), (90, 31)])
def test_no_two_clips_click_where_they_join(run, ends, begins):
    norms = run(110, 4, center=1e-4)
    before, after = clip_of(norms, ends - 10, 10), clip_of(norms, begins, 10)
    joined = np.zeros((len(before) + len(after) - TAIL, 2))
    joined[: len(before)] += before
    joined[-len(after) :] += after
    bounds = slope_bounds(norms, SMOOTH)
    bounds = np.concatenate([bounds[ends - 10 : ends], bounds[begins : begins + 10]])
    bounds[10] = np.maximum(bounds[10], bounds[9])
    assert steepness(joined, bounds) <= ALLOWED


@pytest.mark.parametrize("center", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("preset", PRESETS)
def test_a_clip_has_no_constant_part_and_silent_ends(preset, center):
    preset = PRESETS[preset]
    clip = render(notes_of(troubled(100, 4, center=center)), preset=preset) / 32767
    assert np.abs(clip.mean(axis=0)).max() < MINUS_60_DB
    assert np.abs(clip[[0, -1]]).max() < MINUS_60_DB


@pytest.mark.parametrize("timbre", SMOOTH.voices, ids=["early", "middle", "late"])
@pytest.mark.parametrize("decade", range(-8, 8, 2))
def test_a_steady_tone_is_pure(timbre, decade):
    preset = replace(SINGLE, voices=(timbre,))
    norms = np.geomspace(10.0**decade, 10.0 ** (decade + 2), 5)
    assert max(impurity_db([norm], preset) for norm in norms) < -70


@pytest.mark.parametrize("center", [4e-8, 1e-4, 1.0, 1e4, 2e7])
def test_three_steady_tones_are_pure_together(center):
    assert impurity_db([center / 1.7, center, center * 2.1], SMOOTH) < -70


@pytest.mark.parametrize("earcon", [earcon for earcon in Earcon if earcon != Earcon.NONE])
def test_an_earcon_is_no_click(earcon):
    frames = round(SECONDS[earcon] * RATE) if earcon in SECONDS else HOP - TAIL
    waveform = earcon_waveform(earcon, frames=frames, sample_rate=RATE)
    steepest = np.abs(np.diff(waveform)).max()
    assert steepest <= ALLOWED * 2 * np.pi * EARCON_HZ[earcon] / RATE
    assert np.abs(waveform[[0, -1]]).max() < MINUS_60_DB
