"""The types of landmarks, and the words of their sentences."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

KINDS = (
    "nan",
    "inf",
    "explosion",
    "collapse",
    "spike",
    "vanishing",
    "plateau",
    "escape",
    "restart",
)
"""Every kind of landmark, the most severe first."""


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
    """

    kind: str
    step: int
    note: int
    layer: str | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Finding:
    """An event that a detector found, by its note."""

    kind: str
    note: int
    layer: str | None
    sentence: str


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
