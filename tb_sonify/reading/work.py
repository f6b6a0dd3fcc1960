"""Work in turns: whoever asks for how much, memory is bounded, and what is small goes on."""

import heapq
import itertools
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

from tensorboard import errors

Piece = TypeVar("Piece")


PATIENCE_SECONDS = 60.0


MOST_SMALL = 500_000  # numbers; what is done with so many takes some tens of milliseconds


_SMALL_AT_ONCE = 8


_NUMBERS_PER_SECOND = 5_000_000


_MOST_SECONDS_BACK = 10.0


class Overloaded(errors.PublicError):
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


class WorkLimiter:
    """Large work is done one after the other, small work a few at a time beside it.

    Who looks at a large run goes before those who save theirs: see `_Lane`. A turn ends before its
    result is sent, so that nobody waits for a slow reader.
    """

    def __init__(self) -> None:
        self._large = _Lane(1)
        self._small = _Lane(_SMALL_AT_ONCE)

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
        waited = lane.enter(numbers)
        try:
            if waited and has_hung_up.get()():
                raise Abandoned("nobody waits for this any more")
            yield
        finally:
            lane.leave()

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


class _Lane:
    """So much at a time; of what waits, the least goes first.

    What is more stands back for what comes up to some seconds after it, the longer the more it
    is, but no longer: it is not put off for ever.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: list[tuple[float, int, threading.Event]] = []  # a heap
        self._count = itertools.count()
        self._lock = threading.Lock()

    def enter(self, numbers: int) -> bool:
        """Wait until there is room; whether that took any time. Raises `Busy` after some."""
        with self._lock:
            if self._free:
                self._free -= 1
                return False
            back = min(numbers / _NUMBERS_PER_SECOND, _MOST_SECONDS_BACK)
            entry = time.monotonic() + back, next(self._count), threading.Event()
            heapq.heappush(self._waiting, entry)
        if not entry[2].wait(PATIENCE_SECONDS):
            with self._lock:
                if entry in self._waiting:
                    self._waiting.remove(entry)
                    heapq.heapify(self._waiting)
                    raise Overloaded
        return True

    def leave(self) -> None:
        """Make room for the next."""
        with self._lock:
            if self._waiting:
                heapq.heappop(self._waiting)[2].set()
            else:
                self._free += 1


Value = TypeVar("Value")


_Work = SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None]


class DaemonThreads(Executor):
    """An executor whose threads end with it, or with the process, whatever they are at.

    A `ThreadPoolExecutor` has the process wait at its end until all that was begun is done.

    Parameters
    ----------
    most
        How many threads there are at most; they are started as they are needed.
    """

    def __init__(self, most: int, name: str) -> None:
        self._name = name
        self._work: _Work = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._may_start = threading.Semaphore(most)
        weakref.finalize(self, self._work.put, None).atexit = False

    def submit(self, call: Callable[..., Value], /, *args: Any, **kwargs: Any) -> Future[Value]:
        """Have a call made by one of the threads."""
        future: Future[Value] = Future()
        self._work.put((future, partial(call, *args, **kwargs)))
        if not self._idle.acquire(blocking=False) and self._may_start.acquire(blocking=False):
            serving = partial(_serve, self._work, self._idle)
            threading.Thread(target=serving, name=self._name, daemon=True).start()
        return future


def _serve(work: _Work, idle: threading.Semaphore) -> None:
    while (item := work.get()) is not None:
        future, call = item
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001 - it is raised where the result is taken
                future.set_exception(error)
        del item, future, call  # what they hold would be kept until the next one comes
        idle.release()
    work.put(None)  # for the other threads


CHUNK_VALUES = 1_000_000  # numbers of a part; what is done with one takes up to 60 bytes for each


def chunks_of(count: int, size: int, *, multiple: int = 1) -> Iterator[slice]:
    """Consecutive parts of `count` things that have `size` numbers each; at least one part.

    Parameters
    ----------
    multiple
        How many things a part has is a multiple of it, but for the last one.
    """
    together = max(CHUNK_VALUES // max(size, 1) // multiple, 1) * multiple
    for start in range(0, max(count, 1), together):
        yield slice(start, min(start + together, count))
