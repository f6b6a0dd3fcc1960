"""Percept: levels, pitches and modulations of an excitation, in windows of time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from benchmarks.listener.excitation import CHANNELS, ENVELOPE_RATE, Excitation

Floats = NDArray[np.float64]

FRAME = 24  # samples of the envelope: 10 ms
FRAMES_PER_SECOND = ENVELOPE_RATE // FRAME
BANDS = 8  # in which level and difference of the ears are heard
REGIONS = 4  # in which modulation is heard
PITCHES = 26  # channels, below 5 kHz, to whose fine structure the nerve is locked
SMOOTHING = 0.0022  # s, of the envelope: Viemeister (1979)
# Hz, borders of the bands of the modulation filters.
MODULATION_BANDS = ((2, 10), (10, 30), (30, 90), (90, 180), (180, 360))
AUDIBLE = 20.0  # dB above threshold from which a pitch is heard well
MASKED = 0.01  # of the power of all bands: what is softer in one is not heard beside the others
LAG = 6  # frames between which a pitch moves
OWN_DEPTH = 0.05  # nepers, of the fluctuation that the ear itself adds to an envelope
# Depth in nepers, and dB, from which differences are heard in proportion.
WEBER_DEPTH, WEBER_DIP = 0.4, 10.0

# Numbers of a percept, in this order, by kind.
SIZES = {
    "level": BANDS,  # dB above threshold, mean of the ears
    "ears": BANDS,  # dB, left above right
    "pitch": PITCHES,  # cents above the channel's centre
    "motion": REGIONS,  # cents in 60 ms
    "modulation": (REGIONS + 1) * len(MODULATION_BANDS),  # depth, in nepers
    "dip": REGIONS + 1,  # dB by which the envelope falls below its mean, and rises above it
    "peak": REGIONS + 1,
}
KINDS = np.repeat(list(SIZES), list(SIZES.values()))


@dataclass(frozen=True)
class Percept:
    """What is heard in windows of one length, without noise.

    Attributes
    ----------
    values
        Shape ``(windows, sum of SIZES)``.
    looks
        For how many frames each pitch sounds, shape ``(windows, PITCHES)``.
    """

    values: Floats
    looks: Floats


@dataclass(frozen=True)
class Readout:
    """Frames of 10 ms and envelopes, of which percepts are made.

    Attributes
    ----------
    level, ears
        Shape ``(frames, BANDS)``.
    cents, heard, power, motion
        Pitches, how well each is heard from 0 to 1, power, and motion in cents; shape
        ``(frames, PITCHES)``.
    envelope
        Natural logarithm of the smoothed envelope of each region and of all, shape
        ``(REGIONS + 1, frames * FRAME)``.
    """

    level: Floats
    ears: Floats
    cents: Floats
    heard: Floats
    power: Floats
    motion: Floats
    envelope: Floats

    def percept(self, starts: NDArray[np.intp], frames: int) -> Percept:
        """Percept of windows that begin at these frames and have so many."""

        def windows(table: Floats) -> Floats:
            view = np.lib.stride_tricks.sliding_window_view(table, frames, axis=0)
            return np.asarray(view[starts])

        power = windows(self.power)
        # A filter rings on, more quietly, when a sound has ended.
        weight = windows(self.heard) * power / (power.max(axis=2, keepdims=True) + 1e-30)
        looks = weight.sum(axis=2)
        cents, motion = (
            (windows(table) * weight).sum(axis=2) / (looks + 0.2)
            for table in (self.cents, self.motion)
        )
        regions = np.array_split(np.arange(PITCHES), REGIONS)
        moved = [motion[:, region].mean(axis=1) for region in regions]
        long = np.lib.stride_tricks.sliding_window_view(self.envelope, frames * FRAME, axis=1)
        envelopes = long[:, starts * FRAME]
        decibels = 20 / np.log(10) * (envelopes - envelopes.mean(axis=2, keepdims=True))
        parts = [
            windows(self.level).mean(axis=2),
            windows(self.ears).mean(axis=2),
            cents,
            np.stack(moved, axis=1),
            compressed(np.hypot(modulation(envelopes), OWN_DEPTH), WEBER_DEPTH),
            compressed(-decibels.min(axis=2).T, WEBER_DIP),
            compressed(decibels.max(axis=2).T, WEBER_DIP),
        ]
        return Percept(np.concatenate(parts, axis=1), looks)


def read(excitation: Excitation) -> Readout:
    """Readout of an excitation."""
    power = excitation.power
    frames = power.shape[2] // FRAME
    framed = power[:, :, : frames * FRAME].reshape(*power.shape[:2], frames, FRAME).mean(axis=3)
    bands = framed.reshape(len(power), BANDS, CHANNELS // BANDS, frames).sum(axis=2)
    level = 10 * np.log10(bands + MASKED * bands.sum(axis=1, keepdims=True) + 1)
    cents = pitches(excitation, frames)
    moves = np.abs(cents[LAG:] - cents[:-LAG]).clip(max=600)
    loud = framed[:, :PITCHES].mean(axis=0).T
    return Readout(
        level.mean(axis=0).T,
        (level[0] - level[-1]).T,
        cents,
        (10 * np.log10(loud + 1) / AUDIBLE).clip(max=1),
        loud,
        np.concatenate([moves, np.zeros_like(cents[:LAG])])[:frames],
        envelopes(power[:, :, : frames * FRAME]),
    )


def pitches(excitation: Excitation, frames: int) -> Floats:
    """Instantaneous frequencies in cents above the carriers, shape ``(frames, PITCHES)``."""
    signal = excitation.signal[:, :PITCHES]
    turns = np.conj(signal[:, :, :-1]) * signal[:, :, 1:]
    turns = np.concatenate([turns, turns[:, :, -1:]], axis=2)[:, :, : frames * FRAME]
    turn = turns.reshape(len(turns), PITCHES, frames, FRAME).mean(axis=3).sum(axis=0)
    hz = np.angle(turn) * ENVELOPE_RATE / (2 * np.pi)
    carriers = excitation.carriers[:PITCHES, None]
    cents = 1200 * np.log2((carriers + hz).clip(min=20) / carriers)
    return np.asarray(cents.clip(-600, 600).T)


def envelopes(power: NDArray[np.float32]) -> Floats:
    """Natural logarithm of the smoothed envelopes of each region and of all."""
    channels = power.mean(axis=0)
    regions = channels.reshape(REGIONS, -1, channels.shape[1]).sum(axis=1)
    amplitude = np.sqrt(np.concatenate([regions, channels.sum(axis=0, keepdims=True)]))
    keep = np.exp(-1 / (SMOOTHING * ENVELOPE_RATE))
    smooth = lfilter([1 - keep], [1, -keep], amplitude, axis=1)
    return np.asarray(np.log(smooth + 1))


def compressed(values: Floats, linear: float) -> Floats:
    """Values of which large ones are told apart by their ratio: Weber's law."""
    return np.asarray(linear * np.log1p(values / linear))


def modulation(envelope: Floats) -> Floats:
    """Depth of modulation in each band, shape ``(windows, (REGIONS + 1) * bands)``.

    Parameters
    ----------
    envelope
        Natural logarithm, shape ``(REGIONS + 1, windows, samples)``.
    """
    samples = envelope.shape[2]
    window = np.hanning(samples)
    deviation = (envelope - envelope.mean(axis=2, keepdims=True)) * window
    power = np.abs(np.fft.rfft(deviation, axis=2)) ** 2 * 4 / (samples * (window**2).sum())
    hz = np.fft.rfftfreq(samples, 1 / ENVELOPE_RATE)
    depths = [
        np.sqrt(power[:, :, (hz >= low) & (hz < high)].sum(axis=2))
        for low, high in MODULATION_BANDS
    ]
    return np.concatenate([depth.T for depth in depths], axis=1)
