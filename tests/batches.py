"""Batches of rows, and a recorder for them."""

import numpy as np

from tb_sonify.training.event_writer import EventFileWriter
from tb_sonify.training.recorder import Recorder
from tb_sonify.training.run_log import RowBatch, RowSchema

LAYERS = ("conv", "fc")


def record(directory, *batches, session=1.0, **options):
    """Record batches in a new session and close it."""
    events = EventFileWriter(directory)
    recorder = Recorder(events, session=session, **options)
    for batch in batches:
        recorder.put(batch)
    recorder.close()
    events.close()


def batch(norms, steps=None, layers=LAYERS, **options):
    norms = np.asarray(norms, np.float32)
    steps = range(len(norms)) if steps is None else steps
    steps = np.asarray(steps, np.int64)
    return RowBatch(RowSchema(layers, options), steps, 100.0 + steps, lambda: norms)


def batches(norms, first_step=0):
    return [
        batch(norms[start : start + 64], range(start, min(start + 64, len(norms))))
        for start in range(first_step, len(norms), 64)
    ]


def norms_of(rows, layers=2, seed=0):
    random = np.random.default_rng(seed)
    return np.exp2(random.uniform(-20, 20, (rows, layers))).astype(np.float32)
