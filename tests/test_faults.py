"""What disks, clocks and other programs do to event files, through a real TensorBoard."""

import time

import numpy as np
import pytest
from tensorboard.data.grpc_provider import GrpcDataProvider

from benchmarks.faults import LONGEST_SECONDS, check
from tb_sonify.schema.block import Block, encode_block
from tests.client import opened_client
from tests.damaged_runs import DAMAGES
from tests.hearing import assert_hears
from tests.logs import norms_of, row_events, run_events, scalar_events, write_events

STEPS = np.arange(600)


@pytest.mark.server
@pytest.mark.parametrize("loader", ["fast", "slow"])
def test_all_that_can_be_read_of_damaged_files_is_heard_and_the_rest_is_told(loader):
    runs = 2 * len(DAMAGES)
    problems, requests, slowest, rows = check(runs, seed=1_000, loader=loader)
    assert problems == []
    assert requests > 6 * runs
    assert rows > 100 * runs
    assert slowest < LONGEST_SECONDS


@pytest.mark.parametrize("segments", [True, False])
def test_a_clock_that_goes_back_replaces_nothing(tmp_path, open_client, segments):
    norms = norms_of(len(STEPS))
    make = run_events if segments else row_events
    events = make(norms, STEPS, **({"presets": ()} if segments else {"block_rows": 50}))
    for event in events:
        if event.step >= 200:
            event.wall_time -= 100_000
    write_events(tmp_path / "run", events)
    logged = 6 if segments else 0
    coverage = assert_hears(open_client(tmp_path), "run", norms, STEPS, logged=logged)
    assert coverage.header["missing"] == []


@pytest.mark.parametrize(
    ("loader", "wall_time"),
    # TensorBoard's fast loader leaves out what is not finite.
    [("slow", np.nan), ("slow", np.inf), ("slow", -np.inf)]
    + [(loader, late) for loader in ("fast", "slow") for late in (1e300, -1e300, 1e15)],
)
def test_a_time_that_is_none_hides_nothing(tmp_path, loader, wall_time):
    norms = norms_of(len(STEPS))
    events = row_events(norms, STEPS, block_rows=50)
    loss = scalar_events("loss", [(step, 1.0) for step in range(9)])
    for event in (*events[::3], *loss[:-1:2]):
        event.wall_time = wall_time
    write_events(tmp_path / "run", [*events, *loss])
    with opened_client(tmp_path, loader) as client:
        (run,) = client.json_of("runs")["runs"]
        assert run["start_time"] is None or isinstance(run["start_time"], float)
        times = [assert_hears(client, "run", norms, STEPS, logged=0).arrays["times"]]
        times.append(client.block_of("curve", run="run", tag="loss").arrays["wall_times"])
        times.append(client.block_of("summaries", tag="loss").arrays["last_times"])
        assert np.isfinite(np.concatenate(times)).all()
        assert client.sonify("describe", run="run").status_code == 200


def test_what_cannot_be_read_replaces_nothing(tmp_path, open_client):
    norms = norms_of(len(STEPS))
    events = row_events(norms, STEPS, block_rows=100)
    # In the middle of the first block, by its step, and written last, by its time.
    (lost,) = row_events(norms[:1], [50], session=9_000.0)
    lost.summary.value[0].tensor.string_val[0] = b"TBSN"
    write_events(tmp_path / "run", [*events[:1], lost, *events[1:]])
    coverage = assert_hears(open_client(tmp_path), "run", norms, STEPS, logged=0)
    assert coverage.header["missing"] == []


def test_steps_and_names_that_cannot_be_are_refused_and_told(tmp_path, open_client, caplog):
    header = {"kind": "rows", "session": 1.0, "first_row": 0, "layers": ["a"], "options": {}}
    far = np.array([-(2**63), 2**63 - 1])
    odd = [
        (header, far[::-1].copy()),
        ({**header, "session": 1e999}, np.arange(2)),
        ({**header, "layers": ["\ud800"]}, np.arange(2)),
        ({**header, "layers": ["a" * 10_000] * 2}, np.arange(2)),
    ]
    for number, (fields, steps) in enumerate(odd):
        infinite = fields["session"] == np.inf
        arrays = {"steps": steps, "norms": np.zeros((2, len(fields["layers"])), np.uint16)}
        blob = encode_block(Block({**fields, "session": 7.0} if infinite else fields, arrays))
        blob = blob.replace(b'"session":7.0', b'"session":1e9') if infinite else blob
        blob = blob.replace(b"1e9", b"NaN")
        (event,) = row_events(norms_of(1), steps[:1])
        event.summary.value[0].tensor.string_val[0] = blob
        write_events(tmp_path / f"run {number}", [event, *scalar_events("loss", [(0, 1.0)])])
    far_rows = row_events(norms_of(2), far, block_rows=2)
    write_events(tmp_path / "far", far_rows)
    client = open_client(tmp_path)
    for number in range(len(odd)):
        coverage = client.block_of("coverage", run=f"run {number}")
        assert coverage.header["notes"] == 0
        assert len(coverage.header["missing"]) == 1
        for route in ("signals", "landmarks", "layers", "describe", "table"):
            assert client.sonify(route, run=f"run {number}").status_code == 200
    told = [record.getMessage() for record in caplog.records if "cannot be read" in record.message]
    assert len(told) == len(odd)
    assert max(map(len, told)) < 500
    assert_hears(client, "far", norms_of(2), far, logged=0)


@pytest.mark.usefixtures("prompt_news")
def test_a_file_that_is_replaced_while_it_is_read_takes_nothing_down(tmp_path, open_client):
    norms = norms_of(len(STEPS))
    write_events(tmp_path / "run", row_events(norms[:300], STEPS[:300], block_rows=50))
    write_events(tmp_path / "other", row_events(norms, STEPS))
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "events.out.tfevents.1.nothing").touch()
    client = open_client(tmp_path)
    assert_hears(client, "run", norms[:300], STEPS[:300], logged=0)
    (file,) = (tmp_path / "run").iterdir()
    write_events(tmp_path / "new", row_events(norms, STEPS, block_rows=50, session=5_000.0))
    (new,) = (tmp_path / "new").iterdir()
    new.replace(file)
    (tmp_path / "new").rmdir()

    def reload():  # not until both loaders have read alike, which they do not
        time.sleep(2.5) if isinstance(client.provider, GrpcDataProvider) else client.reload()

    reload()
    for route in ("coverage", "signals", "landmarks", "layers", "describe", "table"):
        assert client.sonify(route, run="run").status_code == 200, route
    assert_hears(client, "other", norms, STEPS, logged=0)
    file.write_bytes(b"")
    reload()
    assert client.sonify("coverage", run="run").status_code == 200
    assert_hears(client, "other", norms, STEPS, logged=0)
