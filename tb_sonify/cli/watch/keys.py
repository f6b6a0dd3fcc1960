"""Single keys of a terminal, where there is one."""

import select
import sys
import time
from typing import Any


class Keys:
    """Reads keys without waiting for Enter; the terminal is put back as it was at the end."""

    def __init__(self) -> None:
        self._terminal: Any = None
        self._before: Any = None

    def __enter__(self) -> "Keys":
        try:
            import termios
            import tty

            if sys.stdin.isatty():
                self._before = termios.tcgetattr(sys.stdin)
                tty.setcbreak(sys.stdin)
                self._terminal = termios
        except (ImportError, OSError, ValueError):  # no such terminals here, or none at all
            self._terminal = None
        return self

    def wait(self, seconds: float) -> str:
        """The next key; empty if none is pressed in time."""
        if self._terminal is None:
            time.sleep(seconds)
            return ""
        ready, _, _ = select.select([sys.stdin], [], [], seconds)
        return sys.stdin.read(1) if ready else ""

    def __exit__(self, *_: object) -> None:
        if self._terminal is not None:
            self._terminal.tcsetattr(sys.stdin, self._terminal.TCSADRAIN, self._before)
