"""The framing of event files: length, data, and checksums that a C library computes."""

import struct

import google_crc32c

_MASK_DELTA = 0xA282EAD8


def record(data: bytes) -> bytes:
    """One record: length (uint64), its checksum, the data, its checksum; little-endian."""
    length = struct.pack("<Q", len(data))
    return b"".join(
        (
            length,
            struct.pack("<I", _masked_crc32c(length)),
            data,
            struct.pack("<I", _masked_crc32c(data)),
        )
    )


def _masked_crc32c(data: bytes) -> int:
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF
