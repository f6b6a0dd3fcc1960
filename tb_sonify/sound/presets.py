"""Presets as immutable data: voices, timing and levels, with their checks and their JSON form."""

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tb_sonify.sound import loudness as equal
from tb_sonify.sound.classic import SequencePreset
from tb_sonify.sound.loudness import Loudness
from tb_sonify.sound.pitch import HIGHEST_HZ, SEMITONES_PER_OCTAVE, Encoding

SPEEDS = (4.0, 32.0)  # notes per second: the slowest and the fastest
REFERENCE_LEVEL = 0.015  # -36.5 dB of full scale: audible to those who listen for it

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")

# Bounds of the fields: a preset can come out of an event file that anybody wrote.
_SAMPLE_RATES = (8_000, 48_000)
_MOST_TITLE = 80
_MOST_STREAMS = 32
_MOST_HARMONICS = 16
_MOST_REGISTER = 24  # semitones
_MOST_GAIN = 40.0  # dB
_LOUDEST = 0.5
_MOST_ENTRIES = 64  # of a list in JSON


@dataclass(frozen=True, slots=True)
class Voice:
    """The timbre and the register of one stream: constant, so that pitch alone carries the norm.

    Attributes
    ----------
    harmonics
        Amplitude of each partial, the fundamental first.
    register
        Semitones by which the stream sounds above the pitch of its norm.
    loudness
        The gain in dB at which the timbre is equally loud at each of some frequencies in Hz.
    """

    harmonics: tuple[float, ...]
    register: int = 0
    loudness: Loudness = equal.ONE_REGISTER

    def __post_init__(self) -> None:
        _check_range("number of harmonics", len(self.harmonics), 1, _MOST_HARMONICS)
        for amplitude in self.harmonics:
            _check_range("amplitude of a harmonic", amplitude, 0, 1)
        _check_range("register", self.register, -_MOST_REGISTER, _MOST_REGISTER)
        _check_range("number of frequencies in loudness", len(self.loudness), 1, _MOST_ENTRIES)
        before = 0.0
        for hz, gain_db in self.loudness:
            _check_range("gain in loudness", gain_db, -_MOST_GAIN, _MOST_GAIN)
            if not before < hz < _SAMPLE_RATES[1]:
                raise ValueError(f"frequencies in loudness must increase from above 0, got {hz!r}")
            before = hz

    @property
    def transposition(self) -> float:
        """Factor of the register on frequencies."""
        return float(2 ** (self.register / SEMITONES_PER_OCTAVE))


