"""Updates, weights and their ratio beside gradients: what is stored of them."""

import math

import numpy as np
import pytest

from tb_sonify import SonifyWriter
from tb_sonify.schema.block import decode_block, encode_block, round_norms
from tb_sonify.schema.notes import NO_GRADIENT, aggregate
from tb_sonify.schema.quantities import update_ratio
from tb_sonify.schema.records import Rows, Segment
from tb_sonify.training.run_log import NOT_LOGGED, STEP_SKIPPED, RowBatch, RowSchema
from tests import recorded
from tests.batches import norms_of, record

pytestmark = pytest.mark.usefixtures("no_timers")

LAYERS = ("conv", "fc")
ALL = ("gradient", "update", "weight")


def batch(norms, steps, quantities=ALL, layers=LAYERS):
    norms, steps = np.asarray(norms, np.float32), np.asarray(steps, np.int64)
    schema = RowSchema(layers, {}, quantities=quantities)
    return RowBatch(schema, steps, 100.0 + steps, lambda: norms)


def measured(rows):
    """Norms of all quantities, of weights at every 16th row."""
    norms = norms_of(rows, 6)
    norms[np.arange(rows) % 16 > 0, 4:] = NOT_LOGGED
    return norms


def held(weights):
    """Each weight norm until the next one."""
    return np.repeat(weights[::16], 16, axis=0)[: len(weights)]


def stored(directory, quantity):
    blocks = recorded.blobs(directory, "sonify/rows")
    return np.concatenate([Rows.decode(block, quantity).norms for block in blocks])


def test_a_row_holds_all_quantities_and_weights_hold_until_the_next(tmp_path):
    norms = measured(1_500)
    record(
        tmp_path,
        *(batch(norms[i : i + 64], range(i, min(i + 64, 1_500))) for i in range(0, 1_500, 64)),
    )
    update, weight = round_norms(norms[:, 2:4]), round_norms(held(norms[:, 4:]))
    np.testing.assert_array_equal(stored(tmp_path, "gradient"), round_norms(norms[:, :2]))
    np.testing.assert_array_equal(stored(tmp_path, "update"), update)
    np.testing.assert_array_equal(stored(tmp_path, "weight"), weight)
    ratio = round_norms(update / weight)
    np.testing.assert_array_equal(stored(tmp_path, "ratio"), ratio)
    for quantity, table in (("update", update), ("weight", weight), ("ratio", ratio)):
        for number, block in enumerate(recorded.blobs(tmp_path, "sonify/segments")):
            segment = Segment.decode(block, quantity)
            notes = aggregate(table[100 * number :][:100], rows_per_note=1)
            for name, found in vars(segment.notes).items():
                np.testing.assert_array_equal(found, getattr(notes, name), name)


def test_of_scalars_there_are_gradient_norms_and_ratios(tmp_path):
    norms = measured(20)
    record(tmp_path, batch(norms, range(20)))
    assert {tag for tag in recorded.tags(tmp_path) if not tag.startswith("sonify/")} == {
        f"{kind}/{layer}" for kind in ("grad_norm", "update_ratio") for layer in LAYERS
    }
    _, ratio = np.transpose(recorded.scalars(tmp_path, "update_ratio/fc"))
    np.testing.assert_allclose(ratio, norms[:, 3] / held(norms[:, 5:])[:, 0], rtol=1e-6)


def test_quantities_that_come_apart_are_one_row(tmp_path):
    norms = norms_of(200, 4)
    apart = [
        batch(norms[[row], part], [row], (quantity,))
        for row in range(200)
        for quantity, part in (("gradient", slice(2)), ("update", slice(2, 4)))
    ]
    record(tmp_path, *apart)
    np.testing.assert_array_equal(stored(tmp_path, "gradient"), round_norms(norms[:, :2]))
    np.testing.assert_array_equal(stored(tmp_path, "update"), round_norms(norms[:, 2:]))


def test_a_batch_goes_on_with_the_row_that_is_not_complete(tmp_path):
    norms = norms_of(65, 4)
    record(
        tmp_path,
        batch(norms[:1, :2], [0], ("gradient",)),
        batch(np.insert(norms[:64], 1, norms[0], 0)[1:, 2:], [0, *range(1, 64)], ("update",)),
    )
    assert len(stored(tmp_path, "gradient")) == 64
    np.testing.assert_array_equal(stored(tmp_path, "update")[0], round_norms(norms[:1, 2:])[0])


def test_of_norms_that_come_twice_for_a_step_the_last_holds(tmp_path):
    norms = [[1, 2], [5, NOT_LOGGED], [NOT_LOGGED, 4], [3, 6], [math.nan, 7], [8, 9], [2, math.nan]]
    norms += [[NO_GRADIENT, 3], [NOT_LOGGED, NO_GRADIENT], [NO_GRADIENT, NOT_LOGGED]]
    record(tmp_path, batch(norms, [0, 1, 1, 1, 2, 3, 3, 4, 4, 5], ("gradient",)))
    np.testing.assert_array_equal(
        stored(tmp_path, "gradient"),
        [[1, 2], [3, 6], [math.nan, 7], [2, math.nan], [NO_GRADIENT, 3], [NO_GRADIENT] * 2],
    )


