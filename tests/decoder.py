"""A listener that writes down what it hears: from the samples of a WAV back to norms.

It knows what is public of a preset (the grid of notes, the timbres, the pans, the law of loudness,
that phase is continuous) and nothing of what was played. It looks at the part of each note where
every stream rests on its pitch, and finds the pitches that together explain it best.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, permutations
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from tb_sonify.sound import StreamPreset, Voice
from tb_sonify.sound.loudness import equal_loudness_gain
from tb_sonify.sound.pitch import DOUBLINGS_PER_OCTAVE, HIGHEST_HZ, HZ_AT_NORM_1, LOWEST_HZ
from tb_sonify.sound.texture import roughness_cycles

Floats = NDArray[np.float64]

LOWEST, HIGHEST = np.log2(LOWEST_HZ), np.log2(HIGHEST_HZ)  # in octaves, as all pitches are
EVERYWHERE = np.arange(LOWEST, HIGHEST, 1 / 120)
NEARBY = np.arange(-48, 49) / 96  # where a stream is looked for from note to note
PHASES = np.arange(32) / 32
FFT_SIZE, TABLE_SIZE = 1 << 14, 1 << 12
LOUDNESS = (0.2, 1.7)  # what texture and ducking make of a stream's amplitude
GOOD = 1e-3  # share of the energy that may stay unexplained before other explanations are tried

# What is believed of the streams in a note, one row each: log2 of the pitch in Hz that the norm has
# in the middle register, to which that of the stream is added, phase in cycles
# in the middle of the part, loudness, and how far the loudness swings with the roughness.
PITCH, PHASE, LOUD, SWING = range(4)


def decode(waveform: Floats, *, preset: StreamPreset, streams: int) -> Floats:
    """log2 norms of a clip of two channels, or of one, their sum; shape ``(notes, streams)``."""
    ear = Ear(preset, streams, waveform.shape[1])
    notes = (len(waveform) - preset.tail) // preset.note_frames
    sounds = [waveform[note * preset.note_frames :][ear.part].T for note in range(notes)]
    heard: list[tuple[Floats, float]] = []
    for sound in sounds:
        guesses = [ear.follow(sound, heard[-1][0])] if heard else []
        if not guesses or guesses[0][1] > _enough(heard):
            guesses += [ear.listen(sound, order) for order in permutations(range(streams))]
        heard.append(min(guesses, key=itemgetter(1)))
    # What came after explains what could not be told apart at first.
    for note in reversed(range(notes - 1)):
        if heard[note][1] > _enough(heard):
            guess = ear.follow(sounds[note], heard[note + 1][0], back=True)
            heard[note] = min(heard[note], guess, key=itemgetter(1))
    beliefs = np.array([belief for belief, _ in heard])
    return (beliefs[:, :, PITCH] - np.log2(HZ_AT_NORM_1)) * DOUBLINGS_PER_OCTAVE


def _enough(heard: list[tuple[Floats, float]]) -> float:
    """Share of the energy that may stay unexplained before other explanations are tried."""
    return max(GOOD, 2 * float(np.median([error for _, error in heard])))


@dataclass(frozen=True)
class Ear:
    """What a listener knows before the first note."""

    preset: StreamPreset
    streams: int
    channels: int

    @cached_property
    def part(self) -> slice:
        """The sample frames of a note in which every stream rests on its pitch."""
        preset = self.preset
        start = preset.tail + preset.stagger * (self.streams - 1) + preset.glide
        return slice(start, preset.note_frames)

    @cached_property
    def seconds(self) -> Floats:
        """Of the part, around its middle."""
        frames = np.arange(self.part.start, self.part.stop)
        return (frames - (self.part.start + self.part.stop) / 2) / self.preset.sample_rate

    @cached_property
    def swing(self) -> Floats:
        notes = np.arange(self.part.start, self.part.stop) / self.preset.note_frames
        return np.cos(2 * np.pi * roughness_cycles(1 / self.preset.speed) * notes)

    @cached_property
    def pans(self) -> Floats:
        """Gain of each stream in each channel, shape ``(channels, streams)``."""
        width = self.preset.width if self.streams > 1 else 0.0
        angle = (np.linspace(-width, width, self.streams) + 1) * np.pi / 4
        gains = np.stack([np.cos(angle), np.sin(angle)])
        return self.preset.level * (gains if self.channels == 2 else gains.mean(axis=0)[None])

    @cached_property
    def voices(self) -> tuple[Voice, ...]:
        return self.preset.stream_voices(self.streams)

    @cached_property
    def timbres(self) -> list[Floats]:
        return [np.array(voice.harmonics) for voice in self.voices]

    @cached_property
    def registers(self) -> Floats:
        """Factor of each stream on frequencies."""
        return np.array([voice.transposition for voice in self.voices])

    def gain(self, stream: int, pitch: Floats) -> Floats:
        voice = self.voices[stream]
        return equal_loudness_gain(np.exp2(pitch) * voice.transposition, voice.loudness)

    @cached_property
    def cycles(self) -> list[Floats]:
        """One cycle of each timbre."""
        phase = 2 * np.pi * np.arange(TABLE_SIZE) / TABLE_SIZE
        partials = [np.arange(1, len(timbre) + 1) for timbre in self.timbres]
        return [t @ np.sin(np.outer(k, phase)) for t, k in zip(self.timbres, partials, strict=True)]

    def phase_beside(self, beside: Floats, pitch: Floats, *, back: bool) -> Floats:
        """The phase of each stream in a note, by the belief of the note before it, or after it."""
        preset = self.preset
        # As many cycles as if the pitch jumped in the middle of the glide.
        jump = preset.tail + preset.glide / 2 + preset.stagger * np.arange(self.streams)[:, None]
        jump -= (self.part.start + self.part.stop) / 2
        hold = preset.note_frames + jump
        near, far = (jump, -hold) if back else (hold, -jump)
        cycles = near * np.exp2(beside[:, [PITCH]]) + far * np.exp2(pitch)
        return beside[:, [PHASE]] + self.registers[:, None] * cycles / preset.sample_rate

    def follow(self, sound: Floats, beside: Floats, *, back: bool = False) -> tuple[Floats, float]:
        """The best explanation near the note beside, all streams at once."""
        pitch = np.clip(beside[:, [PITCH]] + NEARBY, LOWEST, HIGHEST)
        phase = self.phase_beside(beside, pitch, back=back)
        hz = np.exp2(pitch) * self.registers[:, None]
        path = phase[..., None] + hz[..., None] * self.seconds
        entries = (path * TABLE_SIZE).astype(int) & (TABLE_SIZE - 1)
        waves = [self.cycles[stream][entry] for stream, entry in enumerate(entries)]
        gains = [self.gain(stream, each) for stream, each in enumerate(pitch)]
        waves = np.stack(waves) * np.stack(gains)[..., None]
        error = np.zeros((len(NEARBY),) * self.streams)
        axes, pans = range(self.streams), self.pans.T @ self.pans
        for one in axes:
            alone = pans[one, one] * (waves[one] ** 2).sum(axis=1)
            alone -= 2 * waves[one] @ (self.pans[:, one] @ sound)
            error += np.expand_dims(alone, [axis for axis in axes if axis != one])
        for pair in combinations(axes, 2):
            both = 2 * pans[pair] * waves[pair[0]] @ waves[pair[1]].T
            error += np.expand_dims(both, [axis for axis in axes if axis not in pair])
        best = np.arange(self.streams), np.unravel_index(error.argmin(), error.shape)
        belief = np.zeros_like(beside)
        belief[:, PITCH], belief[:, PHASE], belief[:, LOUD] = pitch[best], phase[best], 1.0
        return self.refine(sound, belief)

    def listen(self, sound: Floats, order: tuple[int, ...]) -> tuple[Floats, float]:
        """An explanation without knowing what was before, one stream after the other."""
        belief = np.tile([np.log2(HZ_AT_NORM_1), 0.0, 0.0, 0.0], (self.streams, 1))
        for stream in order + order:
            belief[stream, LOUD] = 0
            rest = self.pans[:, stream] @ (sound - self.explain(belief)[0])
            belief[stream] = self._loudest(rest / (self.pans[:, stream] ** 2).sum(), stream)
        return self.refine(sound, belief)

    def _loudest(self, mono: Floats, stream: int) -> list[float]:
        """The belief of a stream that were alone in `mono`."""
        timbre, window = self.timbres[stream], np.hanning(len(mono))
        hz = np.exp2(EVERYWHERE) * self.registers[stream]
        partials = np.arange(1, len(timbre) + 1)
        bins = np.rint(np.outer(hz, partials) * FFT_SIZE / self.preset.sample_rate).astype(int)
        turn = np.exp(1j * np.pi * bins * len(mono) / FFT_SIZE)  # to the middle of the part
        found = np.fft.rfft(mono * window, FFT_SIZE)[bins] * turn * timbre
        match = -(found @ np.exp(-2j * np.pi * np.outer(partials, PHASES))).imag
        gain = self.gain(stream, EVERYWHERE)[:, None]
        energy = window.sum() / 2 * (timbre**2).sum() * gain**2
        loud = np.clip(gain * match / energy, *LOUDNESS)
        i, j = np.unravel_index((2 * loud * gain * match - loud**2 * energy).argmax(), match.shape)
        return [EVERYWHERE[i], PHASES[j], loud[i, j], 0.0]

    def explain(self, belief: Floats) -> tuple[Floats, Floats]:
        """How a belief would sound, shape ``(channels, frames)``, and the slope of each number."""
        sound = np.zeros((self.channels, len(self.seconds)))
        slopes = np.zeros((self.channels, len(self.seconds), *belief.shape))
        for stream, (pitch, phase, loud, swing) in enumerate(belief):
            hz = np.exp2(pitch) * self.registers[stream]
            timbre = self.timbres[stream] * self.gain(stream, pitch)
            partials = np.arange(1, len(timbre) + 1)
            first = np.exp(2j * np.pi * (phase + hz * self.seconds))
            each = np.cumprod(np.broadcast_to(first, (len(timbre), len(first))), axis=0)
            wave, turn = timbre @ each.imag, 2 * np.pi * (timbre * partials) @ each.real
            level = loud + swing * self.swing
            by_pitch = level * turn * self.seconds * hz * np.log(2)
            each = np.stack([by_pitch, level * turn, wave, wave * self.swing], axis=1)
            slopes[:, :, stream] = self.pans[:, stream, None, None] * each
            sound += np.outer(self.pans[:, stream], level * wave)
        return sound, slopes.reshape(sound.size, belief.size)

    def refine(self, sound: Floats, belief: Floats) -> tuple[Floats, float]:
        """The nearest best explanation, by Levenberg and Marquardt, and its share of error."""
        explained, slopes = self.explain(belief)
        rest, damping = (sound - explained).ravel(), 1e-3
        while damping < 1:
            square = slopes.T @ slopes
            square[np.diag_indices_from(square)] *= 1 + damping
            square[np.diag_indices_from(square)] += 1e-9
            other = belief + np.linalg.solve(square, slopes.T @ rest).reshape(belief.shape)
            other[:, PITCH] = other[:, PITCH].clip(LOWEST, HIGHEST)
            other[:, LOUD] = other[:, LOUD].clip(*LOUDNESS)
            other[:, SWING] = other[:, SWING].clip(-0.9 * other[:, LOUD], 0.9 * other[:, LOUD])
            explained, slopes_there = self.explain(other)
            rest_there = (sound - explained).ravel()
            if rest_there @ rest_there < (1 - 1e-4) * (rest @ rest):
                belief, slopes, rest = other, slopes_there, rest_there
                damping = max(damping / 5, 1e-4)
            else:
                damping *= 8
        return belief, float(rest @ rest / max((sound**2).sum(), 1e-12))
