"""Notes to samples, so that clips join: every clip knows what went before it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb_sonify.schema.notes import Notes
from tb_sonify.sound.classic import render_sequence
from tb_sonify.sound.earcons import Earcon, earcon_waveform
from tb_sonify.sound.guides import reference_waveform, tick_waveform
from tb_sonify.sound.presets import Preset, SequencePreset, StreamPreset
from tb_sonify.sound.synth import (
    Glide,
    VoicePart,
    cycles_at_ends,
    pitch_glide,
    synthesise,
    transition,
)
from tb_sonify.sound.voicing import CONTEXT_NOTES, StreamControls, in_turn, stream_hz, voice


@dataclass(frozen=True)
class Score:
    """What the voices of an arrangement do, event by event, from the event before the first on."""

    voicing: StreamControls  # every array of shape (1 + events, voices)
    pan: NDArray[np.float64]  # -1 (left) to 1 (right), shape (1 + events, voices)
    delays: tuple[int, ...]  # sample frames, per voice
    first_event: int  # number of the first event since the start of the run

    def part(self, number: int, cycles: float, preset: StreamPreset) -> VoicePart:
        """What the synthesiser must know of one voice."""
        voicing = self.voicing.at((slice(None), number))
        return VoicePart(
            voicing, cycles, self.delays[number], self.first_event, preset.voices[number]
        )

    def pan_gains(self, number: int, preset: StreamPreset) -> NDArray[np.float32]:
        """Gains of left and right for one voice, by constant power.

        Returns
        -------
        gains
            Shape ``(2, 1)`` where the pan rests, else ``(2, sample frames)``.
        """
        pan = self.pan[:, number]
        if (pan == pan[0]).all():
            path = pan[:1]
        else:
            glide = Glide.of(pan[1:], float(pan[0]))
            moved = glide.spread(transition(preset, self.delays[number])).ravel()
            path = np.concatenate([moved, np.full(preset.tail, pan[-1])])
        angle = (path + 1) * np.pi / 4  # the two gains lie on a quarter of a circle
        return np.stack([np.cos(angle), np.sin(angle)]).astype(np.float32)


def arrange(notes: Notes, context: Notes, *, preset: StreamPreset, first_note: int) -> Score:
    """The score of `notes`, which follow on `context` and are from number `first_note` on."""
    voicing = voice(notes.after(context), preset=preset, first_note=first_note - len(context))
    streams = voicing.hz.shape[1]
    pan = np.linspace(-preset.width, preset.width, streams) if streams > 1 else np.zeros(streams)
    if preset.arrangement == "in turn":
        voicing, pan = voicing.in_turn(), np.append(pan, 0.0)[:, None]
    else:
        pan = pan[None]
    rows = _rows(notes, context, preset)
    events = preset.events(notes.layers)
    delays = voice_delays(preset, voicing.hz.shape[1])
    return Score(voicing.at(rows), pan[rows % events], delays, first_note * events)


def arranged_hz(notes: Notes, context: Notes, preset: StreamPreset) -> NDArray[np.float64]:
    """The pitches of a score, and nothing else of it: shape ``(1 + events, voices)``."""
    before = context[-1:]
    hz = stream_hz(notes.after(before), preset)
    if preset.arrangement == "in turn":
        hz = in_turn(hz, np.nan)
    return hz[_rows(notes, before, preset)]


def voice_delays(preset: StreamPreset, voices: int) -> tuple[int, ...]:
    """By how many sample frames each voice moves on after the first."""
    return tuple(preset.stagger * number for number in range(voices))


def _rows(notes: Notes, context: Notes, preset: StreamPreset) -> NDArray[np.intp]:
    """Which events of context and notes are of the score: from the last before the notes on."""
    events = preset.events(notes.layers)
    # At the start of a run, the first event follows on itself.
    return np.maximum(np.arange(-1, len(notes) * events) + len(context) * events, 0)


# Relative to full scale. An ordinary run peaks below the knee; the ceiling leaves room for what
# a converter adds between samples.
_KNEE = np.float32(0.5)


_CEILING = np.float32(0.8)


@dataclass(frozen=True)
class SynthState:
    """What a clip must know of the notes before it."""

    notes: int  # how many there are
    context: Notes  # the last of them
    cycles: NDArray[np.float64]  # phase that each voice has reached, in cycles, in [0, 1)


def advance_state(notes: Notes, *, preset: Preset, lead: SynthState | None = None) -> SynthState:
    """The lead that `notes` leave for what comes after them, without rendering.

    Parameters
    ----------
    lead
        Of the notes before; `None` at the start of a run.
    """
    before = _start(notes) if lead is None else lead
    recent = notes[-CONTEXT_NOTES:]
    older = before.context[max(len(before.context) + len(recent) - CONTEXT_NOTES, 0) :]
    cycles = before.cycles
    if len(notes):
        (cycles,) = phases_at([len(notes)], notes, preset=preset, lead=before)
    return SynthState(before.notes + len(notes), recent.after(older), cycles)


def phases_at(
    ends: Sequence[int], notes: Notes, *, preset: Preset, lead: SynthState | None = None
) -> NDArray[np.float64]:
    """The phases of the leads that the first so many of `notes` leave.

    Parameters
    ----------
    ends
        So many, at least 1, increasing.
    lead
        Of the notes before; `None` at the start of a run.

    Returns
    -------
    cycles
        As in `Lead`, shape ``(ends, voices)``.
    """
    before = _start(notes) if lead is None else lead
    if not isinstance(preset, StreamPreset):
        return np.zeros((len(ends), 0))
    hz = arranged_hz(notes, before.context, preset).T
    delays, events = voice_delays(preset, len(hz)), preset.events(notes.layers)
    phases = np.empty((len(ends), len(hz)))
    starts = _phases(before, len(hz)).tolist()
    for pitch, phase, delay, reached in zip(hz, starts, delays, phases.T, strict=True):
        glide, first = pitch_glide(pitch[1:], pitch[0]), 0
        for number, end in enumerate(ends):
            part = Glide(glide.before[first : end * events], glide.after[first : end * events])
            phase = cycles_at_ends(part, phase, delay, preset)[-1] % 1.0
            reached[number], first = phase, end * events
    return phases


def render(
    notes: Notes,
    *,
    preset: Preset,
    lead: SynthState | None = None,
    ticks: NDArray[np.bool_] | None = None,
) -> NDArray[np.int16]:
    """The clip of `notes`.

    Parameters
    ----------
    lead
        Of the notes before, by `advance`; `None` at the start of a run.
    ticks
        Which notes begin with a tick, as those that begin an epoch, shape ``(notes,)``.

    Returns
    -------
    pcm
        Shape ``(notes * hop + tail, channels)``. The first and the last `tail` sample frames
        fade, and the fades of two clips sum to one: clips whose starts are ``notes * hop``
        apart join as one.
    """
    if isinstance(preset, SequencePreset):
        waveform = render_sequence(notes, preset).astype(np.float32)[None]
    else:
        before = _start(notes) if lead is None else lead
        marked = np.zeros(len(notes), np.bool_) if ticks is None else ticks
        waveform = _render_streams(notes, preset, before, marked)
    samples = np.rint(waveform.clip(-1, 1) * 32767)
    return np.ascontiguousarray(samples.astype(np.int16).T)


def _start(notes: Notes) -> SynthState:
    return SynthState(0, notes[:0], np.zeros(0))


def _render_streams(
    notes: Notes, preset: StreamPreset, lead: SynthState, ticks: NDArray[np.bool_]
) -> NDArray[np.float32]:
    frames = len(notes) * preset.hop(notes.layers) + preset.tail
    waveform = np.zeros((preset.channels, frames), np.float32)
    if not len(notes) or not notes.layers:
        return waveform
    score = arrange(notes, lead.context, preset=preset, first_note=lead.notes)
    for number, cycles in enumerate(_phases(lead, len(score.delays))):
        part = score.part(number, cycles, preset)
        mono = synthesise(part, preset)
        mono *= preset.level
        _add_earcons(mono, part.voicing.earcon[1:], preset)
        for channel, gain in zip(waveform, score.pan_gains(number, preset), strict=True):
            channel += mono * gain
    hop = preset.hop(notes.layers)
    if preset.reference:
        waveform += reference_waveform(preset, first_frame=lead.notes * hop, frames=frames)
    tick = tick_waveform(frames=hop - preset.tail, sample_rate=preset.sample_rate)
    for note in np.flatnonzero(ticks):
        # As earcons, not within the first `tail` frames.
        waveform[:, note * hop + preset.tail : (note + 1) * hop] += tick
    waveform = _soften(waveform)
    fade = np.sin(np.pi / 2 * np.arange(preset.tail) / preset.tail) ** 2
    waveform[:, : preset.tail] *= fade
    waveform[:, -preset.tail :] *= 1 - fade
    return waveform


def _soften(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bend what goes beyond the knee, as streams in unison do, under the ceiling.

    It looks at each sample alone, so that clips still join.
    """
    size = np.abs(waveform)
    if size.max() <= _KNEE:
        return waveform
    room = _CEILING - _KNEE
    bent = _KNEE + room * np.tanh((size - _KNEE) / room)
    return np.where(size > _KNEE, np.copysign(bent, waveform), waveform)


def _add_earcons(mono: NDArray[np.float32], codes: NDArray[np.uint8], preset: StreamPreset) -> None:
    # Not within the first `tail` frames of an event: there, a clip may be fading in.
    frames = preset.note_frames - preset.tail
    for event in np.flatnonzero(codes != Earcon.NONE):
        start = event * preset.note_frames + preset.tail
        mono[start : start + frames] += preset.earcon_level * earcon_waveform(
            Earcon(codes[event]), frames=frames, sample_rate=preset.sample_rate
        )


def _phases(lead: SynthState, voices: int) -> NDArray[np.float64]:
    """The phase that each voice begins with; a voice that is new begins at 0."""
    return np.append(lead.cycles, np.zeros(max(voices - len(lead.cycles), 0)))[:voices]
