"""Sound files of 16-bit PCM: WAV, and FLAC and Ogg by libsndfile."""

import io
import struct
import wave
from importlib import import_module
from typing import Literal

import numpy as np
from numpy.typing import NDArray

HEADER_BYTES = 44


def encode_wav(pcm: NDArray[np.int16], *, sample_rate: int) -> bytes:
    """Encode samples.

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


def encode_compressed(
    pcm: NDArray[np.int16], *, sample_rate: int, form: Literal["FLAC", "OGG"]
) -> bytes:
    """Encode samples ``(frames, channels)`` at a rate in Hz as FLAC, without loss, or Ogg/Opus.

    Raises
    ------
    ImportError
        If soundfile, which brings libsndfile for most systems, finds none on this one.
    """
    try:
        soundfile = import_module("soundfile")  # only now, as it takes long to import
    except (ImportError, OSError) as error:
        raise ImportError(
            f"FLAC and Ogg need soundfile and libsndfile, and {error}; "
            "install them (on Debian: apt install libsndfile1), or choose WAV"
        ) from error
    subtype = {"FLAC": "PCM_16", "OGG": "OPUS"}[form]
    file = io.BytesIO()
    soundfile.write(file, pcm, sample_rate, format=form, subtype=subtype)
    return file.getvalue()


def wav_header(frames: int, channels: int, *, sample_rate: int) -> bytes:
    """Header of a file with so many sample frames, `HEADER_BYTES` long."""
    frame_bytes = 2 * channels
    size = frames * frame_bytes
    form = struct.pack("<4sI4s", b"RIFF", HEADER_BYTES - 8 + size, b"WAVE")
    kind = struct.pack(
        "<HHIIHH", 1, channels, sample_rate, sample_rate * frame_bytes, frame_bytes, 16
    )
    return (
        form + struct.pack("<4sI", b"fmt ", len(kind)) + kind + struct.pack("<4sI", b"data", size)
    )


def decode_wav(
    wav: bytes, *, frames: int, channels: int, sample_rate: int
) -> NDArray[np.int16] | None:
    """Samples ``(frames, channels)`` of a file, or `None` if it has another format or length."""
    try:
        with wave.open(io.BytesIO(wav)) as reader:
            form = reader.getnchannels(), reader.getsampwidth(), reader.getframerate()
            data = reader.readframes(frames)
            if (*form, reader.getnframes()) != (channels, 2, sample_rate, frames):
                return None
    except (wave.Error, EOFError):
        return None
    pcm = np.frombuffer(data, "<i2")
    return pcm.reshape(frames, -1) if len(pcm) == frames * channels else None
