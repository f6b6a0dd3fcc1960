"""Damage to blocks and to event files, as disks, networks and other programs do it."""

import json
import struct
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any, TypeVar

import numpy as np
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

Random = np.random.Generator
Damage = Callable[[bytes, Random], bytes]
Item = TypeVar("Item")

_PREFIX = struct.Struct("<4sI")
_LENGTH, _CRC = struct.Struct("<Q"), struct.Struct("<I")
_ODD: Sequence[Any] = (
    None, True, -1, 0, 1, 2, 3, 2**31, 2**60, 2**63, -(2**63) - 1, 10**30, 0.5, 1e308,
    float("nan"), float("inf"), "", "a", "\ud800", "<i8", "<f4", "<u4", ">u2", "O",
    [], [0], [2**60], [2**60, 0], [-1], [1] * 40, {}, [[]], ["a", "a"], ["b"] * 500,
)  # fmt: skip


def flipped(data: bytes, random: Random) -> bytes:
    """With some bits that are not what they were."""
    damaged = bytearray(data)
    for place in random.integers(0, len(data), random.integers(1, 5)):
        damaged[place] ^= 1 << random.integers(0, 8)
    return bytes(damaged)


def cut(data: bytes, random: Random) -> bytes:
    """Without its end."""
    return data[: int(random.integers(0, len(data)))]


def inserted(data: bytes, random: Random) -> bytes:
    """With garbage in it."""
    place = int(random.integers(0, len(data) + 1))
    return data[:place] + random.bytes(int(random.integers(1, 64))) + data[place:]


def removed(data: bytes, random: Random) -> bytes:
    """Without a piece of it."""
    first = int(random.integers(0, len(data) + 1))
    return data[:first] + data[first + int(random.integers(1, 2_000)) :]


def overwritten(data: bytes, random: Random) -> bytes:
    """With zeros, as of a disk block that was never written, or with garbage."""
    first = int(random.integers(0, len(data)))
    count = min(int(random.integers(1, 4_097)), len(data) - first)
    piece = bytes(count) if random.integers(0, 2) else random.bytes(count)
    return data[:first] + piece + data[first + count :]


def lying(block: bytes, random: Random) -> bytes:
    """A block with a header that says something else of the same arrays."""
    start = _PREFIX.size + _PREFIX.unpack_from(block)[1]
    header = json.loads(block[_PREFIX.size : start])
    for _ in range(random.integers(1, 3)):
        _change(header, random)
    return with_header(json.dumps(header), block[start:])


def nested(block: bytes, random: Random) -> bytes:
    """A block whose header is nested too deep."""
    depth = int(random.integers(100, 50_000))
    text = "[" * depth if random.integers(0, 2) else '{"a":' * depth
    return with_header(text, block[-100:])


def with_header(text: str, body: bytes) -> bytes:
    """A block of just these parts."""
    encoded = text.encode()
    encoded += b" " * (-(_PREFIX.size + len(encoded)) % 8)
    return _PREFIX.pack(b"TBSN", len(encoded)) + encoded + body


BYTE_DAMAGES: tuple[Damage, ...] = (flipped, cut, inserted, removed, overwritten)
BLOCK_DAMAGES: tuple[Damage, ...] = (*BYTE_DAMAGES, lying, lying, lying, nested)


def any_of(damages: Sequence[Damage], data: bytes, random: Random) -> bytes:
    """The data with one of some damages."""
    return chosen(damages, random)(data, random)


def chosen(items: Sequence[Item], random: Random) -> Item:
    """Any one of some things."""
    return items[int(random.integers(len(items)))]


def record(data: bytes, *, length: int | None = None, crc: int = 0) -> bytes:
    """A record of an event file; `crc` is what its checksum differs by from the right one."""
    size = _LENGTH.pack(len(data) if length is None else length)
    checksum = (masked_crc32c(data) + crc) % 2**32
    return size + _CRC.pack(masked_crc32c(size)) + data + _CRC.pack(checksum)


def _change(value: Any, random: Random) -> None:
    """Put something odd, or what is elsewhere in it, in a place of a JSON value."""
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not keys:
            return
        key = chosen(keys, random)
        inner = value[key]
        if not isinstance(inner, dict | list) or not inner or random.integers(0, 3) == 0:
            break
        value = inner
    kind = random.integers(0, 4)
    if kind == 0 and isinstance(value, dict):
        del value[key]
    elif kind == 1 and isinstance(value, list):
        value.append(deepcopy(value[key]))
    else:
        value[key] = deepcopy(chosen(_ODD, random))
