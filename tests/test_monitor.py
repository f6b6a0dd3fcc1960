"""Causal detectors: what they tell of a run as it goes on, and that they stay silent else."""

import numpy as np
import pytest

from tb_sonify.landmarks import KINDS, find_landmarks
from tb_sonify.landmarks.divergence import find_divergences
from tb_sonify.landmarks.monitor import LossMonitor, RunMonitor, TableMonitor
from tb_sonify.landmarks.parting import find_parting
from tb_sonify.schema.notes import NO_GRADIENT, aggregate

ROWS = 600


def noise(rows=ROWS, layers=4, *, size=0.1, seed=0):
    """Healthy norms."""
    return np.exp(size * np.random.default_rng(seed).standard_normal((rows, layers)))


def told(norms, quantity="update"):
    """Kind, row and sentence of what is found in a table of norms."""
    layers = [f"blocks.{i}" for i in range(norms.shape[1])]
    found = TableMonitor(quantity).add(norms, layers)
    return [(each.kind, each.note, each.sentence) for each in found]


def eventful():
    """Norms with noise, spikes, growth, an outgrowing layer, NaN, zeros and missing rows."""
    norms = noise(900, 8)
    norms[200, 3] *= 40
    norms[300:500] *= 1.02 ** np.arange(200)[:, None]
    norms[500:] *= 1.02**200
    norms[600:750, 5] *= 75 ** (np.arange(150) / 150)
    norms[750:, 5] *= 75
    norms[[120, 400], 2], norms[410, 1], norms[420:440], norms[50, 6] = np.nan, np.inf, -1, 0
    return norms


def losses():
    """A loss that spikes, is NaN at times, and leaves its floor."""
    loss = 1.8 + 3 * np.exp(-np.arange(700) / 50) + 0.05 * noise(700, 1, size=1.0)[:, 0]
    loss[300], loss[[310, 320]] = 4, np.nan
    loss[500:] *= 1.03 ** np.arange(200)
    return loss


def in_pieces(add, values, rng):
    """What is found where values come in pieces of any size."""
    found, start = [], 0
    while start < len(values):
        count = int(rng.choice([1, 2, 5, 17, 64, 200]))
        found += add(values[start : start + count])
        start += count
    return found


@pytest.mark.parametrize("seed", range(4))
def test_what_is_told_does_not_depend_on_how_rows_come(seed):
    rng, norms, loss = np.random.default_rng(seed), eventful(), losses()
    layers = [str(layer) for layer in range(8)]
    for quantity in ("gradient", "update"):
        monitor = TableMonitor(quantity)
        found = in_pieces(lambda part, to=monitor: to.add(part, layers), norms, rng)
        assert found == TableMonitor(quantity).add(norms, layers)
        assert {"unusual", "drift", "outgrowing"} <= {each.kind for each in found}
    found = in_pieces(LossMonitor("loss").add, loss, rng)
    assert found == LossMonitor("loss").add(loss)
    assert {"unusual", "nan", "divergence"} <= {each.kind for each in found}


def test_what_is_told_of_a_row_depends_on_no_later_one():
    norms, loss = eventful(), losses()
    whole, of_loss = told(norms), LossMonitor("loss").add(loss)
    for rows in (150, 333, 600, 777):
        assert told(norms[:rows]) == [each for each in whole if each[1] < rows]
        assert LossMonitor("loss").add(loss[:rows]) == [
            each for each in of_loss if each.note < rows
        ]


def test_a_small_improbable_update_is_told_with_step_layer_size_and_sigma():
    norms = noise(size=0.03)
    norms[412, 1:] *= 2.1
    [(kind, row, sentence)] = told(norms)
    assert (kind, row) == ("unusual", 412)
    update, rest = sentence.split(" its usual size, ")
    assert update.startswith("update of blocks.")
    assert update.endswith((" 2.0 times", " 2.1 times", " 2.2 times", " 2.3 times"))
    assert rest.endswith(" sigma; first of 3 layers")


def test_growth_of_all_layers_is_a_drift_and_a_warm_up_is_none():
    growing = noise(size=0.2)
    growing[300:] *= 1.02 ** np.arange(300)[:, None]
    [(kind, row, sentence), *_] = told(growing)
    assert kind == "drift"
    assert 310 < row < 360
    assert sentence.startswith("update grows, ")
    warm_up = noise(3_000, size=0.2) * np.minimum(np.arange(1, 3_001) / 2_000, 1)[:, None]
    assert told(warm_up) == []


