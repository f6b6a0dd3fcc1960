"""Strips and surfaces with known losses, and runs that have them."""

import math
import time
from pathlib import Path

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event

from tb_sonify.schema.landscape import PlanePath, Strip, Surface
from tb_sonify.schema.metadata import END_TAG
from tb_sonify.training.summary import blob_event, surface_event
from tests.logs import norms_of, run_events, scalar_events, strip_events, write_events

ALPHAS = np.array([-1, 0, 0.5, 1, 2, 4, 8, 16, 32])


def valley(here: float, floor: float, samples: int = 9) -> Strip:
    """A parabola along a step: the loss before it, its smallest at an alpha, and 0.1 less there."""
    alphas = ALPHAS[:samples]
    return Strip(alphas, here + 0.1 * ((alphas / floor - 1) ** 2 - 1), 0.5)


def bowl(size: int = 25) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, y and the losses of a bowl around (1, 0), steep along y."""
    x, y = np.linspace(-0.5, 1.5, size), np.linspace(-0.75, 0.75, size)
    columns, rows = np.meshgrid(x, y)
    return x, y, 0.05 + 0.5 * (columns - 1) ** 2 + 2 * rows**2


def path_of(name: str, bend: float, *, steps: int = 400, ridge: bool = False) -> PlanePath:
    """A path from (0, 0) to (1, 0) that bends to one side, whose losses fall along it."""
    along = np.linspace(0, 1, 21)
    points = np.stack([along, bend * np.sin(math.pi * along)], axis=1)
    losses = 0.05 + 0.5 * (1 - along) ** 2
    if ridge:
        losses[8:12] += 1
    distance = 0.2 * np.sin(math.pi * along)
    return PlanePath(
        name, (along * steps).astype(np.int64), points, distance, losses, 0.9 - abs(bend) / 10
    )


def surface_of(*paths: PlanePath, size: int = 25, broken: bool = False) -> Surface:
    """The bowl with some paths, and cells that are NaN or infinite."""
    x, y, losses = bowl(size)
    if broken:
        losses[:3, :4] = math.nan
        losses[-2:, :5] = math.inf
    shown = paths or (path_of("sgd", 0.3),)
    return Surface(x, y, losses, 0.55, shown, {"plane": "path", "norms": [3.0, 2.0]})


STEPS, EVERY = 400, 50
NAN_AT = 300


def write_landscapes(root: Path) -> None:
    """Runs A and B with strips, and one plane through both; a run that has a map alone.

    The valley of A is 2 steps ahead, and from step 200 on 4; that of B turns into NaN.
    """
    steps = range(0, STEPS, EVERY)
    for name, ahead in (("a", (2, 4)), ("b", (1, 1))):
        strips = [valley(2, ahead[step >= STEPS // 2]) for step in steps]
        if name == "b":
            strips[NAN_AT // EVERY :] = [Strip(ALPHAS, np.full(9, math.nan), 1.0)] * 2
            strips[0].losses[-1] = math.inf
        events = [
            *run_events(norms_of(STEPS), np.arange(STEPS), presets=()),
            *scalar_events("loss", [(step, 2.3 * 0.99**step) for step in range(STEPS)]),
            *strip_events([*steps], strips),
        ]
        if name == "a":
            paths = path_of("a", 0.3), path_of("b", -0.35, ridge=True)
            events.append(surface_event("plane", surface_of(*paths, broken=True), step=STEPS))
        write_events(root / name, [*events, _end()])
    write_events(root / "map", [surface_event("map", surface_of(), step=0), _end()])


def _end() -> Event:
    """That a writer was closed: else a run is told to have stalled, a minute later."""
    return blob_event(END_TAG, b"", step=STEPS, wall_time=time.time())
