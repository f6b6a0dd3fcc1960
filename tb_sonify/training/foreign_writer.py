"""SummaryWriters of torch or tensorboardX, told apart without importing either."""

from typing import Any


def logdir_of(writer: Any) -> str | None:
    """The directory of a SummaryWriter, if it is one and writes there."""
    if not any(kind.__name__ == "SummaryWriter" for kind in type(writer).__mro__):
        return None
    if not getattr(writer, "_write_to_disk", True):  # of tensorboardX
        return None
    logdir = getattr(writer, "log_dir", None) or getattr(writer, "logdir", None)
    return None if logdir is None else str(logdir)


def is_closed(writer: Any) -> bool:
    """Whether a SummaryWriter is closed, or not made yet."""
    return getattr(writer, "all_writers", None) is None
