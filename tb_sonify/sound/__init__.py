"""Gradient norms as sound: numbers in, samples out. Knows neither torch nor TensorBoard."""

from tb_sonify.sound.encode import encode_wav
from tb_sonify.sound.encoding import Encoding
from tb_sonify.sound.notes import Notes, aggregate
from tb_sonify.sound.render import Lead, advance, render
from tb_sonify.sound.scale import Scale
from tb_sonify.sound.streams import STREAM_NAMES, stream_layers
from tb_sonify.sound.voice import PRESETS, Preset, SequencePreset, StreamPreset, Voice

__all__ = [
    "PRESETS",
    "STREAM_NAMES",
    "Encoding",
    "Lead",
    "Notes",
    "Preset",
    "Scale",
    "SequencePreset",
    "StreamPreset",
    "Voice",
    "advance",
    "aggregate",
    "encode_wav",
    "render",
    "stream_layers",
]
