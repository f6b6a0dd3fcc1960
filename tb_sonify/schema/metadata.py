"""What a run stores, and under which names: tags, the grid of segments, rows and segments.

Training writes by this room and reading reads by it; they know nothing else of each other.
"""

from tb_sonify.schema.block import VERSION

PLUGIN_NAME = "sonify"


FORMAT = str(VERSION).encode()  # of what is stored, in TensorBoard's metadata of each tag


ROWS_TAG = "sonify/rows"


SEGMENTS_TAG = "sonify/segments"


END_TAG = "sonify/end"  # written last by a writer of rows that is closed: its wall time tells when


LOSS_TAG = "loss/backward"  # scalars of what a script calls `backward` on, by `tb-sonify run`


PRESETS_OPTION = "presets"  # in the options of rows and segments: presets that a user made, as JSON


PRE_CLIP_OPTION = "pre_clip"  # likewise: whether norms are before clipping, true, false or "mixed"


def clip_tag(preset: str) -> str:
    """Tag of the audio summaries that hold the clips of a preset."""
    return f"sonify/{preset}"


def scalar_tag(layer: str) -> str:
    """Tag of the scalars that hold the gradient norm of a layer."""
    return f"grad_norm/{layer}"
