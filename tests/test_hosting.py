"""Wherever TensorBoard runs: behind proxies, beside its data server, with any of its flags."""

import json

import fsspec
import numpy as np
import pytest

from tb_sonify.schema.block import decode_block
from tests import dashboard
from tests.client import opened_client
from tests.dashboard import fetch
from tests.data_server import data_server
from tests.logs import norms_of, row_events, run_events, scalar_events, write_events
from tests.reverse_proxy import proxied
from tests.serving import served
from tests.waiting import wait_until

pytestmark = pytest.mark.server

STEPS = 300


def write_run(directory, *, steps=STEPS):
    events = run_events(norms_of(steps), np.arange(steps))
    loss = scalar_events("loss", [(step, 1 / (1 + step)) for step in range(steps)])
    write_events(directory, [*events, *loss])


def coverage(address, run, **view):
    return decode_block(fetch(address, "coverage", run=run, **view)).header


def wait_for(address, run, notes, **view):
    """The coverage of a run, once TensorBoard has read so many notes."""

    def read():
        names = {each["run"] for each in json.loads(fetch(address, "runs"))["runs"]}
        return run in names and coverage(address, run, **view)["notes"] >= notes

    wait_until(read, f"{notes} notes of {run} are read")
    return coverage(address, run, **view)


def assert_heard(address, run, notes):
    span = {"first_note": 0, "notes": notes}
    assert len(fetch(address, "clip", run=run, preset="smooth", **span)) > 60 * 48 * notes
    assert len(fetch(address, "clip", run=run, preset="single", tag="loss", **span)) > 60 * notes


@pytest.mark.parametrize("load_fast", ["auto", "false"])
def test_several_log_directories_at_once_have_their_names(tmp_path, load_fast):
    write_run(tmp_path / "one" / "run")
    write_run(tmp_path / "two" / "run")
    spec = f"--logdir_spec=first:{tmp_path / 'one'},second:{tmp_path / 'two'}"
    with served(None, spec, f"--load_fast={load_fast}") as address:
        for run in ("first/run", "second/run"):
            assert wait_for(address, run, STEPS)["missing"] == []
            assert_heard(address, run, STEPS)


@pytest.mark.parametrize("load_fast", ["true", "false"])
def test_a_limit_of_the_user_holds_and_what_it_costs_is_named(tmp_path, load_fast):
    rows = row_events(norms_of(STEPS), np.arange(STEPS), block_rows=10)
    write_events(tmp_path / "run", rows)
    limits = "--samples_per_plugin=sonify=5"
    with served(tmp_path, limits, f"--load_fast={load_fast}") as address:
        found = wait_for(address, "run", 50)
        assert found["notes"] == 50
        assert sum(1 + last - first for first, last in found["missing"]) == STEPS - 50


def test_a_data_server_elsewhere_serves_what_it_was_told_to_keep(tmp_path):
    rows = row_events(norms_of(STEPS), np.arange(STEPS), block_rows=10)
    loss = scalar_events("loss", [(step, 1 / (1 + step)) for step in range(STEPS)])
    write_events(tmp_path / "run", [*rows, *loss])
    for samples, notes in (("sonify=all", STEPS), ("", 100)):
        with data_server(tmp_path, samples=samples) as server:
            place = f"localhost:{server.port}"
            with served(None, f"--grpc_data_provider={place}") as address:
                found = wait_for(address, "run", notes)
                lacking = sum(1 + last - first for first, last in found["missing"])
                assert (found["notes"], lacking) == (notes, STEPS - notes)
                assert_heard(address, "run", notes)


@pytest.mark.parametrize("strips", [True, False])
def test_behind_a_proxy_the_tab_stays_below_its_path(tmp_path, browser, strips):
    # As nginx with --path_prefix, and as jupyter-server-proxy; the tab is in a frame of a notebook.
    below = "/user/a b/proxy/6006/".replace(" ", "%20")
    write_run(tmp_path / "run")
    prefix = [] if strips else ["--path_prefix=/user/a b/proxy/6006"]
    with (
        served(tmp_path, *prefix) as address,
        proxied(address, below, strips=strips) as (outside, strays),
        dashboard.opened(browser, outside, path="/") as tab,
    ):
        tab.wait_until_ready()
        place = tab.place()
        tab.page.mouse.click(place.x(STEPS / 2), place.y)
        tab.wait_for_sound()
        assert abs(tab.heard_from() - STEPS / 2) <= 1
    assert [path for path in strays if not path.startswith(("/favicon", "/font-roboto"))] == []


def test_a_remote_log_directory_is_read_through_tensorboards_own_file_systems(tmp_path):
    write_run(tmp_path / "run")
    (path,) = (tmp_path / "run").iterdir()
    with fsspec.open(f"memory://logs/run/{path.name}", "wb") as file:
        file.write(path.read_bytes())
    with opened_client("memory://logs", "slow") as client:
        found = client.block_of("coverage", run="run").header
        assert (found["notes"], found["missing"]) == (STEPS, [])
        span = {"first_note": 0, "notes": 100}
        clip = client.sonify("clip", run="run", preset="smooth", **span)
        assert clip.headers["X-Sonify-Source"] == "logged"
