"""NaN, infinity and zero are heard as themselves, when they happen, and nothing else is."""

from dataclasses import replace

import numpy as np
import pytest

from tb_sonify.schema.notes import aggregate
from tb_sonify.sound import EARLIER_PRESETS, PRESETS, render

SMOOTH = PRESETS["smooth"]
HOP = SMOOTH.hop(1)
CAUSES = {"nan": np.nan, "inf": np.inf, "zero": 0.0}


def heard(norms, state=None):
    notes = aggregate(np.asarray(norms, np.float32), rows_per_note=1)
    return render(notes, preset=SMOOTH, state=state).sum(axis=1) / 32767


def alone(cause):
    """The sound of one note of `cause`, with silence before it."""
    norms = np.full((4, 1), -1.0)
    norms[3] = CAUSES[cause]
    return heard(norms)[3 * HOP : 4 * HOP]


def found(mono, cause):
    """Notes in which the earcon is heard, by matched filter."""
    pattern = alone(cause)
    notes = mono[: len(mono) // HOP * HOP].reshape(-1, HOP)
    return (notes @ pattern / (pattern @ pattern)) > 0.7


def healthy(notes, layers=3):
    return np.exp2(np.random.default_rng(1).normal(-2, 0.5, (notes, layers)))


@pytest.mark.parametrize("cause", CAUSES)
def test_an_event_is_heard_in_its_note_and_in_no_other(cause):
    norms = healthy(64)
    norms[27, 1] = CAUSES[cause]
    mono = heard(norms)
    assert np.flatnonzero(found(mono, cause)).tolist() == [27]
    for other in set(CAUSES) - {cause}:
        assert not found(mono, other).any()


def test_one_layer_that_spikes_among_many_is_heard_at_every_zoom():
    calm = healthy(3_200, layers=30)
    spiked = calm.copy()
    spiked[2_000, 11] *= 100
    for rows_per_note in (1, 8, 32):
        clips = [
            render(aggregate(norms.astype(np.float32), rows_per_note=rows_per_note), preset=SMOOTH)
            for norms in (calm, spiked)
        ]
        change = np.abs(clips[1].astype(int) - clips[0]).max(axis=1)
        start = 2_000 // rows_per_note * HOP
        assert change[start : start + HOP].max() > 0.1 * 32767
        assert change[:start].max(initial=0) == 0


def test_a_run_of_ordinary_noise_has_no_spikes():
    mono = heard(healthy(2_000, layers=12))
    assert np.abs(mono).max() < 2 * np.quantile(np.abs(mono), 0.999)


@pytest.mark.parametrize("cause", CAUSES)
def test_a_healthy_run_has_no_earcons(cause):
    assert not found(heard(healthy(200)), cause).any()


@pytest.mark.parametrize("cause", CAUSES)
def test_a_state_that_lasts_is_recalled_every_eighth_note(cause):
    norms = healthy(64)
    norms[27:] = CAUSES[cause]
    assert np.flatnonzero(found(heard(norms), cause)).tolist() == [27, 32, 40, 48, 56]


def test_one_nan_row_among_thousands_is_heard():
    norms = healthy(6_400).astype(np.float32)
    norms[4_000, 2] = np.nan
    mono = render(aggregate(norms, rows_per_note=64), preset=SMOOTH).sum(axis=1) / 32767
    assert np.flatnonzero(found(mono, "nan")).tolist() == [4_000 // 64]


def test_a_dead_layer_does_not_sound_like_a_calm_one():
    dead, calm = (heard(np.full((20, 1), norm)) for norm in (0.0, 0.01))
    between = slice(9 * HOP, 15 * HOP)  # after the second reminder
    assert np.abs(dead[between]).max() < 1e-3
    assert np.abs(calm[between]).max() > 0.05


@pytest.mark.parametrize("cause", CAUSES)
def test_an_earcon_is_heard_at_once(cause):
    mono = np.abs(alone(cause))
    onset = np.flatnonzero(mono > 0.1 * mono.max())[0]
    assert 0 < onset < 0.020 * SMOOTH.sample_rate


BEFORE = EARLIER_PRESETS["smooth-1"]


def rings(norms, preset=SMOOTH):
    """Notes from which on something sounds otherwise than without earcons, here the bell."""
    notes = aggregate(np.asarray(norms, np.float32), rows_per_note=1)
    heard = [
        render(notes, preset=each)[: len(norms) * preset.hop(3)].astype(int)
        for each in (preset, replace(preset, earcon_level=0.0))
    ]
    found = np.flatnonzero(np.abs(heard[0] - heard[1]).reshape(len(norms), -1).max(axis=1))
    return found[np.diff(found, prepend=-2) > 1]


def jittery(notes, deviation=0.15, seed=2):
    return np.exp(np.random.default_rng(seed).normal(-2, deviation, (notes, 3)))


def test_a_spike_of_eight_times_the_usual_rings_though_a_note_was_high_before():
    norms = jittery(80)
    norms[60, 1] *= 3
    norms[70, 1] *= 9
    assert rings(norms).tolist() == [70]
    assert not len(rings(norms, BEFORE))


def test_a_jump_that_the_noise_of_a_layer_explains_does_not_ring():
    norms = jittery(140, deviation=1.0)
    norms[100, 1] = np.exp(-2 + 3.5)
    assert not len(rings(norms)[rings(norms) > 40])


def test_the_first_notes_ring_by_the_largest_norm_before():
    for first in (4, 10, 20):
        norms = jittery(40)
        norms[first, 2] *= 20
        assert rings(norms).tolist() == rings(norms, BEFORE).tolist() == [first]
