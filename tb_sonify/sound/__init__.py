"""Sonification of gradient norms: arrays in, samples out; imports neither torch nor TensorBoard."""

from tb_sonify.sound.classic import SequencePreset
from tb_sonify.sound.earcons import EARCON_NAMES
from tb_sonify.sound.files import (
    HEADER_BYTES,
    decode_wav,
    encode_compressed,
    encode_wav,
    wav_header,
)
from tb_sonify.sound.guides import Legend, describe_pitch, epoch_ticks, legend
from tb_sonify.sound.pitch import Encoding, Scale, value_at_440_hz
from tb_sonify.sound.presets import (
    EARLIER_PRESETS,
    PAIR,
    PRESETS,
    REFERENCE_LEVEL,
    SCALAR,
    SPEEDS,
    VERSIONS,
    Preset,
    StreamPreset,
    Voice,
    adjust,
    preset_from_json,
    preset_to_json,
    preset_version,
)
from tb_sonify.sound.render import SynthState, advance_state, phases_at, render
from tb_sonify.sound.score import Heard, bands, heard, in_columns
from tb_sonify.sound.streams import PAIR_NAMES, STREAM_NAMES, stream_layers
from tb_sonify.sound.voicing import context_notes

__all__ = [
    "EARCON_NAMES",
    "EARLIER_PRESETS",
    "HEADER_BYTES",
    "PAIR",
    "PAIR_NAMES",
    "PRESETS",
    "REFERENCE_LEVEL",
    "SCALAR",
    "SPEEDS",
    "STREAM_NAMES",
    "VERSIONS",
    "Encoding",
    "Heard",
    "Legend",
    "Preset",
    "Scale",
    "SequencePreset",
    "StreamPreset",
    "SynthState",
    "Voice",
    "adjust",
    "advance_state",
    "bands",
    "context_notes",
    "decode_wav",
    "describe_pitch",
    "encode_compressed",
    "encode_wav",
    "epoch_ticks",
    "heard",
    "in_columns",
    "legend",
    "phases_at",
    "preset_from_json",
    "preset_to_json",
    "preset_version",
    "render",
    "stream_layers",
    "value_at_440_hz",
    "wav_header",
]
