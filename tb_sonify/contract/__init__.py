"""What a run stores, and under which names: tags, the grid of segments, rows and segments.

Training writes by this room and reading reads by it; they know nothing else of each other.
"""

from dataclasses import dataclass

from tb_sonify.contract.bfloat16 import round_norms
from tb_sonify.contract.block import VERSION, Block, decode_block, encode_block
from tb_sonify.contract.records import NO_GRADIENT, Rows, Segment

__all__ = [
    "END_TAG",
    "FORMAT",
    "NOTES_PER_SEGMENT",
    "NO_GRADIENT",
    "PLUGIN_NAME",
    "PRESETS_OPTION",
    "PRE_CLIP_OPTION",
    "ROWS_TAG",
    "SEGMENTS_PER_OCTAVE",
    "SEGMENTS_TAG",
    "VERSION",
    "Block",
    "Grid",
    "Rows",
    "Segment",
    "clip_tag",
    "decode_block",
    "encode_block",
    "round_norms",
    "scalar_tag",
]

PLUGIN_NAME = "sonify"
FORMAT = str(VERSION).encode()  # of what is stored, in TensorBoard's metadata of each tag
ROWS_TAG = "sonify/rows"
SEGMENTS_TAG = "sonify/segments"
END_TAG = "sonify/end"  # written last by a writer of rows that is closed: its wall time tells when
PRESETS_OPTION = "presets"  # in the options of rows and segments: presets that a user made, as JSON
PRE_CLIP_OPTION = "pre_clip"  # likewise: whether norms are before clipping, true, false or "mixed"

NOTES_PER_SEGMENT = 100
SEGMENTS_PER_OCTAVE = 32  # after so many segments, a note covers twice as many rows


def clip_tag(preset: str) -> str:
    """Tag of the audio summaries that hold the clips of a preset."""
    return f"sonify/{preset}"


def scalar_tag(layer: str) -> str:
    """Tag of the scalars that hold the gradient norm of a layer."""
    return f"grad_norm/{layer}"


@dataclass(frozen=True, slots=True)
class Grid:
    """Which rows a segment covers, from its number alone, so that the clips of two runs line up.

    Note `i` of the segment covers rows ``first_row + i * rows_per_note`` and the
    ``rows_per_note - 1`` rows after it.
    """

    segment: int
    first_row: int
    rows_per_note: int

    @property
    def rows(self) -> int:
        """Rows of the segment when it is full."""
        return NOTES_PER_SEGMENT * self.rows_per_note

    @classmethod
    def of_segment(cls, segment: int) -> "Grid":
        """The grid of a segment, counted from 0.

        Examples
        --------
        >>> Grid.of_segment(31)
        Grid(segment=31, first_row=3100, rows_per_note=1)
        >>> Grid.of_segment(33)
        Grid(segment=33, first_row=3400, rows_per_note=2)
        """
        if segment < 0:
            raise ValueError(f"segment must be at least 0, got {segment}")
        octave, within = divmod(segment, SEGMENTS_PER_OCTAVE)
        rows_per_note = 2**octave
        octave_start = SEGMENTS_PER_OCTAVE * NOTES_PER_SEGMENT * (rows_per_note - 1)
        return cls(
            segment, octave_start + within * NOTES_PER_SEGMENT * rows_per_note, rows_per_note
        )
