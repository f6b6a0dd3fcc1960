"""Streams: layers grouped by depth, since people can follow about three sounds at once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

STREAM_NAMES = ("early", "middle", "late")
PAIR_NAMES = ("training", "validation")  # of two scalars that are heard together


def stream_layers(layers: int, *, streams: int = len(STREAM_NAMES)) -> tuple[range, ...]:
    """Indices of the layers in each stream, in order of depth.

    Parameters
    ----------
    layers
        Number of layers; if fewer than `streams`, each is a stream.
    streams
        Largest number of groups; their sizes differ by at most one.

    Examples
    --------
    >>> stream_layers(4)
    (range(0, 2), range(2, 3), range(3, 4))
    """
    groups = min(layers, streams)
    size, larger = divmod(layers, max(groups, 1))
    ends = [size * (i + 1) + min(i + 1, larger) for i in range(groups)]
    return tuple(range(start, end) for start, end in zip([0, *ends], ends, strict=False))


def stream_levels(norms: NDArray[np.float32], groups: tuple[range, ...]) -> NDArray[np.float64]:
    """Median log2 norm of each stream, over its layers that have a positive norm.

    Parameters
    ----------
    norms
        Shape ``(notes, layers)``.

    Returns
    -------
    levels
        Shape ``(notes, streams)``; NaN where a stream has no positive norm.
    """
    positive = np.where(norms > 0, norms, np.nan)
    levels = [_log_median(positive[:, group.start : group.stop]) for group in groups]
    return np.stack(levels, axis=1) if levels else np.empty((len(norms), 0))


def _log_median(norms: NDArray[np.float32]) -> NDArray[np.float64]:
    """Median log2 of each row, ignoring NaN; NaN where all are."""
    # Logarithms keep the order, so only the middle two are computed.
    return np.asarray(np.log2(middle_values(norms), dtype=np.float64).mean(axis=0))


def middle_values(values: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """The two values in the middle of each row, ignoring NaN, shape ``(2, rows)``.

    They are the same one where the number of values is odd, NaN where all are.
    """
    ordered = np.sort(values, axis=1)  # NaNs at the end
    count = np.count_nonzero(~np.isnan(ordered), axis=1)
    rows = np.arange(len(ordered))
    lower = ordered[rows, np.maximum(count - 1, 0) // 2]
    upper = ordered[rows, np.minimum(count // 2, values.shape[1] - 1)]
    return np.stack([lower, upper])


def known_median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median of each row, ignoring NaN, shape ``(rows,)``; NaN where all are."""
    return np.asarray(middle_values(values).mean(axis=0))
