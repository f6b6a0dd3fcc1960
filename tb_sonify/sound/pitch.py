"""Pitch: where a norm becomes a frequency in Hz, and a scalar a norm."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tb_sonify.schema.quantities import GRADIENT, RATIO

HZ_AT_NORM_1 = 440.0
SEMITONES_PER_OCTAVE = 12.0
DOUBLINGS_PER_OCTAVE = SEMITONES_PER_OCTAVE  # one semitone for each doubling of the norm
NORM_RANGE = (1e-8, 1e8)  # norms with a pitch of their own, without zoom
LOWEST_HZ, HIGHEST_HZ = (HZ_AT_NORM_1 * norm ** (1 / DOUBLINGS_PER_OCTAVE) for norm in NORM_RANGE)

# The ends of a `Scale` are at 110 Hz and 1,760 Hz, the four octaves around the norm-1 tone.
_LOWEST_LOG2, _HIGHEST_LOG2 = -24.0, 24.0
_DECADE = 10.0

_VALUES_AT_440_HZ = {RATIO: 1e-3}


def value_at_440_hz(quantity: str) -> float:
    """The value of a quantity that sounds as norm 1 does: values are divided by it to be heard.

    Healthy ratios of updates to weights are near 1e-3. It is fixed, so that runs can be compared.
    """
    return _VALUES_AT_440_HZ.get(quantity, 1.0)


def noun_of(quantity: str) -> str:
    """The word for one value of a quantity."""
    return {GRADIENT: "norm", RATIO: "ratio"}.get(quantity, f"{quantity} norm")


def hz_in_words(hz: float, registers: Sequence[float]) -> str:
    """A pitch in each of some registers, given their factors.

    Examples
    --------
    >>> hz_in_words(440.0, [0.5, 1, 2])
    '220, 440 and 880 Hz'
    """
    *others, last = (f"{hz * factor:.0f}" for factor in registers)
    return f"{', '.join(others)} and {last} Hz" if others else f"{last} Hz"


@dataclass(frozen=True, slots=True)
class Encoding:
    """Norm to frequency, log-linear: by default ``440 * norm ** (1 / 12)`` Hz.

    That is MIDI note ``69 + log2(norm)``, a semitone for each doubling. The mapping is absolute,
    so a norm has the same pitch in every run and clip. Norms below 1e-8 are held at 94.8 Hz,
    norms above 1e8 at 2,042 Hz. Other quantities than norms are divided by `value_at_440_hz` first.
    A stream sounds above or below it by the register of its voice.

    Attributes
    ----------
    zoom
        Semitones per doubling of the norm: 1, 2 or 4.
    center
        The norm whose pitch zoom and polarity do not change; of other quantities, in units of
        `value_at_440_hz`.
    polarity
        ``"up"``: a larger norm is higher; ``"down"``: lower.
    """

    zoom: int = 1
    center: float = 1.0
    polarity: Literal["up", "down"] = "up"

    def __post_init__(self) -> None:
        if self.zoom not in (1, 2, 4):
            raise ValueError(f"zoom must be 1, 2 or 4, got {self.zoom!r}")
        if not NORM_RANGE[0] <= self.center <= NORM_RANGE[1]:
            raise ValueError(f"center must be within {NORM_RANGE}, got {self.center!r}")
        if self.polarity not in ("up", "down"):
            raise ValueError(f"polarity must be 'up' or 'down', got {self.polarity!r}")

    def __call__(self, norm: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Pitch of positive norms in Hz, any shape; NaN stays NaN.

        Examples
        --------
        >>> Encoding()(np.array([1.0, 4096.0])).tolist()
        [440.0, 880.0]
        """
        doublings = np.log2(norm, dtype=np.float64) - np.log2(self.center)
        semitones = np.log2(self.center) + self.slope * doublings
        hz = HZ_AT_NORM_1 * np.exp2(semitones / DOUBLINGS_PER_OCTAVE)
        return np.asarray(np.clip(hz, LOWEST_HZ, HIGHEST_HZ))

    def __str__(self) -> str:
        return self.describe()

    def describe(self, quantity: str = GRADIENT, registers: Sequence[float] = (1.0,)) -> str:
        """The mapping of a quantity in words, given the factor of each register on frequencies."""
        pitches = hz_in_words(float(self(np.array([self.center]))[0]), registers)
        semitones = "a semitone" if self.zoom == 1 else f"{self.zoom} semitones"
        value, noun = self.center * value_at_440_hz(quantity), noun_of(quantity)
        of = " from early to late layers" if len(registers) > 1 else ""
        return f"{noun} {value:g} is {pitches}{of}, {semitones} {self.polarity} is twice the {noun}"

    @property
    def norm_range(self) -> tuple[float, float]:
        """Smallest and largest norm with a pitch of its own; beyond them the pitch is held."""
        reach = [
            self.center * (norm / self.center) ** (1 / self.slope)
            for norm in (NORM_RANGE if self.polarity == "up" else NORM_RANGE[::-1])
        ]
        return max(reach[0], NORM_RANGE[0]), min(reach[1], NORM_RANGE[1])

    @property
    def slope(self) -> int:
        """Semitones for each doubling of the norm; negative where a larger one is lower."""
        return self.zoom if self.polarity == "up" else -self.zoom


