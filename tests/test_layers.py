"""The numbers of each layer within a stretch of a run."""

import numpy as np
import pytest

from tests.logs import LAYERS, norms_of, run_events, scalar_events, write_events


@pytest.fixture(scope="module")
def norms():
    """Rows with NaN, infinities, zeros, and a layer that gets its first gradient late."""
    norms = norms_of(3_600)
    norms[1_234:1_240, 1] = np.nan
    norms[3_333, 2] = np.inf
    norms[100:120, 2] = 0
    norms[:500, 3] = -1
    return norms


@pytest.fixture(scope="module")
def logdir(tmp_path_factory, norms):
    """These rows as run ``run``, at every other step from 1,000 on."""
    directory = tmp_path_factory.mktemp("runs")
    write_events(directory / "run", run_events(norms, range(1_000, 8_200, 2), presets=()))
    write_events(directory / "plain", scalar_events("loss", [(3, 0.1)]))
    return directory


@pytest.mark.parametrize(("low", "high"), [(1_000, 7_398), (3_460, 3_480), (5_000, 5_000)])
def test_the_numbers_of_a_layer_are_those_of_numpy(logdir, open_slow_client, norms, low, high):
    answer = open_slow_client(logdir).block_of("layers", run="run", **{"from": low, "to": high})
    assert answer.header["layers"] == list(LAYERS)
    assert answer.header["most_rows"] == 1
    steps = 1_000 + 2 * np.arange(len(norms))
    seen = (steps >= low) & (steps <= high)
    assert answer.header["notes"] == seen.sum()
    for layer in range(len(LAYERS)):
        column = norms[seen, layer]
        finite = column[np.isfinite(column) & (column >= 0)]
        found = {name: array[layer] for name, array in answer.arrays.items()}
        assert found["nan"] == np.isnan(column).sum()
        assert found["inf"] == np.isinf(column).sum()
        assert found["min"] == finite.min(initial=np.inf if len(finite) else -1)
        assert found["median"] == (np.median(finite) if len(finite) else -1)
        assert found["max"] == finite.max(initial=-1)
        if len(finite):
            assert found["step_of_max"] == steps[seen & (norms[:, layer] == finite.max())][0]
        else:
            assert np.isnan(found["step_of_max"])


def test_no_largest_norm_and_no_nan_is_lost_where_notes_sum_up_rows(
    logdir, open_slow_client, norms, monkeypatch
):
    monkeypatch.setattr("tb_sonify.reading.limits.MAX_EXPANDED_ROWS", 100)
    answer = open_slow_client(logdir).block_of("layers", run="run")
    assert answer.header["most_rows"] == 2
    finite = np.where(np.isfinite(norms), norms, -1)
    np.testing.assert_array_equal(answer.arrays["max"], finite.max(axis=0))
    np.testing.assert_array_equal(answer.arrays["nan"], [0, 6, 0, 0])
    np.testing.assert_array_equal(answer.arrays["inf"], [0, 0, 1, 0])
    assert answer.arrays["min"][2] == 0


def test_where_nothing_is_there_are_no_numbers(logdir, open_slow_client):
    client = open_slow_client(logdir)
    beyond = client.block_of("layers", run="run", **{"from": 9_000})
    assert beyond.header["notes"] == 0
    np.testing.assert_array_equal(beyond.arrays["max"], [-1] * 4)
    assert np.isnan(beyond.arrays["step_of_max"]).all()
    plain = client.block_of("layers", run="plain")
    assert plain.header["layers"] == []
    assert plain.arrays["max"].shape == (0,)
