"""A file of events whose directory is known later."""

import threading
from typing import Any

from tb_sonify.training.event_file import EventFile


class LateEvents(EventFile):
    """Keeps events until it is opened."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: list[Any] = []
        self._file: EventFile | None = None

    def open(self, logdir: str) -> None:
        """Write to a new file in `logdir`, first of all what was kept."""
        file = EventFile(logdir)
        with self._lock:
            held, self._held = self._held, []
            for event in held:
                file.add_event(event)
            self._file = file

    def get_logdir(self) -> str:
        """The directory; empty while it is not known."""
        return "" if self._file is None else self._file.get_logdir()

    def add_event(self, event: Any) -> None:
        with self._lock:
            if self._file is None:
                self._held.append(event)
                return
        self._file.add_event(event)

    def flush(self) -> None:
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
