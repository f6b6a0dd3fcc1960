"""Arrangement: streams together, one voice each, or in turn, in one voice."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb_sonify.sound.notes import Notes
from tb_sonify.sound.synth import Glide, Part, transition
from tb_sonify.sound.voice import StreamPreset
from tb_sonify.sound.voicing import Voicing, in_turn, stream_hz, voice


@dataclass(frozen=True)
class Score:
    """What the voices of an arrangement do, event by event, from the event before the first on."""

    voicing: Voicing  # every array of shape (1 + events, voices)
    pan: NDArray[np.float64]  # -1 (left) to 1 (right), shape (1 + events, voices)
    delays: tuple[int, ...]  # sample frames, per voice
    first_event: int  # number of the first event since the start of the run

    def part(self, number: int, cycles: float, preset: StreamPreset) -> Part:
        """What the synthesiser must know of one voice."""
        voicing = self.voicing.at((slice(None), number))
        return Part(voicing, cycles, self.delays[number], self.first_event, preset.voices[number])

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
