"""A machine listener with the limits of people tells events in training from none, by their sound.

    python -m benchmarks.listening [--calibrate] [--quick] [--sounds NAME ...] [--json]

* `--calibrate` measures the listener itself: thresholds of level, frequency, modulation and gaps,
  beside those of people, to which alone it was fitted. It is frozen.
* Otherwise, it hears clips of healthy runs of a small GPT, twelve layers, about four seconds or
  sixteen steps long, half of them with an event at a moment that it does not know, and d' is that
  of telling in which of two clips it was. Its noise without an event is that of the runs.

The trained listener hears pitch as musicians do, the untrained one a semitone. Both have learned
how each event sounds. No person was asked: no d' here is a person's.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from benchmarks.listener.calibration import experiments
from benchmarks.listener.events import EVENTS, Audition, healthy_runs
from benchmarks.listener.observer import LISTENERS, MOST
from benchmarks.listener.sounds import sounds

NORM, OTHER_NORMS = 0.09, (0.003, 450.0)  # medians of runs
AT_OTHER_NORMS = "a group doubles"
TRIALS, QUICK_TRIALS = 40, 12
SEEDS, QUICK_SEEDS = 3, 1  # of a threshold

Result = dict[str, Any]


def main() -> None:
    """Measure, and print the tables."""
    options = parsed()
    torch.set_num_threads(1)  # networks of this size are faster so
    if options.calibrate:
        rows = list(calibrated(seeds=QUICK_SEEDS if options.quick else SEEDS))
        print(json.dumps(rows, indent=2) if options.json else calibration_as_text(rows))
        return
    rows = list(
        judged(
            options.sounds, trials=QUICK_TRIALS if options.quick else TRIALS, cache=options.cache
        )
    )
    print(json.dumps(rows, indent=2) if options.json else events_as_text(rows))


def parsed() -> argparse.Namespace:
    """Options of the command line."""
    names = list(sounds())
    usual = [name for name in names if name != "single"]
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calibrate", action="store_true", help="measure the listener itself")
    parser.add_argument("--quick", action="store_true", help="fewer trials, which are less sure")
    parser.add_argument(
        "--sounds", nargs="+", choices=names, default=usual, metavar="NAME", help=", ".join(names)
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path(gettempdir()) / "tb_sonify-runs",
        help="of trainings (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    return parser.parse_args()


def calibrated(*, seeds: int) -> Iterator[Result]:
    """Thresholds of both listeners, geometric means over seeds."""
    for experiment in tqdm(list(experiments()), unit="experiment", file=sys.stderr):
        thresholds = {
            name: experiment.shown(
                float(
                    np.exp(np.mean([np.log(experiment.measure(one, seed=s)) for s in range(seeds)]))
                )
            )
            for name, one in LISTENERS.items()
        }
        yield {"experiment": experiment.name, **thresholds, "published": experiment.published}


def judged(names: list[str], *, trials: int, cache: Path) -> Iterator[Result]:
    """Sensitivity d' of both listeners to each event in each sound, with its bootstrap."""
    runs, known = healthy_runs(cache), sounds()
    tasks = [(norm, name) for norm in (NORM, *OTHER_NORMS) for name in names]
    count = len(names) * (len(EVENTS) + len(OTHER_NORMS))
    with tqdm(total=count, unit="event", file=sys.stderr) as bar:
        for norm, name in tasks:
            audition = Audition.of(known[name], runs, norm=norm, count=trials)
            for event in EVENTS if norm == NORM else (AT_OTHER_NORMS,):
                present = audition.with_event(EVENTS[event])
                found = {who: audition.judge(present, one) for who, one in LISTENERS.items()}
                bar.update()
                yield {"sound": name, "event": event, "norm": norm, **found}


def calibration_as_text(rows: list[Result]) -> str:
    """The thresholds as a table."""
    lines = [f"| experiment | {' | '.join(LISTENERS)} | people |", "|---|---|---|---|"]
    for row in rows:
        trained, untrained = row["published"]
        people = " to ".join(f"{end:.3g}" for end in trained)
        if untrained not in (None, trained):
            people += f"; untrained {' to '.join(f'{end:.3g}' for end in untrained)}"
        found = " | ".join(f"{row[who]:.3g}" for who in LISTENERS)
        lines.append(f"| {row['experiment']} | {found} | {people} |")
    return "\n".join(lines)


def events_as_text(rows: list[Result]) -> str:
    """The d' as a table: trained / untrained, with 95 % of the trained one's bootstrap."""
    names = list(dict.fromkeys(row["sound"] for row in rows))
    cells = {(row["event"], row["norm"], row["sound"]): row for row in rows}
    lines = [f"| d', trained / untrained | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for event, norm in dict.fromkeys((row["event"], row["norm"]) for row in rows):
        title = event if norm == NORM else f"{event}, norms {norm:g}"
        values = " | ".join(_cell(cells[event, norm, name]) for name in names)
        lines.append(f"| {title} | {values} |")
    return "\n".join(lines)


def _cell(row: Mapping[str, Any]) -> str:
    values = " / ".join("> 4" if row[who][0] > MOST else f"{row[who][0]:.1f}" for who in LISTENERS)
    _, low, high = row["trained"]
    return values if low > MOST else f"{values} ({low:.1f} to {min(high, 4.9):.1f})"


if __name__ == "__main__":
    main()
