"""Rows become notes, and nothing that matters is averaged away."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tb_sonify.schema.notes import Notes, aggregate
from tb_sonify.sound import stream_layers

NORMS = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 40), st.integers(1, 5)),
    elements=st.one_of(st.floats(0, width=32), st.just(np.nan), st.just(np.inf), st.just(-1.0)),
)


@given(NORMS, st.integers(1, 16))
def test_maximum_and_counts_of_every_row_are_kept(norms, rows_per_note):
    notes = aggregate(norms, rows_per_note=rows_per_note)
    assert len(notes) == -(-len(norms) // rows_per_note)
    assert notes.nan.sum() == np.isnan(norms).sum()
    assert notes.inf.sum() == np.isposinf(norms).sum()
    for note, start in enumerate(range(0, len(norms), rows_per_note)):
        rows = norms[start : start + rows_per_note]
        finite = np.where(np.isfinite(rows), rows, -1)
        np.testing.assert_array_equal(notes.max[note], finite.max(axis=0))


@given(NORMS, st.integers(1, 16))
def test_the_median_is_one_of_the_norms(norms, rows_per_note):
    notes = aggregate(norms, rows_per_note=rows_per_note)
    for note, start in enumerate(range(0, len(norms), rows_per_note)):
        for layer, median in enumerate(notes.median[note]):
            rows = norms[start : start + rows_per_note, layer]
            finite = np.sort(rows[np.isfinite(rows) & (rows >= 0)])
            assert median == (finite[len(finite) // 2] if len(finite) else -1)


def test_one_row_per_note_changes_nothing():
    norms = np.array([[0.0, 2.0], [1e30, 1e-30]], np.float32)
    np.testing.assert_array_equal(aggregate(norms, rows_per_note=1).median, norms)


def test_no_rows_are_no_notes():
    assert len(aggregate(np.zeros((0, 3), np.float32), rows_per_note=4)) == 0


def test_rows_per_note_must_be_positive():
    with pytest.raises(ValueError, match="got 0"):
        aggregate(np.ones((2, 2), np.float32), rows_per_note=0)


def test_tables_of_different_shape_are_refused():
    table = np.zeros((2, 3), np.float32)
    with pytest.raises(ValueError, match=r"\(2, 2\), \(2, 3\)"):
        Notes(table, table[:, :2], table.astype(np.uint32), table.astype(np.uint32))


@pytest.mark.parametrize("layers", range(12))
def test_streams_hold_every_layer_once_in_order_of_depth(layers):
    streams = stream_layers(layers)
    assert [layer for stream in streams for layer in stream] == list(range(layers))
    assert len(streams) == min(layers, 3)
    assert all(len(stream) for stream in streams)


def test_notes_that_are_merged_keep_their_types():
    notes = aggregate(np.float32([[1, np.nan], [2, np.inf], [3, 4]]), rows_per_note=1)
    for name, table in vars(notes.merged(2)).items():
        assert table.dtype == getattr(notes, name).dtype
