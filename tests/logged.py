"""Runs that a real writer logged."""

import numpy as np

from tb_sonify import SonifyWriter

LAYERS = ("first", "middle", "last")


def logged_run(directory, *, steps, losses=(), change=None):
    """Log norms with ordinary noise, after `change` has been made to them, and losses."""
    norms = 0.5 * np.exp(np.random.default_rng(0).normal(0, 0.3, (steps, len(LAYERS))))
    if change is not None:
        change(norms)
    with SonifyWriter(str(directory)) as writer:
        for step, row in enumerate(norms):
            writer.add_norms(dict(zip(LAYERS, row, strict=True)), step)
        for step, loss in enumerate(losses):
            writer.add_scalar("loss/train", loss, step)
