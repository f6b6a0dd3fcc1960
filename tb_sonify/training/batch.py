"""What the training thread hands to the recorder: rows, a few at a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Source:
    """Where rows come from: their layers, and how the norms were taken."""

    layers: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Batch:
    """Consecutive rows of one source.

    Attributes
    ----------
    steps
        int64, shape ``(rows,)``.
    wall_times
        Seconds since the epoch, shape ``(rows,)``.
    norms
        Gives the norms, float32, shape ``(rows, layers)``; waits until they have left the device.
    """

    source: Source
    steps: NDArray[np.int64]
    wall_times: NDArray[np.float64]
    norms: Callable[[], NDArray[np.float32]]
