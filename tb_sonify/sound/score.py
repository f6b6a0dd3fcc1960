"""Score: what each voice of a preset plays, event by event; `render` plays it, `heard` tells it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tb_sonify.schema.notes import Notes
from tb_sonify.sound.classic import SequencePreset, sequence_hz
from tb_sonify.sound.earcons import Earcon
from tb_sonify.sound.pitch import HIGHEST_HZ, LOWEST_HZ
from tb_sonify.sound.presets import Preset, StreamPreset, Voice
from tb_sonify.sound.synth import Glide, VoicePart, transition
from tb_sonify.sound.voicing import (
    LONG_NOTES,
    StreamControls,
    in_turn,
    stream_controls,
    stream_hz,
)


@dataclass(frozen=True)
class Score:
    """Controls, pan and onsets of all voices, event by event, with the event before the first."""

    controls: StreamControls  # every array of shape (1 + events, voices)
    pan: NDArray[np.float64]  # -1 (left) to 1 (right), shape (1 + events, voices)
    delays: tuple[int, ...]  # sample frames, per voice
    voices: tuple[Voice, ...]
    first_event: int  # number of the first event since the start of the run
    # Number of the event in the clip, negative before it, kind and pan of each
    long_earcons: tuple[tuple[int, Earcon, float], ...]

    def part(self, number: int, cycles: float) -> VoicePart:
        """One voice, for the synthesiser."""
        controls = self.controls.at((slice(None), number))
        return VoicePart(
            controls, cycles, self.delays[number], self.first_event, self.voices[number]
        )

    def pan_gains(self, number: int, preset: StreamPreset) -> NDArray[np.float32]:
        """Gains of left and right for one voice, constant power.

        Returns
        -------
        gains
            Shape ``(2, 1)`` where the pan is constant, else ``(2, sample frames)``.
        """
        pan = self.pan[:, number]
        if (pan == pan[0]).all():
            path = pan[:1]
        else:
            glide = Glide.through(pan[1:], float(pan[0]))
            moved = glide.sample(transition(preset, self.delays[number])).ravel()
            path = np.concatenate([moved, np.full(preset.tail, pan[-1])])
        return pan_gains(path)


def pan_gains(pan: NDArray[np.float64]) -> NDArray[np.float32]:
    """Gains of left and right, shape ``(2, len(pan))``."""
    angle = (pan + 1) * np.pi / 4  # the two gains lie on a quarter of a circle
    return np.stack([np.cos(angle), np.sin(angle)]).astype(np.float32)


def make_score(notes: Notes, context: Notes, *, preset: StreamPreset, first_note: int) -> Score:
    """Score of `notes`, which follow `context` and are numbered from `first_note` on."""
    controls = stream_controls(
        notes.after(context), preset=preset, first_note=first_note - len(context)
    )
    streams = controls.hz.shape[1]
    voices = preset.stream_voices(streams)
    pan = preset.pans(streams)
    if preset.arrangement == "in turn":
        controls, pan = controls.in_turn(), np.append(pan, 0.0)[:, None]
    else:
        pan = pan[None]
    rows = _event_rows(notes, context, preset)
    events = preset.events(notes.layers)
    delays = voice_delays(preset, controls.hz.shape[1])
    before, pan = len(context) * events, pan[np.arange(len(controls.hz)) % events]
    sounding = max(before - LONG_NOTES * events, 0)
    long_earcons = tuple(
        (event - before, Earcon(controls.beside[event, voice]), float(pan[event, voice]))
        for event, voice in np.argwhere(controls.beside).tolist()
        if event >= sounding
    )
    first_event = first_note * events
    return Score(controls.at(rows), pan[rows], delays, voices, first_event, long_earcons)


def score_hz(notes: Notes, context: Notes, preset: StreamPreset) -> NDArray[np.float64]:
    """Pitches of a score alone, shape ``(1 + events, voices)``."""
    before = context if preset.pad else context[-1:]
    hz = stream_hz(notes.after(before), preset)
    if preset.arrangement == "in turn":
        hz = in_turn(hz, np.nan)
    return hz[_event_rows(notes, before, preset)]


def voice_delays(preset: StreamPreset, voices: int) -> tuple[int, ...]:
    """Delay of each voice's glide after the first voice's, in sample frames."""
    return tuple(preset.stagger * number for number in range(voices))


def _event_rows(notes: Notes, context: Notes, preset: StreamPreset) -> NDArray[np.intp]:
    """Indices of a score's events, among those of context and notes together."""
    events = preset.events(notes.layers)
    # At the start of a run, the event before the first is the first itself.
    return np.maximum(np.arange(-1, len(notes) * events) + len(context) * events, 0)


@dataclass(frozen=True)
class Heard:
    """What sounds, by column and stream: every array has shape ``(columns, streams)``.

    A column is one note or consecutive ones.

    Attributes
    ----------
    hz_low, hz_mean, hz_high
        Pitch in Hz, the lowest, the geometric mean and the highest; NaN where the stream is silent.
    level
        Largest amplitude, relative to the level of the preset.
    roughness, tremolo
        Largest depth of modulation, 0 to 1: divergence is rough, oscillation pulsates.
    earcons
        Those that begin, as a bit mask, bit ``1 << earcon`` each.
    """

    hz_low: NDArray[np.float32]
    hz_mean: NDArray[np.float32]
    hz_high: NDArray[np.float32]
    level: NDArray[np.float32]
    roughness: NDArray[np.float32]
    tremolo: NDArray[np.float32]
    earcons: NDArray[np.uint16]


