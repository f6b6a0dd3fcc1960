"""Rows to events: scalars, row blocks, segments and clips. No threads here."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tensorboard.compat.proto.event_pb2 import Event

from tb_sonify.schema.block import Block, encode_block, round_norms
from tb_sonify.schema.metadata import (
    END_TAG,
    PRE_CLIP_OPTION,
    PRESETS_OPTION,
    QUANTITY_TAG,
    ROWS_TAG,
    SCALARS,
    SEGMENTS_TAG,
    VERSIONS_OPTION,
    clip_tag,
    scalar_tag,
    session_tag,
)
from tb_sonify.schema.notes import NO_GRADIENT
from tb_sonify.schema.quantities import (
    GRADIENT,
    RATIO,
    UPDATE,
    WEIGHT,
    parts_of,
    update_ratio,
)
from tb_sonify.schema.records import Rows, Segment, encode_rows, encode_segment
from tb_sonify.schema.segments import SegmentBuilder
from tb_sonify.sound import (
    PRESETS,
    VERSIONS,
    Preset,
    SynthState,
    advance_state,
    preset_to_json,
    render,
)
from tb_sonify.training.summary import audio_event, blob_event, is_kept, scalars_event
from tb_sonify.training.warn import WarnOnce

# In place of norms, on their way from the device:
STEP_SKIPPED = -2.0  # of a layer whose step the optimizer left out
NOT_LOGGED = (
    -3.0
)  # of what is not in the row's own schema, and of a weight not measured at the step

# Takes steps, tables by quantity and layers of rows.
Judge = Callable[[NDArray[np.int64], Mapping[str, NDArray[np.float32]], Sequence[str]], None]


@dataclass(frozen=True)
class RowSchema:
    """The layers of rows, and how their norms were taken.

    Attributes
    ----------
    ranks
        The processes that hold shards of the gradients. A row of such a schema has, for each
        column, the sum of this process' part and then, for each, whether it has any (see
        `ShardReducer`).
    quantities
        Of `MEASURED`. The columns of a row are the layers of the first, those of the second, ...
    """

    layers: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    ranks: tuple[int, ...] = ()
    quantities: tuple[str, ...] = (GRADIENT,)

    @property
    def columns(self) -> list[tuple[str, str]]:
        """Quantity and layer of each column."""
        return list(product(self.quantities, self.layers))


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
        Gives the norms, float32, shape ``(rows, quantities * layers)``; also `NO_GRADIENT`,
        `STEP_SKIPPED`, `NOT_LOGGED`.
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
    """Rows of all quantities and layers.

    Attributes
    ----------
    steps, wall_times
        int64 and float64, shape ``(rows,)``.
    norms
        float32, shape ``(rows, quantities, layers)``.
    """

    steps: NDArray[np.int64]
    wall_times: NDArray[np.float64]
    norms: NDArray[np.float32]

    @classmethod
    def empty(cls) -> "RowTable":
        """No rows, no layers."""
        return cls(np.empty(0, np.int64), np.empty(0), np.empty((0, 0, 0), np.float32))

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, part: slice) -> "RowTable":
        return RowTable(self.steps[part], self.wall_times[part], self.norms[part])

    def followed_by(self, rows: "RowTable") -> "RowTable":
        """These rows and then those; the latter may have quantities and layers that came later."""
        norms = self.norms
        _, quantities, layers = norms.shape
        if norms.shape[1:] != rows.norms.shape[1:]:
            grown = np.full((len(self), *rows.norms.shape[1:]), NOT_LOGGED, np.float32)
            grown[:, :quantities, :layers] = norms
            norms = grown
        return RowTable(
            np.concatenate([self.steps, rows.steps]),
            np.concatenate([self.wall_times, rows.wall_times]),
            np.concatenate([norms, rows.norms]),
        )

    def merged(self) -> "RowTable":
        """Consecutive rows of the same step as one, with the last norm that each layer has."""
        begins = np.append([True], self.steps[1:] != self.steps[:-1])
        if begins.all():
            return self
        starts = np.flatnonzero(begins)
        lasts = np.append(starts[1:], len(self)) - 1
        rows = np.arange(len(self))[:, None, None]
        holds = np.maximum.reduceat(np.where(_has_norm(self.norms), rows, -1), starts)
        # Of what stands for no norm, the greatest says most.
        absent = np.maximum.reduceat(self.norms, starts)
        norms = np.where(holds < 0, absent, np.take_along_axis(self.norms, holds, axis=0))
        return RowTable(self.steps[lasts], self.wall_times[lasts], norms)


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

    def add(self, rows: RowTable, tags: Sequence[str], values: NDArray[np.float32]) -> None:
        """Take the next rows, and of them the values of each tag, shape ``(rows, tags)``."""
        for row in range(len(rows)):
            if not self._takes(self._row + row):
                continue
            tagged = zip(tags, values[row].tolist(), strict=True)
            present = [(tag, value) for tag, value in tagged if value != NO_GRADIENT]
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
        judge: Judge | None = None,
    ) -> None:
        self.clips = AudioLog(presets, emit)
        self._judge = judge
        self._session = session
        self._latest = 0.0  # wall time of the newest row
        self._emit = emit
        self._scalars = ScalarLog(scalar_every, emit)
        self._segments: dict[str, SegmentBuilder] = {}
        self._layers: dict[str, int] = {}  # each with its column
        self._quantities: dict[str, int] = {}
        self._logged = np.empty((0, 0), np.bool_)  # of quantities and layers: all that may come
        self._weights = np.empty(0, np.float32)  # the last norm of each layer's weights
        self._named: set[str] = set()  # the quantities with a `QUANTITY_TAG`
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
        kept = ~skipped.any(axis=(1, 2)) | _has_norm(norms[:, self._changing()]).any(axis=(1, 2))
        norms[skipped] = NO_GRADIENT
        if WEIGHT in self._quantities:
            number = self._quantities[WEIGHT]
            norms[:, number][skipped[:, number]] = NOT_LOGGED
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

    def write_rows(self, *, first: bool = False) -> None:
        """Emit the complete rows that are not in a block yet.

        Parameters
        ----------
        first
            The very first row, too, of which nobody knows whether it is complete.
        """
        if self._is_complete() or (first and self._is_first()):
            self._commit_newest()
        self._end_block()

    def _commit_newest(self) -> None:
        last, self._newest = self._newest, RowTable.empty()
        self._commit(last)

    def _is_complete(self) -> bool:
        """Whether the newest row has all layers; after the first row, nobody knows which."""
        norms = self._newest.norms
        if self._is_first() or not len(norms):
            return False
        lacking = (norms == NOT_LOGGED) & self._logged
        return not lacking[:, self._changing()].any()

    def _is_first(self) -> bool:
        return not self._block_first_row and not len(self._block)

    def finish(self) -> None:
        """Emit the rest, with the last, unfinished segment, and that this is the end."""
        self._commit_newest()
        self._end_block()
        last = {name: builder.finish() for name, builder in self._segments.items()}
        segments = {name: segment for name, segment in last.items() if segment is not None}
        if segments:
            self._emit_segment(segments)
        if self._block_first_row:
            end = encode_block(Block({"kind": "end", "session": self._session}, {}))
            now = max(time.time(), self._latest)
            self._emit(blob_event(END_TAG, end, step=self._last_step, wall_time=now))
        self.clips.finish()

    def _align_columns(self, batch: RowBatch) -> NDArray[np.float32]:
        """The norms of a batch, ``(rows, quantities, layers)`` of all so far; new ones are last."""
        schema = batch.schema
        self._options = joint_options(self._options, schema.options)
        if not (
            self._quantities.keys() >= set(schema.quantities)
            and self._layers.keys() >= set(schema.layers)
        ):
            self._end_block()
            for names, new in (
                (self._quantities, schema.quantities),
                (self._layers, schema.layers),
            ):
                for name in new:
                    names.setdefault(name, len(names))
        quantities, layers = np.ix_(
            [self._quantities[name] for name in schema.quantities],
            [self._layers[name] for name in schema.layers],
        )
        shape = len(self._quantities), len(self._layers)
        if shape != self._logged.shape:
            logged = np.zeros(shape, np.bool_)
            before = self._logged.shape
            logged[: before[0], : before[1]] = self._logged
            self._logged = logged
        self._logged[quantities, layers] = True
        norms = np.full((len(batch.steps), *shape), NOT_LOGGED, np.float32)
        norms[:, quantities, layers] = batch.norms().reshape(
            len(norms), len(schema.quantities), len(schema.layers)
        )
        return norms

    def _changing(self) -> list[int]:
        """Numbers of the quantities that are in every row; weights are in a few."""
        return [number for name, number in self._quantities.items() if name != WEIGHT]

    def _not_before(self, wall_times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Wall times that do not go back with the clock: by them, readers know what is newer."""
        onwards = np.maximum.accumulate([self._latest, *wall_times])
        self._latest = float(onwards[-1])
        return onwards[1:]

    def _commit(self, rows: RowTable) -> None:
        if not len(rows):
            return
        norms = self._leave_out_still(self._hold_weights(rows.norms))
        rows = replace(rows, norms=np.maximum(norms, NO_GRADIENT))
        tables = self._tables(rows.norms)
        if self._judge is not None:
            self._judge(rows.steps, tables, tuple(self._layers))
        scalars = [name for name in SCALARS if name in tables]
        tags = [scalar_tag(layer, name) for name in scalars for layer in self._layers]
        if tags:
            self._scalars.add(rows, tags, np.concatenate([tables[name] for name in scalars], 1))
        rows = replace(rows, norms=round_norms(rows.norms))
        back = np.flatnonzero(np.diff(rows.steps) <= 0) + 1
        for start, end in zip([0, *back], [*back, len(rows)], strict=True):
            self._add_to_block(rows[start:end])
        stored = self._stored(rows)
        for name in stored:
            if name not in self._segments:
                others = list(self._segments.values())
                self._segments[name] = others[0].without_layers() if others else SegmentBuilder()
        full = [self._segments[name].add(stored[name], rows.wall_times) for name in stored]
        for segments in zip(*full, strict=True):
            self._emit_segment(dict(zip(stored, segments, strict=True)))

    def _hold_weights(self, norms: NDArray[np.float32]) -> NDArray[np.float32]:
        """Norms with the last known one of each layer's weights where it was not measured."""
        number = self._quantities.get(WEIGHT)
        if number is None:
            return norms
        last = np.full((1, norms.shape[2]), NOT_LOGGED, np.float32)
        last[0, : len(self._weights)] = self._weights
        held = np.concatenate([last, norms[:, number]])
        known = np.where(held == NOT_LOGGED, 0, np.arange(len(held))[:, None])
        held = np.take_along_axis(held, np.maximum.accumulate(known), axis=0)
        self._weights = held[-1]
        norms = norms.copy()
        norms[:, number] = held[1:]
        return norms

    def _leave_out_still(self, norms: NDArray[np.float32]) -> NDArray[np.float32]:
        """Norms without the update of a layer that has no gradient and did not move."""
        update = self._quantities.get(UPDATE, norms.shape[1])
        if update < norms.shape[1] and GRADIENT in self._quantities:
            without = norms[:, self._quantities[GRADIENT]] == NO_GRADIENT
            still = without & (norms[:, update] == 0)
            norms[:, update][still] = NO_GRADIENT
        return norms

    def _tables(self, norms: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """The norms by quantity, with the ratio where there is one, shape ``(rows, layers)``."""
        tables = {name: norms[:, i] for name, i in list(self._quantities.items())[: norms.shape[1]]}
        if tables.keys() >= set(parts_of(RATIO)):
            tables[RATIO] = update_ratio(*(tables[part] for part in parts_of(RATIO)))
        return tables

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
        self._name_quantities(rows, block)
        rows.pop(RATIO, None)  # readers derive it
        self._block_first_row += len(block)
        self._last_step = int(block.steps[-1])
        tag = session_tag(ROWS_TAG, self._session)
        self._emit_blob(tag, encode_rows(rows), block.steps, float(block.wall_times[0]))

    def _name_quantities(self, rows: Mapping[str, Rows], block: RowTable) -> None:
        """Emit which quantities there are, where they are not gradients alone."""
        if rows.keys() == {GRADIENT}:
            return
        for name in rows.keys() - self._named:
            self._named.add(name)
            blob = encode_block(Block({"kind": "quantity", "session": self._session}, {}))
            tag = f"{QUANTITY_TAG}/{name}"
            self._emit_blob(tag, blob, block.steps, float(block.wall_times[0]))

    def _stored(self, rows: RowTable) -> dict[str, Rows]:
        """Rows of the open block, or on their way into it, as they are stored, by quantity."""
        layers = tuple(self._layers)[: rows.norms.shape[2]]
        first_row = self._block_first_row
        return {
            name: Rows(self._session, first_row, layers, rows.steps, norms, self._options)
            for name, norms in self._tables(rows.norms).items()
        }

    def _emit_segment(self, segments: Mapping[str, Segment]) -> None:
        segments = {name: replace(each, options=self._options) for name, each in segments.items()}
        first = next(iter(segments.values()))
        tag = session_tag(SEGMENTS_TAG, self._session)
        self._emit_blob(tag, encode_segment(segments), first.steps, first.wall_time)
        if GRADIENT in segments:
            self.clips.add(segments[GRADIENT])

    def _emit_blob(self, tag: str, blob: bytes, steps: NDArray[np.int64], wall_time: float) -> None:
        # Keyed by its first step: TensorBoard drops what lies at or after a restart's step.
        self._emit(blob_event(tag, blob, step=int(steps[0]), wall_time=wall_time))


def _preset_options(presets: Sequence[Preset]) -> dict[str, Any]:
    """What a reader must know of the presets that clips are made with."""
    made = [preset_to_json(preset) for preset in presets if preset.name not in PRESETS]
    return {VERSIONS_OPTION: dict(VERSIONS), **({PRESETS_OPTION: made} if made else {})}
