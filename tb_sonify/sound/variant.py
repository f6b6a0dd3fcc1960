"""A preset as a listener wants it: at another speed, another pitch zoom, with guides."""

from dataclasses import replace

from tb_sonify.sound.encoding import Encoding
from tb_sonify.sound.voice import REFERENCE_LEVEL, Preset, StreamPreset


def variant(
    preset: Preset,
    *,
    speed: float | None = None,
    encoding: Encoding | None = None,
    reference: bool = False,
    muted: tuple[int, ...] = (),
) -> Preset:
    """The preset with what was asked for, and otherwise as it is.

    Parameters
    ----------
    speed
        Notes per second; of an arrangement in turn, layers per second.
    encoding
        From norm to pitch.
    reference
        Whether a quiet tone marks norm 1.
    muted
        Numbers of streams that are not to be heard; those that the preset lacks do not matter.

    Raises
    ------
    ValueError
        If a preset that is not made of streams is to be anything else than it is, or a value is
        out of its range.
    """
    if not isinstance(preset, StreamPreset):
        if (speed, encoding, reference, muted) != (None, None, False, ()):
            raise ValueError(
                f"the preset {preset.name!r} plays as it is: speed, pitch zoom, polarity, "
                "reference tone and muted streams need another"
            )
        return preset
    if speed is not None:
        preset = preset.at_speed(speed)
    return replace(
        preset,
        encoding=preset.encoding if encoding is None else encoding,
        reference=REFERENCE_LEVEL if reference else preset.reference,
        muted=tuple(stream for stream in muted if stream < preset.streams) or preset.muted,
    )
