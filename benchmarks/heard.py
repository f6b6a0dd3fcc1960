"""What the route `heard` says of a run beside what its clip sounds like: pitches and earcons.

    python -m benchmarks.heard [--steps 200] [--presets NAME ...]

Pitches are measured in the clip by least squares, earcons found in it by a matched filter, of each
stream by itself, over the runs of the demo and the twelve scenarios.
"""

import argparse
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from tb_sonify.reading.logdir import open_logdir
from tb_sonify.reading.timeline_builder import Timelines
from tb_sonify.schema.notes import Notes
from tb_sonify.sound import PRESETS, StreamPreset, Voice, heard, render
from tb_sonify.sound.earcons import SECONDS, Earcon, earcon_waveform
from tb_sonify.sound.texture import TREMOLO_SECONDS, roughness_cycles

Floats = NDArray[np.float64]
KINDS = [earcon for earcon in Earcon if earcon]
LEAST = 0.5  # of an earcon's amplitude, by which it is found
QUIET = 1e-3  # of full scale; less is no tone
GRID = np.arange(42.0, 4_200.0, 6.0)  # Hz, where a pitch is looked for
UNEXPLAINED = 0.02  # of the energy of a tone, at most


@dataclass(frozen=True)
class Comparison:
    """Differences of one run in one preset.

    Attributes
    ----------
    cents
        Of each pitch that was measured.
    notes
        Notes and streams, and in how many of them one is silent while the other is not.
    earcons
        How many sound, and how many are said but not found, or found but not said.
    """

    cents: Floats
    notes: int
    silent: int
    earcons: int
    wrong: int


def compare(notes: Notes, preset: StreamPreset) -> Comparison:
    """What is said of the notes of a run, beside what they sound like."""
    said = heard(notes, notes[:0], preset=preset, first_note=0)
    streams = said.earcons.shape[1]
    measured = np.full(said.hz_mean.shape, np.nan)
    found = np.zeros_like(said.earcons)
    for stream in range(streams):
        muted = tuple(other for other in range(preset.streams) if other != stream)
        alone = replace(preset, muted=muted, reference=0.0)
        tone = louder_channel(notes, replace(alone, earcon_level=0.0))
        part = Part(preset, stream, streams)
        measured[:, stream] = part.pitches(tone, len(notes))
        found[:, stream] = part.earcons(louder_channel(notes, alone) - tone, len(notes))
    sound = ~np.isnan(measured)
    return Comparison(
        1200 * np.log2(measured[sound] / said.hz_mean[sound]),
        said.earcons.size,
        int((sound != ~np.isnan(said.hz_mean)).sum()),
        _bits(said.earcons),
        _bits(said.earcons ^ found),
    )


def _bits(masks: NDArray[np.uint16]) -> int:
    return int(np.unpackbits(masks.reshape(-1).view(np.uint8)).sum())


def louder_channel(notes: Notes, preset: StreamPreset) -> Floats:
    """That of a clip of all notes, as a share of full scale."""
    pcm = render(notes, preset=preset).astype(np.float64) / 32767
    return np.asarray(pcm[:, np.square(pcm).sum(axis=0).argmax()])


@dataclass(frozen=True)
class Part:
    """One stream of a clip, measured."""

    preset: StreamPreset
    stream: int
    streams: int

    def event(self, note: int) -> int:
        """Number of the sound of the stream in a note."""
        in_turn = self.preset.arrangement == "in turn"
        return note * (self.streams + 1) + self.stream if in_turn else note

    def pitches(self, tone: Floats, notes: int) -> Floats:
        """Pitch of each note where it rests, after its glide; NaN where there is no sound."""
        preset = self.preset
        delay = 0 if preset.arrangement == "in turn" else preset.stagger * self.stream
        first, frames = preset.tail + delay + preset.glide, preset.note_frames
        voice = preset.stream_voices(self.streams)[self.stream]
        found = np.full(notes, np.nan)
        for note in range(notes):
            start = self.event(note) * frames
            part = tone[start + first : start + frames]
            if np.abs(part).max() > QUIET:
                found[note] = pitch_of(
                    part, self._envelopes(self.event(note), first), voice, preset
                )
        return found

    def _envelopes(self, event: int, first: int) -> Floats:
        """Modulators of texture over the rest of an event, shape ``(4, frames)``, 1 first."""
        frames, frame = self.preset.note_frames, np.arange(first, self.preset.note_frames)
        within = self.preset.notes_in(TREMOLO_SECONDS)
        rough = np.cos(2 * np.pi * roughness_cycles(1 / self.preset.speed) * frame / frames)
        slow = np.cos(2 * np.pi * (event % within * frames + frame) / (within * frames))
        return np.stack([np.ones(len(frame)), rough, slow, rough * slow])

    def earcons(self, added: Floats, notes: int) -> NDArray[np.uint16]:
        """Earcons that begin in each note, as a bit mask, by matched filters.

        What each is found to add is taken away before the next note.
        """
        preset, rest = self.preset, added.copy()
        short = preset.note_frames - preset.tail
        waveforms = []
        for kind in KINDS:
            frames = round(SECONDS[kind] * preset.sample_rate) if kind in SECONDS else short
            waveforms.append(earcon_waveform(kind, frames=frames, sample_rate=preset.sample_rate))
        pan = abs(preset.pans(self.streams)[self.stream])
        gain = preset.earcon_level * np.cos((1 - pan) * np.pi / 4)
        filters = np.linalg.pinv(gain * np.stack([each[:short] for each in waveforms], axis=1))
        found = np.zeros(notes, np.uint16)
        for note in range(notes):
            start = self.event(note) * preset.note_frames + preset.tail
            for index in np.flatnonzero(filters @ rest[start : start + short] > LEAST).tolist():
                found[note] |= np.uint16(1 << KINDS[index])
                end = min(start + len(waveforms[index]), len(rest))
                rest[start:end] -= gain * waveforms[index][: end - start]
        return found


