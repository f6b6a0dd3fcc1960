"""TensorBoard events: scalars, blobs of our plugin, audio; and which of a long series to log."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import DATA_CLASS_BLOB_SEQUENCE, Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_STRING

from tb_sonify.schema.metadata import FORMAT, PLUGIN_NAME
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
