"""Work in a thread of its own, which can be waited for and ended."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

from tb_sonify.training.process import Home

IDLE_SECONDS = 1.0


class Background(ABC):
    """A thread that does what it is given, behind the training's back.

    In a process that was forked off there is no such thread: there, nothing is waited for.
    Who inherits calls `_start` at last, takes work under the lock of `_changed`, and ends `_run`
    once `_closing` is set and all is done.
    """

    def __init__(self, name: str) -> None:
        self._home = Home()
        self._changed = threading.Condition()
        self._flushes_wanted = self._flushes_done = 0
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"tb_sonify {name}", daemon=True)

    def flush(self) -> None:
        """Wait until all that was taken so far is done."""
        if not self._home.is_here():
            return
        with self._changed:
            self._flushes_wanted += 1
            wanted = self._flushes_wanted
            self._changed.notify_all()
            self._wait_for(lambda: self._flushes_done >= wanted)

    def close(self) -> None:
        """Do what is left, and end; can be called again."""
        if not self._home.is_here():
            return
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join()

    @abstractmethod
    def _run(self) -> None:
        """What the thread does."""

    def _start(self) -> None:
        self._thread.start()

    def _wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait with the lock, unless the thread has died."""
        while self._thread.is_alive() and not self._changed.wait_for(condition, timeout=1.0):
            pass

    @property
    def _flush_is_wanted(self) -> bool:
        return self._flushes_wanted > self._flushes_done

    def _flushed(self, wanted: int) -> None:
        with self._changed:
            self._flushes_done = wanted
            self._changed.notify_all()
