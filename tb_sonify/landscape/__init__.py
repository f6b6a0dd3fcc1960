"""Loss landscapes: along the steps of a training, and over planes of weights."""

from tb_sonify.landscape import plane
from tb_sonify.landscape.grid import estimate, surface
from tb_sonify.landscape.path import Path, PathRecorder, load_path, record_path
from tb_sonify.landscape.plane import Plane
from tb_sonify.landscape.progress import Estimate
from tb_sonify.landscape.strip import Landscape
from tb_sonify.schema.landscape import PlanePath, Strip, Surface

__all__ = [
    "Estimate",
    "Landscape",
    "Path",
    "PathRecorder",
    "Plane",
    "PlanePath",
    "Strip",
    "Surface",
    "estimate",
    "load_path",
    "plane",
    "record_path",
    "surface",
]
