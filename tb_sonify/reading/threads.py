"""Threads that do not keep the process alive: what they wait for may never come."""

import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

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
