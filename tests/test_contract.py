"""What is stored can be read back, and nothing else can."""

import contextlib
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tb_sonify.schema.block import Block, decode_block, encode_block, round_norms
from tb_sonify.schema.notes import NO_GRADIENT, Notes
from tb_sonify.schema.records import Rows, Segment
from tb_sonify.schema.segments import Grid

ROWS = Rows(
    session=1763690000.25,
    first_row=7,
    layers=("conv1", "fc/1 ⟵"),
    steps=np.array([10, 11, 14]),
    norms=np.array([[1.0, np.nan], [np.inf, 0.0], [1e-8, NO_GRADIENT]], np.float32),
    options={"norm_type": 2.0},
)


def test_rows_come_back_as_they_were_rounded():
    read = Rows.decode(ROWS.encode())
    np.testing.assert_array_equal(read.norms, round_norms(ROWS.norms))
    np.testing.assert_array_equal(read.steps, ROWS.steps)
    assert (read.session, read.first_row, read.layers) == (1763690000.25, 7, ROWS.layers)
    assert read.options == {"norm_type": 2.0}


def test_a_segment_comes_back_as_it_was_rounded():
    counts = np.array([[0, 3], [1, 0], [0, 0]], np.uint32)
    segment = Segment(
        session=1.0,
        segment=33,
        rows=6,
        layers=("a", "b"),
        steps=np.array([0, 2, 4, 5]),
        notes=Notes(
            median=round_norms(ROWS.norms),
            max=round_norms(2.7 * ROWS.norms[::-1]),
            nan=counts,
            inf=counts[::-1],
        ),
        options={},
    )
    read = Segment.decode(segment.encode())
    np.testing.assert_array_equal(read.steps, segment.steps)
    for name in ("median", "max", "nan", "inf"):
        np.testing.assert_array_equal(getattr(read.notes, name), getattr(segment.notes, name))
    assert (read.segment, read.rows) == (33, 6)
    assert read.notes.nan.dtype == read.notes.inf.dtype == np.uint32


def test_counts_of_nothing_and_maxima_of_single_rows_take_next_to_no_bytes():
    median = round_norms(np.random.default_rng(0).lognormal(size=(100, 50)))
    none = np.zeros((100, 50), np.uint32)
    sizes = []
    for largest, counts in ((median, none), (2 * median, none), (median, none + 1)):
        segment = Segment(
            session=1.0,
            segment=0,
            rows=100,
            layers=tuple(map(str, range(50))),
            steps=np.arange(101),
            notes=Notes(median, largest, counts, counts),
            options={},
        )
        sizes.append(len(segment.encode()))
    assert max(sizes) < 1.1 * 2 * median.size


@given(
    hnp.arrays(
        st.sampled_from(["<i8", "<f8", "<f4", "<u4", "<u2"]),
        hnp.array_shapes(min_dims=0, min_side=0),
    ),
    st.booleans(),
)
def test_arrays_come_back_bit_for_bit(array, packed):
    block = decode_block(encode_block(Block({}, {"a": array, "b": array}), packed=packed))
    for read in block.arrays.values():
        assert (read.dtype, read.shape) == (array.dtype, array.shape)
        assert read.tobytes() == array.tobytes()


@pytest.mark.parametrize("rows", [2, 4, 2**27, 2**60])
def test_a_packed_table_that_claims_another_size_is_refused(rows):
    good = encode_block(Block({}, {"a": np.zeros((3, 1), np.uint16)}), packed=True)
    start = 8 + int.from_bytes(good[4:8], "little")
    header = good[8:start].replace(b"[3,1]", b"[%d,1]" % rows)
    with pytest.raises(ValueError, match="do not fit its header"):
        decode_block(good[:4] + len(header).to_bytes(4, "little") + header + good[start:])


@given(hnp.arrays(np.float32, 50, elements=st.floats(0, width=32, allow_subnormal=False)))
def test_rounding_moves_a_norm_by_less_than_a_cent(norms):
    rounded = round_norms(norms)
    positive = (norms > 0) & np.isfinite(norms) & np.isfinite(rounded)
    cents = 100 * np.abs(np.log2(rounded[positive]) - np.log2(norms[positive]))
    assert (cents < 0.6).all()
    assert (rounded[norms == 0] == 0).all()
    np.testing.assert_array_equal(np.isposinf(norms) <= np.isposinf(rounded), True)


def test_nan_of_any_bits_stays_nan():
    bits = np.array([0x7F800001, 0x7FFFFFFF, 0xFF800001, 0xFFFFFFFF], np.uint32)
    assert np.isnan(round_norms(bits.view(np.float32))).all()


def test_norms_beyond_float32_are_infinite():
    assert round_norms(np.array([1e300])).tolist() == [np.inf]


@given(st.binary(max_size=64))
def test_bytes_that_are_no_block_are_refused(data):
    with pytest.raises(ValueError, match="block"):
        decode_block(data)


@given(st.data())
def test_a_damaged_block_is_refused_or_read_but_never_crashes(data):
    good = bytearray(ROWS.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(good[: data.draw(st.integers(0, len(good)))])
    with contextlib.suppress(ValueError):
        Rows.decode(cut)


def test_a_newer_version_is_refused_by_its_number():
    data = encode_block(Block({}, {})).replace(b'"version":2', b'"version":3')
    with pytest.raises(ValueError, match="version 2, got 3"):
        decode_block(data)


def test_an_array_that_does_not_fit_a_block_is_refused():
    with pytest.raises(ValueError, match="c16"):
        encode_block(Block({}, {"signal": np.zeros(3, complex)}))


def test_arrays_begin_at_multiples_of_eight_bytes():
    data = encode_block(Block({}, {"a": np.zeros(3, np.uint16), "b": np.array([2.5])}))
    assert len(data) % 8 == 0
    assert data[-8:] == np.array([2.5]).tobytes()


def test_segments_tile_the_rows():
    grids = [Grid.of_segment(number) for number in range(200)]
    for this, following in itertools.pairwise(grids):
        assert this.first_row + this.rows == following.first_row


def test_a_million_rows_need_264_segments():
    assert Grid.of_segment(263).first_row < 1_000_000 < Grid.of_segment(264).first_row


def test_a_negative_segment_is_refused():
    with pytest.raises(ValueError, match="-1"):
        Grid.of_segment(-1)
