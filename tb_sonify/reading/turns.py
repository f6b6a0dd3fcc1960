"""Work in turns: whoever asks for how much, memory is bounded, and what is small goes on."""

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from tensorboard import errors

Piece = TypeVar("Piece")

PATIENCE_SECONDS = 60.0
MOST_SMALL = 500_000  # numbers; what is done with so many takes some tens of milliseconds
_SMALL_AT_ONCE = 8


class Busy(errors.PublicError):
    """So much was asked for at once that a request's turn did not come; answered with 503."""

    http_code = 503

    def __init__(self) -> None:
        super().__init__(f"more was asked for than could be done in {PATIENCE_SECONDS:g} s")
        self.headers.append(("Retry-After", "10"))


class Abandoned(errors.PublicError):
    """Nobody waits for an answer any more; its status is the one that nginx has for this."""

    http_code = 499


def _never() -> bool:
    return False


# Whether who asked for what is being done has hung up. To be set for each request.
has_hung_up: ContextVar[Callable[[], bool]] = ContextVar("has_hung_up", default=_never)


class Turns:
    """Large work is done one after the other, small work a few at a time beside it.

    A turn ends before its result is sent, so that nobody waits for a slow reader.
    """

    def __init__(self) -> None:
        self._large = threading.Semaphore(1)
        self._small = threading.Semaphore(_SMALL_AT_ONCE)

    @contextmanager
    def of(self, numbers: int) -> Iterator[None]:
        """A turn for work on so many numbers; turns are not taken within one another.

        Raises
        ------
        Busy
            If it did not come.
        Abandoned
            If it came too late for who had asked.
        """
        lane = self._small if numbers <= MOST_SMALL else self._large
        waited = not lane.acquire(blocking=False)
        if waited and not lane.acquire(timeout=PATIENCE_SECONDS):
            raise Busy
        try:
            if waited and has_hung_up.get()():
                raise Abandoned("nobody waits for this any more")
            yield
        finally:
            lane.release()

    def each(self, pieces: Iterator[Piece], numbers: int) -> Iterator[Piece]:
        """Pieces of so many numbers, each made in a turn of its own.

        The further it has got, the more it has had: what is long lets others go first.
        """
        for count in itertools.count(1):
            with self.of(count * numbers):
                piece = next(pieces, None)
            if piece is None:
                return
            yield piece