def test_one_layer_of_200_that_outgrows_the_others_is_told():
    norms = noise(layers=200, size=0.3)
    norms[300:450, 77] *= 75 ** (np.arange(150) / 150)
    norms[450:, 77] *= 75
    for quantity in ("gradient", "update"):
        found = told(norms, quantity)
        _, row, sentence = next(each for each in found if each[0] == "outgrowing")
        assert 350 < row < 450
        assert sentence.startswith(f"{quantity} of blocks.77 outgrows the other layers, ")


def test_a_gradient_that_explodes_at_once_is_told_before_any_window_is_full():
    norms = noise(30)
    norms[3:] *= 5.0 ** np.arange(1, 28)[:, None]
    [(kind, row, sentence)] = told(norms, "gradient")
    assert kind == "explosion"
    assert row <= 7
    assert sentence.startswith("broken from the start: gradient ")


@pytest.mark.parametrize(
    "norms",
    [
        np.ones((ROWS, 3)),
        np.zeros((ROWS, 3)),
        np.ones((1, 3)),
        np.empty((0, 3)),
        np.empty((ROWS, 0)),
        np.full((ROWS, 3), np.nan),
        np.full((ROWS, 3), -1.0),
    ],
    ids=["constant", "zero", "one row", "no rows", "no layers", "NaN", "missing"],
)
def test_where_nothing_can_be_said_nothing_is_told(norms):
    assert told(norms) == told(norms, "gradient") == told(norms, "weight") == []


def test_values_that_are_missing_zero_or_not_finite_hide_nothing_and_are_nothing_unusual():
    norms = noise(size=0.05)
    norms[100:, 0] = 0  # frozen
    norms[::7, 1], norms[200:260, 2], norms[300:310, 3] = -1, -1, np.nan
    assert told(norms) == []
    norms[500, 1:] *= 5
    assert [each[:2] for each in told(norms)] == [("unusual", 500)]


def test_layers_that_come_later_are_judged_from_then_on():
    monitor = TableMonitor("update")
    norms = noise(layers=6, size=0.05)
    norms[550, 5] *= 4
    found = monitor.add(norms[:300, :4], list("abcd")) + monitor.add(norms[300:], list("abcdef"))
    assert [(each.kind, each.note, each.layer) for each in found] == [("unusual", 550, "f")]


def test_a_chain_is_told_once_a_kind():
    norms = noise(size=0.05)
    norms[300::3] *= 5
    assert len(told(norms)) <= 4


def test_noise_with_heavy_tails_is_nothing_unusual():
    rng = np.random.default_rng(5)
    heavy = np.exp(0.4 * rng.standard_t(5, (5_000, 12)))
    assert len(told(heavy, "gradient")) <= 4
    assert len(told(heavy)) <= 4


@pytest.mark.parametrize("sign", [1, -1])
def test_a_loss_that_leaves_its_floor_is_told(sign):
    loss = losses() if sign > 0 else losses() - 10
    [(row, sentence)] = [
        (each.note, each.sentence)
        for each in LossMonitor("loss/train").add(loss)
        if each.kind == "divergence"
    ]
    assert 500 < row < 600
    assert sentence.startswith("loss/train leaves its floor, ")


def test_a_loss_above_its_start_is_told_at_once():
    loss = np.array([2.3, 2.6, 8.0, 40.0, 1e6, np.inf, np.nan])
    found = [(each.kind, each.note) for each in LossMonitor("loss").add(loss)]
    assert found == [("divergence", 3), ("inf", 5), ("nan", 6)]


def test_a_loss_that_is_noisy_near_zero_does_not_diverge():
    rng = np.random.default_rng(1)
    loss = np.exp(rng.standard_normal(3_000) - 3)
    assert [each for each in LossMonitor("loss").add(loss) if each.kind == "divergence"] == []


def test_a_divergence_says_whether_the_loss_comes_back():
    loss = losses()
    steps = 2.0 * np.arange(len(loss))
    [lasting] = find_divergences("loss", steps, loss)
    assert lasting.step == steps[lasting.note]
    assert lasting.sentence.endswith(" for good")
    loss[560:] = losses()[400:490].mean()
    [passing] = find_divergences("loss", steps, loss)
    assert passing.sentence.endswith(f", back at step {int(steps[560 + 2]):,}") or (
        ", back at step 1,1" in passing.sentence
    )


