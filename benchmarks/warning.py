"""Lead and false alarms of the detectors, beside those of others on the same trainings.

The divergences and the healthy runs of `benchmarks.divergences` are trained once and cached: each
half an hour of one thread. The constants of the detectors were fixed on the seeds for development.
"""

import argparse
import json
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.divergences import DIVERGING, HEALTHY, Recording, lost_at, record
from tb_sonify.landmarks.monitor import APART, LossMonitor, TableMonitor

SEEDS = {"report": 200, "development": 0, "development-2": 100}  # the first one
RUNS = 5  # of each divergence
FIRST = 60  # an alarm before is none; a loss lost before step 100 is counted apart
EARLY, IN_TIME = 100, 20
Alarms = list[int]
Rule = Callable[[Recording], Alarms]


def ours(recording: Recording) -> Alarms:
    """Rows with a landmark of gradients, updates or the loss."""
    found = LossMonitor("loss").add(recording.loss)
    for quantity in ("gradient", "update"):
        norms = recording.norms[quantity].astype(np.float32)
        found += TableMonitor(quantity).add(norms, recording.layers)
    return sorted(each.note for each in found)


def spike_detection(recording: Recording) -> Alarms:
    """Lightning 2.6's `SpikeDetection` with its defaults: x 3 the mean of ten, and rising."""
    window: deque[float] = deque(maxlen=10)
    last, alarms = 0.0, []
    for step, loss in enumerate(recording.loss.tolist()):
        mean = float(np.mean(window)) if window else 0.0
        rising = loss - last > 0
        if step and (not np.isfinite(loss) or (rising and abs(loss - mean) >= abs(2.0 * mean))):
            alarms.append(step)
        else:
            window.append(loss)
            last = loss
    return alarms


def six_sigma(series: Sequence[NDArray[np.float64]]) -> Alarms:
    """OLMo-core's `SkipStepOptimizer`: 6 standard deviations over the mean of 128, from 64 on."""
    alarms = set()
    for values in series:
        for step in range(64, len(values)):
            before = values[max(step - 127, 0) : step]
            if not values[step] - before.mean() <= 6 * before.std(ddof=1):
                alarms.add(step)
    return sorted(alarms)


def total_gradient(recording: Recording) -> NDArray[np.float64]:
    """Norm of the whole gradient at each step."""
    return np.asarray(np.sqrt(np.sum(recording.norms["gradient"] ** 2, axis=1)))


def trainscope_rules() -> dict[str, Rule]:
    """Both detectors of trainscope with their defaults; none where it is not installed."""
    try:
        from trainscope.core.detectors.changepoint import ChangePointDetector
        from trainscope.core.detectors.z_score import ZScoreDetector
    except ImportError:
        return {}

    def rule(make: Callable[[], object]) -> Rule:
        def alarms(recording: Recording) -> Alarms:
            detector = make()
            update = detector.update  # type: ignore[attr-defined]
            scores = [update(loss) for loss in recording.loss.tolist()]
            # They also tell of a loss that falls, which is no alarm.
            return [step for step, score in enumerate(scores) if score is not None and score > 0]

        return alarms

    return {
        "trainscope CUSUM, loss": rule(ChangePointDetector),
        "trainscope z-score, loss": rule(ZScoreDetector),
    }


def rules() -> dict[str, Rule]:
    """Every rule by its name, ours first."""
    return {
        "tb_sonify": ours,
        **trainscope_rules(),
        "Lightning SpikeDetection, loss": spike_detection,
        "OLMo 6 sigma, loss": lambda each: six_sigma([each.loss]),
        "OLMo 6 sigma, loss or gradient": lambda each: six_sigma([each.loss, total_gradient(each)]),
    }


@dataclass(frozen=True)
class Score:
    """How well a rule warns.

    Attributes
    ----------
    leads
        Of each loss lost from step 100 on: steps from the first alarm to it; 0 where there is none.
    early
        Of each loss lost before: whether there was an alarm up to 20 steps after that.
    false_alarms
        In healthy runs, those of 100 steps as one.
    """

    rule: str
    leads: list[int]
    early: list[bool]
    false_alarms: int
    healthy_steps: int

    def row(self) -> str:
        """A line of the table."""
        leads = np.array(self.leads)
        return (
            f"| {self.rule} | {np.mean(leads > 0):.0%} | {np.mean(leads >= 15):.0%} "
            f"| {np.median(leads):g} | {sum(self.early)} of {len(self.early)} "
            f"| {10_000 * self.false_alarms / self.healthy_steps:.1f} ({self.false_alarms}) |"
        )


def lead(alarms: Sequence[int], lost: int) -> int:
    """Steps from the first alarm that counts until the loss is lost; 0 if there is none."""
    counted = [step for step in alarms if FIRST < step <= lost]
    return lost - counted[0] if counted else 0


def count_apart(alarms: Sequence[int]) -> int:
    """How many alarms, those less than 100 steps after another as one."""
    steps = np.array(alarms)
    return int(np.count_nonzero(np.diff(steps, prepend=-APART) >= APART)) if len(steps) else 0


def score(
    name: str, rule: Rule, diverged: Sequence[Recording], healthy: Sequence[Recording]
) -> Score:
    """The score of a rule over all recordings."""
    leads, early = [], []
    for recording in diverged:
        lost = lost_at(recording.loss)
        if lost is None:
            continue
        alarms = rule(recording)
        if lost >= EARLY:
            leads.append(lead(alarms, lost))
        else:
            early.append(any(step <= lost + IN_TIME for step in alarms))
    false_alarms = sum(count_apart(rule(each)) for each in healthy)
    return Score(name, leads, early, false_alarms, sum(len(each.loss) for each in healthy))


def main() -> None:
    """Train what is not in the cache, and print a line for each rule."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="directory of the recordings")
    parser.add_argument("--seeds", choices=SEEDS, default="report")
    parser.add_argument("--json", action="store_true", help="every lead")
    options = parser.parse_args()
    torch.set_num_threads(1)
    first = SEEDS[options.seeds]
    diverged = [
        record(name, training, seed=first + number, cache=options.cache)
        for name, training in DIVERGING.items()
        for number in range(RUNS)
    ]
    healthy = [
        record(name, training, seed=first, cache=options.cache)
        for name, training in HEALTHY.items()
    ]
    scores = [score(name, rule, diverged, healthy) for name, rule in rules().items()]
    if options.json:
        print(json.dumps([asdict(each) for each in scores]))
        return
    if not trainscope_rules():
        print("trainscope is not installed: its rows are left out", file=sys.stderr)
    print(
        "| rule | alarm before | 15 steps before | median lead, steps | early ones told "
        "| false alarms per 10,000 |\n|---|---|---|---|---|---|"
    )
    print("\n".join(each.row() for each in scores))


if __name__ == "__main__":
    main()
