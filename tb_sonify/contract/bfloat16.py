"""Norms at half the width: bfloat16 keeps the range of float32 and three significant digits."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def round_norms(norms: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Norms as they read after storage: rounded to the nearest bfloat16.

    At most 0.4 % off, which is 0.6 cent; NaN, infinity, 0 and `NO_GRADIENT` are exact.
    """
    return from_bfloat16(to_bfloat16(norms))


def to_bfloat16(values: NDArray[np.floating[Any]]) -> NDArray[np.uint16]:
    """The bfloat16 bits of each value, rounded to nearest, ties to even."""
    with np.errstate(over="ignore"):  # a float64 beyond float32 is stored as infinity
        single = np.ascontiguousarray(values, dtype=np.float32)
    bits = single.view(np.uint32)
    rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    # Rounding could carry a NaN's bits over into infinity or into a sign change.
    return np.where(np.isnan(single), np.uint16(0x7FC0), rounded)


def from_bfloat16(bits: NDArray[np.uint16]) -> NDArray[np.float32]:
    """The value of each bfloat16, exactly."""
    return (bits.astype(np.uint32) << 16).view(np.float32)
