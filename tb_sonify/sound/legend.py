"""A legend that can be heard: the two ends of the scale and its middle, with their words."""

from dataclasses import dataclass

import numpy as np

from tb_sonify.sound.notes import Notes, aggregate
from tb_sonify.sound.scale import Scale
from tb_sonify.sound.voice import StreamPreset

_SECONDS = 0.9  # of each tone
_PAUSE_SECONDS = 0.3


@dataclass(frozen=True)
class Legend:
    """Notes of one layer that play a scale, and what they are, in words."""

    notes: Notes
    words: str


def legend(preset: StreamPreset, scale: Scale | None = None) -> Legend:
    """The lowest pitch, the one of norm 1 and the highest one; for a scalar, those of its scale.

    Parameters
    ----------
    scale
        Of the scalar that is heard; `None`: norms are.
    """
    if scale is None:
        low, high = preset.encoding.norm_range
        stops = [(low, f"{low:.3g}"), (1.0, "1"), (high, f"{high:.3g}")]
        if not low < 1 < high:
            stops.pop(1)
        subject = "gradient norms"
    else:
        values = np.array([scale.low, scale.middle, scale.high])
        names = [f"{value:.4g}" for value in values]
        stops = list(zip(scale(values).tolist(), names, strict=True))
        subject = f"{scale.kind} scale"
    tone, pause = preset.notes_in(_SECONDS), preset.notes_in(_PAUSE_SECONDS)
    norms = np.concatenate([[norm] * tone + [-1.0] * pause for norm, _ in stops])
    pitches = preset.encoding(np.array([norm for norm, _ in stops]))
    named = [f"{name} is {hz:.0f} Hz" for (_, name), hz in zip(stops, pitches, strict=True)]
    notes = aggregate(norms[:, None].astype(np.float32), rows_per_note=1)
    return Legend(notes, f"{subject}: {', '.join(named)}")
