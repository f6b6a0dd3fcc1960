"""Runs that are damaged each in another way, and what must still be heard of each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.context import RequestContext
from tensorboard.data.provider import DataProvider, RunTagFilter

from tb_sonify.schema.metadata import PLUGIN_NAME, ROWS_TAG, SEGMENTS_TAG, split_session
from tb_sonify.schema.records import Rows
from tests.damage import BLOCK_DAMAGES, BYTE_DAMAGES, Random, any_of, chosen, record
from tests.logs import norms_of, row_events, scalar_events, segment_events

ROWS, BLOCK_ROWS = 300, 20
ODD_STEPS = (-(2**63), -1, 0, 1, 7, 2**31, 2**62, 2**63 - 1)
ODD_TIMES = (float("nan"), float("inf"), -float("inf"), -1.0, 0.0, 1e18, 1e308, -1e308, 1_000.5)


@dataclass(frozen=True)
class Whole:
    """What was written before the damage: steps and norms by block, and whole segments."""

    rows: Mapping[bytes, tuple[np.ndarray, np.ndarray]]
    segments: frozenset[bytes]


@dataclass(frozen=True)
class Served:
    """What TensorBoard serves of a run.

    Attributes
    ----------
    heard
        Norms by step that must be heard, because their blocks are whole.
    lost
        First steps of blocks that are not whole, which must be heard or told as missing.
    exact
        Whether all segments are whole, so that norms are heard as they were.
    """

    heard: Mapping[int, np.ndarray]
    lost: Sequence[int]
    exact: bool


def write_damaged_run(directory: Path, seed: int) -> Whole:
    """A run of a few event files, one of them damaged."""
    random = np.random.default_rng(seed)
    norms, steps = norms_of(ROWS, seed=seed), np.arange(ROWS)
    rows = row_events(norms, steps, block_rows=BLOCK_ROWS)
    segments = segment_events(norms, steps, presets=()) if seed % 2 else []
    loss = scalar_events("loss", [(step, 1 / (1 + step)) for step in range(0, ROWS, 10)])
    whole = Whole(
        {_blob(each): (steps[at : at + BLOCK_ROWS], norms[at : at + BLOCK_ROWS])
         for at, each in zip(range(0, ROWS, BLOCK_ROWS), rows, strict=True)},
        frozenset(map(_blob, segments)),
    )  # fmt: skip
    events = sorted([*rows, *segments, *loss], key=lambda event: event.wall_time)
    damage = DAMAGES[seed // 2 % len(DAMAGES)]
    directory.mkdir(parents=True)
    name = "events.out.tfevents.1700000000.test"
    (directory / name).write_bytes(damage(events, random))
    return whole


def served(provider: DataProvider, run: str, whole: Whole) -> Served:
    """What a provider serves of a run, in terms of what was written whole."""
    wholes, lost = [], []
    for step, data in _blobs(provider, run, ROWS_TAG):
        known = whole.rows.get(data)
        if known is not None and known[0][0] == step:
            wholes.append(known)
        else:
            lost.append(step)
    heard = {step: norms for known in wholes for step, norms in zip(*known, strict=True)}
    segments = [data for *_, data in _blobs(provider, run, SEGMENTS_TAG)]
    return Served(heard, lost, whole.segments.issuperset(segments))


def _blobs(provider: DataProvider, run: str, tag: str) -> list[tuple[int, bytes]]:
    found = provider.read_blob_sequences(
        RequestContext(),
        experiment_id="",
        plugin_name=PLUGIN_NAME,
        downsample=10**6,
        run_tag_filter=RunTagFilter([run]),
    )
    return [
        (
            datum.step,
            provider.read_blob(RequestContext(), blob_key=datum.values[0].blob_key),
        )
        for each, data in found.get(run, {}).items()
        if split_session(each)[0] == tag
        for datum in data
        if datum.values
    ]


def _blob(event: Event) -> bytes:
    return bytes(event.summary.value[0].tensor.string_val[0])


def _file(events: Sequence[Event]) -> list[bytes]:
    first = Event(file_version="brain.Event:2", wall_time=1_000.0)
    return [record(event.SerializeToString()) for event in (first, *events)]


def _bytes(events: Sequence[Event], random: Random) -> bytes:
    return any_of(BYTE_DAMAGES, b"".join(_file(events)), random)


def _checksum(events: Sequence[Event], random: Random) -> bytes:
    records = _file(events)
    place = int(random.integers(0, len(records)))
    data = records[place][12:-4]
    records[place] = record(data, crc=1)
    return b"".join(records)


def _length(events: Sequence[Event], random: Random) -> bytes:
    records = _file(events)
    place = int(random.integers(0, len(records)))
    data = records[place][12:-4]
    lies = (0, 1, len(data) - 1, len(data) + 1, 2**20)
    records[place] = record(data, length=chosen(lies, random))
    return b"".join(records)


def _blocks(events: Sequence[Event], random: Random) -> bytes:
    for event in _some(events, random):
        tensor = event.summary.value[0].tensor
        if tensor.string_val:
            tensor.string_val[0] = any_of(BLOCK_DAMAGES, tensor.string_val[0], random)
    return b"".join(_file(events))


def _steps(events: Sequence[Event], random: Random) -> bytes:
    for event in _some(events, random):
        event.step = chosen(ODD_STEPS, random)
    return b"".join(_file(events))


def _times(events: Sequence[Event], random: Random) -> bytes:
    for event in _some(events, random):
        event.wall_time = chosen(ODD_TIMES, random)
    return b"".join(_file(events))


def _order(events: Sequence[Event], random: Random) -> bytes:
    order = random.permutation(len(events))[: int(random.integers(1, len(events)))]
    return b"".join(_file([events[at] for at in (*order, *order[:5])]))


def _versions(events: Sequence[Event], random: Random) -> bytes:
    for event in _some(events, random):
        tensor = event.summary.value[0].tensor
        if tensor.string_val:
            tensor.string_val[0] = tensor.string_val[0].replace(b'"version":2', b'"version":3')
    return b"".join(_file(events))


def _layers(events: Sequence[Event], random: Random) -> bytes:
    """Rows of other layers, of another session, or numbered otherwise."""
    for event in _some(events, random):
        if event.summary.value[0].tag.startswith(ROWS_TAG):
            rows = Rows.decode(_blob(event))
            layers = tuple(f"{name}{random.integers(0, 9)}" for name in rows.layers)
            session, number = random.integers(0, 3_000), random.integers(0, 2**40)
            changed = Rows(
                float(session), int(number), layers, rows.steps, rows.norms, {"presets": ["x", 1]}
            )
            event.summary.value[0].tensor.string_val[0] = changed.encode()
    return b"".join(_file(events))


def _next_to_nothing(events: Sequence[Event], random: Random) -> bytes:
    return b"".join(_file(events[: int(random.integers(0, 3))]))[: int(random.integers(0, 200))]


DAMAGES: tuple[Callable[[Sequence[Event], Random], bytes], ...] = (
    _bytes, _bytes, _checksum, _length, _blocks, _blocks, _steps, _times, _order, _versions,
    _layers, _next_to_nothing,
)  # fmt: skip


def _some(events: Sequence[Event], random: Random) -> list[Event]:
    return [events[at] for at in random.permutation(len(events))[: int(random.integers(1, 6))]]
