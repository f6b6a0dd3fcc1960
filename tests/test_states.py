"""The state of all runs at once: how far each has got, and what broke in it."""

import numpy as np
import pytest

from tests.logs import norms_of, row_events, run_events, scalar_events, write_events
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("prompt_news")
LAYERS = ("conv1", "conv2", "fc1", "fc2")


@pytest.fixture
def states(tmp_path, open_client):
    """Opens what gives the states of the runs that are there by then, by name."""

    def opened():
        client = open_client(tmp_path)

        def read():
            client.reload()
            return {each["run"]: each for each in client.json_of("states")["runs"]}

        return read

    return opened


def problems_of(state):
    return [(each["kind"], each["step"], each["layer"]) for each in state["problems"]]


def test_each_run_says_what_broke_first_and_how_far_it_has_got(tmp_path, states):
    norms, steps = norms_of(300), np.arange(300)
    norms[200:, 1] = np.nan
    write_events(tmp_path / "broken", row_events(norms[:200], steps[:200], layers=LAYERS))
    write_events(tmp_path / "fine", run_events(norms_of(150), np.arange(150), presets=()))
    write_events(tmp_path / "scalar", scalar_events("loss", [(0, 1.0), (7, float("nan"))]))
    write_events(tmp_path / "nothing", [])
    read = states()
    found = read()
    assert list(found) == ["broken", "fine", "scalar"]
    assert [each["last_step"] for each in found.values()] == [199, 149, None]
    assert [problems_of(each) for each in found.values()] == [[], [], [("nan", 7, None)]]
    assert found["scalar"]["problems"][0]["sentence"] == "NaN in loss"
    before = found["broken"]["last_time"]
    events = row_events(norms[200:], steps[200:], layers=LAYERS, first_row=200)
    write_events(tmp_path / "broken", events)
    wait_until(lambda: read()["broken"]["last_step"] == 299, "all rows are read")
    found = read()
    assert problems_of(found["broken"]) == [("nan", 200, "conv2")]
    assert found["broken"]["last_time"] > before
    assert not found["broken"]["ended"]


def test_runs_are_examined_a_few_at_a_time_and_none_is_left_out(tmp_path, states, monkeypatch):
    monkeypatch.setattr("tb_sonify.reading.limits.EXAMINE_SECONDS", -1.0)
    norms = norms_of(120)
    names = ["a", "b", "c"]
    for name in names:
        write_events(tmp_path / name, row_events(norms[:60], np.arange(60)))
    read = states()
    found = [read() for _ in range(4)]
    known = [sum(run["problems"] is not None for run in each.values()) for each in found]
    assert known == [1, 2, 3, 3]
    # How far a run had got is known before it is examined, to tell later what is new in it.
    assert [run["newest_step"] for run in found[0].values()] == [59, 59, 59]
    for name in names:
        events = row_events(norms[60:], np.arange(60, 120), first_row=60)
        write_events(tmp_path / name, events)
    wait_until(
        lambda: {each["last_step"] for each in read().values()} == {119}, "all rows are read"
    )


def test_a_run_that_has_just_turned_nan_is_examined_before_all_others(
    tmp_path, states, monkeypatch
):
    names = [f"run{number}" for number in range(8)]
    for name in names:
        write_events(tmp_path / name, row_events(norms_of(60), np.arange(60)))
    read = states()
    wait_until(lambda: None not in [each["problems"] for each in read().values()], "all are known")
    monkeypatch.setattr("tb_sonify.reading.limits.EXAMINE_SECONDS", -1.0)  # one at a time
    for name in names:
        later = norms_of(60)
        if name == names[-1]:
            later[30:] = np.nan
        write_events(tmp_path / name, row_events(later, np.arange(60, 120), first_row=60))
    examined = []

    def told():
        found = read()
        examined.append(sum(each["last_step"] == 119 for each in found.values()))
        return found[names[-1]]["problems"] != []

    wait_until(told, "the NaN is told")
    assert examined[-1] <= 2, examined
