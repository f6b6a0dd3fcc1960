"""What a run stored, read by TensorBoard's own file loader."""

import io
import wave
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary

from tb_sonify.schema.metadata import ROWS_TAG, SEGMENTS_TAG, split_session
from tb_sonify.schema.notes import NO_GRADIENT
from tb_sonify.schema.records import Rows, Segment


def events(directory: Path) -> list[Event]:
    """Events of all files of a run, in the order in which TensorBoard reads them."""
    files = sorted(directory.glob("events.out.tfevents.*"))
    return [event for file in files for event in _events_of(file, file.stat().st_size)]


@lru_cache(maxsize=4)
def _events_of(file: Path, size: int) -> list[Event]:
    # Of a file that grows, each size is another content; its checksums take TensorBoard long.
    del size
    return [Event.FromString(data) for data in RawEventFileLoader(str(file)).Load()]


def values(directory: Path, tag: str) -> list[tuple[int, Summary.Value]]:
    """Step and value of each event that has the tag, of whatever session."""
    return [
        (event.step, value)
        for event in events(directory)
        for value in event.summary.value
        if tag in (value.tag, split_session(value.tag)[0])
    ]


def tags(directory: Path) -> set[str]:
    """All tags of a run, without sessions."""
    found = {value.tag for event in events(directory) for value in event.summary.value}
    return {split_session(tag)[0] for tag in found}


def scalars(directory: Path, tag: str) -> list[tuple[int, float]]:
    """Steps and values of a scalar."""
    return [(step, value.simple_value) for step, value in values(directory, tag)]


def blobs(directory: Path, tag: str) -> list[bytes]:
    """The blocks of a tag, of all sessions."""
    return [value.tensor.string_val[0] for _, value in values(directory, tag)]


def rows(directory: Path) -> list[Rows]:
    """The blocks of rows."""
    return [Rows.decode(blob) for blob in blobs(directory, ROWS_TAG)]


def segments(directory: Path) -> list[Segment]:
    """The segments."""
    return [Segment.decode(blob) for blob in blobs(directory, SEGMENTS_TAG)]


def all_rows(directory: Path) -> Rows:
    """The rows of all blocks, which must have the same options, as one.

    How many blocks a short training writes depends on how long it takes.
    """
    blocks = rows(directory)
    assert all(block.options == blocks[0].options for block in blocks)
    steps, norms = steps_and_norms(directory)
    return replace(blocks[0], layers=_layers(blocks), steps=np.array(steps), norms=norms)


def steps_and_norms(directory: Path) -> tuple[list[int], NDArray[np.float32]]:
    """Steps and norms of all rows; the layers are those of all blocks."""
    blocks = rows(directory)
    layers = _layers(blocks)
    steps = [int(step) for block in blocks for step in block.steps]
    norms = np.full((len(steps), len(layers)), NO_GRADIENT, np.float32)
    row = 0
    for block in blocks:
        columns = [layers.index(layer) for layer in block.layers]
        norms[row : row + len(block.steps), columns] = block.norms
        row += len(block.steps)
    return steps, norms


def _layers(blocks: list[Rows]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(layer for block in blocks for layer in block.layers))


def pcm(value: Summary.Value) -> NDArray[np.int16]:
    """Samples of an audio summary, shape ``(frames, channels)``."""
    with wave.open(io.BytesIO(value.audio.encoded_audio_string)) as clip:
        frames = np.frombuffer(clip.readframes(clip.getnframes()), "<i2")
        return frames.reshape(-1, clip.getnchannels())
