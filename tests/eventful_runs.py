"""Runs in which something happens, and labels that say what, where and in which layers."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.random import Generator

from tests.healthy_runs import background, deviation


@dataclass(frozen=True)
class Label:
    """What is to be found; `layers` are those that may be named, none if any may."""

    kind: str
    row: int
    layers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Run:
    """Norms of shape ``(rows, layers)`` and what is in them."""

    norms: np.ndarray
    labels: list[Label] = field(default_factory=list)
    restarts: tuple[int, ...] = ()


def not_a_number(rng: Generator, rows: int, layers: int) -> Run:
    """NaN in some layers for a few steps, or in all for good; perhaps once more later."""
    norms = np.exp(background(rng, rows, layers))
    at = int(rows * rng.uniform(0, 0.4))
    if rng.random() < 0.5:
        norms[at:] = np.nan
        return Run(norms, [Label("nan", at, (0,))])
    return Run(norms, _strikes(rng, norms, at, np.nan, "nan"))


def overflow(rng: Generator, rows: int, layers: int) -> Run:
    """A step whose norms are infinite in some layers, perhaps once more later."""
    norms = np.exp(background(rng, rows, layers))
    at = int(rows * rng.uniform(0, 0.6))
    return Run(norms, _strikes(rng, norms, at, np.inf, "inf"))


def explosion(rng: Generator, rows: int, layers: int) -> Run:
    """Uneven growth to 1e4 times or more, in some layers less, with one of five ends."""
    healthy = background(rng, rows, layers)
    at = int(rng.uniform(1, rows * 0.7))
    pace = np.log(rng.uniform(3, 100))
    growth = np.cumsum(rng.normal(pace, pace / 2, rows - at).clip(-pace))
    growth = np.minimum(growth, np.log(10 ** rng.uniform(4, 12)))
    end = at + int(growth.argmax()) + int(rng.integers(1, 4))
    growth[end - at :] = growth.max()
    share = rng.uniform(0.7, 1, layers)
    share[healthy.mean(axis=0).argmax()] = 1  # the largest layer takes part
    logs = healthy.copy()
    logs[at:] += growth[:, None] * share
    norms, labels = np.exp(logs), [Label("explosion", at)]
    if end < rows - 5:
        labels += _ending(rng, norms, healthy, end)
    return Run(norms, labels)


def _ending(rng: Generator, norms: np.ndarray, healthy: np.ndarray, end: int) -> list[Label]:
    ending = rng.choice(["high", "back", "nan", "inf", "dead"])
    layers = norms.shape[1]
    if ending == "back":
        back = end + int(rng.integers(5, 20))
        norms[back:] = np.exp(healthy[back:])
    if ending == "nan":
        norms[end:] = np.nan
        return [Label("nan", end, (0,))]
    if ending == "inf":
        norms[end], norms[end + 1 :] = np.inf, np.nan
        return [Label("inf", end, (0,)), Label("nan", end + 1, (0,))]
    if ending == "dead":
        return [_die(norms, healthy, end, layers - layers // 4)]
    return []


def _die(norms: np.ndarray, healthy: np.ndarray, at: int, dead: int) -> Label:
    """Dead ReLUs: no gradient in the early layers, a small one in the last, of its bias."""
    norms[at:] = np.exp(healthy[at:]) / 10
    norms[at:, :dead] = 0
    return Label("collapse", at, tuple(range(dead)))


def spike_and_collapse(rng: Generator, rows: int, layers: int) -> Run:
    """As Adam at 0.01: a spike by 30 to 300 or more in the first steps, and soon no gradient."""
    healthy = background(rng, rows, layers)
    at = int(rng.integers(2, 9))
    logs = healthy.copy()
    logs[at] += max(np.log(rng.uniform(30, 300)), 10 * deviation(healthy))
    norms = np.exp(logs)
    collapse = _die(norms, healthy, at + int(rng.integers(3, 6)), layers - layers // 4)
    return Run(norms, [Label("spike", at), collapse])


def collapse(rng: Generator, rows: int, layers: int) -> Run:
    """Some layers fall to zero or by 1e5 or more, one by one, for good; or never had a gradient."""
    logs = background(rng, rows, layers)
    norms = np.exp(logs)
    at = 0 if rng.random() < 0.2 else int(rows * rng.uniform(0.1, 0.8))
    down = rng.choice(layers, int(rng.integers(1, layers + 1)), replace=False)
    exact = at == 0 or rng.random() < 0.5
    for place, layer in enumerate(down):
        start = at + (0 if at == 0 else place * 4 // len(down))
        norms[start:, layer] *= 0 if exact else 10 ** -rng.uniform(5, 10)
        blips = rng.random(rows) < (0.005 if at and exact else 0)
        blips[:start] = False
        norms[blips, layer] = np.exp(logs[blips, layer])
    return Run(norms, [Label("collapse", at, tuple(int(layer) for layer in down))])


def spikes(rng: Generator, rows: int, layers: int) -> Run:
    """One to three bursts of 1 to 3 steps, of all layers or of one.

    A spike of all layers is at least 30 times the norm and 10 standard deviations of the noise; of
    one layer, 100 times and 14: the most extreme of a thousand healthy layers come near these.
    """
    logs = background(rng, rows, layers)
    alone = layers > 1 and rng.random() < 0.4
    least = max(np.log(100 if alone else 30), (14 if alone else 10) * deviation(logs))
    labels = []
    for at in np.cumsum(rng.integers(20, max(rows // 3, 21), int(rng.integers(1, 4)))):
        if at < rows:
            layer = int(rng.integers(layers))
            burst = slice(at, at + int(rng.integers(1, 4)))
            height = rng.uniform(least, max(least, np.log(1e6)))
            logs[burst, layer if alone else slice(None)] += height
            labels.append(Label("spike", int(at), (layer,) if alone else ()))
    return Run(np.exp(logs), labels)


def vanishing(rng: Generator, rows: int, layers: int) -> Run:
    """A geometric decline to the front, by 1e5 or more between the outer quarters of layers."""
    layers = max(layers, 4)
    logs = background(rng, rows, layers)
    at = 0 if rng.random() < 0.7 or rows < 100 else int(rows * rng.uniform(0.2, 0.6))
    per_layer = np.log(10 ** rng.uniform(5.5, 12)) / (layers - layers // 4)
    logs[at:] += logs.mean() - logs.mean(axis=0)
    logs[at:] -= per_layer * np.arange(layers)[::-1]
    return Run(np.exp(logs), [Label("vanishing", at)])


def plateau(rng: Generator, rows: int, layers: int) -> Run:
    """A steady low stretch, from the start or after a fall, and a rise by 15 to 500 out of it."""
    logs = rng.uniform(0.02, 0.4) * rng.standard_normal((rows, layers)) + rng.uniform(-3, 1, layers)
    start = 0 if rng.random() < 0.6 else int(rows * rng.uniform(0.1, 0.2))
    escape = start + max(int(rows * rng.uniform(0.3, 0.6)), 25)
    rise = np.log(rng.uniform(15, 500))
    takes = int(rng.integers(1, min((escape - start) // 5, 30)))
    low = np.zeros(rows)
    low[start:] = -rise
    low[escape:] += rise * np.minimum(np.arange(1, rows - escape + 1) / takes, 1)
    return Run(np.exp(logs + low[:, None]), [Label("plateau", start), Label("escape", escape)])


def restart(rng: Generator, rows: int, layers: int) -> Run:
    """A healthy run that was resumed; half the time, what came before had collapsed."""
    logs = background(rng, rows, layers)
    norms, at = np.exp(logs), int(rng.integers(rows // 2, rows))
    labels = [Label("restart", at)]
    if rng.random() < 0.5:
        dead = at - int(rng.integers(10, rows // 4 + 1))
        healthy = norms[at:].copy()
        labels.append(_die(norms, logs, dead, layers))
        norms[at:] = healthy
    return Run(norms, labels, (at,))


def many_things(rng: Generator, rows: int, layers: int) -> Run:
    """An overflow, a spike, and an explosion to NaN in one run."""
    run = explosion(rng, rows, layers)
    first = run.labels[0].row
    norms, labels = run.norms, list(run.labels)
    if first > 100:
        norms[first // 4] = np.inf
        norms[first // 2] *= 1e6
        labels += [Label("inf", first // 4, (0,)), Label("spike", first // 2)]
    return replace(run, labels=labels)


SCENARIOS: dict[str, Callable[[Generator, int, int], Run]] = {
    scenario.__name__: scenario
    for scenario in (
        not_a_number,
        overflow,
        explosion,
        spike_and_collapse,
        collapse,
        spikes,
        vanishing,
        plateau,
        restart,
        many_things,
    )
}


def _strikes(rng: Generator, norms: np.ndarray, at: int, value: float, kind: str) -> list[Label]:
    """Put a value into some layers for 1 to 3 rows, and perhaps again where that is news."""
    rows, layers = norms.shape
    again = at + int(rng.integers(60, 200))
    labels = []
    for row in [at, again] if again < rows and rng.random() < 0.5 else [at]:
        struck = np.sort(rng.choice(layers, int(rng.integers(1, layers + 1)), replace=False))
        norms[row : row + int(rng.integers(1, 4)), struck] = value
        labels.append(Label(kind, row, (int(struck[0]),)))
    return labels
