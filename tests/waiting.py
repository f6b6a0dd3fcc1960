"""Waiting for what another thread or process brings, and for processes to end."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from tests.forked import Process

T = TypeVar("T")
Started = TypeVar("Started", bound="subprocess.Popen[Any] | Process")

WAIT_SECONDS, POLL_SECONDS = 60, 0.05


def wait_until(condition: Callable[[], T], what: str) -> T:
    """Wait until a condition holds, which is said in words where it never does; gives its value."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what}, within {WAIT_SECONDS} s"
        time.sleep(POLL_SECONDS)
    return value


@contextmanager
def ending(process: Started) -> Iterator[Started]:
    """A process that ends with what uses it: by SIGTERM, or killed where it does not heed that."""
    with process:
        try:
            yield process
        finally:
            end(process)


def end(process: "subprocess.Popen[Any] | Process") -> None:
    """Have a process end as `ending` does."""
    process.terminate()
    try:
        process.wait(WAIT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
