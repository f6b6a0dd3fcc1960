"""What TensorBoard's data provider holds, as arrays: timelines, clips, curves."""

from tb_sonify.reading.catalogue import Run, first_to_draw, list_runs, list_scalars, run_exists
from tb_sonify.reading.clips import Clip, Clips
from tb_sonify.reading.curve import Curve, Series, bin_series, read_series
from tb_sonify.reading.store import Blob, Scope, Store
from tb_sonify.reading.timeline import Timeline, TimelineSegment
from tb_sonify.reading.timelines import Timelines

__all__ = [
    "Blob",
    "Clip",
    "Clips",
    "Curve",
    "Run",
    "Scope",
    "Series",
    "Store",
    "Timeline",
    "TimelineSegment",
    "Timelines",
    "bin_series",
    "first_to_draw",
    "list_runs",
    "list_scalars",
    "read_series",
    "run_exists",
]
