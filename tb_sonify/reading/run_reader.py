"""The rows and segments that a run has stored, each checked before anything relies on it."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tb_sonify.reading import limits
from tb_sonify.reading.store import BlobRef, Scope, Store
from tb_sonify.schema.metadata import ROWS_TAG, SEGMENTS_TAG
from tb_sonify.schema.notes import shared_zeros
from tb_sonify.schema.quantities import GRADIENT
from tb_sonify.schema.records import (
    Rows,
    Segment,
    concatenate_rows,
    rows_between,
)
from tb_sonify.schema.segments import NOTES_PER_SEGMENT, SEGMENTS_PER_OCTAVE, Grid

Record = TypeVar("Record", Rows, Segment)
NO_END = 2**63  # beyond any step
_MAX_SEGMENTS = 60 * SEGMENTS_PER_OCTAVE  # by then a note would cover 2 ** 60 rows


class LayerLimit:
    """Counts the distinct layers of a run, which may have `limits.MAX_LAYERS`."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._last: tuple[str, ...] = ()

    def admit(self, layers: tuple[str, ...]) -> bool:
        """Whether the run stays within the limit with the layers of a block, which then count."""
        if layers == self._last:  # as a rule
            return True
        new = [name for name in layers if name not in self._known]
        if len(self._known) + len(new) > limits.MAX_LAYERS:
            return False
        self._known.update(new)
        self._last = layers
        return True


class RunReader:
    """Reads the segments and rows of one run, as they are stored now, and checks them.

    Parameters
    ----------
    quantity
        Of which the norms are read; where a block has none, no layer has one.

    Attributes
    ----------
    segment_blobs
        By increasing step.
    row_blobs
        In the order in which they were written, as far as it can be told.
    """

    def __init__(self, store: Store, scope: Scope, run: str, quantity: str = GRADIENT) -> None:
        self._store, self._scope, self._run, self._quantity = store, scope, run, quantity
        # In this order, so that rows are at least as new as the segments that sum them up.
        self.segment_blobs = store.blocks(scope, run, SEGMENTS_TAG)
        rows = store.blocks(scope, run, ROWS_TAG)
        times = [blob.wall_time for blob in rows]
        # TensorBoard lists them by step. If time goes back from one to the next, the run has gone
        # back to an earlier step, or the clock of its machine to an earlier time.
        self.row_blobs = rows if times == sorted(times) else self._as_written(rows)

    def segments(self, blobs: Sequence[BlobRef]) -> Iterator[Segment | None]:
        """The segment in each blob; `None` where there is none that can be read."""
        return self._records(
            blobs, partial(_decode_segment, quantity=self._quantity), _check_segment
        )

    def rows(self, blobs: Sequence[BlobRef]) -> Iterator[Rows | None]:
        """The rows in each blob; `None` where there are none that can be read."""
        return self._records(blobs, partial(Rows.decode, quantity=self._quantity), _check_rows)

    def _as_written(self, blobs: Sequence[BlobRef]) -> tuple[BlobRef, ...]:
        """Blobs by session and row.

        One that cannot be read comes after the one before it in step, and so overwrites nothing.
        """
        sessions: dict[float | None, list[BlobRef]] = {}
        for blob in blobs:
            sessions.setdefault(blob.session, []).append(blob)
        places: dict[BlobRef, tuple[float, int]] = {}
        for session, own in sessions.items():
            times = [blob.wall_time for blob in own]
            if session is None or times != sorted(times):
                places |= self._read_places(own)
                continue
            # It went on without a break: what is before the first block that can be read, and so
            # overwrites others, is all that is not certain.
            first = next((i for i, blob in enumerate(own) if self._read_places([blob])), len(own))
            places |= {blob: (session, number) for number, blob in enumerate(own[first:])}
        order = []
        place = (-math.inf, 0)
        for blob in blobs:
            place = places.get(blob, place)
            order.append((place, blob.step))
        return tuple(blobs[at] for at in sorted(range(len(blobs)), key=order.__getitem__))

    def _read_places(self, blobs: Sequence[BlobRef]) -> dict[BlobRef, tuple[float, int]]:
        """Session and number of the first row of blobs of rows, as far as they can be read."""
        places = self._store.places
        unknown = [blob for blob in blobs if places.get(blob) is None]
        for blob, rows in zip(unknown, self.rows(unknown), strict=True):
            if rows is not None:
                places.put(blob, (rows.session, rows.first_row))
        return {blob: place for blob in blobs if (place := places.get(blob)) is not None}

    def _records(
        self,
        blobs: Sequence[BlobRef],
        decode: Callable[[bytes], Record],
        check: Callable[[Record, BlobRef], None],
    ) -> Iterator[Record | None]:
        for blob, data in zip(blobs, self._store.read_each(self._scope, blobs), strict=True):
            record = None
            try:
                if data is None:
                    raise ValueError("TensorBoard does not give what it has listed")
                record = decode(data)
                check(record, blob)
            except (ValueError, TypeError) as error:
                record = None
                self._store.report(self._scope, self._run, blob, error)
            yield record

    def refuse(self, blob: BlobRef) -> None:
        """Log that the layers of a block exceed the limit."""
        why = f"with its layers, there would be more than {limits.MAX_LAYERS:,} of them"
        self._store.report(self._scope, self._run, blob, why)


