"""Gradient norms as sound: numbers in, samples out. Knows neither torch nor TensorBoard."""

from tb_sonify.sound.encode import HEADER_BYTES, encode_wav, wav_header
from tb_sonify.sound.encoding import Encoding
from tb_sonify.sound.guides import epoch_ticks
from tb_sonify.sound.legend import Legend, legend
from tb_sonify.sound.notes import Notes, aggregate
from tb_sonify.sound.preset_json import preset_from_json, preset_to_json
from tb_sonify.sound.render import Lead, advance, phases_at, render
from tb_sonify.sound.scale import Scale
from tb_sonify.sound.streams import STREAM_NAMES, stream_layers
from tb_sonify.sound.variant import variant
from tb_sonify.sound.voice import (
    PRESETS,
    REFERENCE_LEVEL,
    SPEEDS,
    Preset,
    SequencePreset,
    StreamPreset,
    Voice,
)
from tb_sonify.sound.voicing import CONTEXT_NOTES

__all__ = [
    "CONTEXT_NOTES",
    "HEADER_BYTES",
    "PRESETS",
    "REFERENCE_LEVEL",
    "SPEEDS",
    "STREAM_NAMES",
    "Encoding",
    "Lead",
    "Legend",
    "Notes",
    "Preset",
    "Scale",
    "SequencePreset",
    "StreamPreset",
    "Voice",
    "advance",
    "aggregate",
    "encode_wav",
    "epoch_ticks",
    "legend",
    "phases_at",
    "preset_from_json",
    "preset_to_json",
    "render",
    "stream_layers",
    "variant",
    "wav_header",
]
