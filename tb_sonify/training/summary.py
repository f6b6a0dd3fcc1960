"""TensorBoard events: scalars, blobs of our plugin, audio; and which of a long series to log."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import DATA_CLASS_BLOB_SEQUENCE, Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_STRING

from tb_sonify.schema.landscape import (
    MEAN_STRIPS,
    Strip,
    Surface,
    encode_strips,
    mean_headroom,
)
from tb_sonify.schema.metadata import (
    FORMAT,
    HEADROOM_TAG,
    MEAN_HEADROOM_TAG,
    PLUGIN_NAME,
    STRIPS_TAG,
    SURFACE_TAG,
    session_tag,
)
from tb_sonify.sound import encode_wav

_ONE_BLOB = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])


_BLOB_METADATA = SummaryMetadata(
    plugin_data=SummaryMetadata.PluginData(plugin_name=PLUGIN_NAME, content=FORMAT),
    data_class=DATA_CLASS_BLOB_SEQUENCE,
)


def scalars_event(values: Iterable[tuple[str, float]], *, step: int, wall_time: float) -> Event:
    """One event that holds the value of each tag."""
    summary = Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values])
    return Event(wall_time=wall_time, step=step, summary=summary)


def blob_event(tag: str, blob: bytes, *, step: int, wall_time: float) -> Event:
    """A blob sequence of one blob, which TensorBoard's server reads when it is asked for."""
    tensor = TensorProto(dtype=DT_STRING, tensor_shape=_ONE_BLOB, string_val=[blob])
    value = Summary.Value(tag=tag, metadata=_BLOB_METADATA, tensor=tensor)
    return Event(wall_time=wall_time, step=step, summary=Summary(value=[value]))


class StripLog:
    """Collects strips of the loss landscape into blocks, and logs the headroom of each at once.

    Parameters
    ----------
    emit
        Takes events, in any thread.
    """

    def __init__(self, emit: Callable[[Iterable[Event]], None]) -> None:
        self._emit = emit
        self._lock = threading.Lock()
        self._waiting: list[tuple[int, Strip]] = []
        self._last: deque[Strip] = deque(maxlen=MEAN_STRIPS)
        self._since = self._session = time.time()

    def add(self, strip: Strip, step: int) -> None:
        """Take the strip of a step."""
        now = time.time()
        scalars = [(HEADROOM_TAG, strip.headroom)]
        with self._lock:
            if self._last and not _begin_alike(self._last[0], strip):
                self._end_block()
                self._last.clear()
            self._last.append(strip)
            if len(self._last) == MEAN_STRIPS:
                scalars.append((MEAN_HEADROOM_TAG, mean_headroom(self._last)))
            self._emit([scalars_event(scalars, step=step, wall_time=now)])
            self._since = self._since if self._waiting else now
            self._waiting.append((step, strip))
            if len(self._waiting) >= _STRIPS:
                self._end_block()

    def flush(self, *, is_last: bool = False) -> None:
        """Write all strips."""
        del is_last
        with self._lock:
            self._end_block()

    def flush_from_recorder(self) -> None:
        """Write strips that have waited for long."""
        if time.time() - self._since >= _STRIP_SECONDS:
            self.flush()

    def _end_block(self) -> None:
        if self._waiting:
            steps, strips = zip(*self._waiting, strict=True)
            self._waiting = []
            tag, blob = session_tag(STRIPS_TAG, self._session), encode_strips(steps, strips)
            self._emit([blob_event(tag, blob, step=steps[0], wall_time=time.time())])


def _begin_alike(one: Strip, other: Strip) -> bool:
    shared = min(len(one.alphas), len(other.alphas))
    return np.array_equal(one.alphas[:shared], other.alphas[:shared])


_STRIPS, _STRIP_SECONDS = 32, 10.0  # of a block, at most


def surface_event(name: str, surface: Surface, *, step: int) -> Event:
    """The blob of a surface."""
    now = time.time()
    tag = session_tag(f"{SURFACE_TAG}/{name}", now)
    return blob_event(tag, surface.encode(), step=step, wall_time=now)


def audio_event(
    tag: str, pcm: NDArray[np.int16], *, sample_rate: int, step: int, wall_time: float
) -> Event:
    """A WAV file of `pcm`, shape ``(frames, channels)``, for the Audio tab."""
    frames, channels = pcm.shape
    audio = Summary.Audio(
        sample_rate=sample_rate,
        num_channels=channels,
        length_frames=frames,
        encoded_audio_string=encode_wav(pcm, sample_rate=sample_rate),
        content_type="audio/wav",
    )
    value = Summary.Value(tag=tag, audio=audio)
    return Event(wall_time=wall_time, step=step, summary=Summary(value=[value]))


def is_kept(index: int, capacity: int) -> bool:
    """Whether a decimated series keeps the value of an index, counted from 0.

    The first `capacity` values are kept; then a quarter of `capacity` while the series doubles,
    another quarter while it doubles again, and so on, evenly spread.

    Examples
    --------
    >>> [index for index in range(70) if is_kept(index, 8)]
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 32, 48, 64]
    """
    return index < capacity or index % (2 << (index // capacity).bit_length()) == 0
