"""A script under `tb-sonify run` is what it is under `python`: both are run, and compared."""

import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from tests.waiting import ending, wait_until

ROOT = Path(__file__).parent.parent
RUN = (sys.executable, "-m", "tb_sonify", "run")
OURS = re.compile(r"^tb-sonify run: .*\n", re.MULTILINE)


def environment():
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def ended(command, directory, given=""):
    result = subprocess.run(
        [*command],
        cwd=directory,
        env=environment(),
        input=given,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    return result.returncode, result.stdout, result.stderr


def both(directory, script, *arguments, given=""):
    """What `python` makes of it and what we do, and what we say about it."""
    expected = ended([sys.executable, *script, *arguments], directory, given)
    status, output, errors = ended([*RUN, *script, *arguments], directory, given)
    ours = OURS.findall(errors)
    return expected, (status, output, OURS.sub("", errors)), ours


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))


ENDS = {
    "comes to its end": "print('end')",
    "status 3": "import sys; sys.exit(3)",
    "status None": "import sys; sys.exit()",
    "status in words": "import sys; sys.exit('no data')",
    "exception": """
        def fail(): raise ValueError("mine")
        fail()
        """,
    "exception while another is handled": """
        try:
            {}["lr"]
        except KeyError as error:
            raise RuntimeError("no lr") from error
        """,
    "exception in a nested call with notes": """
        import json
        json.loads("{")
        """,
    "exception in a call of backward": """
        import torch
        def fail(gradient): raise ValueError("mine")
        x = torch.ones(2, requires_grad=True)
        x.register_hook(fail)
        try:
            x.backward()
        except RuntimeError as error:
            x.sum().backward()
        """,
    "syntax error": "print('never'\nx = 1\n",
    "assertion": "assert 1 == 2, 'never'",
    "excepthook of its own": """
        import sys
        sys.excepthook = lambda kind, value, traceback: print("mine", kind, traceback.tb_lineno)
        1 / 0
        """,
    "Ctrl-C": "raise KeyboardInterrupt",
    "os._exit": "import os; print('bye', flush=True); os._exit(5)",
    "killed by itself": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "terminated by itself": """
        import os, signal
        os.kill(os.getpid(), signal.SIGTERM)
        print("never")
        """,
    "exits at exit": """
        import atexit, sys
        atexit.register(lambda: print("first", sys.modules["__main__"].x))
        x = 3
        """,
    "a thread that goes on": """
        import threading, time
        def later(): time.sleep(0.3); print("later", __name__)
        threading.Thread(target=later).start()
        """,
    "closed output": "import sys; sys.stdout.close()",
}


TRAINS = "exception in a call of backward"


@pytest.mark.parametrize(
    "end", [pytest.param(end, marks=[pytest.mark.training] * (end == TRAINS)) for end in ENDS]
)
def test_it_ends_as_under_python(end, tmp_path):
    write(tmp_path / "train.py", ENDS[end])
    expected, result, ours = both(tmp_path, ["train.py"])
    assert result == expected
    silent = end in {"os._exit", "killed by itself"}
    assert len(ours) == (not silent)


SEES = """
    from __future__ import annotations
    import os, pickle, sys, inspect, signal
    class Thing: pass
    def hint(x: NotDefined): pass
    print(sys.argv, sys.path, __name__, __file__, __doc__, __package__, __spec__, sorted(globals()))
    print(sys.modules["__main__"].Thing is Thing, pickle.loads(pickle.dumps(Thing())), os.getcwd())
    print(type(__loader__).__name__, sys.modules["__main__"].__file__, inspect.getsource(Thing))
    print(sys.stdin.read(), sys.flags, "torch" in sys.modules, "numpy" in sys.modules)
    print(signal.getsignal(signal.SIGINT), sys.excepthook)
    """
ARGUMENTS = ["--every", "7", "--e", "1", "-m", "y", "--", "-z", "--version", "--help", "-h", "-"]


def test_it_sees_what_it_sees_under_python(tmp_path):
    write(tmp_path / "somewhere" / "train.py", SEES)
    (tmp_path / "link.py").symlink_to(tmp_path / "somewhere" / "train.py")
    for script in ("somewhere/train.py", str(tmp_path / "somewhere/train.py"), "link.py"):
        expected, result, _ = both(tmp_path, [script], *ARGUMENTS, given="from\nstdin")
        assert result == _without_addresses(expected, result)


