"""What the training thread hands to the recorder: rows, a few at a time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_sonify.contract import PRE_CLIP_OPTION

SKIPPED = -2.0  # in place of every number of a row whose step the optimizer left out


@dataclass(frozen=True)
class Source:
    """Where rows come from: their layers, and how the norms were taken.

    Attributes
    ----------
    ranks
        The processes that hold shards of the gradients. A row of such a source has, for each
        layer, the sum of this process' part and then whether it has any (see `Gathering`).
    """

    layers: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    ranks: tuple[int, ...] = ()


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
        Gives the norms, float32, shape ``(rows, layers)``.
    """

    source: Source
    steps: NDArray[np.int64]
    wall_times: NDArray[np.float64]
    norms: Callable[[], NDArray[np.float32]]


def joint_source(sources: Sequence[Source]) -> Source:
    """A source of the layers of all of them."""
    options: Mapping[str, Any] = {}
    for source in sources:
        options = joint_options(options, source.options)
    layers = dict.fromkeys(layer for source in sources for layer in source.layers)
    return Source(tuple(layers), options)


def joint_options(options: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """How the norms of both were taken; the later ones count, where both cannot be said."""
    both = {**options, **later}
    if options.get(PRE_CLIP_OPTION, both.get(PRE_CLIP_OPTION)) != both.get(PRE_CLIP_OPTION):
        both[PRE_CLIP_OPTION] = "mixed"
    return both
