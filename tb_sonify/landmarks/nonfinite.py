"""NaN and infinity: where they begin."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tb_sonify.landmarks.landmark import Finding, several_layers
from tb_sonify.landmarks.levels import NoteTable, group_starts
from tb_sonify.schema.notes import chunks_of
from tb_sonify.schema.quantities import GRADIENT

HEALTHY_AGAIN = 50  # notes without any: what comes after is news

WORDS = {"nan": "NaN", "inf": "infinity"}


def locate_nonfinite(table: NoteTable) -> dict[str, NDArray[np.bool_]]:
    """Where notes have a NaN or an infinity: by kind, shape ``(notes,)``."""
    found = {kind: np.zeros(len(table), np.bool_) for kind in WORDS}
    for part in chunks_of(len(table), table.layers):
        notes = table[part, :]
        for kind, where in found.items():
            where[part] = np.any(getattr(notes, kind) > 0, axis=1)
    return found


class NonfiniteMonitor:
    """NaN and infinity, row by row: the first, and the first after each 50 rows without."""

    def __init__(self, quantity: str) -> None:
        self._quantity = quantity
        self._row = 0
        self._since: dict[str, int] = {}

    def add(self, values: NDArray[np.floating], layers: Sequence[str]) -> list[Finding]:
        """What is found in the next rows, shape ``(rows, layers)``, by the number of the row."""
        found = []
        for kind, broken in (("nan", np.isnan(values)), ("inf", np.isposinf(values))):
            for row in np.flatnonzero(broken.any(axis=1)).tolist():
                since = self._since.get(kind)
                self._since[kind] = self._row + row
                if since is None or self._row + row - since > HEALTHY_AGAIN:
                    concerned = np.flatnonzero(broken[row])
                    layer = layers[concerned[0]]
                    words = f"{WORDS[kind]}{'' if since is None else ' again'}, first in "
                    words += several_layers(layer, len(concerned) - 1)
                    if self._quantity != GRADIENT:
                        words = f"{self._quantity}: {words}"
                    found.append(Finding(kind, self._row + row, layer, words, self._quantity))
        self._row += len(values)
        return found


def find_nonfinite(
    table: NoteTable, where: Mapping[str, NDArray[np.bool_]], layers: Sequence[str]
) -> list[Finding]:
    """The first NaN (or infinity) of the run, and the first after each 50 notes without.

    Of several layers in the same note, the first in order of depth is named: which of them was
    first within a step cannot be told, and a NaN of the forward pass is in all of them.
    """
    findings: list[Finding] = []
    for kind, some in where.items():
        again = ""
        for note in group_starts(some, gap=HEALTHY_AGAIN).tolist():
            counts = getattr(table[note : note + 1, :], kind)[0]
            concerned = np.flatnonzero(counts)
            layer = layers[concerned[0]]
            of = several_layers(layer, len(concerned) - 1)
            findings.append(Finding(kind, note, layer, f"{WORDS[kind]}{again}, first in {of}"))
            again = " again"
    return findings
