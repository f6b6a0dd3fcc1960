"""Warnings that cannot stop a training run."""

import logging
import os
import warnings

_log = logging.getLogger("tb_sonify")


def warn(message: str) -> None:
    """Warn, but never raise: where warnings are errors, the message is logged instead."""
    try:
        warnings.warn(message, RuntimeWarning, stacklevel=3)
    except RuntimeWarning:
        _log.warning(message)


class ForkGuard:
    """The process in which a writer was made."""

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._warned = False

    def is_here(self) -> bool:
        """Whether this is the process, and not a fork of it."""
        return os.getpid() == self._pid

    def takes_data(self) -> bool:
        """The same, with one warning in a fork, whose data is left out."""
        if not self.is_here() and not self._warned:
            self._warned = True
            warn("a writer logs only in the process that made it: data of this fork is left out")
        return self.is_here()
