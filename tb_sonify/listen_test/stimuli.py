"""Sounds of the trials: two intervals of a healthy run, in one of which something is to be heard.

They are rendered as any run is, with a history that came before. The noise is log-normal, as norms
of a small GPT have it: a layer's norm with a standard deviation of 0.3 doublings from note to
note, partly in common with its group, so that the pitch of a group has one of 0.2.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from tb_sonify.schema.notes import aggregate
from tb_sonify.sound import StreamPreset, advance_state, context_notes, render, stream_layers
from tb_sonify.sound.texture import ROUGHNESS_DEPTHS, TREMOLO_DEPTHS

LAYERS = 12
GAP_SECONDS = 0.35

_SECONDS = 0.84  # of an interval
_LEAST_NOTES = 4  # of an interval, where notes are long
_LAYER_SD, _GROUP_SD = 0.29, 0.12  # doublings
_USUAL = -3.5  # log2 of a norm of 0.09
_ROVING = 2.0  # doublings up or down, so that no interval is known by its pitch alone
# Movements at which a preset plays the depths below: per note, up, and up and down.
_CLIMB, _CLIMB_FROM, _SWING = 0.7, -12.0, 3.25
_LEAD = 24  # notes before an interval, in which it moves: texture sets in, and bells are over


@dataclass(frozen=True)
class Part:
    """One thing that is to be heard, and the levels at which it can be played.

    Attributes
    ----------
    relevant, of
        A level that matters in practice, and what it is.
    """

    name: str
    title: str
    question: str
    low: float
    high: float
    unit: str
    scale: float  # of a level as a number in `unit`
    relevant: float
    of: str

    def words(self, level: float) -> str:
        """A level as it is read, such as ``0.25 doublings``."""
        return f"{level * self.scale:.2g}{self.unit}"


PITCH, SPIKE, ROUGHNESS, PULSATION = PARTS = (
    Part(
        "pitch",
        "A change of pitch",
        "Both sounds are of a run in which nothing is wrong: its tones wander a little. In one of "
        "them, one tone steps up or down half-way and stays there. Which sound has the step?",
        low=0.03,
        high=2.0,
        unit=" doublings of the norm",
        scale=1,
        relevant=1.0,
        of="a doubling of the norm of a group of layers",
    ),
    Part(
        "spike",
        "A spike",
        "In one of the two sounds, one layer of twelve spikes for an instant. Which one?",
        low=1.5,
        high=64.0,
        unit=" times the norm",
        scale=1,
        relevant=10.0,
        of="a spike to ten times the norm in one layer of twelve",
    ),
    Part(
        "roughness",
        "Roughness",
        "In both sounds, one tone climbs fast. In one of them, it also buzzes. Which one?",
        low=0.015,
        high=float(ROUGHNESS_DEPTHS[2]),
        unit="% depth",
        scale=100,
        relevant=float(ROUGHNESS_DEPTHS[1]),
        of=f"the weakest roughness of a run ({ROUGHNESS_DEPTHS[1]:.0%} depth)",
    ),
    Part(
        "pulsation",
        "Pulsation",
        "In both sounds, one tone warbles up and down. In one of them, it also swells and fades, "
        "four times a second. Which one?",
        low=0.015,
        high=float(TREMOLO_DEPTHS[3]),
        unit="% depth",
        scale=100,
        relevant=float(TREMOLO_DEPTHS[1]),
        of=f"the weakest pulsation of a run ({TREMOLO_DEPTHS[1]:.0%} depth)",
    ),
)


def played_parts(preset: StreamPreset) -> list[Part]:
    """The parts of which the preset plays anything: not each has a texture."""

    def heard(part: Part, level: float) -> bytes:
        return interval(part, level, preset, np.random.default_rng(0), stream=0).tobytes()

    return [part for part in PARTS if heard(part, part.high) != heard(part, 0.0)]


def interval(
    part: Part, level: float, preset: StreamPreset, rng: Generator, *, stream: int
) -> NDArray[np.int16]:
    """One interval of a trial; at level 0 it is that in which there is nothing to be heard."""
    notes, history = _notes_in(_SECONDS, preset), context_notes(preset)
    log2 = _healthy(rng, history + notes)
    group = stream_layers(LAYERS, streams=preset.streams)[stream]
    layers = slice(group.start, group.stop)
    moving = np.arange(1, _LEAD + notes + 1)[:, None]
    if part is PITCH:
        log2[history + notes // 2 :, layers] += rng.choice([-1, 1]) * level
    elif part is SPIKE:
        at = history + rng.integers(notes // 4, notes - notes // 4)
        log2[at, rng.integers(LAYERS)] += np.log2(level) if level else 0.0
    elif part is ROUGHNESS:
        log2[:, layers] += _CLIMB_FROM - log2[:, layers].mean()
        log2[-len(moving) :, layers] += _CLIMB * moving
    else:
        swing = _SWING if preset.judged else _SWING / 2
        log2[-len(moving) :, layers] += swing * (-1.0) ** moving
    if part is SPIKE:
        return _rendered(log2, preset)
    # Pitch and texture have to tell by themselves, without earcons.
    textured = replace(preset, earcon_level=0.0)
    plain = _rendered(log2, replace(textured, texture=False))
    if part is PITCH:
        return plain
    # Both have the same phases, so that the depth of a mixture is between theirs.
    mixed = plain + level / part.high * (_rendered(log2, textured) - plain.astype(float))
    return np.asarray(np.rint(mixed), np.int16)


def trial(
    part: Part, level: float, target: int, preset: StreamPreset, rng: Generator
) -> list[NDArray[np.int16]]:
    """Both intervals, of runs of their own; the one numbered `target`, 0 or 1, has the level."""
    stream = int(rng.integers(preset.streams_for(LAYERS)))
    levels = [level * (number == target) for number in range(2)]
    return [interval(part, each, preset, rng, stream=stream) for each in levels]


def healthy_clip(preset: StreamPreset, rng: Generator, *, seconds: float) -> NDArray[np.int16]:
    """A run in which nothing happens."""
    log2 = _healthy(rng, context_notes(preset) + _notes_in(seconds, preset))
    return _rendered(log2, preset)


def tone(
    hz: float, left: float, right: float, *, seconds: float, sample_rate: int
) -> NDArray[np.int16]:
    """A sine of some amplitudes with ramps of a tenth of its length, shape ``(frames, 2)``."""
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    ramp = np.clip(np.minimum(time, seconds - time) / (seconds / 10), 0, 1)
    sine = np.sin(np.pi / 2 * ramp) ** 2 * np.sin(2 * np.pi * hz * time)
    return np.asarray(np.rint(32767 * sine[:, None] * [left, right]), np.int16)


def _healthy(rng: Generator, notes: int) -> NDArray[np.float64]:
    """The log2 norms of a run in which nothing happens, shape ``(notes, LAYERS)``."""
    common = np.repeat(rng.normal(0, _GROUP_SD, (notes, 3)), LAYERS // 3, axis=1)
    levels = _USUAL + rng.uniform(-_ROVING, _ROVING) + rng.normal(0, 0.3, LAYERS)
    return np.asarray(levels + common + rng.normal(0, _LAYER_SD, (notes, LAYERS)))


def _notes_in(seconds: float, preset: StreamPreset) -> int:
    return max(round(seconds * preset.sample_rate / preset.hop(LAYERS)), _LEAST_NOTES)


def _rendered(log2: NDArray[np.float64], preset: StreamPreset) -> NDArray[np.int16]:
    """The end of a run; by what comes before, its texture and its earcons are judged."""
    run = aggregate(np.exp2(log2).astype(np.float32), rows_per_note=1)
    history = context_notes(preset)
    state = advance_state(run[:history], preset=preset)
    return render(run[history:], preset=preset, state=state)
