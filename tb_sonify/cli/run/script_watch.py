"""`tb-sonify run --watch`: what is told of the script's runs while they are written, beside it."""

import os
import sys
import threading
from contextlib import nullcontext, suppress

from tb_sonify.cli.main import defaults_of
from tb_sonify.cli.watch.actions import Actions
from tb_sonify.cli.watch.follow import GrowingDirectories
from tb_sonify.cli.watch.logdir_watch import LogdirWatch
from tb_sonify.cli.watch.printer import Printer
from tb_sonify.training.warn import warn

_POLL_SECONDS = 0.5
_PATIENCE_SECONDS = 5.0  # for the last words, at the end
_STDERR = 2


class ScriptWatch:
    """Follows the runs of the script, and prints to its standard error what `watch` tells of them.

    It reads event files in a daemon thread of its own, so that nothing waits for it.
    """

    def __init__(self) -> None:
        printer = Printer(as_json=False, write=_write_line)
        actions = Actions(sound="off", bell=False, command=None, say=printer.remark)
        self._runs = GrowingDirectories()
        self._watch = LogdirWatch(defaults_of("watch", "."), printer, actions, self._runs)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def follow(self, name: str, directory: str) -> None:
        """Follow a run, by the path of its directory, from before anything is written to it."""
        if name in self._runs.runs:
            return
        if "://" in directory:
            raise ValueError(f"it follows directories of this machine, and {name!r} is a URL")
        with self._lock:
            for before in [each.name for each in self._watch.runs.values() if each.ended]:
                del self._runs.runs[before], self._watch.runs[before]
            self._runs.add(name, directory)
            self._watch.begin([name], is_news=True)
        if self._thread is None:
            self._thread = threading.Thread(target=self._look, name="tb_sonify watch", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Tell what there is to tell at the end."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(_PATIENCE_SECONDS)

    def _look(self) -> None:
        try:
            closing = False
            while not closing:
                closing = self._closing.wait(_POLL_SECONDS)
                with self._lock:
                    self._watch.look()
        except Exception as error:  # noqa: BLE001 - training goes on, whatever this is
            what = f"{type(error).__name__}: {error}"
            warn(f"--watch tells nothing from here on, the script goes on: {what}")


def _write_line(text: str) -> None:
    """Write whole lines at once, past what the script has not finished; bars of tqdm stay below."""
    tqdm = sys.modules.get("tqdm") if os.isatty(_STDERR) else None
    bars = getattr(tqdm, "tqdm", None)
    with (
        suppress(OSError),  # standard error is closed
        nullcontext() if bars is None else bars.external_write_mode(file=sys.stderr),
    ):
        os.write(_STDERR, f"{text}\n".encode(errors="replace"))
