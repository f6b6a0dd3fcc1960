"""The recorder: a background thread that writes rows, segments and clips, and tells alarms."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import SupportsFloat

import numpy as np
from numpy.typing import NDArray

from tb_sonify.landmarks import Landmark
from tb_sonify.landmarks.monitor import RunMonitor
from tb_sonify.schema.metadata import MEAN_HEADROOM_TAG
from tb_sonify.schema.scalar_names import kind_of
from tb_sonify.sound import Preset
from tb_sonify.training.event_writer import IDLE_SECONDS, BackgroundThread, EventSink
from tb_sonify.training.run_log import RowBatch, RunLog
from tb_sonify.training.warn import WarnOnce

_MAX_BATCHES = 64
OnLandmark = Callable[[Landmark], object]
_PATIENCE_SECONDS = 5.0  # for a callback, when the writer is closed
_MAX_WAITING = 1_000  # points and landmarks that wait


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
    alarms
        What judges the rows, in the recorder's thread.
    """

    def __init__(
        self,
        events: EventSink,
        *,
        session: float,
        presets: Sequence[Preset] = (),
        scalar_every: int | None = None,
        fetch: Callable[[], None] = lambda: None,
        alarms: "Alarms | None" = None,
    ) -> None:
        super().__init__("recorder")
        self._events = events
        self._log = RunLog(
            session=session,
            presets=presets,
            scalar_every=scalar_every,
            emit=events.add_event,
            judge=None if alarms is None else alarms.add_rows,
        )
        self._alarms = alarms
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
            if self._alarms is not None:
                self._alarms.judge_losses()
        if flush or self._log.is_due():
            self._log.write_rows(first=flush)
        if flush:
            self._render_all()
            self._events.flush()
        elif batch is None and self._log.clips:
            self._log.clips.render_next()

    def _finish(self) -> None:
        self._log.finish()
        self._render_all()
        self._events.flush()
        if self._alarms is not None:
            self._alarms.close()

    def _render_all(self) -> None:
        while self._log.clips:
            self._log.clips.render_next()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the next rows may fare better
            self._warn(f"tb_sonify could not log some rows: {type(error).__name__}: {error}")


class Alarms:
    """Runs the causal detectors over rows and losses, and tells a callback what they find.

    The detectors run in the thread that adds rows, the callback in a daemon thread of its own, one
    call after the other: whatever it does, no row waits for it.

    Parameters
    ----------
    on_landmark
        If it raises, there is one warning, and it is called for the next ones. At the end it is
        waited for, five seconds at most; then there is a warning.
    """

    def __init__(self, on_landmark: OnLandmark) -> None:
        self._on_landmark = on_landmark
        self._monitor = RunMonitor()
        self._next_step: dict[str, int] = {}
        self._points: deque[tuple[str, int, float]] = deque(maxlen=_MAX_WAITING)
        self._landmarks: deque[Landmark] = deque(maxlen=_MAX_WAITING)
        self._changed = threading.Condition()
        self._busy = self._closed = False
        self._thread: threading.Thread | None = None
        self._warn = WarnOnce()

    def add_loss(self, tag: str, step: int | None, value: SupportsFloat) -> None:
        """Take a point of a loss, or a headroom; it is judged with the next rows."""
        if kind_of(tag) == "loss" or tag == MEAN_HEADROOM_TAG:
            step = self._next_step.get(tag, 0) if step is None else step
            self._next_step[tag] = step + 1
            with suppress(TypeError, ValueError):  # the base class takes names of values, too
                self._points.append((tag, int(step), float(value)))

    def add_rows(
        self,
        steps: NDArray[np.int64],
        tables: Mapping[str, NDArray[np.float32]],
        layers: Sequence[str],
    ) -> None:
        """Judge the next rows, as `RunMonitor` takes them, and the points that wait."""
        self._tell(self._monitor.add_rows(steps, tables, layers))
        self.judge_losses()

    def judge_losses(self) -> None:
        """Judge the points that wait."""
        while self._points:
            tag, step, value = self._points.popleft()
            self._tell(self._monitor.add_points(tag, np.array([step]), np.array([value])))

    def _tell(self, landmarks: Sequence[Landmark]) -> None:
        if not landmarks:
            return
        with self._changed:
            self._landmarks.extend(landmarks)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._call, name="tb_sonify landmarks", daemon=True
                )
                self._thread.start()
            self._changed.notify_all()

    def _call(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: bool(self._landmarks) or self._closed)
                if not self._landmarks:
                    return
                landmark, self._busy = self._landmarks.popleft(), True
            try:
                self._on_landmark(landmark)
            except BaseException as error:  # noqa: BLE001 - also SystemExit: alarms go on
                self._warn(
                    f"on_landmark failed and is called again for the next landmark: "
                    f"{type(error).__name__}: {error}"
                )

    def close(self) -> None:
        """Judge the rest, and wait for the callback, but not for long."""
        self.judge_losses()
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            if self._thread is None or self._thread is threading.current_thread():
                return
            done = self._changed.wait_for(
                lambda: not self._landmarks and not self._busy, timeout=_PATIENCE_SECONDS
            )
        if not done:
            self._warn(
                f"on_landmark has not returned within {_PATIENCE_SECONDS:g} s of the writer's end "
                "and is not waited for: all rows are written, later landmarks are not told"
            )