@dataclass(frozen=True, kw_only=True)
class StreamPreset:
    """Layers grouped by depth into streams, each at the median norm of its layers.

    A note holds the pitch of the note before for `tail` sample frames, then glides to its own
    within `glide` frames and stays there. Because every note begins by holding, two clips that
    overlap by `tail` cross-fade without a seam.

    Attributes
    ----------
    arrangement
        ``"together"``: all streams at once, one of `voices` each. ``"in turn"``: one after the
        other in order of depth, in the first voice, then a rest of the same length.
    streams
        Largest number of groups of layers. Where voices differ in register, fewer groups have
        the outer ones, and a single group the middle one, else the first ones.
    width
        Pan of the first and the last stream, 0 (mono) to 1.
    level
        Amplitude of a stream's fundamental at 440 Hz, relative to full scale.
    earcon_level
        Peak of the loudest earcon, relative to full scale.
    stagger
        Delay of each stream's glide after that of the stream before, in sample frames: onsets
        that do not coincide are easier to tell apart.
    texture
        Whether instability is rendered as tremolo and roughness.
    judged
        Whether instability and spikes must be more than the run's own jitter explains.
    compared
        Whether two tones mark where the other streams cross the first, as a validation loss the
        training loss.
    pad
        dB by which a stream is lowered, with half of its overtones and without texture, while it is
        as in its notes before; what is unusual is heard in full. The jitter of the pitch is
        smoothed then, so that single norms can't be read off. 0: always in full.
    reference
        Amplitude of a steady tone at the pitch of norm 1, relative to full scale; 0: none.
    muted
        Numbers of silent streams; the others sound as if none were muted.

    Raises
    ------
    ValueError
        If a value is out of its range, a note is too short for `tail`, `stagger` and `glide`, or
        the highest partial is above the Nyquist frequency.
    """

    adjustable: ClassVar[bool] = True
    """Whether speed, encoding, reference tone, muted streams, ticks and a legend are available."""

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
    judged: bool = False
    compared: bool = False
    pad: float = 0.0
    encoding: Encoding = field(default_factory=Encoding)
    reference: float = 0.0
    muted: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _check_names(self.name, self.title)
        if self.arrangement not in ("together", "in turn"):
            raise ValueError(
                f"arrangement must be 'together' or 'in turn', got {self.arrangement!r}"
            )
        _check_range("sample_rate", self.sample_rate, *_SAMPLE_RATES)
        _check_range("streams", self.streams, 1, _MOST_STREAMS)
        _check_range("tail", self.tail, 1, self.sample_rate // 50)
        _check_range("glide", self.glide, 1, self.sample_rate)
        _check_range("stagger", self.stagger, 0, self.sample_rate)
        voices = self.streams if self.arrangement == "together" else 1
        if len(self.voices) != voices:
            raise ValueError(f"voices must be one per stream, {voices}, got {len(self.voices)}")
        moves = self.tail + self.stagger * (voices - 1) + self.glide
        fastest, slowest = (self.sample_rate / speed for speed in reversed(SPEEDS))
        _check_range("note_frames", self.note_frames, max(moves, fastest), slowest)
        for voice in self.voices:
            partials, highest = len(voice.harmonics), HIGHEST_HZ * voice.transposition
            if partials * highest >= self.sample_rate / 2:
                raise ValueError(
                    f"{partials} harmonics of {highest:.0f} Hz must be under half of the sample "
                    f"rate, got {self.sample_rate} Hz"
                )
        _check_range("width", self.width, 0, 1)
        _check_range("level", self.level, 0, _LOUDEST)
        _check_range("pad", self.pad, 0, _MOST_GAIN)
        _check_range("earcon_level", self.earcon_level, 0, _LOUDEST)
        _check_range("reference", self.reference, 0, _LOUDEST)
        for stream in self.muted:
            _check_range("muted stream", stream, 0, self.streams - 1)

    @property
    def channels(self) -> int:
        """Left and right."""
        return 2

    @property
    def speed(self) -> float:
        """Notes per second; if streams sound in turn, streams per second."""
        return self.sample_rate / self.note_frames

    @property
    def synth_key(self) -> "StreamPreset":
        """The preset without the fields that change no oscillator phase: a cache key."""
        return replace(self, muted=(), reference=0.0)

    def at_speed(self, notes_per_second: float) -> "StreamPreset":
        """Copy with another `speed`; pitch and timbre stay.

        Raises
        ------
        ValueError
            If the speed is not within `SPEEDS`.
        """
        _check_range("notes per second", notes_per_second, *SPEEDS)
        return replace(self, note_frames=round(self.sample_rate / notes_per_second))

    def notes_in(self, seconds: float) -> int:
        """Nearest whole number of notes in a duration, at least 1."""
        return max(round(seconds * self.speed), 1)

    def streams_for(self, layers: int) -> int:
        """Number of streams of a model with so many layers."""
        return min(layers, self.streams)

    def stream_voices(self, streams: int) -> tuple[Voice, ...]:
        """The voice of each of so many streams, at most `streams` of the preset."""
        if self.arrangement == "in turn":
            return self.voices * streams
        if streams == len(self.voices) or len({voice.register for voice in self.voices}) == 1:
            return self.voices[:streams]
        if streams == 1:
            return (self.voices[len(self.voices) // 2],)
        spread = np.linspace(0, len(self.voices) - 1, streams)
        return tuple(self.voices[number] for number in np.rint(spread).astype(int))

    def pans(self, streams: int) -> NDArray[np.float64]:
        """The pan of each of so many streams, -1 (left) to 1 (right)."""
        return np.linspace(-self.width, self.width, streams) if streams > 1 else np.zeros(streams)

    def events(self, layers: int) -> int:
        """Number of consecutive sounds in a note."""
        return 1 if self.arrangement == "together" else self.streams_for(layers) + 1

    def event_frames(self, layers: int) -> int:  # noqa: ARG002 - interface of presets
        """Sample frames of each of the `events` of a note."""
        return self.note_frames

    def hop(self, layers: int) -> int:
        """Sample frames from one note to the next."""
        return self.note_frames * self.events(layers)


def _check_range(what: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{what} must be {low:g} to {high:g}, got {value!r}")


def _check_names(name: str, title: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"name of a preset must be up to 32 of a-z, 0-9 and -, not - first, got {name!r}"
        )
    if not 0 < len(title) <= _MOST_TITLE or not title.isprintable():
        raise ValueError(f"title must be 1 to {_MOST_TITLE} printable characters, got {title!r}")


Preset: TypeAlias = StreamPreset | SequencePreset

# The highest pitch, 2,042 Hz, leaves room for five partials under the Nyquist frequency.
_WARM = Voice((1.0, 0.50, 0.25, 0.12, 0.06))
# An octave for each stream: in one register, the streams of a healthy run beat. A second partial in
# a lower register would beat with the stream above.
_REGISTERS = (
    Voice((1.0, 0.00, 0.30, 0.00, 0.08), register=-12, loudness=equal.EARLY),
    Voice((1.0, 0.00, 0.12), register=0, loudness=equal.MIDDLE),
    Voice((1.0, 0.06), register=12, loudness=equal.LATE),
)

_SINGLE = StreamPreset(
    name="single",
    title="Single: one stream",
    streams=1,
    voices=(_WARM,),
    level=0.130,
)
_TABLE: tuple[Preset, ...] = (
    StreamPreset(
        name="smooth",
        title="Smooth: three streams",
        stagger=180,
        voices=_REGISTERS,
        level=0.039,
        judged=True,
    ),
    StreamPreset(
        name="calm",
        title="Calm: quiet while all is as before",
        glide=480,
        stagger=80,
        voices=_REGISTERS,
        level=0.039,
        judged=True,
        pad=12.0,
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
    _SINGLE,
)
PRESETS: Mapping[str, Preset] = {preset.name: preset for preset in _TABLE}
"""Every preset by its name; the first is the default."""

PAIR = StreamPreset(
    name="pair",
    title="Pair: training and validation",
    stagger=180,
    streams=2,
    voices=_REGISTERS[1:],
    level=0.055,
    compared=True,
)
"""Two scalars on one scale, the second an octave above: equal values are an octave apart."""

SCALAR = replace(_SINGLE, judged=True)
"""The preset `single` as a scalar is heard: judged by its own past."""

# A preset of one's own could be named calm before there was ours.
VERSIONS: Mapping[str, int] = {"smooth": 2, "calm": 2}
"""Version of each preset whose sound is not its first."""

_EARLIER: Mapping[tuple[str, int], StreamPreset] = {
    ("smooth", 1): StreamPreset(
        name="smooth-1",
        title="Smooth, version 1: one register",
        stagger=180,
        voices=(_WARM, Voice((1.0, 0.00, 0.40, 0.00, 0.12)), Voice((1.0, 0.15, 0.05, 0.25, 0.10))),
        level=0.078,
    ),
}
EARLIER_PRESETS: Mapping[str, StreamPreset] = {each.name: each for each in _EARLIER.values()}
"""Presets as they were, by a name of their own: for runs that were logged with them."""


def preset_version(name: str, version: int) -> Preset | None:
    """A preset at a version, `None` if it is not known here."""
    if version == VERSIONS.get(name, 1):
        return PRESETS.get(name)
    return _EARLIER.get((name, version))


def resolve_presets(presets: Sequence[str | StreamPreset]) -> list[Preset]:
    """Presets by name or as they are, without duplicates.

    Raises
    ------
    ValueError
        If a name is unknown, two different presets share a name, or it is no sequence.
    """
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


def adjust(
    preset: Preset,
    *,
    speed: float | None = None,
    encoding: Encoding | None = None,
    reference: bool = False,
    muted: tuple[int, ...] = (),
) -> Preset:
    """Copy of a preset with playback options; those left out stay as in the preset.

    Parameters
    ----------
    speed
        Notes per second; if streams sound in turn, streams per second.
    encoding
        From norm to pitch.
    reference
        Whether a quiet tone marks norm 1.
    muted
        Numbers of streams to silence; numbers beyond the preset's streams are ignored.

    Raises
    ------
    ValueError
        If an option is given for a preset that is not `adjustable`, or is out of its range.
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


# Fields that the first version of the format lacks, and their values then.
_LATER_FIELDS: Mapping[str, object] = {"judged": False, "compared": False, "pad": 0.0}
_LATER_OF_VOICES: Mapping[str, object] = {"register": 0, "loudness": equal.ONE_REGISTER}


def preset_to_json(preset: Preset) -> dict[str, Any]:
    """A preset as a JSON object; `preset_from_json` is the inverse for a `StreamPreset`.

    What is as in the first version of the format is left out, so that its readers know the rest.
    """
    made = asdict(preset)
    if isinstance(preset, StreamPreset):
        for name, usual in _LATER_FIELDS.items():
            if made[name] == usual:
                del made[name]
        made["voices"] = tuple(
            {name: each for name, each in voice.items() if _LATER_OF_VOICES.get(name) != each}
            for voice in made["voices"]
        )
    return made


def preset_from_json(value: object) -> StreamPreset:
    """Validate a decoded JSON value, which may be anything, as a preset.

    Raises
    ------
    ValueError
        If a field is missing, unknown, of another type or out of its range.
    """
    known = {each.name for each in fields(StreamPreset)}
    later = _LATER_FIELDS.keys()
    table = {**_LATER_FIELDS, **_object("a preset", value, known - later, optional=later)}
    voices = [_voice(each) for each in _list("voices", table["voices"])]
    kinds = {"zoom": int, "center": float, "polarity": str}
    encoding = _object("encoding", table["encoding"], set(kinds))
    for name in ("texture", "judged", "compared"):
        if not isinstance(table[name], bool):
            raise _type_error(name, "true or false", table[name])
    muted = [_typed("muted stream", each, int) for each in _list("muted", table["muted"])]
    for each in fields(StreamPreset):
        if isinstance(each.type, type) and each.type in (str, int, float):
            _typed(each.name, table[each.name], each.type)
    return StreamPreset(
        **{
            **table,
            "voices": tuple(voices),
            "encoding": Encoding(
                **{name: _typed(name, encoding[name], kind) for name, kind in kinds.items()}
            ),
            "muted": tuple(muted),
        }
    )


def _voice(value: object) -> Voice:
    table = _object("a voice", value, {"harmonics"}, optional=_LATER_OF_VOICES.keys())
    amplitudes = _list("harmonics", table["harmonics"])
    voice = Voice(tuple(_typed("amplitude of a harmonic", each, float) for each in amplitudes))
    if "register" in table:
        voice = replace(voice, register=_typed("register", table["register"], int))
    if "loudness" in table:
        points = [_list("loudness", each) for each in _list("loudness", table["loudness"])]
        if any(len(point) != len(("Hz", "dB")) for point in points):
            raise _type_error("loudness", "pairs of a frequency and a gain", table["loudness"])
        numbers = [tuple(_typed("loudness", each, float) for each in point) for point in points]
        voice = replace(voice, loudness=tuple(numbers))
    return voice


def _object(
    what: str, value: object, names: set[str], *, optional: Set[str] = frozenset()
) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or set(value) - optional != names:
        raise _type_error(what, f"an object of {', '.join(sorted(names))}", value)
    return value


def _list(what: str, value: object) -> list[Any]:
    if not isinstance(value, (list, tuple)) or len(value) > _MOST_ENTRIES:
        raise _type_error(what, f"a list of at most {_MOST_ENTRIES}", value)
    return list(value)


def _typed(what: str, value: Any, wanted: type) -> Any:
    accepted = (int, float) if wanted is float else wanted
    if not isinstance(value, accepted) or isinstance(value, bool):
        raise _type_error(what, f"of type {wanted.__name__}", value)
    return value


def _type_error(what: str, expected: str, value: object) -> ValueError:
    return ValueError(f"{what} must be {expected}, got {repr(value)[:200]}")
