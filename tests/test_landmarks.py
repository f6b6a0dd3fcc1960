"""What there is to jump to in a run is found, where it is, and nothing in a healthy run."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tb_sonify.landmarks import KINDS, find_landmarks
from tb_sonify.landmarks.landmark import MILESTONES
from tb_sonify.schema.notes import Notes, aggregate
from tests.eventful_runs import Run
from tests.healthy_runs import HEALTHY
from tests.labelled_runs import ROWS, false_landmarks, landmarks_of, score

LABELLED = set(KINDS) - {
    *MILESTONES,  # see test_milestones.py
    "divergence",
    "drift",
    "outgrowing",
    "leaving",
    "unusual",
    "parting",
    "overfitting",
    "edge",  # see test_landscape_strips.py
}  # see test_monitor.py, test_chimes.py and test_overfitting.py
SEEDS = range(1000, 1050)  # not those that the rules were developed on
ANY_NORMS = hnp.arrays(
    np.float32,
    st.tuples(st.integers(0, 60), st.integers(0, 6)),
    elements=st.one_of(
        st.floats(0, width=32),
        st.sampled_from([0.0, 1.0, np.nan, np.inf, -1.0]),
    ),
)


@pytest.fixture
def calm():
    """300 steps of 4 layers, with little noise."""
    rng = np.random.default_rng(7)
    return np.exp(0.2 * rng.standard_normal((300, 4)))


def told(norms, restarts=()):
    """Step, kind and sentence of what is found."""
    found = landmarks_of(Run(norms, restarts=restarts))
    return [(landmark.step, landmark.kind, landmark.sentence) for landmark in found]


@pytest.mark.statistics
def test_labelled_landmarks_are_found_and_little_else():
    result = score(SEEDS)
    assert result.precision(*KINDS) >= 0.95
    assert result.recall(*KINDS) >= 0.95
    assert {kind for kind in LABELLED if result.precision(kind) < 0.9} == set()
    assert {kind for kind in LABELLED if result.recall(kind) < 0.85} == set()


@pytest.mark.statistics
def test_healthy_runs_have_less_than_one_landmark_in_10_000_steps():
    count = steps = 0
    for family in HEALTHY:
        for rows, seeds in [*((rows, SEEDS[:24]) for rows in ROWS), (10_000, SEEDS[:4])]:
            count += false_landmarks(family, seeds, rows=rows)
            steps += rows * len(seeds)
    assert count <= steps / 10_000


def test_a_calm_run_has_none(calm):
    assert told(calm) == []


def test_the_first_layer_with_nan_is_named_and_the_others_counted(calm):
    calm[12:, 1:] = np.nan
    assert told(calm) == [(12, "nan", "NaN, first in 1 and 2 more layers")]


def test_infinity_that_turns_into_nan_is_two_landmarks(calm):
    calm[12, 2] = np.inf
    calm[13:] = np.nan
    assert told(calm) == [
        (12, "inf", "infinity, first in 2"),
        (13, "nan", "NaN, first in 0 and 3 more layers"),
    ]


def test_nan_is_news_again_after_50_healthy_notes(calm):
    calm[[20, 60, 111], 0] = np.nan
    assert [step for step, *_ in told(calm)] == [20, 111]


def test_a_spike_in_one_layer_is_named_with_its_size(calm):
    calm[150, 3] = 500
    [(step, kind, sentence)] = told(calm)
    assert (step, kind) == (150, "spike")
    assert sentence.startswith("spike, ")
    assert sentence.endswith(" times the usual norm in 3")
    assert 400 <= float(sentence.split()[1]) <= 600


def test_neighbouring_spikes_are_one_landmark(calm):
    calm[[150, 152, 158]] *= 1e4
    assert [found[:2] for found in told(calm)] == [(150, "spike")]


def test_a_spike_in_one_row_is_found_where_notes_cover_many():
    rng = np.random.default_rng(3)
    norms = np.exp(0.3 * rng.standard_normal((30_000, 3)))
    norms[25_001] *= 1e5
    [(step, kind, _)] = told(norms)
    assert kind == "spike"
    assert 25_001 - 8 < step <= 25_001


def test_dead_layers_are_a_collapse_and_rare_gradients_do_not_hide_it(calm):
    calm[100:, :2] = 0
    calm[250, 0] = 1
    assert told(calm) == [(100, "collapse", "collapse to zero in 0 and 1 more layer")]


def test_layers_without_gradient_from_the_first_step_are_told_as_such(calm):
    calm[:] = 0
    assert told(calm) == [(0, "collapse", "zero from the start in all 4 layers")]


def test_a_layer_that_is_often_zero_has_not_collapsed(calm):
    calm[np.random.default_rng(1).random(300) < 0.6, 0] = 0
    calm[-6:, 0] = 0
    assert told(calm) == []


def test_frozen_layers_are_nothing_to_tell(calm):
    calm[:, 0] = -1
    calm[:100, 1] = -1
    calm[200:, 2] = -1
    assert told(calm) == []


def test_a_zero_that_a_restart_ends_is_a_collapse_of_the_session_before(calm):
    calm[100:200] = 0
    assert told(calm) == []
    assert [found[:2] for found in told(calm, restarts=(200,))] == [
        (100, "collapse"),
        (200, "restart"),
    ]


def test_growth_that_ends_in_nan_is_an_explosion(calm):
    calm[40:44] *= np.array([[10], [100], [1e4], [1e7]])
    calm[44:] = np.nan
    assert [found[:2] for found in told(calm)] == [(40, "explosion"), (44, "nan")]


def test_growth_that_ends_in_dead_layers_is_an_explosion(calm):
    calm[40:44] *= np.array([[10], [60], [80], [50]])
    calm[44:, :3] = 0
    assert [found[:2] for found in told(calm)] == [(40, "explosion"), (44, "collapse")]


def test_a_layer_that_wakes_up_does_not_explode(calm):
    calm[:, 0] *= 1e-7 * np.minimum(10 ** (np.arange(300) / 10), 1e7)
    assert "explosion" not in {kind for _, kind, _ in told(calm)}


def test_an_escape_by_a_thousand_is_no_explosion_where_norms_stay_ordinary(calm):
    calm[:100] *= 1e-4
    (start, first, _), (escape, second, _) = told(calm)
    assert (start, first, second) == (0, "plateau", "escape")
    assert escape == pytest.approx(100, abs=1)
    assert [kind for _, kind, _ in told(calm * 1e4)] == ["explosion"]


def test_a_decline_through_the_depth_is_vanishing_but_one_small_layer_is_not(calm):
    assert told(calm * [1e-6, 1e-4, 1e-2, 1])[0][:2] == (0, "vanishing")
    assert told(calm * [1e-6, 1, 1, 1]) == []


def test_landmarks_come_in_order_of_step_then_severity(calm):
    calm[50] *= 1e5
    calm[120:] = np.nan
    found = told(calm, restarts=(120, 10))
    assert [f[:2] for f in found] == [
        (10, "restart"),
        (50, "spike"),
        (120, "nan"),
        (120, "restart"),
    ]


@given(ANY_NORMS, st.integers(1, 4), st.lists(st.integers(-5, 300), max_size=3))
def test_any_notes_whatever_have_well_formed_landmarks(norms, rows_per_note, restarts):
    notes = aggregate(norms, rows_per_note=rows_per_note)
    steps = 3 + rows_per_note * np.arange(len(notes) + 1)
    layers = [f"layer{i}" for i in range(notes.layers)]
    found = find_landmarks(notes, steps=steps, layers=layers, restarts=restarts)
    assert found == sorted(found, key=lambda mark: (mark.step, KINDS.index(mark.kind)))
    for landmark in found:
        assert landmark.step == steps[landmark.note]
        assert landmark.layer in {None, *layers}
        assert landmark.sentence.strip().splitlines() == [landmark.sentence]


def test_a_run_of_30_000_notes_and_100_layers_takes_no_time():
    table = np.exp(0.5 * np.random.default_rng(0).standard_normal((30_000, 100), np.float32))
    none = np.zeros(table.shape, np.uint32)
    notes = Notes(table, table * np.float32(1.5), none, none)
    start = time.process_time()
    find_landmarks(notes, steps=np.arange(30_001), layers=[str(i) for i in range(100)])
    assert time.process_time() - start < 3  # 0.4 s on an idle core


def test_steps_and_layers_must_fit_the_notes():
    notes = aggregate(np.ones((5, 2), np.float32), rows_per_note=1)
    with pytest.raises(ValueError, match="one more than notes, got 5 for 5 notes"):
        find_landmarks(notes, steps=np.arange(5), layers=["a", "b"])
    with pytest.raises(ValueError, match="notes of 2 layers need as many names, got 1"):
        find_landmarks(notes, steps=np.arange(6), layers=["a"])
