"""Signals that end a process: what was logged is written first."""

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

_ENDING = [
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
]  # Windows has no SIGHUP
_AGAIN_SECONDS = 0.005
_PATIENCE_SECONDS = 10.0


def end_on_signals(end: Callable[[Callable[[], None]], None]) -> None:
    """Have `end` called when a signal comes that would end the process.

    It is given what ends the process by that signal, as it would have ended. A script that
    handles the signal itself replaces this, or is left alone.
    """
    if threading.current_thread() is not threading.main_thread():
        return  # where Python takes no handler
    home = os.getpid()
    came: float | None = None

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal came
        came = came or time.monotonic()
        if os.getpid() != home:  # a fork, such as a worker that its parent ends
            _die(number)
        elif is_in_training(frame):
            if time.monotonic() - came > _PATIENCE_SECONDS:  # it may hang, as on a dead disk
                _die(number)
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
