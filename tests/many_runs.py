"""Fifty runs, among them those that break, live, have no norms, or have names that mean harm."""

import math
import time
from pathlib import Path

from tests.broken_run import write_run
from tests.logs import scalar_events, write_events

STEPS = 400
PREFIX = "sweep_"
HOSTILE = (
    "<b onclick=alert(1)>bold<img src=x onerror=alert(1)>",
    "\u202eقطار\u202d😀 \"quoted' &amp; {{x}}",
    "long" * 60,
)
ALL_NAN, BREAKS, OVERFLOWS, LIVE = "nothing", "breaks", "overflows", "live"
BREAKS_AT, OVERFLOWS_AT = 112, 57
AHEAD = 3_600  # seconds: however long the tests take, it is recent


def write_crowd(logdir: Path) -> list[str]:
    """Write fifty runs; the first two, by name, have norms. Gives their names, sorted."""
    write_run(logdir / f"{PREFIX}a-broken", broken=True)
    write_run(logdir / f"{PREFIX}b-calm", broken=False)
    # From which step on a run has no other value.
    broken = {
        ALL_NAN: (0, math.nan),
        BREAKS: (BREAKS_AT, math.nan),
        OVERFLOWS: (OVERFLOWS_AT, math.inf),
    }
    names = [*HOSTILE, *broken, LIVE]
    names += [f"lr{number:02}" for number in range(48 - len(names))]
    for number, name in enumerate(names):
        at, value = broken.get(name, (STEPS, 0.0))
        losses = [2.3 * math.exp(-step / (50 + 5 * number)) for step in range(STEPS)]
        losses[at:] = [value] * (STEPS - at)
        start = time.time() + AHEAD if name == LIVE else 1_000.0 * (1 + number)
        events = scalar_events("loss/train", enumerate(losses), start=start)
        write_events(logdir / f"{PREFIX}{name}", events)
    return sorted(path.name for path in logdir.iterdir())
