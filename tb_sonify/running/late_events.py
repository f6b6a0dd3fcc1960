"""A file of events whose directory is known later."""

import threading
from typing import Any

from tensorboard.compat import tf

from tb_sonify.training.event_file import EventFile


class LateEvents(EventFile):
    """Keeps events until it is opened."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: list[Any] = []
        self._opened: EventFile | None = None

    def open(self, logdir: str) -> None:
        """Write to a new file in `logdir`, first of all what was kept."""
        tf.io.gfile.makedirs(logdir)  # else the script would run to its end for nothing
        file = EventFile(logdir)
        with self._lock:
            held, self._held = self._held, []
            for event in held:
                file.add_event(event)
            self._opened = file

    def get_logdir(self) -> str:
        """The directory; empty while it is not known."""
        return "" if self._opened is None else self._opened.get_logdir()

    def add_event(self, event: Any) -> None:
        with self._lock:
            if self._opened is None:
                self._held.append(event)
                return
        self._opened.add_event(event)

    def flush(self) -> None:
        if self._opened is not None:
            self._opened.flush()

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