def test_a_loss_that_rises_slowly_for_good_is_a_divergence():
    rng = np.random.default_rng(2)
    loss = np.concatenate([np.linspace(4, 1.8, 1_000), np.linspace(1.8, 6, 4_000)])
    loss *= np.exp(0.05 * rng.standard_normal(len(loss)))
    [found] = find_divergences("loss", np.arange(5_000), loss)
    assert 1_000 < found.step < 3_000
    assert "for good" in found.sentence
    assert find_divergences("loss", np.arange(1_000), loss[:1_000]) == []


def test_two_runs_part_where_they_stay_apart():
    rng = np.random.default_rng(3)
    steps = np.arange(800)
    one, other = (2 + 0.05 * rng.standard_normal(800) for _ in range(2))
    assert find_parting("loss", (steps, one), (steps, other)) is None
    other[400:] += np.minimum(np.arange(400) / 200, 1)
    found = find_parting("loss", (steps, one), (steps[::2], other[::2]))
    assert found is not None
    assert 400 <= found.step <= 460
    assert found.sentence.startswith("loss of the two runs parts, ")
    assert find_parting("loss", (steps, one), (steps + 5_000, other)) is None
    for rates in ((40, 80), (80, 40)):  # apart at first, and ever less
        fast, slow = (10 * np.exp(-steps / rate) + 0.01 * one for rate in rates)
        assert find_parting("loss", (steps, fast), (steps, slow)) is None
    assert find_parting("loss", (steps, one), (steps, np.full(800, np.nan))) is None


def test_landmarks_of_other_quantities_are_named_by_them():
    norms = eventful().astype(np.float32)
    notes = aggregate(norms, rows_per_note=1)
    layers = [str(layer) for layer in range(8)]
    found = find_landmarks(notes, steps=np.arange(901), layers=layers, quantity="update")
    assert {each.quantity for each in found} == {"update"}
    assert {each.kind for each in found} >= {"nan", "inf", "drift"}
    assert {each.kind for each in found} <= set(KINDS)
    assert all("update" in each.sentence for each in found)


def test_a_restart_begins_anew():
    norms = noise(size=0.05).astype(np.float32)
    norms[300:] *= 5
    notes = aggregate(norms, rows_per_note=1)
    arguments = {"steps": np.arange(ROWS + 1), "layers": list("abcd"), "quantity": "update"}
    assert [each.step for each in find_landmarks(notes, **arguments)][:1] == [300]
    resumed = find_landmarks(notes, restarts=[300], **arguments)
    assert [each.kind for each in resumed] == ["restart"]


def test_a_frozen_layer_hides_nothing_of_the_others():
    values = np.exp(np.random.default_rng(0).normal(0, 0.1, (400, 4))).astype(np.float32)
    values[300:] *= 50
    others = TableMonitor("gradient").add(values[:, [0, 2, 3]], ["a", "c", "d"])
    assert [each.kind for each in others] == ["unusual", "drift"]
    values[:, 1] = NO_GRADIENT
    assert TableMonitor("gradient").add(values, ["a", "b", "c", "d"]) == others
    for broken in (np.nan, np.inf):  # there is no total of such rows
        values[:, 1] = broken
        found = TableMonitor("gradient").add(values, ["a", "b", "c", "d"])
        assert [each.kind for each in found] == ["unusual"]


def test_a_run_is_judged_anew_where_its_steps_go_back():
    norms, loss, layers = (
        eventful().astype(np.float32),
        losses(),
        [str(layer) for layer in range(8)],
    )
    steps = 10 * np.arange(900)
    monitor = RunMonitor()
    tables = {"gradient": norms, "update": norms}
    found = monitor.add_rows(steps, tables, layers)
    assert {each.quantity for each in found} == {"gradient", "update"}
    assert all(each.step == 10 * each.note for each in found)
    assert monitor.add_rows(steps, tables, layers) == found
    twice = monitor.add_points("loss", np.tile(np.arange(700), 2), np.tile(loss, 2))
    assert twice == 2 * RunMonitor().add_points("loss", np.arange(700), loss)
    same = RunMonitor().add_points("loss", np.zeros(700, np.int64), loss)
    assert [each.note for each in same] == [each.note for each in twice[: len(same)]]