def _decode_segment(data: bytes, quantity: str) -> Segment:
    """A segment that takes no memory where there is nothing to count."""
    segment = Segment.decode(data, quantity)
    notes = segment.notes
    notes = replace(notes, nan=shared_zeros(notes.nan), inf=shared_zeros(notes.inf))
    return replace(segment, notes=notes)


def _check_rows(rows: Rows, blob: BlobRef) -> None:
    _check_steps(rows.steps, blob)
    if not (rows.steps[1:] > rows.steps[:-1]).all():  # a difference may overflow
        raise ValueError("the steps of rows must increase")
    if rows.first_row < 0:
        raise ValueError(f"first_row must be at least 0, got {rows.first_row}")
    _check_session(rows.session)
    _check_layers(rows.layers)


def _check_segment(segment: Segment, blob: BlobRef) -> None:
    _check_steps(segment.steps, blob)
    if not 0 <= segment.segment < _MAX_SEGMENTS:
        raise ValueError(f"segment must be in [0, {_MAX_SEGMENTS}), got {segment.segment}")
    grid = Grid.of_segment(segment.segment)
    notes = len(segment.steps) - 1
    if not 0 < notes <= NOTES_PER_SEGMENT or notes != -(-segment.rows // grid.rows_per_note):
        raise ValueError(f"{segment.rows} rows of {grid} do not make {notes} notes")
    # The last step is that of the last note's last row, which may be its first row too.
    starts = segment.steps[:-1]
    if not (starts[1:] > starts[:-1]).all() or segment.steps[-1] < segment.steps[-2]:
        raise ValueError("the steps of a segment must increase")
    _check_session(segment.session)
    _check_layers(segment.layers)


def _check_session(session: float) -> None:
    if not math.isfinite(session):
        raise ValueError(f"session must be a time, got {session}")


def _check_steps(steps: NDArray[np.int64], blob: BlobRef) -> None:
    if steps.dtype != np.int64 or steps.ndim != 1 or not len(steps):
        raise ValueError(f"steps must be int64 (steps,), got {steps.dtype} {steps.shape}")
    if steps[0] != blob.step:
        raise ValueError(f"its event must be at its first step, {steps[0]}, got {blob.step}")


def _check_layers(layers: tuple[str, ...]) -> None:
    if not layers or len(set(layers)) < len(layers):
        raise ValueError(f"layers must be some different names, got {layers!r}")
    if len(layers) > limits.MAX_LAYERS:
        raise ValueError(f"there must be at most {limits.MAX_LAYERS:,} layers, got {len(layers):,}")
    "".join(layers).encode()  # halves of characters could not be answered with


def read_rows(
    reader: RunReader, layers: tuple[str, ...], first_step: int, last_step: int
) -> Rows | None:
    """The rows of some steps that no later write has overwritten, as far as they can be read.

    Without those of other layers than `layers`.
    """
    known = set(layers)
    needed = [
        blob
        for blob, end in live_blobs(reader.row_blobs)
        if blob.step <= last_step and first_step < end
    ]
    parts = [
        rows_between(rows, first_step, min(end, last_step + 1))
        for _, rows, end in read_in_order(reader, needed)
        if rows is not None and (rows.layers == layers or known.issuperset(rows.layers))
    ]
    return concatenate_rows(parts) if parts else None


def read_in_order(
    reader: RunReader, blobs: Sequence[BlobRef]
) -> Iterator[tuple[BlobRef, Rows | None, int]]:
    """Each blob, its rows, and the first step of the next blob that can be read.

    From that step on the next blob is valid; what cannot be read overwrites nothing.
    """
    waiting: list[tuple[BlobRef, Rows | None]] = []
    for blob, rows in zip(blobs, reader.rows(blobs), strict=True):
        if rows is not None:
            yield from ((*each, blob.step) for each in waiting)
            waiting = []
        waiting.append((blob, rows))
    yield from ((*each, NO_END) for each in waiting)


def live_blobs(blobs: Sequence[BlobRef]) -> list[tuple[BlobRef, int]]:
    """Blobs that are not fully overwritten, each with the step where a later write takes over."""
    ends = []
    end = NO_END
    for blob in reversed(blobs):
        if blob.step < end:
            ends.append((blob, end))
        end = min(end, blob.step)
    return ends[::-1]
