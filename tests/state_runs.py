"""Runs of every kind that the dashboard has a state for, written as event files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.logs import norms_of, run_events, scalar_events, write_events

STEPS, NAN_AT, SPIKE_AT = 400, 300, 120


def losses(steps: Sequence[int] | np.ndarray, *, seed: int = 0) -> list[tuple[int, float]]:
    """A loss that falls, as one point of each step."""
    noise = np.random.default_rng(seed).normal(0, 0.03, len(steps))
    fall = 0.4 + 1.9 * np.exp(-np.arange(len(steps)) / (0.3 * len(steps)))
    return list(zip(np.asarray(steps).tolist(), fall * np.exp(noise), strict=True))


def write_run(
    path: Path,
    *,
    layers: tuple[str, ...] = ("conv1", "conv2", "fc1", "fc2"),
    steps: Sequence[int] | np.ndarray = range(STEPS),
    spike: bool = False,
    nan_from: int | None = None,
    seed: int = 0,
    session: float = 1_000.0,
) -> None:
    """A run with norms and a loss; where it breaks, both are NaN from a row on."""
    norms = norms_of(len(steps), len(layers), seed=seed)
    loss = losses(steps, seed=seed)
    if spike:
        norms[SPIKE_AT, 1] *= 2.0**14
    if nan_from is not None:
        norms[nan_from:, -1] = np.nan
        loss[nan_from:] = [(step, float("nan")) for step, _ in loss[nan_from:]]
    events = run_events(norms, np.asarray(steps), layers=layers, session=session)
    write_events(path, [*events, *scalar_events("loss/train", loss, start=session)])


def write_two_runs(logdir: Path) -> None:
    """Write a run with a spike, which comes first, and one that becomes NaN."""
    write_run(logdir / "adam", spike=True)
    write_run(logdir / "sgd", nan_from=NAN_AT, seed=1)


def write_scalars(path: Path, tag: str = "loss/train", values: object = None) -> None:
    """A run without norms."""
    points = losses(range(STEPS)) if values is None else values
    write_events(path, scalar_events(tag, points))


def layer_names(count: int) -> tuple[str, ...]:
    """Names as a transformer has them."""
    parts = ("attn.qkv", "attn.proj", "norm1", "mlp.fc1", "mlp.fc2")
    return tuple(f"blocks.{at // len(parts)}.{parts[at % len(parts)]}" for at in range(count))
