"""Warnings that cannot stop a training run."""

import logging
import os
import warnings

_log = logging.getLogger("tb_sonify")


def warn(message: str, *, stacklevel: int = 3) -> None:
    """Warn, but never raise: where warnings are errors, the message is logged instead."""
    try:
        warnings.warn(message, RuntimeWarning, stacklevel=stacklevel)
    except RuntimeWarning:
        _log.warning(message)


class WarnOnce:
    """Gives the first of some warnings alone, or the first of each key."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def __call__(self, message: str, *, key: str = "") -> None:
        """Warn, unless there has been a warning of this key."""
        if key not in self._given:
            self._given.add(key)
            warn(message, stacklevel=4)


class ForkGuard:
    """The process in which a writer was made."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._warn = WarnOnce()

    def in_owner(self) -> bool:
        """Whether this is the process, and not a fork of it."""
        return os.getpid() == self._owner

    def accepts(self) -> bool:
        """Whether data may be logged here; in a fork it is left out, with one warning."""
        if not self.in_owner():
            self._warn(
                "a writer logs only in the process that made it: data of this fork is left out"
            )
        return self.in_owner()