def _without_addresses(expected, result):
    """The expected outcome, with the addresses in memory that the result has."""
    addresses = iter(re.findall(r"0x[0-9a-f]+", result[1]))
    return expected[0], re.sub(r"0x[0-9a-f]+", lambda _: next(addresses), expected[1]), expected[2]


def test_a_module_is_run_as_python_does(tmp_path):
    write(tmp_path / "package/__init__.py", "print('package', __name__)")
    write(tmp_path / "package/train.py", SEES + "\n    from . import other")
    write(tmp_path / "package/other.py", "x = 1")
    write(tmp_path / "package/__main__.py", "import sys; print('main', sys.argv); sys.exit(4)")
    for module in ("package.train", "package"):
        expected, result, _ = both(tmp_path, ["-m", module], *ARGUMENTS)
        assert result == _without_addresses(expected, result)


def test_an_exception_in_a_module_shows_its_own_frames_alone(tmp_path):
    write(tmp_path / "train.py", ENDS["exception"])
    status, _, errors = ended([*RUN, "-m", "train"], tmp_path)
    assert status == 1
    assert "ValueError: mine" in errors
    assert errors.count('File "') == 2
    write(tmp_path / "broken/__init__.py", "import nowhere")
    status, _, errors = ended([*RUN, "-m", "broken"], tmp_path)
    assert status == 1
    assert "ModuleNotFoundError: No module named 'nowhere'" in errors


def test_workers_that_are_spawned_find_the_script(tmp_path):
    script = """
        import multiprocessing as mp
        def square(x): return x * x
        if __name__ == "__main__":
            for method in ("spawn", "fork"):
                with mp.get_context(method).Pool(1) as pool:
                    print(method, pool.map(square, [1, 2, 3]))
        """
    write(tmp_path / "train.py", script)
    expected, result, ours = both(tmp_path, ["train.py"])
    assert result == expected
    assert len(ours) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("handler", ["", "signal.signal({0}, lambda *_: sys.exit(9))"])
def test_it_is_ended_by_signals_as_under_python(tmp_path, number, handler):
    script = f"import signal, sys, time\n{handler.format(int(number))}\nprint('on')\ntime.sleep(5)"
    write(tmp_path / "train.py", script)
    outcomes = []
    for command in ([sys.executable], RUN):
        training = subprocess.Popen(
            [*command, "train.py"],
            cwd=tmp_path,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with ending(training) as process:
            assert process.stdout.readline() == "on\n"
            # A traceback names the line.
            status = psutil.Process(process.pid).status
            wait_until(lambda status=status: status() == psutil.STATUS_SLEEPING, "it sleeps")
            process.send_signal(number)
            output, errors = process.communicate(timeout=60)
            outcomes.append((process.returncode, output, OURS.sub("", errors)))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == (9 if handler else -number)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: SCRIPT"),
        (["nowhere.py"], "SCRIPT must be a Python file, and there is no 'nowhere.py'"),
        (["package.train"], "a module is run by -m"),
        (["."], "SCRIPT must be a Python file, and '.' is a directory"),
        (["-m", "nowhere.train"], "-m must be followed by a module that Python finds from here"),
        (["--every", "0", "train.py"], "must be at least 1, got 0"),
        (["--first-step", "-1", "train.py"], "must be at least 0 and fit 64 bits, got -1"),
        (["--preset", "loud", "train.py"], "--preset must be one of smooth, "),
        (["--lr", "1", "train.py"], "unrecognized arguments"),
    ],
)
def test_a_mistake_ends_with_status_2_and_says_what_must_hold(arguments, message, tmp_path):
    status, _, errors = ended([*RUN, *arguments], tmp_path)
    assert status == 2
    assert message in errors
    assert "Traceback" not in errors
    assert "nothing to hear" not in errors
    assert list(tmp_path.iterdir()) == []


def test_the_help_says_how_to_call_it(tmp_path):
    status, output, _ = ended([*RUN, "--help"], tmp_path)
    assert status == 0
    assert "tb-sonify run train.py --lr 0.1" in output
    for option in ("--logdir", "--every", "--first-step", "--preset", "-m"):
        assert option in output
