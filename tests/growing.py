"""Runs that grow while a tab is open, and how far the tab has got in them."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tb_sonify import SonifyWriter
from tests.dashboard import Dashboard

PACE_SECONDS = 0.02  # from row to row
FIRST = 250


@contextmanager
def meanwhile(train: Callable[[threading.Event], None]) -> Iterator[None]:
    """Has something train in a thread, until it is told to end."""
    ended = threading.Event()
    thread = threading.Thread(target=train, args=(ended,))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def trained(path: Path, *, steps: int = FIRST) -> Iterator[None]:
    """A run that goes on being written, in a thread, after some steps at once."""
    random = np.random.default_rng(2)
    writer = SonifyWriter(str(path), flush_secs=1)

    def log(step: int) -> None:
        norms = np.exp(random.normal(-1, 0.3, 3))
        writer.add_norms(dict(zip(("conv", "fc1", "fc2"), norms, strict=True)), step)
        writer.add_scalar("loss", 2 * 0.999**step, step)

    def train(ended: threading.Event) -> None:
        step = steps
        while not ended.wait(PACE_SECONDS):
            log(step)
            step += 1
            if step % 50 == 0:
                writer.flush()

    for step in range(steps):
        log(step)
    writer.flush()
    try:
        with meanwhile(train):
            yield
    finally:
        writer.close()


def last_step(tab: Dashboard) -> float:
    """The last step that the tab knows of."""
    label = tab.frame.locator(".timeline").get_attribute("aria-label") or ""
    return float(re.findall(r"[\d,.]+", label)[1].replace(",", ""))
