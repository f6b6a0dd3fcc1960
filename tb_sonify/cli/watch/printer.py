"""What is said of runs, as lines of text or JSON."""

import json
import shutil
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import asdict

from tb_sonify.cli.watch.run_watch import Message
from tb_sonify.reading.description import spoken

_WIDTH = 80


def _print(text: str) -> None:
    print(text, flush=True)


class Printer:
    """Prints messages as lines of at most 80 columns, or as JSON, and keeps them.

    Parameters
    ----------
    write
        Takes the lines of a message, without the last line break.
    """

    def __init__(self, *, as_json: bool, write: Callable[[str], None] = _print) -> None:
        self._as_json = as_json
        self._print = write
        self._said: list[Message] = []
        self._at = 0
        self.last_run: str | None = None

    def say(self, message: Message) -> None:
        """Print a message."""
        if message.kind != "state":
            self._said = [*self._said[-999:], message]
            self._at = len(self._said)
            self.last_run = message.run
        now = time.time()
        if self._as_json:
            self._print(json.dumps({"time": round(now, 3), **asdict(message)}))
            return
        clock = time.strftime("%H:%M:%S", time.localtime(now))
        level = "" if message.level == "NOTE" else f"{message.level} "
        text = spoken(readable(message.text))
        self._print(_wrapped(f"{clock} {readable(message.run)} {level}{text}"))

    def remark(self, text: str) -> None:
        """Print what concerns no run; on standard error, where the output is for programs."""
        if self._as_json:
            print(_wrapped(readable(text)), file=sys.stderr, flush=True)
        else:
            self._print(_wrapped(readable(text)))

    def again(self, by: int) -> None:
        """Print what was said before, or after that."""
        at = self._at + by
        if 0 <= at < len(self._said):
            self._at = at
            message = self._said[at]
            self._print(_wrapped(f"{readable(message.run)} {spoken(readable(message.text))}"))
        else:
            self.remark("nothing later was said" if by > 0 else "nothing earlier was said")


def readable(text: str) -> str:
    """A text without what would move the cursor, or be spelled out."""
    return "".join(each if each.isprintable() else "?" for each in text)


def _wrapped(text: str) -> str:
    width = min(_WIDTH, shutil.get_terminal_size((_WIDTH, 24)).columns)
    return textwrap.fill(
        text, max(width, 20), subsequent_indent="  ", break_on_hyphens=False, drop_whitespace=True
    )
