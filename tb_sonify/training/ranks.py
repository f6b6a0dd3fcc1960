"""Which process of a distributed training this is, and what the others do not write."""

import os
from typing import Any

from torch import distributed


def rank() -> int:
    """The number of this process, 0 if there is no other."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank()
    # A launcher such as torchrun gives it before the training asks for it.
    number = os.environ.get("RANK", "")
    return int(number) if number.isdecimal() else 0


class NoEvents:
    """In place of an `EventFile`, where another process writes."""

    def __init__(self, logdir: str) -> None:
        self._logdir = logdir

    def get_logdir(self) -> str:
        """The directory that the other process writes to."""
        return self._logdir

    def add_event(self, event: Any) -> None:
        """Do nothing."""

    def flush(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
