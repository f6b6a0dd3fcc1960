"""NaN and infinity: where they begin."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_sonify.reading.landmarks.landmark import Finding, several
from tb_sonify.reading.landmarks.levels import starts

HEALTHY_AGAIN = 50  # notes without any: what comes after is news

_WORDS = {"nan": "NaN", "inf": "infinity"}


def find_nonfinite(
    kind: str, counts: NDArray[np.unsignedinteger[Any]], layers: Sequence[str]
) -> list[Finding]:
    """The first NaN (or infinity) of the run, and the first after each 50 notes without.

    Of several layers in the same note, the first in order of depth is named: which of them was
    first within a step cannot be told, and a NaN of the forward pass is in all of them.
    """
    findings: list[Finding] = []
    for note in starts(np.any(counts > 0, axis=1), gap=HEALTHY_AGAIN):
        concerned = np.flatnonzero(counts[note])
        layer = layers[concerned[0]]
        again = " again" if findings else ""
        where = several(layer, len(concerned) - 1)
        findings.append(Finding(kind, int(note), layer, f"{_WORDS[kind]}{again}, first in {where}"))
    return findings
