"""TensorBoard's data server ends, hangs, or is started again."""

import json
import signal
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import grpc
import numpy as np
import psutil
import pytest
from tensorboard.context import RequestContext
from tensorboard.data.grpc_provider import GrpcDataProvider, make_stub
from tensorboard.data.provider import RunTagFilter

from tb_sonify.plugin.data_server import DataServer
from tb_sonify.schema.block import decode_block
from tests.client import opened_client
from tests.data_server import data_server, held_back, started_by_tensorboard
from tests.logs import norms_of, run_events, scalar_events, write_events
from tests.serving import served
from tests.waiting import wait_until

pytestmark = pytest.mark.server

NOTES = 150
RUN = {"run": "adam"}
SPAN = {**RUN, "first_note": 0, "notes": 100}
# Those of which all is kept in memory once they have been asked for, and those that ask anew.
KEPT = {
    "coverage": RUN,
    "notes": SPAN,
    "clip": {**SPAN, "preset": "smooth"},
    "curve": {**RUN, "tag": "loss"},
    "heatmap": {**RUN, "from": 0, "to": NOTES, "columns": 10},
    "layers": RUN,
    "landmarks": RUN,
    "table": {**RUN, "tag": "loss"},
}
ASKED = {
    "runs": {},
    "signals": RUN,
    "summaries": {"tag": "loss"},
    "describe": RUN,
    "coverage": {"run": "never asked for"},
}


@pytest.fixture
def logdir(tmp_path):
    events = run_events(norms_of(NOTES), np.arange(NOTES))
    loss = scalar_events("loss", [(step, 1 / (1 + step)) for step in range(NOTES)])
    write_events(tmp_path / "logs" / "adam", [*events, *loss])
    return tmp_path / "logs"


def ask(url, route, **query):
    address = f"{url}data/plugin/sonify/{route}?{urllib.parse.urlencode(query)}"
    try:
        with urllib.request.urlopen(address, timeout=40) as response:
            return response.status, response.read(), response.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers


def wait_until_read(url):
    def read():
        status, body, _ = ask(url, "coverage", **RUN)
        return status == 200 and decode_block(body).header["notes"] == NOTES

    wait_until(read, "all notes are read")


def wait_until_listed(url):
    def listed():
        status, body, _ = ask(url, "runs")
        return status == 200 and json.loads(body)["runs"]

    wait_until(listed, "there is a run")


def assert_told(url, words):
    """Whatever is not at hand is answered with a status and words, and nothing waits."""
    for route, query in ASKED.items():
        began = time.monotonic()
        status, body, headers = ask(url, route, **query)
        assert (status, headers["Content-Type"]) == (503, "text/plain; charset=utf-8"), route
        assert body.decode().startswith(words)
        assert "Traceback" not in body.decode()
        assert time.monotonic() - began < 5


def test_a_server_that_is_killed_is_told_what_was_read_is_heard_and_its_return_is_noticed(logdir):
    with data_server(logdir) as server:
        place = f"localhost:{server.port}"
        with served(logdir, f"--grpc_data_provider={place}") as url:
            wait_until_read(url)
            before = {route: ask(url, route, **query) for route, query in KEPT.items()}
            assert {status for status, *_ in before.values()} == {200}
            server.kill()
            time.sleep(1.2)  # so that what was listed is looked for again
            assert_told(url, f"TensorBoard's data server at {place} does not answer; start it")
            for route, query in KEPT.items():
                assert ask(url, route, **query)[:2] == before[route][:2], route
            server.start()
            wait_until_listed(url)
            wait_until_read(url)


def test_a_server_that_tensorboard_has_started_is_told_to_need_a_new_tensorboard(logdir):
    with served(logdir, "--load_fast=true") as url:
        wait_until_read(url)
        server = started_by_tensorboard(logdir)
        server.kill()
        assert_told(url, "TensorBoard's data server does not answer; if it has ended, TensorBoard")
        assert ask(url, "notes", **SPAN)[0] == 200
        assert ask(url, "index.js")[0] == 200


