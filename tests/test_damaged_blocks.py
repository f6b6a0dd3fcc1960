"""Blocks that are damaged, or that lie: a decoder answers with a block or with `ValueError`."""

import json
import time
import tracemalloc
import zlib
from contextlib import suppress
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.fuzz import DECODERS, fuzz, whole_blocks
from tb_sonify.schema.block import Block, decode_block, encode_block
from tests.damage import with_header


def test_damaged_blocks_are_refused_or_read_and_nothing_else():
    outcomes, slowest = fuzz(3_000, seed=1)
    assert set(outcomes) == {"refused", "accepted"}
    assert outcomes.total() == 9_000
    assert outcomes["refused"] > 4_000
    assert slowest < 1.0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
)
SIDES = st.integers(-1, 3) | st.sampled_from([2**31, 2**60, 10**30])
ARRAY = st.tuples(
    st.sampled_from(["steps", "norms", "median"]),
    st.sampled_from(["<i8", "<f4", "<u2", "<u4", ">i8", "O"]),
    st.lists(SIDES, max_size=3),
)
HEADER = st.fixed_dictionaries(
    {"version": st.just(2), "arrays": st.lists(ARRAY | st.tuples(*[JSON] * 4), max_size=4) | JSON},
    optional={
        "kind": st.sampled_from(["rows", "segment"]),
        "session": st.floats() | JSON,
        "first_row": st.integers() | JSON,
        "segment": st.integers() | JSON,
        "rows": st.integers() | JSON,
        "layers": st.lists(st.text(max_size=3), max_size=3) | JSON,
        "options": JSON,
    },
)


@settings(max_examples=100, deadline=None)
@given(header=HEADER | JSON, body=st.binary(max_size=64))
def test_whatever_a_header_says_a_decoder_answers(header, body):
    block = with_header(json.dumps(header), body)
    for decode in DECODERS:
        with suppress(ValueError):
            decode(block)


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=200) | st.binary(max_size=200).map(lambda data: b"TBSN" + data))
def test_whatever_the_bytes_are_a_decoder_answers(data):
    for decode in DECODERS:
        with pytest.raises(ValueError, match="block"):
            decode(data)


def listing(*arrays):
    return json.dumps({"version": 2, "arrays": arrays})


@cache
def many_zeros():
    return zlib.compress(bytes(2**28 - 2**20), 9)


@pytest.mark.parametrize(
    "block",
    [
        lambda: with_header("[" * 1_000_000, b""),
        lambda: with_header('{"a":' * 200_000, b""),
        lambda: with_header(" " * (2**24 + 8), b""),
        lambda: with_header('{"version":2,"arrays":[' + "[" * 90_000, b""),
        lambda: with_header(listing(["a", "<i8", [10**12]]), bytes(64)),
        lambda: with_header(listing(["a", "<i8", [2**60, 2**60]]), bytes(64)),
        lambda: with_header(listing(["a", "<u2", [10**12], 64]), bytes(64)),
        lambda: with_header(listing(["a", "<u2", [2**20], 0]), b""),
        lambda: with_header(listing(["a", "<u2", [0, 2**60]], ["a", "<f8", [1] * 65]), bytes(64)),
        # A bomb: more than the header says, and one that lies as large.
        lambda: with_header(listing(["a", "<u2", [4], len(many_zeros())]), many_zeros()),
        # Arrays that are each within the bounds, and not together.
        lambda: with_header(
            listing(*(["a", "<u2", [2**27 - 2**19, 1], len(many_zeros())] for _ in range(9))),
            b"".join(many_zeros() + bytes(-len(many_zeros()) % 8) for _ in range(9)),
        ),
    ],
    ids=range(11),
)
def test_a_block_that_claims_to_be_huge_costs_neither_time_nor_memory(block):
    claiming = block()
    tracemalloc.start()
    began = time.thread_time()
    try:
        with pytest.raises(ValueError, match="block"):
            decode_block(claiming)
        assert tracemalloc.get_traced_memory()[1] < 1.2e9
        assert time.thread_time() - began < 5
    finally:
        tracemalloc.stop()


def test_a_damaged_norm_is_noticed():
    for block in whole_blocks():
        arrays = decode_block(block).arrays
        assert block == encode_block(Block(json_header(block), arrays), packed=True)
        body = 8 + int.from_bytes(block[4:8], "little")
        for place in np.linspace(body, len(block) - 1, 20).astype(int):
            damaged = bytearray(block)
            damaged[place] ^= 1
            with suppress(ValueError):  # mostly so; or what was hit is not used
                found = decode_block(bytes(damaged)).arrays
                for name, array in arrays.items():
                    np.testing.assert_array_equal(array, found[name])


def json_header(block):
    header = dict(decode_block(block).header)
    del header["arrays"], header["version"]
    return header
