"""`tb-sonify open`: a server, and the page alone."""

import json
import re
import signal
import socket
import subprocess
import sys
from urllib.request import urlopen

import pytest

from tests.broken_run import write_run
from tests.commands import tb_sonify_here
from tests.waiting import ending


@pytest.mark.server
def test_it_serves_the_page_alone_until_it_is_interrupted(tmp_path):
    write_run(tmp_path / "runs" / "calm", broken=False)
    command = [sys.executable, "-m", "tb_sonify", "open", tmp_path / "runs"]
    options = ["--port", "0", "--no-browser"]
    serving = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
    with ending(serving) as process:
        assert process.stdout is not None
        line = next(line for line in process.stdout if line.startswith("http"))
        found = re.fullmatch(r"(http://localhost:\d+/)(data/plugin_entry\S+)\n", line)
        assert found is not None
        url, page = found.groups()
        with urlopen(f"{url}{page}") as response:
            assert b"plugin/sonify/" in response.read()
        with urlopen(f"{url}data/plugin/sonify/news") as response:
            assert json.load(response).keys() == {"runs", "states"}
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0  # before its output is closed


def test_it_says_what_it_cannot_open(tmp_path):
    (tmp_path / "file").write_text("")
    for logdir, words in (
        ("none", "no log directory"),
        ("n" * 300, "no log directory"),
        ("file", "is a file"),
    ):
        done = tb_sonify_here("open", tmp_path / logdir, "--no-browser")
        assert done.returncode == 2
        assert words in done.stderr
    with socket.create_server(("localhost", 0)) as taken:
        port = taken.getsockname()[1]
        done = tb_sonify_here("open", tmp_path, "--no-browser", "--port", port)
    assert done.returncode == 2
    assert f"port {port} of localhost is already in use" in done.stderr
