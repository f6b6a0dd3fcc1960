"""Streams: layers grouped by depth, since people follow about three sounds at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb_sonify.sound.encoding import norm_to_hz
from tb_sonify.sound.loudness import equal_loudness_gain
from tb_sonify.sound.notes import Notes

STREAM_NAMES = ("early", "middle", "late")

NO_EARCON, ZERO, INF, NAN = range(4)  # the more urgent, the higher


@dataclass(frozen=True)
class StreamNotes:
    """What each stream does in each note; every array has shape ``(notes, streams)``."""

    hz: NDArray[np.float64]  # pitch; NaN where the stream is silent
    gain: NDArray[np.float64]  # amplitude relative to the preset's level; 0 where silent
    earcon: NDArray[np.int8]  # NO_EARCON, ZERO, INF or NAN


def stream_layers(layers: int) -> tuple[range, ...]:
    """Indices of the layers in each stream, in order of depth; fewer layers, fewer streams.

    Examples
    --------
    >>> stream_layers(4)
    (range(0, 2), range(2, 3), range(3, 4))
    """
    streams = min(layers, len(STREAM_NAMES))
    size, larger = divmod(layers, max(streams, 1))
    ends = [size * (i + 1) + min(i + 1, larger) for i in range(streams)]
    return tuple(range(start, end) for start, end in zip([0, *ends], ends, strict=False))


def voice_streams(notes: Notes) -> StreamNotes:
    """The streams of notes: pitch from the median log norm of a stream's layers, and earcons.

    A layer at exactly zero, NaN or infinity has no pitch: it gives its stream an earcon, and the
    pitch is that of the stream's other layers.
    """
    groups = stream_layers(notes.layers)
    hz = np.full((len(notes), len(groups)), np.nan)
    earcon = np.zeros((len(notes), len(groups)), np.int8)
    for stream, layers in enumerate(groups):
        part = slice(layers.start, layers.stop)
        hz[:, stream] = norm_to_hz(np.exp2(_row_median(_log2_positive(notes.median[:, part]))))
        for code, found in (
            (ZERO, notes.median[:, part] == 0),
            (INF, notes.inf[:, part] > 0),
            (NAN, notes.nan[:, part] > 0),
        ):
            earcon[found.any(axis=1), stream] = code
    gain = np.nan_to_num(equal_loudness_gain(hz), nan=0.0)
    return StreamNotes(hz, gain, earcon)


def _log2_positive(norms: NDArray[np.float32]) -> NDArray[np.float64]:
    positive = np.where(norms > 0, norms, np.nan).astype(np.float64)
    return np.asarray(np.log2(positive))


def _row_median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median of each row without its NaNs; NaN where nothing else is there."""
    ordered = np.sort(values, axis=1)  # NaNs at the end
    count = np.count_nonzero(~np.isnan(ordered), axis=1)
    rows = np.arange(len(ordered))
    lower = ordered[rows, np.maximum(count - 1, 0) // 2]
    upper = ordered[rows, np.minimum(count // 2, values.shape[1] - 1)]
    return np.asarray((lower + upper) / 2)
