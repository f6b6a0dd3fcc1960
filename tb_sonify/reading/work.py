"""Limits on the work done at a time: two semaphores, a pool of daemon threads."""

import socket
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

from tensorboard import errors

from tb_sonify.reading import limits

Piece = TypeVar("Piece")
Value = TypeVar("Value")

# The connection of the client for whom a thread works, where there is one.
client_connection: ContextVar[socket.socket | None] = ContextVar("client_connection", default=None)


class Overloaded(errors.PublicError):
    """So much was asked for at once that a request got no slot in time; answered with 503."""

    http_code = 503

    def __init__(self) -> None:
        super().__init__(f"more was asked for than could be done in {limits.PATIENCE_SECONDS:g} s")
        self.headers.append(("Retry-After", "10"))


class Abandoned(errors.PublicError):
    """The client closed its connection before its request got a slot; 499, as nginx has it."""

    http_code = 499


class WorkLimiter:
    """Two semaphores: one slot for large work, eight for small work beside it.

    They bound memory, however many requests come, and small work does not wait for large work.
    A slot is released before the result is sent, so that nobody waits for a slow client.
    """

    def __init__(self) -> None:
        self._large = _FairSemaphore(limits.LARGE_SLOTS)
        self._small = _FairSemaphore(limits.SMALL_SLOTS)

    @contextmanager
    def slot(self, values: int) -> Iterator[None]:
        """A slot for work on so many values; slots are not nested.

        Raises
        ------
        Overloaded
            If none gets free in time.
        Abandoned
            If the client has closed its connection meanwhile.
        """
        slots = self._small if values <= limits.SMALL_VALUES else self._large
        waited = slots.acquire()
        try:
            if waited and _is_closed(client_connection.get()):
                raise Abandoned("the client has closed its connection")
            yield
        finally:
            slots.release()

    def each(self, pieces: Iterator[Piece], count: int, *, values: int) -> Iterator[Piece]:
        """`count` pieces of so many values, each made in a slot of its own.

        The first ones are small work, the later ones of many are large work. Ends early where the
        client has closed its connection after the first one.
        """
        for number in range(1, count + 1):
            try:
                with self.slot(number * values):
                    piece = next(pieces)
            except Abandoned:
                if number == 1:
                    raise
                return
            yield piece


class _FairSemaphore:
    """Semaphore that is acquired in the order of asking.

    Python's own may go to the thread that has just released it, and so to one long answer.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[threading.Event] = deque()
        self._lock = threading.Lock()

    def acquire(self) -> bool:
        """Decrement, once that is possible; whether that took any time."""
        with self._lock:
            if self._free:
                self._free -= 1
                return False
            granted = threading.Event()
            self._waiting.append(granted)
        if not granted.wait(limits.PATIENCE_SECONDS):
            with self._lock:
                if not granted.is_set():
                    self._waiting.remove(granted)
                    raise Overloaded
        return True

    def release(self) -> None:
        """Increment, or let the thread go on that has waited for the longest time."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1


def _is_closed(connection: socket.socket | None) -> bool:
    """Whether the other end has closed a connection; false where that cannot be told."""
    at_once = getattr(socket, "MSG_DONTWAIT", None)  # not on Windows
    if connection is None or at_once is None:
        return False
    try:
        return not connection.recv(1, socket.MSG_PEEK | at_once)
    except BlockingIOError:
        return False
    except OSError:
        return True


_Work = SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None]


class DaemonThreads(Executor):
    """Executor of daemon threads, which end with it or with the process, even amid a call.

    At exit, a process waits for all calls of a `ThreadPoolExecutor`.

    Parameters
    ----------
    most
        Most threads; they are started as they are needed.
    """

    def __init__(self, most: int, name: str) -> None:
        self._name = name
        self._work: _Work = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._may_start = threading.Semaphore(most)
        weakref.finalize(self, self._work.put, None).atexit = False

    def submit(self, call: Callable[..., Value], /, *args: Any, **kwargs: Any) -> Future[Value]:
        """Make a call in one of the threads."""
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
