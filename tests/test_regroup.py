"""Notes on other edges: each new one stands for all that it touches, and nothing gets lost."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tb_sonify.reading.selection import overlapping_notes, resample
from tb_sonify.schema.notes import aggregate

EDGES = st.lists(st.integers(0, 6), min_size=1, max_size=40).map(
    lambda widths: np.cumsum(widths, dtype=np.float64)
)
NORMS = st.sampled_from([-1.0, 0.0, 0.25, 1.0, 8.0, np.nan, np.inf])


def touches(start, end, low, high):
    """Whether two stretches of more than no length have something in common."""
    return max(start, low) < min(end, high)


@given(EDGES, EDGES)
def test_a_new_note_has_each_note_that_it_touches(edges, new_edges):
    edges, new_edges = np.append(edges, edges[-1] + 1), np.append(new_edges, new_edges[-1] + 1)
    starts, stops = overlapping_notes(edges, new_edges)
    for new, (low, high) in enumerate(pairwise(new_edges)):
        for note, (start, end) in enumerate(pairwise(edges)):
            if touches(start, end, low, high):
                assert starts[new] <= note < stops[new]
        ends_before = high < edges[0] or (low < high == edges[0] and new < len(starts) - 1)
        if ends_before or low > edges[-1]:
            assert starts[new] >= stops[new]


@given(EDGES, st.data())
def test_no_note_between_the_first_and_the_last_edge_is_left_out(edges, data):
    new_edges = data.draw(EDGES)
    new_edges = np.concatenate([edges[:1], edges[0] + new_edges, [edges[-1] + new_edges[-1] + 1]])
    edges = np.append(edges, edges[-1])  # a last note of one row
    taken = {
        note
        for start, stop in zip(*overlapping_notes(edges, new_edges), strict=True)
        for note in range(start, stop)
    }
    assert taken == set(range(len(edges) - 1))


@given(st.integers(1, 30).flatmap(lambda rows: arrays(np.float32, (rows, 2), elements=NORMS)))
def test_notes_become_one_as_the_rows_of_a_note_do(norms):
    notes = aggregate(norms, rows_per_note=1)
    bounds = np.random.default_rng(len(norms)).integers(0, len(norms) + 1, (20, 2))
    starts, stops = bounds.min(axis=1), bounds.max(axis=1)
    found = resample(notes, starts, stops)
    for number, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        rows = norms[start:stop] if stop > start else np.full((1, 2), -1, np.float32)
        expected = aggregate(rows, rows_per_note=len(rows))
        for name, table in vars(expected).items():
            np.testing.assert_array_equal(getattr(found, name)[number], table[0])
