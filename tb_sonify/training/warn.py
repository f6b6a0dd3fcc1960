"""Warnings that cannot stop a training run."""

import logging
import warnings

_log = logging.getLogger("tb_sonify")


def warn(message: str) -> None:
    """Warn, but never raise: where warnings are errors, the message is logged instead."""
    try:
        warnings.warn(message, RuntimeWarning, stacklevel=3)
    except RuntimeWarning:
        _log.warning(message)
