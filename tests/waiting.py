"""Waiting for what another thread or process brings."""

import time
from collections.abc import Callable

WAIT_SECONDS, POLL_SECONDS = 60, 0.05


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Wait until a condition holds, which is said in words where it never does."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what}, within {WAIT_SECONDS} s"
        time.sleep(POLL_SECONDS)
