"""An adapter to other writers: tensorboardX, or anything with `add_scalar` and `add_audio`."""

import io
import wave
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from tensorboard.compat.proto.event_pb2 import Event

from tb_sonify.sound import StreamPreset
from tb_sonify.training.event_writer import EventFileWriter
from tb_sonify.training.foreign_writer import logdir_of
from tb_sonify.training.writer import RedirectedWriter


class SonifyAdapter(RedirectedWriter):
    """A `SonifyWriter` for the run of another writer.

    Beside a ``SummaryWriter`` of tensorboardX or torch, everything goes into its directory, and all
    of the Sonify tab works. Any other object is given the norms by its
    ``add_scalar(tag, value, step)`` and the clips by its
    ``add_audio(tag, samples, step, sample_rate=...)``, samples being a tensor ``(1, samples)`` in
    [-1, 1]; both are called in a thread of their own.

    Parameters
    ----------
    writer
        Stays open when this one is closed.
    presets
        As in `SonifyWriter`.

    Examples
    --------
    ::

        writer = tensorboardX.SummaryWriter("runs/sgd-0.1")
        sonify = SonifyAdapter(writer)
        sonify.watch(model, optimizer)
        ...
        sonify.close()
    """

    def __init__(self, writer: Any, *, presets: Sequence[str | StreamPreset] = ("smooth",)) -> None:
        missing = [name for name in ("add_scalar", "add_audio") if not hasattr(writer, name)]
        if missing:
            raise TypeError(
                f"writer must have {' and '.join(missing)}, got {type(writer).__name__}"
            )
        logdir = logdir_of(writer)
        super().__init__(
            lambda: (
                _CallbackSink(writer) if logdir is None else EventFileWriter(logdir, beside=True)
            ),
            presets=presets,
        )


class _CallbackSink:
    """An event sink that calls a writer with each scalar and each clip."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def get_logdir(self) -> str:
        return ""

    def add_event(self, event: Event) -> None:
        for value in event.summary.value:
            kind = value.WhichOneof("value")
            if kind == "simple_value":
                self._writer.add_scalar(value.tag, value.simple_value, event.step)
            elif kind == "audio":
                samples, rate = _decoded(value.audio.encoded_audio_string)
                self._writer.add_audio(value.tag, samples, event.step, sample_rate=rate)

    def flush(self) -> None:
        getattr(self._writer, "flush", lambda: None)()

    def close(self) -> None:
        self.flush()


def _decoded(file: bytes) -> tuple[torch.Tensor, int]:
    """Samples of a WAV file, its channels as one, and their rate."""
    with wave.open(io.BytesIO(file)) as clip:
        frames = np.frombuffer(clip.readframes(clip.getnframes()), "<i2")
        mono = frames.reshape(1, -1, clip.getnchannels()).mean(axis=2, dtype=np.float32)
        return torch.from_numpy(mono / 32768), clip.getframerate()