@dataclass(frozen=True, slots=True)
class Scale:
    """Scalar to norm, log or linear: `low` sounds at 110 Hz, `high` at 1,760 Hz.

    Runs that are compared share one scale.
    """

    kind: Literal["log", "linear"]
    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high or not np.isfinite([self.low, self.high]).all():
            raise ValueError(f"low must be below high, both finite, got {self.low}, {self.high}")
        if self.kind == "log" and self.low <= 0:
            raise ValueError(f"a log scale must begin above 0, got {self.low}")

    @classmethod
    def fit(cls, series: Iterable[NDArray[np.floating[Any]]]) -> "Scale":
        """Common scale of some series: log if all are positive and span more than a decade."""
        values = np.concatenate([np.ravel(values) for values in series] or [np.empty(0)])
        values = values[np.isfinite(values)].astype(np.float64)
        low, high = (values.min(), values.max()) if len(values) else (0.0, 1.0)
        if low == high:  # a constant sounds in the middle
            reach = min(abs(low) or 1.0, np.finfo(np.float64).max - abs(low))
            if low - reach < high:
                return cls("linear", float(low - reach), float(high + reach))
            low, high = sorted((low / 2, low))  # the largest that there is
        if low > 0 and high / _DECADE > low:
            return cls("log", float(low), float(high))
        return cls("linear", float(low), float(high))

    def __call__(self, scalars: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Norms of scalars, any shape; clipped to the ends, NaN and infinity stay."""
        values = np.asarray(scalars, np.float64)
        ends = np.array([self.low, self.high])
        if self.kind == "log":
            values, ends = np.log(np.maximum(values, self.low)), np.log(ends)
        elif np.abs(ends).max() > 1e300:  # their difference may be more than a float can say
            values, ends = values / 2, ends / 2
        share = np.clip((values - ends[0]) / (ends[1] - ends[0]), 0, 1)
        norms = np.exp2(_LOWEST_LOG2 + share * (_HIGHEST_LOG2 - _LOWEST_LOG2))
        return np.asarray(np.where(np.isfinite(scalars), norms, np.abs(scalars)), np.float32)

    @property
    def middle(self) -> float:
        """The scalar that sounds at 440 Hz."""
        if self.kind == "log":
            return float(np.sqrt(self.low * self.high))
        return (self.low + self.high) / 2

    def __str__(self) -> str:
        return f"{self.kind} scale, {self.low:.4g} (110 Hz) to {self.high:.4g} (1,760 Hz)"
