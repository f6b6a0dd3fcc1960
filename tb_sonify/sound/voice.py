"""How a preset sounds: declarative, immutable, no synthesis here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Voice:
    """The timbre of one stream: constant, so that pitch alone carries the norm."""

    harmonics: tuple[float, ...]  # amplitude of each partial, the fundamental first


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPreset:
    """Layers grouped by depth into streams that sound together, each at its median norm.

    A note of `note_frames` sample frames holds the pitch before it for `tail` frames, then
    glides to its own within `glide` frames and stays. Because every note begins by holding,
    two clips that overlap by `tail` join as if they were one.
    """

    name: str
    title: str
    sample_rate: int  # Hz
    note_frames: int
    tail: int
    glide: int
    voices: tuple[Voice, ...]  # early, middle, late
    width: float  # pan of the outermost streams, 0 (mono) to 1
    level: float  # amplitude of a stream's fundamental at 440 Hz, relative to full scale
    earcon_level: float  # peak of an earcon, relative to full scale
    channels: int = 2

    def hop(self, layers: int) -> int:
        """Sample frames from one note to the next; the same for any number of layers."""
        del layers
        return self.note_frames


@dataclass(frozen=True, slots=True, kw_only=True)
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

_TABLE: tuple[Preset, ...] = (
    StreamPreset(
        name="smooth",
        title="Smooth: three streams by depth",
        sample_rate=24_000,
        note_frames=1_440,
        tail=96,
        glide=192,
        # The highest pitch, 2,042 Hz, leaves room for five partials under the Nyquist frequency.
        voices=(
            Voice((1.0, 0.50, 0.25, 0.12, 0.06)),
            Voice((1.0, 0.00, 0.40, 0.00, 0.12)),
            Voice((1.0, 0.15, 0.05, 0.25, 0.10)),
        ),
        width=0.7,
        level=0.053,
        earcon_level=0.16,
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
)

PRESETS: Mapping[str, Preset] = {preset.name: preset for preset in _TABLE}
"""Every preset by its name; the first is the default."""
