"""What becomes of rows: scalars, blocks of rows, segments, clips. No threads here."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tensorboard.compat.proto.event_pb2 import Event

from tb_sonify.contract import (
    END_TAG,
    NO_GRADIENT,
    PRESETS_OPTION,
    ROWS_TAG,
    SEGMENTS_TAG,
    Block,
    Rows,
    Segment,
    encode_block,
    round_norms,
)
from tb_sonify.sound import PRESETS, Preset, StreamPreset, preset_to_json
from tb_sonify.training.batch import SKIPPED, Batch, joint_options
from tb_sonify.training.clips import Clips
from tb_sonify.training.scalars import Scalars
from tb_sonify.training.segments import FilledSegment, SegmentBuilder
from tb_sonify.training.summaries import blob_event
from tb_sonify.training.table import Table

_BLOCK_ROWS = 1000
# With a second in the collector, one until the recorder looks, and one in the event file, a row is
# stored within 9; what is killed loses at most 10.
_BLOCK_SECONDS = 6.0
_NEWEST_SECONDS = 2.0  # that a row waits for another of the same step


class RunLog:
    """Takes batches of rows and emits all that is stored of them.

    Parameters
    ----------
    session
        Start of the writer, in seconds since the epoch.
    emit
        Takes each event.
    """

    def __init__(
        self,
        *,
        session: float,
        presets: Sequence[Preset],
        scalar_every: int | None,
        emit: Callable[[Event], None],
    ) -> None:
        self.clips = Clips(presets, emit)
        self._session = session
        self._latest = 0.0  # wall time of the newest row
        self._emit = emit
        self._scalars = Scalars(scalar_every, emit)
        self._segments = SegmentBuilder()
        self._layers: list[str] = []
        self._columns: dict[str, int] = {}
        self._options = _preset_options(presets)
        # The newest row waits for the next: several calls may add layers to the same step.
        self._newest = Table.empty()
        self._newest_since = 0.0
        self._block = Table.empty()
        self._block_first_row = 0
        self._last_step = 0  # of the rows in blocks
        self._since = 0.0  # when the oldest row came that is not in a block yet

    def add(self, batch: Batch) -> None:
        """Take rows; whatever is complete is emitted."""
        norms = self._spread(batch)
        kept = ~(norms == SKIPPED).any(axis=1)
        rows = Table(batch.steps[kept], self._onwards(batch.wall_times[kept]), norms[kept])
        if not len(rows):
            return
        now = time.monotonic()
        if not len(self._newest) and not len(self._block):
            self._since = now
        rows = self._newest.followed_by(rows).merged()
        self._newest, self._newest_since = rows[-1:], now
        self._commit(rows[:-1])

    def is_due(self) -> bool:
        """Whether rows have waited long enough for a block."""
        waiting = len(self._newest) + len(self._block)
        return waiting > 0 and time.monotonic() - self._since >= _BLOCK_SECONDS

    def write_rows(self, *, newest: bool = True) -> None:
        """Emit the rows that are not in a block yet.

        Parameters
        ----------
        newest
            The newest row, too, even if another of the same step may come any moment.
        """
        if newest or time.monotonic() - self._newest_since >= _NEWEST_SECONDS:
            last, self._newest = self._newest, Table.empty()
            self._commit(last)
        self._end_block()
        if len(self._newest):
            self._since = self._newest_since

    def finish(self) -> None:
        """Emit the rest, with the last, unfinished segment, and that this is the end."""
        self.write_rows()
        filled = self._segments.finish()
        if filled is not None:
            self._emit_segment(filled)
        if self._block_first_row:
            end = encode_block(Block({"kind": "end", "session": self._session}, {}))
            now = max(time.time(), self._latest)
            self._emit(blob_event(END_TAG, end, step=self._last_step, wall_time=now))
        self.clips.finish()

    def _spread(self, batch: Batch) -> NDArray[np.float32]:
        """The norms of a batch in the columns of all layers; layers that are new come last."""
        self._options = joint_options(self._options, batch.source.options)
        new = [layer for layer in batch.source.layers if layer not in self._columns]
        if new:
            self._end_block()
            self._columns |= {layer: len(self._layers) + i for i, layer in enumerate(new)}
            self._layers += new
        norms = np.full((len(batch.steps), len(self._layers)), NO_GRADIENT, np.float32)
        norms[:, [self._columns[layer] for layer in batch.source.layers]] = batch.norms()
        return norms

    def _onwards(self, wall_times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Wall times that do not go back with the clock: by them, readers know what is newer."""
        onwards = np.maximum.accumulate([self._latest, *wall_times])
        self._latest = float(onwards[-1])
        return onwards[1:]

    def _commit(self, rows: Table) -> None:
        if not len(rows):
            return
        self._scalars.add(self._layers, rows.steps, rows.wall_times, rows.norms)
        rows = Table(rows.steps, rows.wall_times, round_norms(rows.norms))
        back = np.flatnonzero(np.diff(rows.steps) <= 0) + 1
        for start, end in zip([0, *back], [*back, len(rows)], strict=True):
            self._add_to_block(rows[start:end])
        for filled in self._segments.add(rows.steps, rows.wall_times, rows.norms):
            self._emit_segment(filled)

    def _add_to_block(self, rows: Table) -> None:
        if len(self._block) and rows.steps[0] <= self._block.steps[-1]:
            self._end_block()
        while len(rows):
            room = _BLOCK_ROWS - len(self._block)
            self._block = self._block.followed_by(rows[:room])
            if len(self._block) == _BLOCK_ROWS:
                self._end_block()
            rows = rows[room:]

    def _end_block(self) -> None:
        block, self._block = self._block, Table.empty()
        self._since = time.monotonic()
        if not len(block):
            return
        rows = Rows(
            session=self._session,
            first_row=self._block_first_row,
            layers=tuple(self._layers),
            steps=block.steps,
            norms=block.norms,
            options=self._options,
        )
        self._block_first_row += len(block)
        self._last_step = int(block.steps[-1])
        self._emit_blob(ROWS_TAG, rows.encode(), rows.steps, float(block.wall_times[0]))

    def _emit_segment(self, filled: FilledSegment) -> None:
        notes = filled.notes
        segment = Segment(
            session=self._session,
            segment=filled.segment,
            rows=filled.rows,
            layers=tuple(self._layers[: notes.layers]),
            steps=filled.steps,
            median=notes.median,
            max=notes.max,
            nan=notes.nan,
            inf=notes.inf,
            options=self._options,
        )
        self._emit_blob(SEGMENTS_TAG, segment.encode(), filled.steps, filled.wall_time)
        self.clips.add(filled)

    def _emit_blob(self, tag: str, blob: bytes, steps: NDArray[np.int64], wall_time: float) -> None:
        # Keyed by its first step: TensorBoard drops what lies at or after a restart's step.
        self._emit(blob_event(tag, blob, step=int(steps[0]), wall_time=wall_time))


def _preset_options(presets: Sequence[Preset]) -> dict[str, Any]:
    """What a reader must know to render clips of presets that are not its own."""
    made = [
        preset_to_json(preset)
        for preset in presets
        if isinstance(preset, StreamPreset) and preset.name not in PRESETS
    ]
    return {PRESETS_OPTION: made} if made else {}
