"""Rows to events: scalars, row blocks, segments and clips. No threads here."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tensorboard.compat.proto.event_pb2 import Event

from tb_sonify.schema.block import Block, encode_block, round_norms
from tb_sonify.schema.metadata import (
    END_TAG,
    PRE_CLIP_OPTION,
    PRESETS_OPTION,
    ROWS_TAG,
    SEGMENTS_TAG,
    clip_tag,
    scalar_tag,
)
from tb_sonify.schema.notes import NO_GRADIENT, pad_layers
from tb_sonify.schema.records import Rows, Segment
from tb_sonify.schema.segments import SegmentBuilder
from tb_sonify.sound import PRESETS, Preset, SynthState, advance_state, preset_to_json, render
from tb_sonify.training.summary import audio_event, blob_event, is_kept, scalars_event
from tb_sonify.training.warn import WarnOnce

# In place of norms, on their way from the device:
STEP_SKIPPED = -2.0  # of a layer whose step the optimizer left out
NOT_LOGGED = -3.0  # of a layer that is not in the row's own schema


@dataclass(frozen=True)
class RowSchema:
    """The layers of rows, and how their norms were taken.

    Attributes
    ----------
    ranks
        The processes that hold shards of the gradients. A row of such a schema has, for each
        layer, the sum of this process' part and then whether it has any (see `ShardReducer`).
    """

    layers: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    ranks: tuple[int, ...] = ()


@dataclass(frozen=True)
class RowBatch:
    """Consecutive rows of one schema.

    Attributes
    ----------
    steps
        int64, shape ``(rows,)``.
    wall_times
        Seconds since the epoch, shape ``(rows,)``.
    norms
        Gives the norms, float32, shape ``(rows, layers)``.
    """

    schema: RowSchema
    steps: NDArray[np.int64]
    wall_times: NDArray[np.float64]
    norms: Callable[[], NDArray[np.float32]]


def joint_options(options: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """How the norms of both were taken; the later ones count, where both cannot be said."""
    both = {**options, **later}
    if options.get(PRE_CLIP_OPTION, both.get(PRE_CLIP_OPTION)) != both.get(PRE_CLIP_OPTION):
        both[PRE_CLIP_OPTION] = "mixed"
    return both


@dataclass(frozen=True)
class RowTable:
    """Rows: int64 `steps` and float64 `wall_times`, ``(rows,)``; `norms`, ``(rows, layers)``."""

    steps: NDArray[np.int64]
    wall_times: NDArray[np.float64]
    norms: NDArray[np.float32]

    @classmethod
    def empty(cls) -> "RowTable":
        """No rows, no layers."""
        return cls(np.empty(0, np.int64), np.empty(0), np.empty((0, 0), np.float32))

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, part: slice) -> "RowTable":
        return RowTable(self.steps[part], self.wall_times[part], self.norms[part])

    def followed_by(self, rows: "RowTable") -> "RowTable":
        """These rows and then those; the latter may have layers that came later."""
        layers = rows.norms.shape[1]
        return RowTable(
            np.concatenate([self.steps, rows.steps]),
            np.concatenate([self.wall_times, rows.wall_times]),
            np.concatenate([pad_layers(self.norms, layers, NOT_LOGGED), rows.norms]),
        )

    def merged(self) -> "RowTable":
        """Consecutive rows of the same step as one, where no layer has a norm in both."""
        same = np.flatnonzero(np.diff(self.steps) == 0)
        if not len(same):
            return self
        norms, kept = self.norms.copy(), np.ones(len(self), bool)
        for row in same:
            earlier, later = norms[row], norms[row + 1]
            if not (_has_norm(earlier) & _has_norm(later)).any():
                norms[row + 1] = np.where(_has_norm(later), later, np.maximum(earlier, later))
                kept[row] = False
        return RowTable(self.steps[kept], self.wall_times[kept], norms[kept])


def _has_norm(norms: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which of the numbers of rows are norms; they may be NaN."""
    return ~(norms <= NO_GRADIENT)


_POINTS = 1000  # as many as TensorBoard shows


class ScalarLog:
    """Emits the norms of the first 1,000 rows, and of ever fewer as a run grows.

    Parameters
    ----------
    every
        Of every so many rows instead, throughout.
    emit
        Takes one event per row, which holds all layers that have a gradient.
    """

    def __init__(self, every: int | None, emit: Callable[[Event], None]) -> None:
        if every is not None and every < 1:
            raise ValueError(f"scalar_every must be at least 1, got {every!r}")
        self._every = every
        self._row = 0
        self._emit = emit

    def add(self, layers: Sequence[str], rows: RowTable) -> None:
        """Take the next rows."""
        tags = [scalar_tag(layer) for layer in layers]
        for row in range(len(rows)):
            if not self._takes(self._row + row):
                continue
            values = zip(tags, rows.norms[row].tolist(), strict=True)
            present = [(tag, norm) for tag, norm in values if norm != NO_GRADIENT]
            if present:
                step, wall_time = int(rows.steps[row]), float(rows.wall_times[row])
                self._emit(scalars_event(present, step=step, wall_time=wall_time))
        self._row += len(rows)

    def _takes(self, row: int) -> bool:
        return is_kept(row, _POINTS) if self._every is None else row % self._every == 0