class Band(NamedTuple):
    """Where a stream lies: its pan, -1 to 1, and frequencies at norm 1 and at the ends, in Hz."""

    pan: float
    hz_at_1: float
    hz_low: float
    hz_high: float


def bands(preset: Preset, layers: int) -> list[Band]:
    """The band of each stream of `heard` in a model with so many layers."""
    if isinstance(preset, SequencePreset):
        hz_at_1 = preset.base_hz + preset.slope_hz
        return [Band(0.0, hz_at_1, preset.base_hz, preset.ceiling_hz)] if layers else []
    streams = preset.streams_for(layers)
    hz_at_1 = float(preset.encoding(np.ones(1))[0])
    voices = zip(preset.pans(streams).tolist(), preset.stream_voices(streams), strict=True)
    return [
        Band(pan, *(voice.transposition * hz for hz in (hz_at_1, LOWEST_HZ, HIGHEST_HZ)))
        for pan, voice in voices
    ]


def heard(notes: Notes, context: Notes, *, preset: Preset, first_note: int) -> Heard:
    """What sounds in each of `notes`, a column each, by the score that is rendered.

    A stream has the pitch at which it rests, after its glide. Layers that sound one after the other
    in the preset `classic` are one stream.

    Parameters
    ----------
    context
        The notes before, `context_notes` of them where there are so many.
    first_note
        Number of the first note in the run.
    """
    if not notes.layers:
        return _silence((len(notes), 0))
    if isinstance(preset, SequencePreset):
        return _heard_in_sequence(notes, preset)
    score = make_score(notes, context, preset=preset, first_note=first_note)
    streams, events = preset.streams_for(notes.layers), preset.events(notes.layers)
    shape = len(notes), events * len(score.delays)
    controls = {
        name: table[1 : 1 + len(notes) * events].reshape(shape)[:, :streams]
        for name, table in vars(score.controls).items()
    }
    hz = np.where(controls["gain"] > 0, controls["hz"], np.nan).astype(np.float32)
    one = np.uint16(1)
    earcons = (one << controls["earcon"]) | (one << controls["beside"])
    return Heard(
        hz,
        hz,
        hz,
        controls["gain"].astype(np.float32),
        controls["roughness"].astype(np.float32),
        controls["tremolo"].astype(np.float32),
        earcons & ~(one << np.uint16(Earcon.NONE)),
    )


def _heard_in_sequence(notes: Notes, preset: SequencePreset) -> Heard:
    hz = sequence_hz(notes, preset)
    sounds = np.isfinite(hz)
    count = sounds.sum(axis=1, keepdims=True)
    logs = np.log(hz, out=np.zeros_like(hz), where=sounds).sum(axis=1, keepdims=True)
    mean = np.where(count > 0, np.exp(logs / np.maximum(count, 1)), np.nan)
    none = np.zeros((len(notes), 1), np.float32)
    noise = (notes.nan > 0).any(axis=1, keepdims=True)
    return Heard(
        np.fmin.reduce(hz, axis=1, keepdims=True).astype(np.float32),
        mean.astype(np.float32),
        np.fmax.reduce(hz, axis=1, keepdims=True).astype(np.float32),
        (count > 0).astype(np.float32),
        none,
        none,
        np.where(noise, np.uint16(1 << Earcon.NAN), np.uint16(0)),
    )


def in_columns(parts: Iterable[Heard], *, notes: int, notes_per_column: int, streams: int) -> Heard:
    """Every `notes_per_column` notes as one column; no extreme and no earcon is lost.

    Parameters
    ----------
    parts
        Consecutive notes, `notes` in all.
    """
    shape = -(-notes // notes_per_column), streams
    whole, first = _silence(shape), 0
    logs, count = np.zeros(shape), np.zeros(shape, np.intp)
    for part in parts:
        number = (first + np.arange(len(part.level))) // notes_per_column
        starts = np.flatnonzero(np.diff(number, prepend=-1))
        where, first = number[starts], first + len(number)
        sounds = np.isfinite(part.hz_mean)
        log = np.log(np.where(sounds, part.hz_mean, 1), dtype=np.float64)
        logs[where] += np.add.reduceat(log, starts)
        count[where] += np.add.reduceat(sounds.astype(np.intp), starts)
        for name, join in _JOINS.items():
            table = getattr(whole, name)
            table[where] = join(table[where], join.reduceat(getattr(part, name), starts))
    whole.hz_mean[count > 0] = np.exp(logs[count > 0] / count[count > 0])
    return whole


def _silence(shape: tuple[int, int]) -> Heard:
    low, mean, high = np.full((3, *shape), np.nan, np.float32)
    level, roughness, tremolo = np.zeros((3, *shape), np.float32)
    return Heard(low, mean, high, level, roughness, tremolo, np.zeros(shape, np.uint16))


# How the notes of a column become one.
_JOINS = {
    "hz_low": np.fmin,
    "hz_high": np.fmax,
    "level": np.maximum,
    "roughness": np.maximum,
    "tremolo": np.maximum,
    "earcons": np.bitwise_or,
}
