"""Log directories as file systems allow them: names that are no text, links to nowhere, crowds."""

import json
import os
import shutil
import urllib.error
import urllib.request
from urllib.parse import urlencode

import numpy as np
import pytest

from tb_sonify.reading.logdir import open_logdir
from tb_sonify.reading.runs import RunCatalog
from tests.logs import norms_of, run_events, scalar_events, write_events
from tests.serving import served
from tests.waiting import wait_until

pytestmark = pytest.mark.server

NOTES = 50
NO_TEXT = b"\xff\xfe is not UTF-8"
NAMES = (
    b"two\nlines\tand a tab",
    "\u202eto the left\u2066 of \u200b nothing".encode(),
    b"x" * 255,
    "é".encode() * 127,
)


def ask(url, route, **query):
    address = f"{url}data/plugin/sonify/{route}?{urlencode(query, errors='surrogatepass')}"
    try:
        with urllib.request.urlopen(address, timeout=40) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def listed(url):
    status, body = ask(url, "runs")
    assert status == 200, body
    return {each["run"] for each in json.loads(body)["runs"]}


def test_a_name_that_is_not_text_is_skipped_with_a_word(tmp_path, caplog):
    write_events(tmp_path / "zz", scalar_events("loss", [(0, 1.0), (1, 0.5)]))
    shutil.copytree(tmp_path / "zz", tmp_path / os.fsdecode(NO_TEXT))
    store, scope = open_logdir(tmp_path)
    assert [run.name for run in RunCatalog(store).runs(scope)] == ["zz"]
    (record,) = caplog.records
    assert "is not UTF-8', whose name is not UTF-8: rename it" in record.getMessage()


@pytest.mark.parametrize(
    ("loader", "names"),
    # At a name that is no UTF-8, TensorBoard's slow loader itself stops reading.
    [("--load_fast=true", (NO_TEXT, *NAMES)), ("--load_fast=false", NAMES)],
    ids=["fast", "slow"],
)
def test_no_directory_makes_the_tab_fail(tmp_path, loader, names):
    logdir = tmp_path / "logs"
    loss = scalar_events("loss", [(step, 1 / (1 + step)) for step in range(NOTES)])
    write_events(logdir / "zz", [*run_events(norms_of(NOTES), np.arange(NOTES)), *loss])
    for name in names:
        shutil.copytree(logdir / "zz", logdir / os.fsdecode(name))
    (logdir / "to nowhere").symlink_to(tmp_path / "nothing")
    (logdir / "closed").mkdir(mode=0)
    for number in range(5_000):
        (logdir / "empty" / str(number)).mkdir(parents=True)
    with served(logdir, loader) as url:
        wait_until(lambda: "zz" in listed(url) and len(listed(url)) >= 3, "runs are listed")
        for name in listed(url):
            for route in ("coverage", "signals", "describe", "landmarks", "news"):
                status, body = ask(url, route, run=name)
                assert status < 500, (name, route, body)
                assert b"Traceback" not in body
        clip = ask(url, "clip", run="zz", preset="smooth", first_note=0, notes=NOTES)
        assert clip[0] == 200
