"""How a preset sounds: declarative, immutable, no synthesis here."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, TypeAlias

from tb_sonify.sound.pitch import HIGHEST_HZ, Encoding

SPEEDS = (4.0, 32.0)  # notes per second that a preset can be heard at


REFERENCE_LEVEL = 0.015  # -36.5 dB of full scale: there when one listens for it


NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


# What a preset may ask for. A preset can come out of an event file that anybody wrote.
_SAMPLE_RATES = (8_000, 48_000)


_MOST_TITLE = 80


_MOST_STREAMS = 32


_MOST_HARMONICS = 16


_LOUDEST = 0.5


@dataclass(frozen=True, slots=True)
class Voice:
    """The timbre of one stream: constant, so that pitch alone carries the norm."""

    harmonics: tuple[float, ...]  # amplitude of each partial, the fundamental first

    def __post_init__(self) -> None:
        _within("number of harmonics", len(self.harmonics), 1, _MOST_HARMONICS)
        for amplitude in self.harmonics:
            _within("amplitude of a harmonic", amplitude, 0, 1)


@dataclass(frozen=True, kw_only=True)
class StreamPreset:
    """Layers grouped by depth into streams, each at the median norm of its layers.

    A note begins by holding the pitch before it for `tail` sample frames, then glides to its
    own within `glide` frames and stays. Because every note begins by holding, two clips that
    overlap by `tail` join as if they were one.

    Attributes
    ----------
    arrangement
        ``"together"``: all streams at once, one of `voices` each. ``"in turn"``: one after the
        other in order of depth, in the first voice, then a rest of the same length.
    streams
        At most so many groups of layers.
    width
        Pan of the first and the last stream, 0 (mono) to 1.
    level
        Amplitude of a stream's fundamental at 440 Hz, relative to full scale.
    earcon_level
        Peak of the loudest earcon, relative to full scale.
    stagger
        Sample frames by which each stream moves on after the one before it: onsets that do not
        coincide are easier to tell apart.
    texture
        Whether instability is heard as tremolo and roughness.
    reference
        Amplitude of a steady tone at the pitch of norm 1, relative to full scale; 0: none.
    muted
        Streams that are not heard, by number; the others sound as if they were.

    Raises
    ------
    ValueError
        Where a value is out of its range, a note is too short for what happens in it, or the
        highest partial is beyond half of the sample rate.
    """

    name: str
    title: str
    arrangement: Literal["together", "in turn"] = "together"
    sample_rate: int = 24_000  # Hz
    note_frames: int = 1_440
    tail: int = 96
    glide: int = 192
    stagger: int = 0
    streams: int = 3
    voices: tuple[Voice, ...]
    width: float = 0.7
    level: float
    earcon_level: float = 0.2
    texture: bool = True
    encoding: Encoding = field(default_factory=Encoding)
    reference: float = 0.0
    muted: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _check_names(self.name, self.title)
        if self.arrangement not in ("together", "in turn"):
            raise ValueError(
                f"arrangement must be 'together' or 'in turn', got {self.arrangement!r}"
            )
        _within("sample_rate", self.sample_rate, *_SAMPLE_RATES)
        _within("streams", self.streams, 1, _MOST_STREAMS)
        _within("tail", self.tail, 1, self.sample_rate // 50)
        _within("glide", self.glide, 1, self.sample_rate)
        _within("stagger", self.stagger, 0, self.sample_rate)
        voices = self.streams if self.arrangement == "together" else 1
        if len(self.voices) != voices:
            raise ValueError(f"voices must be one per stream, {voices}, got {len(self.voices)}")
        slowest = self.sample_rate / SPEEDS[0]
        moves = self.tail + self.stagger * (voices - 1) + self.glide
        _within("note_frames", self.note_frames, max(moves, self.sample_rate / SPEEDS[1]), slowest)
        partials = max(len(voice.harmonics) for voice in self.voices)
        if partials * HIGHEST_HZ >= self.sample_rate / 2:
            raise ValueError(
                f"{partials} harmonics of {HIGHEST_HZ:.0f} Hz must be under half of the sample "
                f"rate, got {self.sample_rate} Hz"
            )
        _within("width", self.width, 0, 1)
        _within("level", self.level, 0, _LOUDEST)
        _within("earcon_level", self.earcon_level, 0, _LOUDEST)
        _within("reference", self.reference, 0, _LOUDEST)
        for stream in self.muted:
            _within("muted stream", stream, 0, self.streams - 1)

    @property
    def channels(self) -> int:
        """Left and right."""
        return 2

    @property
    def speed(self) -> float:
        """Notes per second; of an arrangement in turn, layers per second."""
        return self.sample_rate / self.note_frames

    def at_speed(self, notes_per_second: float) -> "StreamPreset":
        """The same sound at another speed; pitch and timbre stay.

        Raises
        ------
        ValueError
            If the speed is not within `SPEEDS`.
        """
        _within("notes per second", notes_per_second, *SPEEDS)
        return replace(self, note_frames=round(self.sample_rate / notes_per_second))

    def notes_in(self, seconds: float) -> int:
        """The whole number of notes, at least one, that comes nearest to a time."""
        return max(round(seconds * self.speed), 1)

    def events(self, layers: int) -> int:
        """How many sounds follow each other in a note."""
        return 1 if self.arrangement == "together" else min(layers, self.streams) + 1

    def hop(self, layers: int) -> int:
        """Sample frames from one note to the next."""
        return self.note_frames * self.events(layers)


@dataclass(frozen=True, kw_only=True)
class SequencePreset:
    """Layers one after the other, a short tone each, then silence: the mapping of 2019.

    A tone has ``base_hz + slope_hz * norm`` Hz, held at `ceiling_hz`.
    """

    name: str
    title: str
    sample_rate: int  # Hz
    tone: int  # sample frames per layer
    edge: int  # sample frames of fade at both ends of a tone
    silence: int  # sample frames after the last layer
    base_hz: float
    slope_hz: float
    ceiling_hz: float
    amplitude: float  # peak, relative to full scale
    channels: int = 1
    tail: int = 0

    def hop(self, layers: int) -> int:
        """Sample frames from one note to the next."""
        return layers * self.tone + self.silence


def _within(what: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{what} must be {low:g} to {high:g}, got {value!r}")


def _check_names(name: str, title: str) -> None:
    if not NAME.fullmatch(name):
        raise ValueError(
            f"name of a preset must be up to 32 of a-z, 0-9 and -, not - first, got {name!r}"
        )
    if not 0 < len(title) <= _MOST_TITLE or not title.isprintable():
        raise ValueError(f"title must be 1 to {_MOST_TITLE} printable characters, got {title!r}")


Preset: TypeAlias = StreamPreset | SequencePreset


# The highest pitch, 2,042 Hz, leaves room for five partials under the Nyquist frequency.
_WARM = Voice((1.0, 0.50, 0.25, 0.12, 0.06))


_HOLLOW = Voice((1.0, 0.00, 0.40, 0.00, 0.12))


_BRIGHT = Voice((1.0, 0.15, 0.05, 0.25, 0.10))


_TABLE: tuple[Preset, ...] = (
    StreamPreset(
        name="smooth",
        title="Smooth: three streams",
        stagger=180,
        voices=(_WARM, _HOLLOW, _BRIGHT),
        level=0.078,
    ),
    StreamPreset(
        name="arpeggio",
        title="Arpeggio: layers in turn",
        arrangement="in turn",
        streams=8,
        voices=(_WARM,),
        level=0.145,
    ),
    SequencePreset(
        name="classic",
        title="Classic: the beeps of 2019",
        sample_rate=44_100,
        tone=441,
        edge=44,
        silence=882,
        base_hz=200.0,
        slope_hz=100.0,
        ceiling_hz=15_000.0,
        amplitude=0.1,
    ),
    StreamPreset(
        name="single",
        title="Single: one stream",
        streams=1,
        voices=(_WARM,),
        level=0.130,
    ),
)


PRESETS: Mapping[str, Preset] = {preset.name: preset for preset in _TABLE}


"""Every preset by its name; the first is the default."""


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
    table = _object("a preset", value, {each.name for each in fields(StreamPreset)})
    voices = [_voice(each) for each in _list("voices", table["voices"])]
    encoding = _object("encoding", table["encoding"], {"zoom", "center", "polarity"})
    if not isinstance(table["texture"], bool):
        raise _wrong("texture", "true or false", table["texture"])
    muted = [_whole("muted stream", each) for each in _list("muted", table["muted"])]
    for each in fields(StreamPreset):
        if each.type in ("str", "int", "float", str, int, float):
            name = each.type if isinstance(each.type, str) else each.type.__name__
            _typed(each.name, table[each.name], name)
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


def adjust(
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
