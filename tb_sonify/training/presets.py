"""Which presets a writer logs clips of."""

from collections.abc import Sequence

from tb_sonify.sound import PRESETS, Preset, StreamPreset


def chosen_presets(presets: Sequence[str | StreamPreset]) -> list[Preset]:
    """The presets meant, each once."""
    named = [presets] if isinstance(presets, StreamPreset) else presets
    unknown = [each for each in named if isinstance(each, str) and each not in PRESETS]
    if isinstance(presets, (str, StreamPreset)) or unknown:
        known = ", ".join(map(repr, PRESETS))
        raise ValueError(
            f"presets must be a sequence of StreamPreset, or names out of {known}, got {presets!r}"
        )
    chosen: dict[str, Preset] = {}
    for each in presets:
        preset = PRESETS[each] if isinstance(each, str) else each
        if (PRESETS.get(preset.name) or chosen.get(preset.name, preset)) != preset:
            raise ValueError(f"another preset is named {preset.name!r}: choose another name")
        chosen[preset.name] = preset
    return list(chosen.values())
