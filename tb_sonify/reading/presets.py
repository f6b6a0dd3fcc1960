"""The presets that a run's sound can be rendered in: the built-in ones and its user's own."""

from collections.abc import Mapping
from typing import Any

from tb_sonify.reading.hearable import Hearable
from tb_sonify.sound import PRESETS, Preset, StreamPreset, preset_from_json

_MOST_OWN = 16


def own_presets(options: Mapping[str, Any]) -> tuple[StreamPreset, ...]:
    """The presets that were stored among the options of rows; those that are none are left out."""
    stored = options.get("presets")
    found: dict[str, StreamPreset] = {}
    for value in stored[:_MOST_OWN] if isinstance(stored, list) else ():
        try:
            preset = preset_from_json(value)
        except ValueError:
            continue
        if preset.name not in PRESETS:
            found.setdefault(preset.name, preset)
    return tuple(found.values())


def presets_of(source: Hearable) -> Mapping[str, Preset]:
    """The presets for some notes by name, the default first."""
    if source.scale is not None:
        return {"single": PRESETS["single"]}
    return {**PRESETS, **{preset.name: preset for preset in source.own_presets}}
