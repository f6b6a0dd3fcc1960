"""A run with a spike and a NaN, and one without."""

from pathlib import Path

import numpy as np

from tb_sonify import SonifyWriter

STEPS, NAN_AT, SPIKE_AT = 400, 300, 120


def write_run(path: Path, *, broken: bool) -> None:
    """400 steps of 6 layers and a loss, through the public writer."""
    random = np.random.default_rng(5)
    norms = np.exp(random.normal(-1, 0.2, (STEPS, 6)))
    if broken:
        norms[SPIKE_AT, 2] *= 1e4
        norms[NAN_AT:, 4] = np.nan
    with SonifyWriter(str(path)) as writer:
        for step, row in enumerate(norms):
            writer.add_norms({f"block.{layer}": norm for layer, norm in enumerate(row)}, step)
            writer.add_scalar("loss/train", 2.3 * 0.99**step, step)


def write_pair(logdir: Path) -> None:
    """Write a broken run, which comes first, and a calm one."""
    write_run(logdir / "a-broken", broken=True)
    write_run(logdir / "b-calm", broken=False)
