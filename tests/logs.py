"""Event files that hold exactly what a test wants to be in them."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.summary.writer.record_writer import RecordWriter

from tb_sonify.reading.timeline import logged_presets
from tb_sonify.schema.block import round_norms
from tb_sonify.schema.landscape import Strip, encode_strips
from tb_sonify.schema.metadata import (
    ROWS_TAG,
    SEGMENTS_TAG,
    STRIPS_TAG,
    VERSIONS_OPTION,
    clip_tag,
    session_tag,
)
from tb_sonify.schema.notes import aggregate
from tb_sonify.schema.records import Rows, Segment
from tb_sonify.schema.segments import Grid
from tb_sonify.sound import VERSIONS, advance_state, render
from tb_sonify.training.summary import audio_event, blob_event, scalars_event

LAYERS = ("conv1", "conv2", "fc1", "fc2")
OPTIONS: Mapping[str, object] = MappingProxyType({"norm_type": 2.0, VERSIONS_OPTION: VERSIONS})


def norms_of(rows: int, layers: int = len(LAYERS), *, seed: int = 0) -> np.ndarray:
    """Norms as a network might have them: each layer wanders by itself, within some decades."""
    random = np.random.default_rng(seed)
    walk = np.cumsum(random.normal(0, 0.1, (rows, layers)), axis=0)
    return round_norms(np.exp2(walk + random.uniform(-6, 3, layers)))


def row_events(
    norms: np.ndarray,
    steps: Sequence[int] | np.ndarray,
    *,
    session: float = 1_000.0,
    first_row: int = 0,
    layers: tuple[str, ...] = LAYERS,
    block_rows: int = 1_000,
    options: Mapping[str, object] = OPTIONS,
) -> list[Event]:
    """Rows in blocks; a row is written a second after the one before it."""
    steps = np.asarray(steps, np.int64)
    events = []
    for start in range(0, len(steps), block_rows):
        part = slice(start, start + block_rows)
        number = first_row + start
        rows = Rows(session, number, layers, steps[part], norms[part], dict(options))
        events.append(
            _event(session_tag(ROWS_TAG, session), rows.encode(), steps[start], session + number)
        )
    return events


def segment_events(
    norms: np.ndarray,
    steps: Sequence[int] | np.ndarray,
    *,
    session: float = 1_000.0,
    layers: tuple[str, ...] = LAYERS,
    presets: Iterable[str] = ("smooth",),
    closed: bool = True,
    options: Mapping[str, object] = OPTIONS,
) -> list[Event]:
    """Segments and their clips, as a writer makes them; the last one, if not full, at its end."""
    steps = np.asarray(steps, np.int64)
    events = []
    states = dict.fromkeys(presets)
    number = 0
    while (grid := Grid.of_segment(number)).first_row < len(steps):
        part = slice(grid.first_row, grid.first_row + grid.rows)
        rows = len(steps[part])
        if rows < grid.rows and not closed:
            break
        notes = aggregate(norms[part], rows_per_note=grid.rows_per_note)
        starts = np.append(steps[part][:: grid.rows_per_note], steps[part][-1])
        segment = Segment(session, number, rows, layers, starts, notes, dict(options))
        wall_time = session + grid.first_row
        events.append(
            _event(session_tag(SEGMENTS_TAG, session), segment.encode(), starts[0], wall_time)
        )
        for name, state in states.items():
            preset = logged_presets(options)[name]
            pcm = render(notes, preset=preset, state=state)
            states[name] = advance_state(notes, preset=preset, state=state)
            events.append(
                audio_event(
                    clip_tag(name),
                    pcm,
                    sample_rate=preset.sample_rate,
                    step=int(starts[0]),
                    wall_time=wall_time,
                )
            )
        number += 1
    return events


def run_events(norms: np.ndarray, steps: Sequence[int] | np.ndarray, **options: Any) -> list[Event]:
    """All that a writer stores of some rows, from the start to the end of a session."""
    session = options.get("session", 1_000.0)
    layers = options.get("layers", LAYERS)
    return [
        *segment_events(norms, steps, **options),
        *row_events(norms, steps, session=session, layers=layers),
    ]


def scalar_events(
    tag: str, values: Iterable[tuple[int, float]], *, start: float = 1_000.0
) -> list[Event]:
    """A scalar; a value is written a second after the one before it."""
    return [
        scalars_event([(tag, value)], step=step, wall_time=start + second)
        for second, (step, value) in enumerate(values)
    ]


def strip_events(
    steps: Sequence[int], strips: Sequence[Strip], *, session: float = 1_000.0
) -> list[Event]:
    """A block of strips of the loss landscape."""
    tag = session_tag(STRIPS_TAG, session)
    return [blob_event(tag, encode_strips(steps, strips), step=steps[0], wall_time=session)]


def write_events(directory: Path, events: Iterable[Event]) -> None:
    """Write events to a new event file, which TensorBoard reads after those that are there."""
    directory.mkdir(parents=True, exist_ok=True)
    number = 1_700_000_000 + len(list(directory.iterdir()))
    with (directory / f"events.out.tfevents.{number}.test").open("wb") as file:
        writer = RecordWriter(file)
        for event in (Event(file_version="brain.Event:2", wall_time=1.0), *events):
            writer.write(event.SerializeToString())


def _event(tag: str, blob: bytes, step: int, wall_time: float) -> Event:
    return blob_event(tag, blob, step=int(step), wall_time=wall_time)
