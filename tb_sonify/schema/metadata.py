"""What a run stores, and under which names: tags, the grid of segments, rows and segments.

Training writes by this room and reading reads by it; they know nothing else of each other.
"""

import re

from tb_sonify.schema.quantities import GRADIENT, RATIO

PLUGIN_NAME = "sonify"


# Version of what is stored, in TensorBoard's metadata of each tag. 3 has quantities.
FORMAT = b"3"


READABLE_FORMATS = (b"2", FORMAT)


ROWS_TAG = "sonify/rows"


SEGMENTS_TAG = "sonify/segments"


# One blob for each quantity where there are others than gradients: listed without reading rows.
QUANTITY_TAG = "sonify/quantity"


END_TAG = "sonify/end"  # written last by a writer of rows that is closed: its wall time tells when


LANDSCAPE_TAG = "sonify/landscape"  # of all blobs of landscapes, which say nothing of rows


STRIPS_TAG = f"{LANDSCAPE_TAG}/strips"


SURFACE_TAG = f"{LANDSCAPE_TAG}/surface"  # with the name of each


HEADROOM_TAG = "landscape/headroom"  # scalar of each strip


MEAN_HEADROOM_TAG = "landscape/mean_headroom"  # of the mean of the last `MEAN_STRIPS` of them


LOSS_TAG = "loss/backward"  # scalars of what a script calls `backward` on, by `tb-sonify run`


PRESETS_OPTION = "presets"  # in the options of rows and segments: presets that a user made, as JSON


VERSIONS_OPTION = "preset_versions"  # likewise: the version of each preset of ours that is above 1


PRE_CLIP_OPTION = "pre_clip"  # likewise: whether norms are before clipping, true, false or "mixed"


# The quantities that are scalars, too. The update is judged by its ratio to the weights, whose norm
# hardly changes from row to row: scalars of all three would say the same at three times the size.
SCALARS = {GRADIENT: "grad_norm", RATIO: "update_ratio"}


def session_tag(tag: str, session: float) -> str:
    """Tag of the blobs of one writer, so that those of a later one at the same step are others.

    Before format version 3, blobs of all writers had the tag alone.

    Examples
    --------
    >>> session_tag(ROWS_TAG, 1763690000.25)
    'sonify/rows/1763690000.250000'
    >>> split_session("sonify/rows/1763690000.250000")
    ('sonify/rows', 1763690000.25)
    """
    return f"{tag}/{session:.6f}"


def split_session(tag: str) -> tuple[str, float | None]:
    """The tag without its session, and the session; `None` where it has none."""
    kind, _, text = tag.rpartition("/")
    return (kind, float(text)) if _SESSION.fullmatch(text) else (tag, None)


_SESSION = re.compile(r"-?[0-9]{1,18}\.[0-9]{6}")


def clip_tag(preset: str) -> str:
    """Tag of the audio summaries that hold the clips of a preset."""
    return f"sonify/{preset}"


def scalar_tag(layer: str, quantity: str = GRADIENT) -> str:
    """Tag of the scalars that hold a quantity of a layer, one of `SCALARS`."""
    return f"{SCALARS[quantity]}/{layer}"
