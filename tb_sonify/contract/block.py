"""The block: one binary value that holds a JSON header and named arrays.

Rows and segments are kept as blocks in the event file, and the plugin answers the browser
with blocks too.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

VERSION = 1

_MAGIC = b"TBSN"
_PREFIX = struct.Struct("<4sI")  # magic, length of the JSON header in bytes
_DTYPES = {"<i8", "<f8", "<f4", "<u4", "<u2"}


@dataclass(frozen=True)
class Block:
    """A header and its arrays.

    The bytes are ``TBSN``, the length of the header as a little-endian uint32, the header as
    UTF-8 JSON padded with spaces so that the arrays begin at a multiple of 8 bytes, and the
    arrays in the order of ``header["arrays"]`` (name, dtype, shape), each padded with zeros to a
    multiple of 8 bytes, in C order, little-endian.
    """

    header: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]


def encode_block(block: Block) -> bytes:
    """A block as bytes; `header` must be JSON, and arrays one of the dtypes i8, f8, f4, u4, u2."""
    packed = {name: _little_endian(array) for name, array in block.arrays.items()}
    listing = [[name, array.dtype.str, list(array.shape)] for name, array in packed.items()]
    header = {"version": VERSION, **block.header, "arrays": listing}
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-(_PREFIX.size + len(text)) % 8)
    body = b"".join(_padded(array.tobytes()) for array in packed.values())
    return _PREFIX.pack(_MAGIC, len(text)) + text + body


def decode_block(data: bytes) -> Block:
    """The block that `encode_block` wrote.

    Raises
    ------
    ValueError
        If the bytes are not a block, are cut short, or are of a newer version.
    """
    if len(data) < _PREFIX.size or data[:4] != _MAGIC:
        raise ValueError(f"a block starts with {_MAGIC!r}, got {data[:4]!r}")
    _, length = _PREFIX.unpack_from(data)
    start = _PREFIX.size + length
    try:
        header = json.loads(data[_PREFIX.size : start])
        version, listing = header["version"], header["arrays"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"the header of a block must be JSON with version and arrays: {error}"
        ) from None
    if version != VERSION:
        raise ValueError(f"this tb_sonify reads blocks of version {VERSION}, got {version!r}")
    return Block(header, dict(_arrays(data, start, listing)))


def _little_endian(array: NDArray[Any]) -> NDArray[Any]:
    packed = np.asarray(array, order="C")
    packed = packed.astype(packed.dtype.newbyteorder("<"), copy=False)
    if packed.dtype.str not in _DTYPES:
        raise ValueError(f"a block holds arrays of {sorted(_DTYPES)}, got {packed.dtype.str!r}")
    return packed


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 8)


def _arrays(data: bytes, offset: int, listing: Any) -> "list[tuple[str, NDArray[Any]]]":
    arrays = []
    try:
        for name, dtype, shape in listing:
            if dtype not in _DTYPES or any(type(side) is not int or side < 0 for side in shape):
                raise ValueError(f"unknown dtype or shape {dtype!r}, {shape!r}")
            size = int(np.prod(shape, dtype=object)) * np.dtype(dtype).itemsize
            if offset + size > len(data):
                raise ValueError(
                    f"array {name!r} needs {size} bytes, {len(data) - offset} are left"
                )
            array = np.frombuffer(data, dtype, size // np.dtype(dtype).itemsize, offset)
            arrays.append((str(name), array.reshape(shape)))
            offset += size + -size % 8
    except (TypeError, ValueError) as error:
        raise ValueError(f"the arrays of a block do not fit its header: {error}") from None
    return arrays
