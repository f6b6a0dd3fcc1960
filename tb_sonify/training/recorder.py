"""The recorder: a thread that turns rows into what is stored, behind the training's back."""

import atexit
import threading
import time
from _thread import start_new_thread
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from weakref import WeakSet, finalize

from tb_sonify.sound import Preset
from tb_sonify.training.event_writer import IDLE_SECONDS, BackgroundThread, EventFileWriter
from tb_sonify.training.grad_norms import LayerNorms
from tb_sonify.training.row_buffer import RowBatch, RowBuffer
from tb_sonify.training.run_log import RunLog
from tb_sonify.training.sharding import ShardReducer
from tb_sonify.training.signals import end_on_signals
from tb_sonify.training.warn import ForkGuard, warn

_MAX_BATCHES = 64


class Recorder(BackgroundThread):
    """Takes batches of rows from the training thread and writes them in a thread of its own.

    Rows come before clips: a clip is rendered only while no batch waits. What was flushed is in
    the event file, with its clips; `close` also writes the unfinished segment.

    Parameters
    ----------
    session
        Start of the writer, in seconds since the epoch.
    presets
        A clip is logged for each.
    scalar_every
        Of how many rows one is logged as scalars; `None`: all at first, then ever fewer.
    fetch
        Called about once a second, in the recorder's thread, to put rows that wait elsewhere.
    """

    def __init__(
        self,
        events: EventFileWriter,
        *,
        session: float,
        presets: Sequence[Preset] = (),
        scalar_every: int | None = None,
        fetch: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__("recorder")
        self._events = events
        self._log = RunLog(
            session=session, presets=presets, scalar_every=scalar_every, emit=events.add_event
        )
        self._fetch = fetch
        self._fetched_at = time.monotonic()
        self._batches: deque[RowBatch] = deque()
        self._warned = False
        self._start()

    def put(self, batch: RowBatch) -> None:
        """Take a batch; where the recorder is far behind, wait rather than lose rows."""
        if not self._home.is_here():
            return
        with self._changed:
            if threading.current_thread() is not self._thread:
                self._wait_for(lambda: len(self._batches) < _MAX_BATCHES or self._closing)
            if self._closing:
                raise ValueError("rows cannot be logged: the writer is closed")
            self._batches.append(batch)
            self._changed.notify_all()

    def _run(self) -> None:
        closing = False
        while not closing:
            with self._changed:
                idle = 0.0 if self._log.clips else IDLE_SECONDS
                self._changed.wait_for(self._has_work, timeout=idle)
                batch = self._batches.popleft() if self._batches else None
                # What was asked for after the last batch was put holds when none is left.
                closing = self._closing and not self._batches and batch is None
                wanted = self._flushes_done if batch else self._flushes_wanted
                self._changed.notify_all()
            self._guarded(partial(self._work, batch, flush=wanted > self._flushes_done))
            if closing:
                self._guarded(self._finish)
            self._flushed(wanted)

    def _has_work(self) -> bool:
        return bool(self._batches) or self._flush_is_wanted or self._closing

    def _work(self, batch: RowBatch | None, *, flush: bool) -> None:
        if batch is not None:
            self._log.add(batch)
        elif not self._closing and time.monotonic() - self._fetched_at >= IDLE_SECONDS:
            self._fetched_at = time.monotonic()
            self._fetch()
        if flush or self._log.is_due():
            self._log.write_rows(newest=flush)
        if flush:
            self._render_all()
            self._events.flush()
        elif batch is None and self._log.clips:
            self._log.clips.render_next()

    def _finish(self) -> None:
        self._log.finish()
        self._render_all()
        self._events.flush()

    def _render_all(self) -> None:
        while self._log.clips:
            self._log.clips.render_next()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the next rows may fare better
            if not self._warned:
                self._warned = True
                warn(f"tb_sonify could not log some rows: {type(error).__name__}: {error}")


# That a signal waits for what is written; who sent it may kill the process soon.
_SIGNAL_SECONDS = 10.0


_open: "WeakSet[WriterResources]" = WeakSet()


class WriterResources:
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
        files: list[EventFileWriter],
        *,
        session: float,
        presets: Sequence[Preset],
        scalar_every: int | None,
    ) -> None:
        self._gathering: ShardReducer | None = None
        self.collector = RowBuffer(self._put)
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
        self._home = ForkGuard()
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

    def _put(self, batch: RowBatch) -> None:
        if batch.source.ranks and self._gathering is None:
            self._gathering = ShardReducer(batch.source.ranks, self._record)
        if self._gathering is not None:
            self._gathering.put(batch)
        else:
            self._record(batch)

    def _record(self, batch: RowBatch) -> None:
        if self._recorder is not None:
            self._recorder.put(batch)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to close."""
        return self.closed and not self._files


def _close_later(recording: WriterResources) -> None:
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
