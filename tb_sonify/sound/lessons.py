"""What each sound of the preset `smooth` means, with norms that produce it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb_sonify.schema.notes import NO_GRADIENT, aggregate
from tb_sonify.sound.presets import PRESETS
from tb_sonify.sound.render import render

_PRESET = PRESETS["smooth"]
SAMPLE_RATE = _PRESET.sample_rate  # in Hz

_NOTES = 50  # three seconds
_LAYERS = 3


@dataclass(frozen=True)
class Lesson:
    """One sound: name, meaning, and the norms that produce it."""

    name: str
    meaning: str
    norms: NDArray[np.float64]  # shape ``(notes, layers)``

    def render(self) -> NDArray[np.int16]:
        """The sound, shape ``(frames, channels)``, at `SAMPLE_RATE`."""
        notes = aggregate(self.norms.astype(np.float32), rows_per_note=1)
        return render(notes, preset=_PRESET)


def lessons() -> tuple[Lesson, ...]:
    """All lessons in teaching order, about a minute of sound."""
    return (
        Lesson(
            "one",
            "a norm of 1 in all layers: 220, 440 and 880 Hz, an octave for each third of them",
            _steady(1.0),
        ),
        Lesson("scale", "from 1e-8 to 1e8: a semitone up is twice the norm", _scale()),
        Lesson(
            "early",
            "early layers, low and on the left, at norm 1; the others have no gradient",
            _only(0),
        ),
        Lesson("middle", "middle layers, an octave above, in the centre", _only(1)),
        Lesson("late", "late layers, another octave above, on the right", _only(2)),
        Lesson(
            "apart",
            "equal norms are octaves; now the middle layers have half, and a quarter, of it",
            _apart(),
        ),
        Lesson("learning", "an ordinary run: all norms vary a little from step to step", _run()),
        Lesson("noisy", "tremolo: noisy norms, that jump up and down", _jumping()),
        Lesson("diverging", "rougher and higher: norms keep growing", _growing()),
        Lesson("spike", "a bell: a spike in one layer for one step", _event(60.0)),
        Lesson("unusual", "a chime: all norms are far above their noise for one step", _unusual()),
        Lesson("crossing", "two tones, up: the norms cross 1; down: back again", _crossing()),
        Lesson("zero", "a falling thud: the middle layers are exactly zero, dead", _event(0.0, 40)),
        Lesson("infinity", "a sweep upwards: infinity in the middle layers", _event(np.inf)),
        Lesson("nan", "a clash: NaN in the middle layers", _event(np.nan)),
        Lesson("broken", "NaN from here on: the clash repeats twice a second", _event(np.nan, 40)),
    )


def _steady(norm: float) -> NDArray[np.float64]:
    return np.full((_NOTES, _LAYERS), norm)


def _scale() -> NDArray[np.float64]:
    return np.repeat(10.0 ** np.linspace(-8, 8, 80)[:, None], _LAYERS, axis=1)


def _apart() -> NDArray[np.float64]:
    norms = _steady(1.0)
    norms[20:35, 1], norms[35:, 1] = 0.5, 0.25
    return norms


def _only(layer: int) -> NDArray[np.float64]:
    norms = np.full((_NOTES, _LAYERS), NO_GRADIENT)
    norms[:, layer] = 1.0
    return norms


def _run(spread: float = 0.25) -> NDArray[np.float64]:
    noise = np.random.default_rng(0).normal(0, spread, (_NOTES, _LAYERS))
    return np.exp(noise) * (0.2, 0.8, 0.5)


def _jumping() -> NDArray[np.float64]:
    swing = 3.0 ** ((-1.0) ** np.arange(_NOTES))
    return _run(0.05) * swing[:, None]


def _growing() -> NDArray[np.float64]:
    return _run(0.05) * 1.3 ** np.arange(_NOTES)[:, None]


def _event(norm: float, notes: int = 1) -> NDArray[np.float64]:
    norms = _run(0.1)
    norms[_NOTES - 40 : _NOTES - 40 + notes, 1] = norm
    return norms


def _unusual() -> NDArray[np.float64]:
    norms = _run(0.05)
    norms[40] *= 5
    return norms


def _crossing() -> NDArray[np.float64]:
    levels = np.interp(np.arange(110), [0, 10, 30, 70, 90], [-1, -1, 1, 1, -1])
    return np.repeat(np.exp2(levels)[:, None], _LAYERS, axis=1)
