"""A run with a spike and a NaN, or the same without; and both, served."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tb_sonify import SonifyWriter
from tests.serving import served

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


@contextmanager
def served_pair(logdir: Path) -> Iterator[str]:
    """The address of a broken run in A and a calm one in B."""
    write_run(logdir / "a-broken", broken=True)
    write_run(logdir / "b-calm", broken=False)
    with served(logdir) as url:
        yield url
