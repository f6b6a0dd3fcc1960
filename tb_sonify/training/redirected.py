"""A writer whose events go elsewhere than into a file of a directory that it was given."""

from collections.abc import Callable, Sequence

from torch.utils.tensorboard import FileWriter

from tb_sonify.sound import StreamPreset
from tb_sonify.training.event_file import EventFile
from tb_sonify.training.file_writer import EventFileWriter
from tb_sonify.training.writer import SonifyWriter


class RedirectedWriter(SonifyWriter):
    """A `SonifyWriter` that gives its events to somebody else.

    Parameters
    ----------
    events
        Makes what takes the events; called only where this process writes.
    """

    def __init__(
        self,
        events: Callable[[], EventFile],
        *,
        presets: Sequence[str | StreamPreset] = ("smooth",),
    ) -> None:
        self._make_events = events
        super().__init__("elsewhere", presets=presets)

    def _new_file_writer(self, logdir: str) -> FileWriter:
        if not self._writes:
            return super()._new_file_writer(logdir)
        events = self._make_events()
        self._files.append(events)
        return EventFileWriter(events)
