"""Notes to samples, so that clips join: every clip knows the phase and pitch it follows on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb_sonify.sound.earcons import earcon_waveform, sounding
from tb_sonify.sound.notes import Notes
from tb_sonify.sound.sequence import render_sequence
from tb_sonify.sound.streams import NO_EARCON, StreamNotes, voice_streams
from tb_sonify.sound.synth import Glides, synthesise
from tb_sonify.sound.voice import Preset, SequencePreset, StreamPreset


@dataclass(frozen=True)
class Lead:
    """What a clip must know of the notes before it; one value per stream in each array."""

    notes: int  # how many notes there are before
    cycles: NDArray[np.float64]  # phase reached, in cycles, in [0, 1)
    hz: NDArray[np.float64]  # of the last note; NaN: silent
    gain: NDArray[np.float64]
    earcon: NDArray[np.int8]


def advance(notes: Notes, *, preset: Preset, lead: Lead | None = None) -> Lead:
    """The lead that `notes` leave for what comes after them, without rendering.

    Parameters
    ----------
    lead
        Of the notes before; `None` at the start of a run.
    """
    streams = voice_streams(notes)
    lead = _fitting(lead, streams)
    if not len(notes):
        return lead
    cycles = lead.cycles
    if isinstance(preset, StreamPreset):
        glides = Glides.between(streams, lead.hz, lead.gain)
        cycles = (cycles + glides.cycles(preset)[-1]) % 1.0
    return Lead(
        lead.notes + len(notes), cycles, streams.hz[-1], streams.gain[-1], streams.earcon[-1]
    )


def render(notes: Notes, *, preset: Preset, lead: Lead | None = None) -> NDArray[np.int16]:
    """The clip of `notes`.

    Parameters
    ----------
    lead
        Of the notes before, by `advance`; `None` at the start of a run.

    Returns
    -------
    pcm
        Shape ``(notes * hop + tail, channels)``. The first and the last `tail` sample frames
        fade, and the fades of two clips sum to one: clips whose starts are ``notes * hop``
        apart join as one.
    """
    if isinstance(preset, SequencePreset):
        waveform = render_sequence(notes, preset)[:, None]
    else:
        streams = voice_streams(notes)
        waveform = _render_streams(streams, preset, _fitting(lead, streams))
    return np.round(waveform.clip(-1, 1) * 32767).astype(np.int16)


def _render_streams(streams: StreamNotes, preset: StreamPreset, lead: Lead) -> NDArray[np.float64]:
    notes, count = streams.hz.shape
    waveform = np.zeros((notes * preset.note_frames + preset.tail, preset.channels))
    if not notes or not count:
        return waveform
    glides = Glides.between(streams, lead.hz, lead.gain)
    earcons = sounding(streams.earcon, lead.earcon, lead.notes)
    for stream, position in enumerate(_positions(count, preset.width)):
        voice = preset.voices[stream]
        mono = preset.level * synthesise(
            glides, stream, float(lead.cycles[stream]), preset=preset, voice=voice
        )
        _add_earcons(mono, earcons[:, stream], preset)
        # Constant power: the two gains lie on a quarter of a circle.
        angle = (position + 1) * np.pi / 4
        waveform += mono[:, None] * (np.cos(angle), np.sin(angle))
    fade = np.sin(np.pi / 2 * np.arange(preset.tail) / preset.tail) ** 2
    waveform[: preset.tail] *= fade[:, None]
    waveform[-preset.tail :] *= 1 - fade[:, None]
    return waveform


def _add_earcons(mono: NDArray[np.float64], codes: NDArray[np.int8], preset: StreamPreset) -> None:
    # Not within the first `tail` frames of a note: there, a clip may be fading in.
    frames = preset.note_frames - preset.tail
    for note in np.flatnonzero(codes != NO_EARCON):
        start = note * preset.note_frames + preset.tail
        mono[start : start + frames] += preset.earcon_level * earcon_waveform(
            int(codes[note]), frames=frames, sample_rate=preset.sample_rate
        )


def _positions(streams: int, width: float) -> NDArray[np.float64]:
    """Pan of each stream, -1 (left) to 1 (right): from left to right by depth."""
    return np.linspace(-width, width, streams) if streams > 1 else np.zeros(streams)


def _fitting(lead: Lead | None, streams: StreamNotes) -> Lead:
    """The lead for so many streams; at the start of a run, the first note follows on itself."""
    count = streams.hz.shape[1]
    if lead is None:
        still = np.zeros(count)
        hz = streams.hz[0] if len(streams.hz) else np.full(count, np.nan)
        gain = streams.gain[0] if len(streams.gain) else still
        return Lead(0, still, hz, gain, np.zeros(count, np.int8))
    new = max(count - len(lead.hz), 0)
    return Lead(
        lead.notes,
        np.append(lead.cycles, np.zeros(new))[:count],
        np.append(lead.hz, np.full(new, np.nan))[:count],
        np.append(lead.gain, np.zeros(new))[:count],
        np.append(lead.earcon, np.zeros(new, np.int8))[:count],
    )
