"""Signals that end a process: what was logged is written first."""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

_ENDING = [
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
]  # Windows has no SIGHUP
_AGAIN_SECONDS = 0.005


def end_on_signals(end: Callable[[Callable[[], None]], None]) -> None:
    """Have `end` called when a signal comes that would end the process.

    It is given what ends the process by that signal, as it would have ended. A script that
    handles the signal itself replaces this.
    """
    home = os.getpid()

    def handle(number: int, frame: FrameType | None) -> None:
        if os.getpid() != home:  # a fork, such as a worker that its parent ends
            _die(number)
        elif is_in_training(frame):
            # What writes would wait for what is interrupted here.
            threading.Timer(_AGAIN_SECONDS, os.kill, (home, number)).start()
        else:
            end(lambda: _die(number))

    for number in _ENDING:
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, handle)


def is_in_training(frame: FrameType | None) -> bool:
    """Whether this is, or was called by, code that may hold our locks."""
    while frame is not None:
        if str(frame.f_globals.get("__name__")).startswith("tb_sonify.training."):
            return True
        frame = frame.f_back
    return False


def _die(number: int) -> None:
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
