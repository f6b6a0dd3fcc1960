"""All that a writer keeps running, apart from the writer, so that the writer can be collected."""

import atexit
import threading
from _thread import start_new_thread
from collections.abc import Callable, Sequence
from weakref import WeakSet, finalize

from tb_sonify.sound import Preset
from tb_sonify.training.batch import Batch
from tb_sonify.training.collector import Collector
from tb_sonify.training.event_file import EventFile
from tb_sonify.training.gathering import Gathering
from tb_sonify.training.gradients import LayerNorms
from tb_sonify.training.process import Home
from tb_sonify.training.recorder import Recorder
from tb_sonify.training.signals import end_on_signals

# That a signal waits for what is written; who sent it may kill the process soon.
_SIGNAL_SECONDS = 10.0

_open: "WeakSet[Recording]" = WeakSet()


class Recording:
    """Collector, recorder and event files of a writer.

    It ends with `close`, at the interpreter's exit, by a signal that ends the process and that
    nobody else handles, or once `owner` is garbage.

    Parameters
    ----------
    files
        The event file of the run first; those that the owner opens later come after it. Empty
        where another process writes: then there is no recorder, and shards are all that counts.
    """

    def __init__(
        self,
        owner: object,
        files: list[EventFile],
        *,
        session: float,
        presets: Sequence[Preset],
        scalar_every: int | None,
    ) -> None:
        self._gathering: Gathering | None = None
        self.collector = Collector(self._put)
        self._recorder = (
            Recorder(
                files[0],
                session=session,
                presets=presets,
                scalar_every=scalar_every,
                fetch=self.collector.hand_on_meanwhile,
            )
            if files
            else None
        )
        self._files = files
        self._home = Home()
        self._lock = threading.Lock()
        self.closed = False
        _open.add(self)
        finalize(owner, _close_later, self).atexit = False
        end_on_signals(_close_soon)

    def takes(self, norms: LayerNorms) -> bool:
        """Whether these norms are needed in this process."""
        return self._recorder is not None or (norms.shards is not None and 0 in norms.shards.ranks)

    def flush(self) -> None:
        """Wait until all rows taken so far are in the event file."""
        if not self.closed and self._home.is_here():
            self.collector.hand_on()
            if self._gathering is not None and self._recorder is not None:
                self._gathering.wait()
            if self._recorder is not None:
                self._recorder.flush()

    def close(self) -> None:
        """Write all there is and close the files; can be called again."""
        with self._lock:
            if not self.closed:
                self.collector.hand_on()
                self.closed = True
                if self._gathering is not None and self._home.is_here():
                    self._gathering.close()
                if self._recorder is not None:
                    self._recorder.close()
            while self._files:
                self._files.pop().close()

    def _put(self, batch: Batch) -> None:
        if batch.source.ranks and self._gathering is None:
            self._gathering = Gathering(batch.source.ranks, self._record)
        if self._gathering is not None:
            self._gathering.put(batch)
        else:
            self._record(batch)

    def _record(self, batch: Batch) -> None:
        if self._recorder is not None:
            self._recorder.put(batch)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to close."""
        return self.closed and not self._files


def _close_later(recording: Recording) -> None:
    # Garbage is collected wherever Python happens to be, where waiting could deadlock.
    if not recording.idle:
        start_new_thread(recording.close, ())


@atexit.register
def _close_all() -> None:
    for recording in list(_open):
        recording.close()


def _close_soon(and_then: Callable[[], None]) -> None:
    closing = threading.Thread(target=_close_all, daemon=True)
    closing.start()
    closing.join(_SIGNAL_SECONDS)
    and_then()
