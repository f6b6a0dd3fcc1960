"""A machine listener with the limits of people tells events in training from none, by their sound.

    python -m benchmarks.listening [--calibrate | --dimensions | --scenarios] [--quick]
        [--sounds NAME ...] [--cache DIR] [--json]

* `--calibrate` measures the listener itself: thresholds of level, frequency, modulation and gaps,
  beside those of people, to which alone it was fitted. It is frozen.
* `--dimensions` measures how small a change of pitch, roughness, pulsation and pan it hears, and
  how much larger it must be if another one of them roves by two such changes to either side.
* `--scenarios` lets it name the trainings of `examples/scenarios.py`, by the nearest neighbour.
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
from benchmarks.listener.dimensions import VALUES, interference
from benchmarks.listener.events import EVENTS, Audition, healthy_runs
from benchmarks.listener.observer import LISTENERS, MOST
from benchmarks.listener.scenarios import told_apart, trained_norms
from benchmarks.listener.sounds import Norms, sounds
from examples.scenarios import SCENARIOS

NORM, OTHER_NORMS = 0.09, (0.003, 450.0)  # medians of runs
AT_OTHER_NORMS = "a group doubles"
TRIALS, QUICK_TRIALS = 40, 12
SEEDS, QUICK_SEEDS = 3, 1  # of a threshold
RUNS, QUICK_RUNS = 6, 2  # of a scenario

Result = dict[str, Any]


def main() -> None:
    """Measure, and print the tables."""
    options = parsed()
    torch.set_num_threads(1)  # networks of this size are faster so
    seeds = QUICK_SEEDS if options.quick else SEEDS
    rows: Iterator[Result]
    if options.calibrate:
        rows, as_text = calibrated(seeds=seeds), calibration_as_text
    elif options.dimensions:
        rows, as_text = interfered(seeds=seeds), dimensions_as_text
    elif options.scenarios:
        count = QUICK_RUNS if options.quick else RUNS
        rows, as_text = named(options.sounds, seeds=count), scenarios_as_text
    else:
        trials = QUICK_TRIALS if options.quick else TRIALS
        rows = judged(options.sounds, trials=trials, cache=options.cache)
        as_text = events_as_text
    if not options.json:
        print(as_text(list(rows)))
        return
    for row in rows:
        print(json.dumps(row), flush=True)


def parsed() -> argparse.Namespace:
    """Options of the command line."""
    names = list(sounds())
    usual = [name for name in names if name != "single"]
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    task = parser.add_mutually_exclusive_group()
    task.add_argument("--calibrate", action="store_true", help="measure the listener itself")
    task.add_argument("--dimensions", action="store_true", help="measure dimensions of a tone")
    task.add_argument("--scenarios", action="store_true", help="let it name trainings")
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
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each result")
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


def interfered(*, seeds: int) -> Iterator[Result]:
    """Thresholds of each dimension of a tone, alone and with others that rove, and their ratio."""
    count = len(LISTENERS) * seeds * len(VALUES) ** 2
    with tqdm(total=count, unit="threshold", file=sys.stderr) as bar:
        for who, one in LISTENERS.items():
            found: dict[tuple[str, str | None], list[float]] = {}
            for seed in range(seeds):
                for changed, roving, value in interference(one, seed=seed):
                    found.setdefault((changed, roving), []).append(np.log(value))
                    bar.update()
            for (changed, roving), logs in found.items():
                alone = np.exp(np.mean(found[changed, None]))
                value = np.exp(np.mean(logs))
                yield {
                    "listener": who,
                    "changed": changed,
                    "roving": roving,
                    "threshold": float(value),
                    "jnds": float(value / alone),
                }


def named(names: list[str], *, seeds: int) -> Iterator[Result]:
    """How many clips of scenarios are taken for their own, and which others for which."""
    known = sounds()
    pairs = [(name, seed) for name in SCENARIOS for seed in range(seeds)]
    runs: dict[str, list[Norms]] = {name: [] for name in SCENARIOS}
    for name, seed in tqdm(pairs, unit="training", file=sys.stderr):
        runs[name].append(trained_norms(name, seed))
    for name in tqdm(names, unit="sound", file=sys.stderr):
        for who, one in LISTENERS.items():
            counts = told_apart(known[name], runs, one)
            wrong = [
                f"{list(SCENARIOS)[i]} for {list(SCENARIOS)[j]}"
                for i, j in np.argwhere(counts)
                if i != j
            ]
            right = float(np.trace(counts) / counts.sum())
            yield {"sound": name, "listener": who, "right": right, "wrong": wrong}


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


def dimensions_as_text(rows: list[Result]) -> str:
    """JNDs, and what they become while another dimension roves, in JNDs."""
    lines = [f"| changed | JND | {' | '.join(f'{name} roves' for name in VALUES)} |"]
    lines.append("|---" * (len(VALUES) + 2) + "|")
    for who in LISTENERS:
        cells = {(r["changed"], r["roving"]): r for r in rows if r["listener"] == who}
        for name in VALUES:
            others = [cells.get((name, other)) for other in VALUES]
            ratios = " | ".join("-" if cell is None else f"{cell['jnds']:.1f}" for cell in others)
            lines.append(f"| {name}, {who} | {cells[name, None]['threshold']:.2g} | {ratios} |")
    return "\n".join(lines)


def scenarios_as_text(rows: list[Result]) -> str:
    """Share of scenarios that are named rightly."""
    lines = [f"| sound | {' | '.join(LISTENERS)} | confused |", "|---|---|---|---|"]
    for name in dict.fromkeys(row["sound"] for row in rows):
        cells = {row["listener"]: row for row in rows if row["sound"] == name}
        shares = " | ".join(f"{cells[who]['right']:.0%}" for who in LISTENERS)
        lines.append(f"| {name} | {shares} | {', '.join(cells['trained']['wrong']) or '-'} |")
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
