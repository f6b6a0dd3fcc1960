"""Samples as a WAV file."""

import struct

import numpy as np
from numpy.typing import NDArray

HEADER_BYTES = 44


def encode_wav(pcm: NDArray[np.int16], *, sample_rate: int) -> bytes:
    """A WAV file of 16-bit PCM.

    Parameters
    ----------
    pcm
        Shape ``(frames, channels)``.
    sample_rate
        In Hz.
    """
    if pcm.dtype != np.int16 or pcm.ndim != 2:
        raise ValueError(f"pcm must be int16 (frames, channels), got {pcm.dtype} {pcm.shape}")
    header = wav_header(*pcm.shape, sample_rate=sample_rate)
    return header + pcm.astype("<i2", copy=False).tobytes()


def wav_header(frames: int, channels: int, *, sample_rate: int) -> bytes:
    """What a WAV file of 16-bit PCM begins with, before so many sample frames."""
    frame_bytes = 2 * channels
    size = frames * frame_bytes
    form = struct.pack("<4sI4s", b"RIFF", HEADER_BYTES - 8 + size, b"WAVE")
    kind = struct.pack(
        "<HHIIHH", 1, channels, sample_rate, sample_rate * frame_bytes, frame_bytes, 16
    )
    return (
        form + struct.pack("<4sI", b"fmt ", len(kind)) + kind + struct.pack("<4sI", b"data", size)
    )