def test_no_request_waits_for_ever_on_a_server_that_hangs(logdir, monkeypatch):
    monkeypatch.setattr("tb_sonify.reading.limits.CALL_SECONDS", 1.0)
    with opened_client(logdir, "fast") as client, ThreadPoolExecutor(50) as pool:
        assert client.block_of("coverage", **RUN).header["notes"] == NOTES
        server = started_by_tensorboard(logdir)
        server.suspend()
        began = time.monotonic()
        answers = list(pool.map(lambda _: client.sonify("runs"), range(50)))
        assert time.monotonic() - began < 30  # one after the other, they would take 50
        assert {answer.status_code for answer in answers} == {503}
        assert "said nothing for 1 s" in answers[0].text
        assert client.sonify("index.js").status_code == 200
        server.resume()
        # It may close a connection on which so much was cancelled, and there is a new one.
        wait_until(lambda: client.sonify("runs").status_code != 503, "it must answer again")
        assert [run["run"] for run in client.json_of("runs")["runs"]] == ["adam"]


def test_answers_do_not_wait_for_acknowledgements(logdir):
    with data_server(logdir) as server:
        channel = grpc.insecure_channel(f"localhost:{server.port}")
        provider = GrpcDataProvider("here", make_stub(channel))
        wrapped = DataServer(provider)
        blobs = wait_until(lambda: listed(provider), "there are blobs")
        for method in (list_all, lambda provider: provider.read_blob(RequestContext(), blobs[0])):
            plain = [timed(method, provider) for _ in range(40)]
            taken = [timed(method, wrapped) for _ in range(40)]
            # 2 ms on an idle machine, and 44 otherwise; on a busy one, the faster ones tell.
            assert np.quantile(taken, 0.2) < max(np.quantile(plain, 0.2) / 2, 0.02)
        channel.close()


def list_all(provider):
    wanted = {"plugin_name": "sonify", "downsample": 1_000, "run_tag_filter": RunTagFilter()}
    return provider.read_blob_sequences(RequestContext(), experiment_id="", **wanted)


def listed(provider):
    runs = list_all(provider).values()
    return [each.values[0].blob_key for tags in runs for data in tags.values() for each in data]


def timed(method, provider):
    start = time.perf_counter()
    method(provider)
    return time.perf_counter() - start


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_tensorboard_ends_at_once_while_requests_wait_on_a_server_that_hangs(logdir, ending):
    with served(logdir, "--load_fast=true") as url, ExitStack() as stack:
        wait_until_read(url)
        server = started_by_tensorboard(logdir)
        tensorboard = server.parent()
        stack.callback(server.kill)  # which has no input to be ended by while it is stopped
        server.suspend()
        address = urllib.parse.urlsplit(url)
        for route in ("runs", "signals?run=adam", "describe?run=other", "news") * 3:
            asking = stack.enter_context(socket.create_connection((address.hostname, address.port)))
            asking.sendall(f"GET /data/plugin/sonify/{route} HTTP/1.0\r\n\r\n".encode())
        time.sleep(0.5)
        tensorboard.send_signal(ending)
        assert psutil.wait_procs([tensorboard], timeout=5)[0]


@pytest.mark.parametrize("noticed", [True, False])
def test_a_server_that_is_back_is_not_asked_before_it_has_read_its_logs_again(logdir, noticed):
    with data_server(logdir) as server:
        place = f"localhost:{server.port}"
        with served(logdir, f"--grpc_data_provider={place}") as url:
            wait_until_read(url)
            before = {route: ask(url, route, **query) for route, query in KEPT.items()}
            server.kill()
            if noticed:
                assert_told(url, f"TensorBoard's data server at {place} does not answer")
            with held_back(logdir / "adam"):
                server.start()
                for _ in range(10):
                    time.sleep(0.2)
                    for route, query in KEPT.items():
                        assert ask(url, route, **query)[:2] == before[route][:2], route
                words = f"TensorBoard's data server at {place} has been started again, and reads"
                assert_told(url, words)
                assert ask(url, "runs")[2]["Retry-After"] == "1"
            wait_until_listed(url)
            for route, query in KEPT.items():
                assert ask(url, route, **query)[:2] == before[route][:2], route
