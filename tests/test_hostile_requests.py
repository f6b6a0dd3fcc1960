"""Requests that mean harm, as bytes on a socket to a real TensorBoard, which goes on answering."""

import contextvars
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from tempfile import TemporaryFile
from urllib.parse import urlsplit
from urllib.request import urlopen

import numpy as np
import pytest

from tb_sonify.reading import limits
from tb_sonify.reading.work import Abandoned, WorkLimiter, client_connection
from tests.logs import norms_of, row_events, run_events, scalar_events, write_events
from tests.serving import served
from tests.waiting import wait_until

ROUTE = "/data/plugin/sonify/"
HUGE = "sound?run=run&preset=smooth&first_note=0&notes=10000&speed=4"
SMALL = "clip?run=run&preset=smooth&first_note=7&notes=20"


@pytest.fixture(scope="module")
def logdir(tmp_path_factory):
    """A run of 4,000 notes, and one of 1,200 layers."""
    logdir = tmp_path_factory.mktemp("logs")
    events = run_events(norms_of(4_000), np.arange(4_000), presets=())
    write_events(logdir / "run", [*events, *scalar_events("loss", [(0, 0.5)])])
    wide = norms_of(1_000, 1_200)
    write_events(logdir / "wide", row_events(wide, np.arange(1_000), layers=names_of(1_200)))
    return logdir


@pytest.fixture(scope="module")
def server(logdir):
    """The address of a TensorBoard with these runs."""
    with served(logdir, "--load_fast=false") as url:
        wait_until(lambda: b"layers" in got(url, "layers?run=wide"), "the runs are read")
        yield url


def got(url, path):
    """An answer, which must be one; `b""`: not found yet."""
    try:
        with urlopen(f"{url}{ROUTE[1:]}{path}", timeout=30) as response:
            return response.read()
    except OSError:
        return b""


def connected(url):
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=20)


def told(url, data):
    """What a server says to some bytes, to the end."""
    with connected(url) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has hung up, having heard enough
        heard = b""
        try:
            while part := connection.recv(65_536):
                heard += part
        except ConnectionResetError:
            pass
        return heard


def request(path, *headers, method=b"GET", body=b""):
    head = b"\r\n".join([method + b" " + path + b" HTTP/1.1", b"Host: x", b"Connection: close"])
    return head + b"".join(b"\r\n" + header for header in headers) + b"\r\n\r\n" + body


PLUGIN = ROUTE.encode()
WEIRD = {
    "a query of a megabyte": request(PLUGIN + b"coverage?run=" + b"a" * 2**20),
    "a path of a megabyte": request(PLUGIN + b"a" * 2**20),
    "a header of a megabyte": request(PLUGIN + b"runs", b"X-A: " + b"a" * 2**20),
    "thousands of headers": request(PLUGIN + b"runs", *[b"X-%d: 1" % n for n in range(5_000)]),
    "thousands of arguments": request(PLUGIN + b"signals?" + b"run=run&" * 7_000),
    "an argument twice": request(PLUGIN + b"signals?run=run&run=nobody"),
    "no text": request(PLUGIN + b"signals?run=%ff%fe%00"),
    "raw bytes": request(PLUGIN + b"signals?run=\xff\xfe\x80"),
    "percent upon percent": request(PLUGIN + b"signals?run=%252e%252e%252f%25252e"),
    "half a percent": request(PLUGIN + b"signals?run=%&tag=%2&%%%=%"),
    "no end of digits": request(PLUGIN + b"curve?run=run&tag=loss&from=" + b"9" * 60_000),
    "digits and a letter": request(PLUGIN + b"curve?run=run&tag=loss&from=" + b"9" * 60_000 + b"x"),
    "no end of commas": request(PLUGIN + b"coverage?run=run&muted=" + b"0," * 30_000),
    "a body": request(PLUGIN + b"runs", b"Content-Length: 1000000", body=b"x" * 1_000_000),
    "a body that never comes": request(PLUGIN + b"runs", b"Content-Length: 99999999"),
    "a length that is none": request(PLUGIN + b"runs", b"Content-Length: -1"),
    "two lengths": request(PLUGIN + b"runs", b"Content-Length: 0", b"Content-Length: 5"),
    "chunks that are none": request(PLUGIN + b"runs", b"Transfer-Encoding: chunked", body=b"zz"),
    "a range": request(PLUGIN + b"index.js", b"Range: bytes=-1,0-,5-2,99999999999999999999-"),
    "a bomb": request(PLUGIN + b"runs", b"Content-Encoding: gzip", b"Accept-Encoding: gzip;q=9e9"),
    "another host": request(PLUGIN + b"runs", b"Host: evil", b"X-Forwarded-Host: evil"),
    "another method": request(PLUGIN + b"runs", method=b"M" * 1_000),
    "a post": request(PLUGIN + b"runs", b"Content-Length: 3", method=b"POST", body=b"abc"),
    "an old protocol": b"GET " + PLUGIN + b"runs\r\n\r\n",
    "no request": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20,
    "nothing": b"",
}


