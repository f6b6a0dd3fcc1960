"""NaN and infinity: where they begin."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tb_sonify.landmarks.landmark import Finding, several_layers
from tb_sonify.landmarks.levels import NoteTable, group_starts
from tb_sonify.schema.notes import chunks_of

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
