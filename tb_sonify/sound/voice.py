"""How a preset sounds: declarative, immutable, no synthesis here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from tb_sonify.sound.encoding import Encoding


@dataclass(frozen=True, slots=True)
class Voice:
    """The timbre of one stream: constant, so that pitch alone carries the norm."""

    harmonics: tuple[float, ...]  # amplitude of each partial, the fundamental first


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
    channels: int = 2

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
