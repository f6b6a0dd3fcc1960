"""The recorder: a background thread that writes rows, segments and clips to the event sink."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from tb_sonify.sound import Preset
from tb_sonify.training.event_writer import IDLE_SECONDS, BackgroundThread, EventSink
from tb_sonify.training.run_log import RowBatch, RunLog
from tb_sonify.training.warn import WarnOnce

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
        events: EventSink,
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
        self._warn = WarnOnce()
        self._start()

    def put(self, batch: RowBatch) -> None:
        """Take a batch; where the recorder is far behind, wait rather than lose rows."""
        if not self._process.in_owner():
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
            self._warn(f"tb_sonify could not log some rows: {type(error).__name__}: {error}")