def test_a_skipped_step_is_no_row_though_weights_were_measured(tmp_path):
    skipped = [STEP_SKIPPED] * 4 + [5.0, STEP_SKIPPED]
    record(
        tmp_path,
        batch([[1, 1, 1, 1, 5, 6], skipped, [2, 2, 2, 2, NOT_LOGGED, NOT_LOGGED]], range(3)),
    )
    np.testing.assert_array_equal(stored(tmp_path, "gradient"), [[1, 1], [2, 2]])
    np.testing.assert_array_equal(stored(tmp_path, "weight"), [[5, 6], [5, 6]])


def test_a_quantity_and_a_layer_that_come_later_have_no_norms_before(tmp_path):
    record(
        tmp_path,
        batch(np.ones((130, 2)), range(130), ("gradient",)),
        batch(np.full((100, 9), 2.0), range(130, 230), layers=("fc", "conv", "head")),
    )
    norms = recorded.steps_and_norms(tmp_path)[1]
    assert norms[0].tolist() == [1, 1, NO_GRADIENT]
    segment = Segment.decode(recorded.blobs(tmp_path, "sonify/segments")[1], "ratio")
    assert segment.layers == ("conv", "fc", "head")
    assert segment.notes.median[:30].max() == NO_GRADIENT
    assert segment.notes.median[30:].min() == 1.0


def test_updates_alone_are_rows_without_gradients(tmp_path):
    with SonifyWriter(tmp_path) as writer:
        for step in range(3):
            writer.add_norms({"a": step, "b": None}, step, quantity="update")
        with pytest.raises(ValueError, match="gradient, update, weight, got 'ratio'"):
            writer.add_norms({"a": 1.0}, 3, quantity="ratio")
    np.testing.assert_array_equal(stored(tmp_path, "update"), [[0, -1], [1, -1], [2, -1]])
    assert stored(tmp_path, "gradient").max() == NO_GRADIENT
    assert "sonify/smooth" not in recorded.tags(tmp_path)


def test_add_norms_gives_all_quantities_of_a_step_one_row(tmp_path):
    with SonifyWriter(tmp_path) as writer:
        for step in range(40):
            writer.add_norms({"a": 1.0, "b": None}, step)
            writer.add_norms({"a": 0.5, "b": 0.25}, step, quantity="update")
            if step % 16 == 0:
                writer.add_norms({"a": 50.0, "b": 0.0}, step, quantity="weight")
    assert stored(tmp_path, "gradient").tolist() == [[1.0, -1.0]] * 40
    np.testing.assert_array_equal(
        stored(tmp_path, "ratio"), round_norms(np.array([[0.01, -1]] * 40))
    )


def test_a_file_with_gradients_alone_has_the_arrays_of_version_2(tmp_path):
    record(tmp_path, batch(norms_of(150), range(150), ("gradient",)))
    assert recorded.tags(tmp_path) == {
        *("grad_norm/conv", "grad_norm/fc", "sonify/end", "sonify/rows", "sonify/segments")
    }
    rows, segment = (
        decode_block(recorded.blobs(tmp_path, f"sonify/{kind}")[0]) for kind in ("rows", "segments")
    )
    assert list(rows.arrays) == ["steps", "norms"]
    assert list(segment.arrays) == ["steps", "median", "above", "nan", "inf"]


def test_tables_of_other_quantities_are_not_unpacked(tmp_path):
    record(tmp_path, batch(measured(10), range(10)))
    (block,) = recorded.blobs(tmp_path, "sonify/rows")
    assert set(decode_block(block, {"steps", "norms"}).arrays) == {"steps", "norms"}
    whole = decode_block(block)
    assert list(whole.arrays) == ["steps", "norms", "update/norms", "weight/norms"]
    wrong = {**whole.arrays, "weight/norms": whole.arrays["weight/norms"][:5]}
    damaged = encode_block(type(whole)(whole.header, wrong), packed=True)
    assert len(Rows.decode(damaged).norms) == 10
    with pytest.raises(ValueError, match="the arrays of rows"):
        Rows.decode(damaged, "ratio")


@pytest.mark.parametrize(
    ("update", "weight", "ratio"),
    [
        (1.0, 4.0, 0.25),
        (0.0, 4.0, 0.0),
        (1.0, 0.0, NO_GRADIENT),
        (0.0, 0.0, NO_GRADIENT),
        (NO_GRADIENT, 4.0, NO_GRADIENT),
        (1.0, NO_GRADIENT, NO_GRADIENT),
        (math.nan, 4.0, math.nan),
        (math.nan, 0.0, NO_GRADIENT),
        (math.inf, 4.0, math.inf),
        (1.0, math.nan, math.nan),
        (1.0, math.inf, math.nan),
        (math.inf, math.inf, math.nan),
    ],
)
def test_the_ratio_is_none_where_weights_are_zero(update, weight, ratio):
    found = update_ratio(np.float32([[update]]), np.float32([[weight]]))
    np.testing.assert_array_equal(found, np.float32([[ratio]]))
