"""Samples as a WAV file."""

import io
import wave

import numpy as np
from numpy.typing import NDArray


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
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(pcm.shape[1])
        writer.setsampwidth(pcm.itemsize)
        writer.setframerate(sample_rate)
        writer.writeframes(pcm.astype("<i2", copy=False).tobytes())
    return file.getvalue()
