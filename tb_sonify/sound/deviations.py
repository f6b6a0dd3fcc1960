"""Deviations: notes in which a norm is far above its own past, judged by the notes just before."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tb_sonify.schema.notes import MEDIAN_CONTEXT, recent_median
from tb_sonify.sound.streams import middle_values

NOISE = 32  # residuals before a note, by whose median size its own is judged
DEVIATION_NOTES = MEDIAN_CONTEXT + NOISE  # before a note, by which its deviation is known

_KNOWN = 24  # residuals, the fewest that tell
_LEAST_SPREAD = 0.02  # natural log: a constant series has some, too


class Threshold(NamedTuple):
    """What a norm must exceed: its recent median by a factor, and by so many spreads."""

    factor: float
    spreads: float


@dataclass(frozen=True)
class Residuals:
    """Norms beside their recent median, and the noise that tells how much that says.

    Attributes
    ----------
    rises
        Natural log of a norm above the median of those before, NaN where either is not known,
        shape ``(notes, series)``.
    medians
        Of the logs before each note, as `rises`.
    """

    rises: NDArray[np.float32]
    medians: NDArray[np.float32]

    @classmethod
    def of(cls, norms: NDArray[np.floating]) -> "Residuals":
        """Residuals of norms, shape ``(notes, series)``; what is not above 0 is not known."""
        logs = np.full((MEDIAN_CONTEXT + len(norms), norms.shape[1]), np.nan, np.float32)
        np.log(norms, out=logs[MEDIAN_CONTEXT:], where=norms > 0, casting="same_kind")
        medians = recent_median(logs)
        return cls(logs[MEDIAN_CONTEXT:] - medians, medians)

    def exceed(
        self, threshold: Threshold, unknown: NDArray[np.bool_] | None = None
    ) -> NDArray[np.bool_]:
        """Where norms exceed a threshold; where their spread is not known, as `unknown` says."""
        found = np.asarray(self.rises > np.log(threshold.factor))
        at = np.nonzero(found)
        spreads = self.spreads(*at)
        found[at] = self.rises[at] > threshold.spreads * spreads
        if unknown is not None:
            found[at] |= np.isnan(spreads) & unknown[at]
        return found

    def spreads(self, notes: NDArray[np.intp], series: NDArray[np.intp]) -> NDArray[np.float64]:
        """Standard deviation of the residuals before some notes of some series, one for each pair.

        It is that of normal noise of the same median size; NaN where few residuals are known.
        """
        sizes = np.pad(np.abs(self.rises), ((NOISE, 0), (0, 0)), constant_values=np.nan)
        recent = sizes[notes[:, None] + np.arange(NOISE), series[:, None]]
        spread = np.maximum(1.4826 * middle_values(recent)[1], _LEAST_SPREAD)
        known = np.count_nonzero(~np.isnan(recent), axis=1) >= _KNOWN
        return np.where(known, spread, np.nan)
