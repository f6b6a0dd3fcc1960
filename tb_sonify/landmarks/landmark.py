"""The types of landmarks, and the words of their sentences."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

KINDS = (
    "nan",
    "inf",
    "explosion",
    "divergence",
    "overfitting",
    "collapse",
    "spike",
    "drift",
    "outgrowing",
    "edge",
    "leaving",
    "unusual",
    "vanishing",
    "plateau",
    "escape",
    "parting",
    "restart",
    "schedule",
    "scale",
    "skip",
    "epoch",
    "checkpoint",
)
"""Every kind of landmark, the most severe first."""
MILESTONES = frozenset(KINDS[KINDS.index("schedule") :])
"""Kinds of what a script does on purpose, or its loss scaling, which is no cause for alarm."""


@dataclass(frozen=True, slots=True)
class Landmark:
    """An event of a run, with its step.

    Attributes
    ----------
    kind
        One of `KINDS`.
    step
        Where it begins: the first step of its note.
    note
        Index of that note.
    layer
        The layer concerned, the first or the worst of several; None for the whole run.
    sentence
        Fragment in lower case that reads on from ``"step 12: "``.
    quantity
        What it was found in: ``"gradient"``, ``"update"``, ..., or the tag of a scalar.
    """

    kind: str
    step: int
    note: int
    layer: str | None
    sentence: str
    quantity: str = "gradient"


@dataclass(frozen=True, slots=True)
class Finding:
    """An event that a detector found, by its note."""

    kind: str
    note: int
    layer: str | None
    sentence: str
    quantity: str = "gradient"


def several_layers(first: str, others: int) -> str:
    """A layer and how many more.

    Examples
    --------
    >>> several_layers("fc1", 2)
    'fc1 and 2 more layers'
    """
    if not others:
        return first
    return f"{first} and {others} more layer{'s' if others > 1 else ''}"


def all_or_several(concerned: Sequence[str], layers: Sequence[str]) -> str:
    """The layers concerned, as words; `concerned` has the one to name first."""
    if len(concerned) == len(layers) > 1:
        return f"all {len(layers)} layers"
    return several_layers(concerned[0], len(concerned) - 1)


def times(rise: float) -> str:
    """How many times more a rise of the natural log is, in words of one or two digits.

    Examples
    --------
    >>> times(3.96), times(10.63), times(28.9)
    ('52 times', '41,000 times', '4e12 times')
    """
    factor = math.exp(rise)
    if factor >= 1e6:
        mantissa, exponent = f"{factor:.0e}".split("e")
        return f"{mantissa}e{int(exponent)} times"
    return f"{int(float(f'{factor:.1e}')):,} times"


def factor_words(factor: float) -> str:
    """How many times, in words of two digits.

    Examples
    --------
    >>> factor_words(2.13), factor_words(75.4), factor_words(4.2e12)
    ('2.1 times', '75 times', '4e12 times')
    """
    return f"{factor:.1f} times" if factor < 9.95 else times(math.log(factor))