def pitch_of(waveform: Floats, envelopes: Floats, voice: Voice, preset: StreamPreset) -> float:
    """Frequency of a harmonic tone, modulated by any of some envelopes, by least squares."""
    seconds = np.arange(len(waveform)) / preset.sample_rate
    projected = waveform @ _grid_tones(len(waveform), preset.sample_rate)
    hz = float(GRID[np.square(projected).sum(axis=1).argmax()])
    harmonics = 1 + np.flatnonzero(voice.harmonics)
    for used in (1, 1, *3 * [len(envelopes)]):
        angle = 2 * np.pi * hz * seconds * harmonics[:, None]
        waves, slopes = (
            np.stack([np.sin(angle), np.cos(angle)]),
            np.stack([np.cos(angle), -np.sin(angle)]),
        )
        table = (envelopes[:used, None, None] * waves).reshape(-1, len(seconds)).T
        weights = np.linalg.lstsq(table, waveform, rcond=None)[0]
        moved = (
            (envelopes[:used, None, None] * slopes * harmonics[:, None] * seconds)
            .reshape(-1, len(seconds))
            .T
        )
        both = np.column_stack([table, 2 * np.pi * (moved @ weights)])
        solved = np.linalg.lstsq(both, waveform, rcond=None)[0]
        hz += float(solved[-1])
    left = waveform - both @ solved
    return hz if np.square(left).sum() < UNEXPLAINED * np.square(waveform).sum() else np.inf


@lru_cache(maxsize=8)
def _grid_tones(frames: int, sample_rate: int) -> Floats:
    """Orthonormal sine and cosine of each frequency of the grid, shape ``(grid, frames, 2)``."""
    phase = 2 * np.pi * GRID[:, None] * np.arange(frames) / sample_rate
    return np.asarray(np.linalg.qr(np.stack([np.sin(phase), np.cos(phase)], axis=2))[0])


def logged_runs(steps: int, names: Collection[str] = ()) -> Iterator[tuple[str, Notes]]:
    """The runs of the demo and the scenarios, or some of them, as TensorBoard gives them."""
    from examples.scenarios import SCENARIOS
    from examples.scenarios import train as train_scenario
    from tb_sonify import SonifyWriter
    from tb_sonify.cli.demo.training import SETTINGS, digits, train

    settings = {setting.run: setting for setting in SETTINGS}
    with TemporaryDirectory() as logdir:
        for name in names or (*settings, *SCENARIOS):
            if name in settings:
                train(settings[name], digits(), Path(logdir), steps=steps, seed=0)
            else:
                with SonifyWriter(f"{logdir}/{name}", presets=()) as writer:
                    train_scenario(SCENARIOS[name], writer, seed=0, steps=steps)
            store, scope = open_logdir(Path(logdir))
            timeline = Timelines(store).get(scope, name)
            yield name, timeline.heard(0, timeline.notes)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--presets", nargs="+", default=["smooth", "calm"])
    arguments = parser.parse_args()
    print("| run, preset | notes x streams | cents, p50, max | silent apart | earcons | apart |")
    print("|---|---|---|---|---|---|")
    for run, notes in logged_runs(arguments.steps):
        for name in arguments.presets:
            preset = PRESETS[name]
            if isinstance(preset, StreamPreset):
                found = compare(notes, preset)
                cents = np.abs(found.cents)
                middle, most = np.percentile(cents, [50, 100]) if len(cents) else (0.0, 0.0)
                print(
                    f"| {run}, {name} | {found.notes} | {middle:.2g}, {most:.2g} "
                    f"| {found.silent} | {found.earcons} | {found.wrong} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