@pytest.mark.parametrize("data", WEIRD.values(), ids=WEIRD)
def test_whatever_comes_is_answered_without_a_traceback(server, data):
    heard = told(server, data)
    assert b" 500 " not in heard[:20]
    assert b"Traceback" not in heard
    assert b'"runs"' in got(server, "runs")


def test_nothing_leads_out_of_the_parts_of_the_dashboard(server):
    climbs = ["../index.js", "../../script.py", "../" * 12 + "etc/passwd", "/etc/passwd", "//", "."]
    encodings = [
        lambda path: path,
        lambda path: path.replace("/", "%2f"),
        lambda path: path.replace(".", "%2e"),
        lambda path: path.replace("/", "%252f").replace(".", "%252e"),
        lambda path: path.replace("/", "%5c"),
        lambda path: path.replace("..", "%c0%ae%c0%ae"),
        lambda path: path.replace("..", "..;"),
        lambda path: f"{path}%00.js",
    ]
    for climb in climbs:
        for encoded in encodings:
            heard = told(server, request(f"{ROUTE}parts/{encoded(climb)}".encode()))
            assert heard.split(b" ")[1] == b"404", (climb, heard[:80])
            assert b"root:" not in heard
            assert b"import" not in heard


def test_two_hundred_at_once_are_all_answered_alike(server):
    with ThreadPoolExecutor(200) as pool:
        answers = list(pool.map(lambda _: got(server, SMALL), range(200)))
    assert {len(answer) for answer in answers} == {len(answers[0])}
    assert answers[0].startswith(b"RIFF")


def test_who_reads_slowly_or_hangs_up_delays_nobody(server):
    alone = min(timed(server) for _ in range(10))
    with ExitStack() as stack:
        for _ in range(30):
            connection = stack.enter_context(connected(server))
            # So that the answer does not fit into what the system holds for a reader.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            connection.sendall(request(f"{ROUTE}{HUGE}".encode()))
        time.sleep(2)  # until each has been sent all that it takes
        beside = min(timed(server) for _ in range(10))
    after = min(timed(server) for _ in range(10))
    assert beside < 10 * alone
    assert after < 10 * alone


def test_what_nobody_waits_for_is_not_done():
    limiter, pairs, done = WorkLimiter(), [socket.socketpair() for _ in range(20)], []

    def work(number):
        client_connection.set(pairs[number][0])
        with suppress(Abandoned), limiter.slot(1):
            done.append(number)

    with ThreadPoolExecutor(len(pairs)) as pool, ExitStack() as taken:
        for _ in range(limits.SMALL_SLOTS):
            taken.enter_context(limiter.slot(1))
        for number in range(len(pairs)):
            pool.submit(contextvars.Context().run, work, number)
        wait_until(lambda: len(limiter._small._waiting) == len(pairs), "all wait for a slot")
        for _, client in pairs[::2]:
            client.close()
    assert sorted(done) == [*range(1, len(pairs), 2)]
    for each in (end for pair in pairs for end in pair):
        each.close()


@pytest.mark.server
def test_nothing_is_logged_where_clients_have_all_of_a_sound_or_hang_up(tmp_path):
    write_events(tmp_path / "run", row_events(norms_of(4_000), np.arange(4_000)))
    sound = "sound?run=run&preset=smooth&first_note=0&notes=1500"
    with TemporaryFile("a+") as log, served(tmp_path, "--load_fast=false", log=log) as url:
        whole = wait_until(lambda: got(url, sound), "the run is read")
        with ThreadPoolExecutor(20) as pool:
            complete = [pool.submit(got, url, sound) for _ in range(10)]
            begun = [pool.submit(beginning, url, sound) for _ in range(10)]
            assert {each.result() == whole for each in complete} == {True}
            assert {each.result() for each in begun} == {b"HTTP"}
        assert got(url, SMALL)
        log.seek(0)
        assert not re.search("Error on request|Traceback", log.read())


def beginning(url, path):
    """The first bytes of an answer, after which the connection is closed."""
    with connected(url) as connection:
        connection.sendall(request(f"{ROUTE}{path}".encode()))
        return connection.recv(4)


def timed(url, path=SMALL):
    start = time.perf_counter()
    assert got(url, path).startswith(b"RIFF" if path == SMALL else b"TBSN")
    return time.perf_counter() - start


def names_of(layers):
    return tuple(f"layer{number}" for number in range(layers))


def test_nothing_is_written_anywhere(tmp_path, open_client):
    events = run_events(norms_of(150), np.arange(150), presets=())
    write_events(tmp_path / "run", events)
    client = open_client(tmp_path)
    before = contents(tmp_path)
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
        for path in ("runs", SMALL, "table?run=run", "describe?run=run"):
            client.open(f"{ROUTE}{path}", method=method, data=b"x")
    assert contents(tmp_path) == before


def contents(directory):
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