_SHOWN = 10  # of a tag, by TensorBoard's Audio tab; the Sonify tab renders those that it misses
_MAX_CLIPS = 64
_MAX_BYTES = 64 * 2**20


@dataclass(frozen=True)
class _Clip:
    """A clip to render: what it holds, and what comes before it."""

    segment: Segment
    preset: Preset
    state: SynthState | None


class AudioLog:
    """Clips for the Audio tab, rendered while no row waits: ever fewer in a long run, and the last.

    The oldest are left out where rendering falls behind.

    Parameters
    ----------
    emit
        Takes each clip as an audio event.
    """

    def __init__(self, presets: Sequence[Preset], emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._states: dict[str, SynthState | None] = {preset.name: None for preset in presets}
        self._presets = presets
        self._waiting: deque[_Clip] = deque()
        self._unlogged: list[_Clip] = []  # of the newest segment
        self._warn = WarnOnce()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, segment: Segment) -> None:
        """Take a segment; where it is one of those that get clips, line up one for each preset."""
        self._unlogged = []
        for preset in self._presets:
            state = self._states[preset.name]
            self._unlogged.append(_Clip(segment, preset, state))
            try:
                self._states[preset.name] = advance_state(segment.notes, preset=preset, state=state)
            except Exception as error:  # noqa: BLE001 - rows matter more
                self._failed(error)
        if is_kept(segment.segment, _SHOWN):
            self._line_up(segment)

    def finish(self) -> None:
        """Line up the clips of the last segment, which tells how the run ended."""
        if self._unlogged:
            self._line_up(self._unlogged[0].segment)

    def _line_up(self, segment: Segment) -> None:
        self._waiting.extend(self._unlogged)
        self._unlogged = []
        while len(self._waiting) > max(
            1, min(_MAX_CLIPS, _MAX_BYTES // max(segment.notes.nbytes, 1))
        ):
            self._waiting.popleft()
            self._warn(
                "rendering falls behind training: some clips are left out of the event file "
                "(the Sonify tab renders them when they are played)",
                key="late",
            )

    def render_next(self) -> None:
        """Render the clip that has waited longest and emit it."""
        clip = self._waiting.popleft()
        notes, preset = clip.segment.notes, clip.preset
        try:
            pcm = render(notes, preset=preset, state=clip.state)
        except Exception as error:  # noqa: BLE001 - rows matter more
            self._failed(error)
            return
        self._emit(
            audio_event(
                clip_tag(preset.name),
                pcm,
                sample_rate=preset.sample_rate,
                step=int(clip.segment.steps[0]),
                wall_time=clip.segment.wall_time,
            )
        )

    def _failed(self, error: Exception) -> None:
        self._warn(
            f"a clip cannot be rendered, the norms are kept: {type(error).__name__}: {error}"
        )


_BLOCK_ROWS = 1000
# With a second in the row buffer, one until the recorder looks, and one in the event file, a row is
# stored within 9; what is killed loses at most 10.
_BLOCK_SECONDS = 6.0


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
        self.clips = AudioLog(presets, emit)
        self._session = session
        self._latest = 0.0  # wall time of the newest row
        self._emit = emit
        self._scalars = ScalarLog(scalar_every, emit)
        self._segments = SegmentBuilder()
        self._layers: list[str] = []
        self._columns: dict[str, int] = {}
        self._options = _preset_options(presets)
        # The newest row waits until it is complete: several calls may add layers to the same step.
        self._newest = RowTable.empty()
        self._block = RowTable.empty()
        self._block_first_row = 0
        self._last_step = 0  # of the rows in blocks
        self._since = 0.0  # when the oldest row came that is not in a block yet

    def add(self, batch: RowBatch) -> None:
        """Take rows; whatever is complete is emitted."""
        norms = self._align_columns(batch)
        skipped = norms == STEP_SKIPPED
        kept = ~skipped.any(axis=1) | _has_norm(norms).any(axis=1)
        norms[skipped] = NO_GRADIENT
        rows = RowTable(batch.steps[kept], self._not_before(batch.wall_times[kept]), norms[kept])
        if not len(rows):
            return
        if not len(self._newest) and not len(self._block):
            self._since = time.monotonic()
        rows = self._newest.followed_by(rows).merged()
        self._newest = rows[-1:]
        self._commit(rows[:-1])

    def is_due(self) -> bool:
        """Whether rows have waited long enough for a block."""
        waiting = len(self._block) > 0 or self._is_complete()
        return waiting and time.monotonic() - self._since >= _BLOCK_SECONDS

    def write_rows(self, *, newest: bool = True) -> None:
        """Emit the rows that are not in a block yet.

        Parameters
        ----------
        newest
            The newest row, too, even if layers of it may still come.
        """
        if newest or self._is_complete():
            last, self._newest = self._newest, RowTable.empty()
            self._commit(last)
        self._end_block()

    def _is_complete(self) -> bool:
        """Whether the newest row has all layers; after the first row, nobody knows which."""
        first = not self._block_first_row and not len(self._block)
        norms = self._newest.norms
        return not first and len(norms) > 0 and bool((norms != NOT_LOGGED).all())

    def finish(self) -> None:
        """Emit the rest, with the last, unfinished segment, and that this is the end."""
        self.write_rows()
        segment = self._segments.finish()
        if segment is not None:
            self._emit_segment(segment)
        if self._block_first_row:
            end = encode_block(Block({"kind": "end", "session": self._session}, {}))
            now = max(time.time(), self._latest)
            self._emit(blob_event(END_TAG, end, step=self._last_step, wall_time=now))
        self.clips.finish()

    def _align_columns(self, batch: RowBatch) -> NDArray[np.float32]:
        """The norms of a batch in the columns of all layers; layers that are new come last."""
        self._options = joint_options(self._options, batch.schema.options)
        new = [layer for layer in batch.schema.layers if layer not in self._columns]
        if new:
            self._end_block()
            self._columns |= {layer: len(self._layers) + i for i, layer in enumerate(new)}
            self._layers += new
        norms = np.full((len(batch.steps), len(self._layers)), NOT_LOGGED, np.float32)
        norms[:, [self._columns[layer] for layer in batch.schema.layers]] = batch.norms()
        return norms

    def _not_before(self, wall_times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Wall times that do not go back with the clock: by them, readers know what is newer."""
        onwards = np.maximum.accumulate([self._latest, *wall_times])
        self._latest = float(onwards[-1])
        return onwards[1:]

    def _commit(self, rows: RowTable) -> None:
        if not len(rows):
            return
        rows = replace(rows, norms=np.maximum(rows.norms, NO_GRADIENT))
        self._scalars.add(self._layers, rows)
        rows = replace(rows, norms=round_norms(rows.norms))
        back = np.flatnonzero(np.diff(rows.steps) <= 0) + 1
        for start, end in zip([0, *back], [*back, len(rows)], strict=True):
            self._add_to_block(rows[start:end])
        for segment in self._segments.add(self._stored(rows), rows.wall_times):
            self._emit_segment(segment)

    def _add_to_block(self, rows: RowTable) -> None:
        if len(self._block) and rows.steps[0] <= self._block.steps[-1]:
            self._end_block()
        while len(rows):
            room = _BLOCK_ROWS - len(self._block)
            self._block = self._block.followed_by(rows[:room])
            if len(self._block) == _BLOCK_ROWS:
                self._end_block()
            rows = rows[room:]

    def _end_block(self) -> None:
        block, self._block = self._block, RowTable.empty()
        self._since = time.monotonic()
        if not len(block):
            return
        rows = self._stored(block)
        self._block_first_row += len(block)
        self._last_step = int(block.steps[-1])
        self._emit_blob(ROWS_TAG, rows.encode(), rows.steps, float(block.wall_times[0]))

    def _stored(self, rows: RowTable) -> Rows:
        """Rows of the open block, or on their way into it, as they are stored."""
        layers = tuple(self._layers[: rows.norms.shape[1]])
        first_row = self._block_first_row
        return Rows(self._session, first_row, layers, rows.steps, rows.norms, self._options)

    def _emit_segment(self, segment: Segment) -> None:
        segment = replace(segment, options=self._options)
        self._emit_blob(SEGMENTS_TAG, segment.encode(), segment.steps, segment.wall_time)
        self.clips.add(segment)

    def _emit_blob(self, tag: str, blob: bytes, steps: NDArray[np.int64], wall_time: float) -> None:
        # Keyed by its first step: TensorBoard drops what lies at or after a restart's step.
        self._emit(blob_event(tag, blob, step=int(steps[0]), wall_time=wall_time))


def _preset_options(presets: Sequence[Preset]) -> dict[str, Any]:
    """What a reader must know to render clips of presets that are not its own."""
    made = [preset_to_json(preset) for preset in presets if preset.name not in PRESETS]
    return {PRESETS_OPTION: made} if made else {}
