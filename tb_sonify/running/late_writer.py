"""A writer whose directory is known later."""

import threading
from collections.abc import Sequence
from typing import Any

from torch.utils.tensorboard import FileWriter

from tb_sonify.training.event_file import EventFile
from tb_sonify.training.writer import SonifyWriter


class LateWriter(SonifyWriter):
    """Keeps what is logged until its `events` are opened."""

    def __init__(self, *, presets: Sequence[str]) -> None:
        self.events = LateEvents()
        super().__init__("not known yet", presets=presets)

    def _new_file_writer(self, logdir: str) -> FileWriter:
        if not self._writes:
            return super()._new_file_writer(logdir)
        self._files.append(self.events)
        writer: FileWriter = FileWriter.__new__(FileWriter)  # whose own `__init__` opens a file
        writer.event_writer = self.events
        return writer


class LateEvents(EventFile):
    """An event file that keeps events until it is opened."""

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
