"""Rendering: notes to 16-bit samples; `SynthState` carries the phases from clip to clip."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb_sonify.schema.notes import Notes
from tb_sonify.sound.classic import SequencePreset, render_sequence
from tb_sonify.sound.earcons import SECONDS, Earcon, earcon_waveform
from tb_sonify.sound.guides import reference_waveform, tick_waveform
from tb_sonify.sound.presets import Preset, StreamPreset
from tb_sonify.sound.score import Score, make_score, pan_gains, score_hz, voice_delays
from tb_sonify.sound.synth import Glide, cycles_at_ends, pitch_glide, synthesise
from tb_sonify.sound.voicing import context_notes

# Relative to full scale. An ordinary run peaks below the knee; the ceiling leaves room for
# inter-sample peaks of the converter.
_KNEE = np.float32(0.5)
_CEILING = np.float32(0.8)


@dataclass(frozen=True)
class SynthState:
    """State of the synthesiser between two notes: what the next clip continues from."""

    notes: int  # number of notes before
    context: Notes  # the last `context_notes` of them
    cycles: NDArray[np.float64]  # phase of each voice, in cycles, in [0, 1)


def render(
    notes: Notes,
    *,
    preset: Preset,
    state: SynthState | None = None,
    ticks: NDArray[np.bool_] | None = None,
) -> NDArray[np.int16]:
    """Audio clip of `notes`.

    Parameters
    ----------
    state
        State before the notes, from `advance_state`; `None` at the start of a run.
    ticks
        Mask of the notes that begin with a tick, as those that begin an epoch, shape ``(notes,)``.

    Returns
    -------
    pcm
        Shape ``(notes * hop + tail, channels)``. The first and the last `tail` sample frames
        fade in and out, and the fades of two clips sum to one: consecutive clips, overlapped by
        `tail`, cross-fade without a seam.
    """
    if isinstance(preset, SequencePreset):
        waveform = render_sequence(notes, preset).astype(np.float32)[None]
    else:
        before = _initial_state(notes) if state is None else state
        marked = np.zeros(len(notes), np.bool_) if ticks is None else ticks
        waveform = _render_streams(notes, preset, before, marked)
    samples = np.rint(waveform.clip(-1, 1) * 32767)
    return np.ascontiguousarray(samples.astype(np.int16).T)


def advance_state(notes: Notes, *, preset: Preset, state: SynthState | None = None) -> SynthState:
    """State after `notes`, without rendering them.

    Parameters
    ----------
    state
        State before the notes; `None` at the start of a run.
    """
    before = _initial_state(notes) if state is None else state
    kept = context_notes(preset)
    recent = notes[-kept:]
    older = before.context[max(len(before.context) + len(recent) - kept, 0) :]
    cycles = before.cycles
    if len(notes):
        (cycles,) = phases_at([len(notes)], notes, preset=preset, state=before)
    return SynthState(before.notes + len(notes), recent.after(older), cycles)


def phases_at(
    ends: Sequence[int], notes: Notes, *, preset: Preset, state: SynthState | None = None
) -> NDArray[np.float64]:
    """Phases of the voices after the first ``ends[i]`` of `notes`.

    Parameters
    ----------
    ends
        Numbers of notes, at least 1, increasing.
    state
        State before the notes; `None` at the start of a run.

    Returns
    -------
    cycles
        As in `SynthState`, shape ``(ends, voices)``.
    """
    before = _initial_state(notes) if state is None else state
    if isinstance(preset, SequencePreset):
        return np.zeros((len(ends), 0))
    hz = score_hz(notes, before.context, preset).T
    delays, events = voice_delays(preset, len(hz)), preset.events(notes.layers)
    phases = np.empty((len(ends), len(hz)))
    starts = _initial_phases(before, len(hz)).tolist()
    for pitch, phase, delay, reached in zip(hz, starts, delays, phases.T, strict=True):
        glide, first = pitch_glide(pitch[1:], pitch[0]), 0
        for number, end in enumerate(ends):
            part = Glide(glide.before[first : end * events], glide.after[first : end * events])
            phase = cycles_at_ends(part, phase, delay, preset)[-1] % 1.0
            reached[number], first = phase, end * events
    return phases


def _initial_state(notes: Notes) -> SynthState:
    return SynthState(0, notes[:0], np.zeros(0))


def _initial_phases(state: SynthState, voices: int) -> NDArray[np.float64]:
    """Phase of each voice at the start of a clip; a voice that is new begins at 0."""
    return np.append(state.cycles, np.zeros(max(voices - len(state.cycles), 0)))[:voices]


def _render_streams(
    notes: Notes, preset: StreamPreset, state: SynthState, ticks: NDArray[np.bool_]
) -> NDArray[np.float32]:
    frames = len(notes) * preset.hop(notes.layers) + preset.tail
    waveform = np.zeros((preset.channels, frames), np.float32)
    if not len(notes) or not notes.layers:
        return waveform
    score = make_score(notes, state.context, preset=preset, first_note=state.notes)
    for number, cycles in enumerate(_initial_phases(state, len(score.delays))):
        part = score.part(number, cycles)
        mono = synthesise(part, preset)
        mono *= preset.level
        _add_earcons(mono, part.controls.earcon[1:], preset)
        for channel, gain in zip(waveform, score.pan_gains(number, preset), strict=True):
            channel += mono * gain
    _add_long_earcons(waveform, score, preset)
    hop = preset.hop(notes.layers)
    if preset.reference:
        streams, first_frame = preset.streams_for(notes.layers), state.notes * hop
        waveform += reference_waveform(
            preset, streams=streams, first_frame=first_frame, frames=frames
        )
    tick = tick_waveform(frames=hop - preset.tail, sample_rate=preset.sample_rate)
    for note in np.flatnonzero(ticks):
        # Like earcons, not within the first `tail` frames.
        waveform[:, note * hop + preset.tail : (note + 1) * hop] += tick
    waveform = _soft_clip(waveform)
    fade = np.sin(np.pi / 2 * np.arange(preset.tail) / preset.tail) ** 2
    waveform[:, : preset.tail] *= fade
    waveform[:, -preset.tail :] *= 1 - fade
    return waveform


def _add_earcons(mono: NDArray[np.float32], codes: NDArray[np.uint8], preset: StreamPreset) -> None:
    # Not within the first `tail` frames of an event: there, a clip may be fading in.
    frames = preset.note_frames - preset.tail
    for event in np.flatnonzero(codes != Earcon.NONE):
        start = event * preset.note_frames + preset.tail
        mono[start : start + frames] += preset.earcon_level * earcon_waveform(
            Earcon(codes[event]), frames=frames, sample_rate=preset.sample_rate
        )


def _add_long_earcons(waveform: NDArray[np.float32], score: Score, preset: StreamPreset) -> None:
    """Add the earcons that last for several events, also of those before the clip."""
    for event, earcon, pan in score.long_earcons:
        sound = preset.earcon_level * earcon_waveform(
            earcon,
            frames=round(SECONDS[earcon] * preset.sample_rate),
            sample_rate=preset.sample_rate,
        )
        start = event * preset.note_frames + preset.tail
        sound = sound[max(-start, 0) : max(waveform.shape[1] - start, 0)]
        start = max(start, 0)
        waveform[:, start : start + len(sound)] += pan_gains(np.array([pan])) * sound


def _soft_clip(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compress samples beyond the knee, as of streams in unison, to below the ceiling.

    Each sample is mapped alone, so that clips still join.
    """
    size = np.abs(waveform)
    if size.max() <= _KNEE:
        return waveform
    room = _CEILING - _KNEE
    bent = _KNEE + room * np.tanh((size - _KNEE) / room)
    return np.where(size > _KNEE, np.copysign(bent, waveform), waveform)
