"""Training scripts in processes of their own: how they end, and what they survive."""

import subprocess
import sys
import textwrap

import pytest

from tests import recorded

pytestmark = pytest.mark.training


@pytest.fixture
def run(fork_server):
    return fork_server.run


TRAINING = """
    import resource, sys, torch
    from torch import nn
    from tb_sonify import SonifyWriter

    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    writer = SonifyWriter(sys.argv[1])
    writer.watch(model, optimizer)

    def train(steps):
        for step in range(steps):
            optimizer.zero_grad()
            model(torch.randn(3, 4)).square().sum().backward()
            optimizer.step()
            writer.add_scalar("loss", 1.0, step)
"""


@pytest.mark.parametrize("end", ["", "sys.exit(0)", "raise ValueError('mine')"])
def test_rows_are_written_when_the_interpreter_ends(run, tmp_path, end):
    result = run(TRAINING + f"\n    train(130)\n    {end}\n", tmp_path)
    assert ("mine" in result.stderr) == ("mine" in end), result.stderr
    assert "Exception ignored" not in result.stderr
    assert recorded.steps_and_norms(tmp_path)[0] == list(range(130))
    assert [segment.rows for segment in recorded.segments(tmp_path)] == [100, 30]
    assert len(recorded.scalars(tmp_path, "loss")) == 130


KILL = "import os; os.kill(os.getpid(), {0})"


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (f"writer.close(); {KILL.format(15)}", -15),
        ("import threading; threading.Thread(target=sys.exit).start()", 0),
    ],
)
def test_rows_are_written_when_the_writer_or_a_thread_ends_first(run, tmp_path, end, status):
    result = run(TRAINING + f"\n    train(130)\n    {end}\n", tmp_path)
    assert (result.returncode, result.stderr) == (status, "")
    assert recorded.steps_and_norms(tmp_path)[0] == list(range(130))
    assert [segment.rows for segment in recorded.segments(tmp_path)] == [100, 30]


# A mutex that is locked twice: a C call that never returns, as a collective may hang.
DEADLOCK = """
import ctypes
print("stuck", flush=True)
mutex = ctypes.create_string_buffer(128)
for _ in range(2):
    ctypes.CDLL(None).pthread_mutex_lock(mutex)
"""


@pytest.mark.parametrize("number", [15, 1])
def test_a_signal_ends_the_process_at_once_and_what_was_flushed_is_kept(run, tmp_path, number):
    end = f"import signal; assert signal.getsignal({number}) == signal.SIG_DFL"
    script = f"train(130); writer.flush(); train(50); {end}; {KILL.format(number)}"
    result = run(TRAINING + f"\n    {script}\n", tmp_path)
    assert (result.returncode, result.stderr) == (-number, "")
    steps, _ = recorded.steps_and_norms(tmp_path)
    assert 130 <= len(steps) <= 180
    assert steps == list(range(len(steps)))


def test_a_process_that_is_stuck_in_a_c_call_is_ended_by_a_signal(fork_server, tmp_path):
    script = textwrap.dedent(TRAINING) + "train(130)\nwriter.flush()\n" + DEADLOCK
    with fork_server.running(script, tmp_path) as training:
        training.wait_for("stuck")
        training.process.terminate()
        assert training.ended().returncode == -15
    assert recorded.steps_and_norms(tmp_path)[0] == list(range(130))


def test_a_signal_that_the_script_handles_is_its_own(run, tmp_path):
    script = """
    import os, signal
    signal.signal(signal.SIGTERM, lambda *_: print("mine"))
    SonifyWriter(sys.argv[1] + "/other")
    os.kill(os.getpid(), signal.SIGTERM)
    signal.signal(signal.SIGHUP, lambda *_: print("mine, too"))
    os.kill(os.getpid(), signal.SIGHUP)
    train(3)
    """
    result = run(TRAINING + script, tmp_path)
    assert (result.returncode, result.stdout) == (0, "mine\nmine, too\n"), result.stderr
    assert recorded.steps_and_norms(tmp_path)[0] == [0, 1, 2]


def test_training_goes_on_when_the_disk_is_full(run, tmp_path):
    limit = "resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))"
    result = run(TRAINING + f"\n    {limit}\n    train(2000)\n    writer.close()\n", tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("Warning") == 1
    steps = [step for step, _ in recorded.scalars(tmp_path, "loss")]
    assert steps[0] == 0
    assert len(steps) < 2000
    assert steps == sorted(set(steps))  # a new file may have taken over


def test_a_fork_trains_on_without_logging(run, tmp_path):
    script = """
    import os, warnings
    warnings.filterwarnings("ignore", category=DeprecationWarning)  # of fork itself
    train(5)
    child = os.fork()
    train(100)
    writer.flush()
    writer.close()
    if child:
        assert os.waitpid(child, 0)[1] == 0
    """
    result = run(TRAINING + script, tmp_path)
    assert result.returncode == 0, result.stderr
    assert "data of this fork is left out" in result.stderr
    assert recorded.steps_and_norms(tmp_path)[0] == list(range(105))


def test_without_torch_the_package_imports_and_the_writer_says_what_to_install():
    script = """
import sys
sys.modules["torch"] = None
import tb_sonify
assert "SonifyWriter" in dir(tb_sonify) and tb_sonify.__version__
try:
    tb_sonify.SonifyWriter
except ImportError as error:
    assert 'pip install "tb-sonify[torch]"' in str(error), error
else:
    raise AssertionError
"""
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
