"""The script's own SummaryWriters: where its loss goes, its norms belong."""

from types import ModuleType
from typing import Any
from weakref import ReferenceType, ref


class SummaryWriters:
    """Those of the script, in the order in which it made them.

    All that changes about them is a `__new__` of their class, which takes note.
    """

    MODULES = ("torch.utils.tensorboard.writer", "tensorboardX.writer")

    def __init__(self) -> None:
        self._made: list[ReferenceType[Any]] = []  # weak: the script may be done with one
        self._followed: ReferenceType[Any] | None = None

    def notice(self, module: ModuleType) -> None:
        """Take note of each object of the module's `SummaryWriter`."""
        made = self._made

        def new(kind: type, *_: object, **__: object) -> Any:
            writer: Any = object.__new__(kind)
            if not kind.__module__.startswith("tb_sonify.running."):
                made.append(ref(writer))
            return writer

        module.SummaryWriter.__new__ = new

    def logdir(self) -> str | None:
        """Directory of the first that is open, or was; it changes only once that one is done."""
        followed = self._followed and self._followed()
        if followed is None or _logdir(followed) is None or _is_closed(followed):
            for reference in self._made:
                writer = reference()
                if writer is not None and _logdir(writer) is not None and not _is_closed(writer):
                    self._followed = reference
                    return _logdir(writer)
        return None if followed is None else _logdir(followed)

    def any_of_ours(self) -> bool:
        """Whether the script uses a `SonifyWriter` itself."""
        alive = (reference() for reference in self._made)
        return any(
            kind.__module__ == "tb_sonify.training.writer"
            for writer in alive
            for kind in type(writer).__mro__
        )


def _logdir(writer: Any) -> str | None:
    if not getattr(writer, "_write_to_disk", True):  # tensorboardX
        return None
    logdir = getattr(writer, "log_dir", None) or getattr(writer, "logdir", None)
    return None if logdir is None else str(logdir)


def _is_closed(writer: Any) -> bool:
    return getattr(writer, "all_writers", None) is None
