"""Presets as JSON, in which those that a user made are stored beside what they are for."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from tb_sonify.sound.encoding import Encoding
from tb_sonify.sound.voice import StreamPreset, Voice

_TYPES: Mapping[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float)}
_MOST_ENTRIES = 64


def preset_to_json(preset: StreamPreset) -> dict[str, Any]:
    """A preset as a JSON object; its inverse is `preset_from_json`."""
    return asdict(preset)


def preset_from_json(value: object) -> StreamPreset:
    """The preset in a JSON object, which may be anything.

    Raises
    ------
    ValueError
        If it is not a preset: a field is missing, unknown, of another type or out of its range.
    """
    table = _object("a preset", value, {field.name for field in fields(StreamPreset)})
    voices = [_voice(each) for each in _list("voices", table["voices"])]
    encoding = _object("encoding", table["encoding"], {"zoom", "center", "polarity"})
    if not isinstance(table["texture"], bool):
        raise _wrong("texture", "true or false", table["texture"])
    muted = [_whole("muted stream", each) for each in _list("muted", table["muted"])]
    for field in fields(StreamPreset):
        if field.type in ("str", "int", "float", str, int, float):
            name = field.type if isinstance(field.type, str) else field.type.__name__
            _typed(field.name, table[field.name], name)
    return StreamPreset(
        **{
            **table,
            "voices": tuple(voices),
            "encoding": Encoding(
                zoom=_whole("zoom", encoding["zoom"]),
                center=_typed("center", encoding["center"], "float"),
                polarity=_typed("polarity", encoding["polarity"], "str"),
            ),
            "muted": tuple(muted),
        }
    )


def _voice(value: object) -> Voice:
    amplitudes = _list("harmonics", _object("a voice", value, {"harmonics"})["harmonics"])
    return Voice(tuple(_typed("amplitude of a harmonic", each, "float") for each in amplitudes))


def _object(what: str, value: object, names: set[str]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or set(value) != names:
        raise _wrong(what, f"an object of {', '.join(sorted(names))}", value)
    return value


def _list(what: str, value: object) -> list[Any]:
    if not isinstance(value, (list, tuple)) or len(value) > _MOST_ENTRIES:
        raise _wrong(what, f"a list of at most {_MOST_ENTRIES}", value)
    return list(value)


def _whole(what: str, value: object) -> int:
    return int(_typed(what, value, "int"))


def _typed(what: str, value: Any, name: str) -> Any:
    if not isinstance(value, _TYPES[name]) or isinstance(value, bool):
        raise _wrong(what, f"of type {name}", value)
    return value


def _wrong(what: str, expected: str, value: object) -> ValueError:
    return ValueError(f"{what} must be {expected}, got {repr(value)[:200]}")
