"""What TensorBoard's data provider holds, as arrays: timelines, clips, curves."""

from tb_sonify.reading.catalogue import Catalogue, Run, first_to_draw, list_scalars, run_exists
from tb_sonify.reading.clips import Clip, Clips
from tb_sonify.reading.curve import Curve, Series, bin_series, read_series
from tb_sonify.reading.detail import Detail
from tb_sonify.reading.fresh import Unavailable
from tb_sonify.reading.hearable import Hearable
from tb_sonify.reading.news import News, NewsReader
from tb_sonify.reading.presets import presets_of
from tb_sonify.reading.settings import Settings
from tb_sonify.reading.store import Blob, Scope, Store
from tb_sonify.reading.summaries import Summaries, read_summaries
from tb_sonify.reading.threads import DaemonThreads
from tb_sonify.reading.timeline import Timeline, TimelineSegment
from tb_sonify.reading.timelines import Timelines
from tb_sonify.reading.view import Alignment
from tb_sonify.reading.views import Selection, Views

__all__ = [
    "Catalogue",
    "Alignment",
    "Blob",
    "Clip",
    "Clips",
    "Curve",
    "DaemonThreads",
    "Detail",
    "Hearable",
    "News",
    "NewsReader",
    "Run",
    "Scope",
    "Selection",
    "Series",
    "Settings",
    "Store",
    "Summaries",
    "Timeline",
    "TimelineSegment",
    "Timelines",
    "Unavailable",
    "Views",
    "bin_series",
    "first_to_draw",
    "list_scalars",
    "presets_of",
    "read_series",
    "read_summaries",
    "run_exists",
]
