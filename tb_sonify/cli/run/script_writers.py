"""The script's own SummaryWriters: where its loss goes, its norms belong."""

from types import ModuleType
from typing import Any
from weakref import ReferenceType, ref

from tb_sonify.training.foreign_writer import is_closed, logdir_of


class SummaryWriters:
    """The SummaryWriters of the script, in the order in which it made them.

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
            if getattr(kind, "sonify_owner", None) != "run":
                made.append(ref(writer))
            return writer

        module.SummaryWriter.__new__ = new

    def logdir(self) -> str | None:
        """Directory of the first that is open, or was; it changes only once that one is done."""
        followed = self._followed and self._followed()
        if followed is None or logdir_of(followed) is None or is_closed(followed):
            for reference in self._made:
                writer = reference()
                if writer is not None and logdir_of(writer) is not None and not is_closed(writer):
                    self._followed = reference
                    return logdir_of(writer)
        return None if followed is None else logdir_of(followed)

    def any_of_ours(self) -> bool:
        """Whether the script uses a `SonifyWriter` itself."""
        alive = (reference() for reference in self._made)
        return any(getattr(type(writer), "sonify_owner", None) == "script" for writer in alive)
