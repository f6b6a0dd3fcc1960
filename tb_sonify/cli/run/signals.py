"""Signal handlers of `tb-sonify run`, which flush rows before SIGTERM or SIGHUP ends a script."""

import ctypes
import os
import signal
import socket
import threading
from _thread import start_new_thread
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from tb_sonify import training

_FATAL = [
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
]  # Windows has no SIGHUP
_RETRY_SECONDS = 0.005
_HANDLER_SECONDS = 2.0  # without a call of its handler, the main thread is stuck in a C call
_FLUSH_SECONDS = 10.0  # who sent the signal may send SIGKILL soon


def flush_on_signals(flush: Callable[[], None]) -> None:
    """Call `flush` when a signal comes that would end the process, which then ends by that signal.

    A script that handles the signal itself replaces the handler, or is left alone.
    """
    wakeups, writing_end = socket.socketpair()
    writing_end.setblocking(False)
    signal.set_wakeup_fd(writing_end.detach(), warn_on_full_buffer=False)
    if hasattr(os, "register_at_fork"):  # else signals of a fork would be taken for our own
        os.register_at_fork(after_in_child=lambda: signal.set_wakeup_fd(-1))
    handler = _Handler(flush)
    # The script does not see a thread of ours in `threading`.
    start_new_thread(handler.watch, (wakeups,))
    for number in _FATAL:
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, handler.handle)


class _Handler:
    """Flushes once, and ends the process.

    Python calls handlers in the main thread between two bytecodes, so never while that thread is
    stuck in a C call, such as a collective that hangs. A thread that the C part of the handler
    wakes flushes instead.
    """

    def __init__(self, flush: Callable[[], None]) -> None:
        self._flusher = threading.Thread(target=flush, daemon=True)
        self._handled = threading.Event()
        self._home = os.getpid()

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Take a signal, in the main thread."""
        if os.getpid() != self._home:  # a fork, such as a worker that its parent ends
            _end_process(number)
        elif is_in_training(frame):
            # The flush would wait for a lock that the interrupted code holds.
            threading.Timer(_RETRY_SECONDS, os.kill, (self._home, number)).start()
        else:
            self._handled.set()
            self._end(number)

    def watch(self, wakeups: socket.socket) -> None:
        """Take the signals that the main thread does not, in a thread of its own."""
        while numbers := wakeups.recv(1):
            is_ours = signal.getsignal(numbers[0]) == self.handle
            if is_ours and not self._handled.wait(_HANDLER_SECONDS):
                self._end(numbers[0])

    def _end(self, number: int) -> None:
        with suppress(RuntimeError):  # another signal has started it
            self._flusher.start()
        self._flusher.join(_FLUSH_SECONDS)
        _end_process(number)


def is_in_training(frame: FrameType | None) -> bool:
    """Whether this is, or was called by, code that may hold our locks."""
    while frame is not None:
        if str(frame.f_globals.get("__name__")).startswith(f"{training.__name__}."):
            return True
        frame = frame.f_back
    return False


def _end_process(number: int) -> None:
    # As `signal.signal`, which the main thread alone may call.
    ctypes.pythonapi.PyOS_setsig(number, ctypes.c_void_p(0))  # SIG_DFL
    os.kill(os.getpid(), number)
