"""torch's file writer, over an event file of ours."""

from torch.utils.tensorboard import FileWriter

from tb_sonify.training.event_file import EventFile
from tb_sonify.training.ranks import NoEvents


class EventFileWriter(FileWriter):
    """A `FileWriter` that gives its events to `events`, and opens no file of its own."""

    def __init__(self, events: EventFile | NoEvents) -> None:
        self.event_writer = events
