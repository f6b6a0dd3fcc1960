"""What tests start without importing anew is as a process of its own."""

import os

import psutil
import pytest

from tests.forked import FILE, ForkServer
from tests.waiting import end


@pytest.fixture(scope="module")
def server():
    server = ForkServer("")
    yield server
    server.close()


def test_a_script_is_run_as_python_runs_it(server, tmp_path, monkeypatch):
    script = tmp_path / "script.py"
    script.write_text("""
import os, pathlib, sys
print(sys.argv[1:], pathlib.Path.cwd().name, os.environ["OF_NOW"], os.environ["ITS"], __name__)
sys.exit("it ends")
""")
    monkeypatch.setenv("OF_NOW", "a")
    ended = server.run(FILE, script, "x", 1, directory=tmp_path, environment={"ITS": "b"})
    assert (ended.returncode, ended.stderr) == (1, "it ends\n")
    assert ended.stdout == f"['x', '1'] {tmp_path.name} a b __main__\n"
    assert server.run("import os; os.kill(os.getpid(), 9)").returncode == -9


def test_what_goes_on_ends_with_those_who_started_it(server):
    read, write = os.pipe()
    with os.fdopen(read) as output:
        script = "print('begun', flush=True); import time; time.sleep(1_000)"
        with server.start(script, outputs=(write, write)) as process:
            os.close(write)
            assert output.readline() == "begun\n"
            started = {each.pid: each for each in psutil.Process().children(recursive=True)}
        started[process.pid].wait(60)
        assert output.read() == ""


def test_what_ignores_that_it_is_to_end_is_killed(server, monkeypatch):
    script = """
        import signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("deaf", flush=True)
        signal.pause()
    """
    with server.running(script) as deaf:
        deaf.wait_for("deaf")
        monkeypatch.setattr("tests.waiting.WAIT_SECONDS", 0.1)
        end(deaf.process)
        assert deaf.process.wait() == -9
