"""Gradient norms as sound: numbers in, samples out. Knows neither torch nor TensorBoard."""

from tb_sonify.sound.guides import Legend, epoch_ticks, legend
from tb_sonify.sound.pitch import Encoding, Scale
from tb_sonify.sound.presets import (
    PRESETS,
    REFERENCE_LEVEL,
    SPEEDS,
    Preset,
    SequencePreset,
    StreamPreset,
    Voice,
    adjust,
    preset_from_json,
    preset_to_json,
)
from tb_sonify.sound.render import SynthState, advance_state, phases_at, render
from tb_sonify.sound.streams import STREAM_NAMES, stream_layers
from tb_sonify.sound.voicing import CONTEXT_NOTES
from tb_sonify.sound.wav import HEADER_BYTES, encode_wav, wav_header

__all__ = [
    "CONTEXT_NOTES",
    "HEADER_BYTES",
    "PRESETS",
    "REFERENCE_LEVEL",
    "SPEEDS",
    "STREAM_NAMES",
    "Encoding",
    "SynthState",
    "Legend",
    "Preset",
    "Scale",
    "SequencePreset",
    "StreamPreset",
    "Voice",
    "advance_state",
    "encode_wav",
    "epoch_ticks",
    "legend",
    "phases_at",
    "preset_from_json",
    "preset_to_json",
    "render",
    "stream_layers",
    "adjust",
    "wav_header",
]
