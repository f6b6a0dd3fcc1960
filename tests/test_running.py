"""What `tb-sonify run` logs of scripts that know nothing of it."""

import json
import signal
import textwrap
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from tests import recorded
from tests.forked import FILE, MODULE, PROGRAM
from tests.test_running_program import RUN, ended, write
from tests.test_training_processes import DEADLOCK

pytestmark = pytest.mark.training

SCRIPTS = Path(__file__).parent / "scripts"
WATCH = """
from tb_sonify import SonifyWriter
sonify = SonifyWriter("watched")
"""


def run_of(directory):
    """The one directory below this one that holds norms."""
    files = chain(directory.glob("**/events.out.tfevents.*"))
    (found,) = {file.parent for file in files if b"sonify/rows" in file.read_bytes()}
    return found


def watched(fork_server, script, directory, watch):
    """What `watch` logs of a script, where a line says that training begins."""
    directory.mkdir()
    text = (SCRIPTS / script).read_text()
    indent = " " * (text.index("# training begins") - text.rindex("\n", 0, text.index("# tr")) - 1)
    lines = [indent + line for line in (WATCH + watch).splitlines()]
    (directory / "train.py").write_text(text.replace("# training begins", "\n" + "\n".join(lines)))
    result = fork_server.run(FILE, "train.py", directory=directory)
    assert result.returncode == 0, result.stderr
    return directory / "watched"


def scalars(run, layers):
    """The exact norms of some layers, by steps."""
    return {layer: recorded.scalars(run, f"grad_norm/{layer}") for layer in layers}


ONE = "sonify.watch(model, optimizer)"
TWO = """
sonify.watch(netD, optimizerD, prefix="Discriminator")
sonify.watch(netG, optimizerG, prefix="Generator")
"""


@pytest.mark.parametrize(
    ("script", "directory", "watch", "rows"),
    [
        ("plain.py", "runs/*", ONE, 40),
        ("trainer.py", "runs/*_trainer", ONE, 12),
        ("gan.py", "runs/gan", TWO, 30),
    ],
)
def test_norms_are_those_of_watch(fork_server, script, directory, watch, rows, tmp_path):
    expected = watched(fork_server, script, tmp_path / "reference", watch)
    there = tmp_path / "there"
    there.mkdir()
    python = fork_server.run(FILE, SCRIPTS / script, directory=tmp_path)
    if script == "plain.py":  # with a start of its own
        status, output, errors = ended([*RUN, str(SCRIPTS / script)], there)
    else:
        status, output, errors = fork_server.tb_sonify_run(SCRIPTS / script, directory=there)
    assert (status, output) == (python.returncode, python.stdout)
    (run,) = there.glob(directory)
    assert run_of(there) == run
    assert errors == (
        f"tb-sonify run: the gradients are in {run.relative_to(there)}; "
        "hear them: tensorboard --logdir runs\n"
    )
    logged, wanted = recorded.all_rows(run), recorded.all_rows(expected)
    assert logged.steps.tolist() == wanted.steps.tolist() == list(range(rows))
    assert logged.layers == wanted.layers
    np.testing.assert_array_equal(logged.norms, wanted.norms)
    assert scalars(run, logged.layers) == scalars(expected, wanted.layers)
    assert logged.options == wanted.options


def test_loss_and_gradients_are_one_run(fork_server, tmp_path):
    plain = str(SCRIPTS / "plain.py")
    directory = tmp_path / "logs" / "lr-1"
    options = ["--logdir", "elsewhere", "--every", "4", "--preset", "single", "--preset", "classic"]
    arguments = ["--lr", "1", "--log-dir", str(directory)]
    status, _, errors = fork_server.tb_sonify_run(*options, plain, *arguments, directory=tmp_path)
    assert status == 0
    assert f"gradients are in {directory}; hear them: tensorboard --logdir {directory.parent}" in (
        errors
    )
    assert recorded.steps_and_norms(directory)[0] == list(range(0, 40, 4))
    assert len(recorded.scalars(directory, "loss/train")) == 40
    assert {"sonify/single", "sonify/classic"} <= recorded.tags(directory)
    assert "sonify/smooth" not in recorded.tags(directory)
    assert not (tmp_path / "elsewhere").exists()


LOSSES = ["plain", "accumulation", "scaler", "dcgan", "cycle", "closure", "trainer", "accelerate"]
LOSSES += ["nanogpt", "actor_critic", "odd", "compiled"]


@pytest.fixture(scope="module")
def printed_losses(fork_server, tmp_path_factory):
    """What each training of a script prints, and the run of it."""
    directory = tmp_path_factory.mktemp("losses")
    options = ("--logdir", "run", SCRIPTS / "losses.py")
    status, output, errors = fork_server.tb_sonify_run(*options, directory=directory)
    assert status == 0, errors
    assert "Warning" not in errors
    printed, trainings = {}, []
    for line in output.splitlines():
        if line in LOSSES:
            trainings.append(line)
            printed[line] = []
        else:
            printed[trainings[-1]].append(json.loads(line))
    runs = ["run", *(f"run-{number}" for number in range(2, len(LOSSES) + 1))]
    return {
        training: (printed[training], directory / run)
        for training, run in zip(trainings, runs, strict=True)
    }


@pytest.mark.parametrize("training", LOSSES)
def test_the_loss_of_each_step_is_what_the_script_prints(training, printed_losses):
    printed, run = printed_losses[training]
    tags = {tag for tag in recorded.tags(run) if tag.startswith("loss/")}
    assert tags == set(printed[0])
    for tag in tags:
        steps, values = zip(*recorded.scalars(run, tag), strict=True)
        assert list(steps) == list(range(len(printed)))
        assert values == pytest.approx([losses[tag] for losses in printed], rel=1e-6)
    skipped = {0, 4} if training == "scaler" else set()
    assert recorded.steps_and_norms(run)[0] == [n for n in steps if n not in skipped]


TRAIN = """
    import os, sys, time, torch
    model = torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    def train(steps):
        for _ in range(steps):
            optimizer.zero_grad()
            model(torch.randn(3, 4)).square().sum().backward()
            optimizer.step()
    """
ENDS = {
    "sys.exit(3)": (3, 130),
    "raise ValueError('mine')": (1, 130),
    "os.kill(os.getpid(), 15)": (-signal.SIGTERM, 130),
    "os.kill(os.getpid(), 1)": (-signal.SIGHUP, 130),
    "[os.kill(os.getpid(), 15) for _ in range(3)]": (-signal.SIGTERM, 130),
    "os.kill(os.getpid(), 2); time.sleep(9)": (-signal.SIGINT, 130),
    "import atexit; atexit.register(train, 5)": (0, 135),
}


@pytest.mark.parametrize("end", ENDS)
def test_rows_are_written_however_the_script_ends(fork_server, end, tmp_path):
    write(tmp_path / "train.py", f"{TRAIN}\n    train(130)\n    {end}")
    status, _, errors = fork_server.tb_sonify_run(
        "--logdir", "here", "train.py", directory=tmp_path
    )
    expected, rows = ENDS[end]
    assert status == expected, errors
    assert recorded.steps_and_norms(tmp_path / "here")[0] == list(range(rows))
    assert [segment.rows for segment in recorded.segments(tmp_path / "here")] == [100, rows - 100]
    assert errors.endswith("in here; hear them: tensorboard --logdir here\n")
    assert ("mine" in errors) == ("mine" in end)
    assert "tb_sonify/" not in errors


def test_a_signal_in_the_midst_of_training_loses_no_row(fork_server, tmp_path):
    write(tmp_path / "train.py", f"{TRAIN}\n    train(50)\n    print('on')\n    train(10**9)")
    for number in (signal.SIGTERM, signal.SIGINT):
        directory = tmp_path / str(number)
        options = ("--logdir", directory, "train.py")
        with fork_server.running(MODULE, *PROGRAM, *options, directory=tmp_path) as training:
            training.wait_for("on")
            training.process.send_signal(number)
            ended = training.ended()
        assert ended.returncode == -number
        steps, _ = recorded.steps_and_norms(directory)
        assert steps == list(range(len(steps)))
        assert len(steps) >= 50
        assert f"gradients are in {directory}" in ended.stderr


def test_rows_are_written_where_a_script_is_stuck_in_a_c_call(fork_server, tmp_path):
    stuck = textwrap.indent(DEADLOCK, " " * 4)
    write(tmp_path / "train.py", f"{TRAIN}\n    train(130)\n{stuck}")
    options = ("--logdir", "here", "train.py")
    with fork_server.running(MODULE, *PROGRAM, *options, directory=tmp_path) as training:
        training.wait_for("stuck")
        training.process.terminate()
        ended = training.ended()
    assert ended.returncode == -signal.SIGTERM
    assert recorded.steps_and_norms(tmp_path / "here")[0] == list(range(130))
    assert ended.stderr.endswith("in here; hear them: tensorboard --logdir here\n")


def test_a_script_with_torch_and_without_steps_says_so(fork_server, tmp_path):
    write(tmp_path / "train.py", TRAIN)
    status, _, errors = fork_server.tb_sonify_run("train.py", directory=tmp_path)
    assert status == 0
    assert "no optimizer of torch took a step in this process" in errors
    assert [path.name for path in tmp_path.iterdir()] == ["train.py"]


def test_a_script_that_steps_without_an_optimizer_is_told_what_to_call(fork_server, tmp_path):
    script = "model(torch.ones(2, 4)).sum().backward(); model.weight.data -= model.weight.grad"
    write(tmp_path / "train.py", f"{TRAIN}\n    {script}")
    status, _, errors = fork_server.tb_sonify_run("train.py", directory=tmp_path)
    assert status == 0
    assert "no optimizer of torch; to hear its gradients" in errors
    assert "writer.add_gradient_norms(model, step)" in errors


@pytest.mark.parametrize("writer_may_come", ["", "import torch.utils.tensorboard"])
def test_a_directory_that_cannot_be_written_stops_us_and_not_the_script(
    fork_server, writer_may_come, tmp_path
):
    (tmp_path / "file").write_text("")
    write(
        tmp_path / "train.py", f"{TRAIN}\n    {writer_may_come}\n    train(5)\n    print('trained')"
    )
    status, output, errors = fork_server.tb_sonify_run(
        "--logdir", "file/run", "train.py", directory=tmp_path
    )
    assert (status, output) == (0, "trained\n")
    assert errors.count("Warning: ") == 1
    assert "watches no longer, the script goes on" in errors


NAMES = {
    "a wrapped model": (
        "model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2))",
        "torch.compile(nn.DataParallel(model), backend='eager')",
        "model.parameters()",
        ("0", "2"),
    ),
    "a loss that has the model": (
        "model = nn.Sequential(nn.Linear(2, 2))",
        "nn.ModuleList([model, nn.MSELoss()])",
        "model.parameters()",
        ("0.0",),
    ),
    "a copy": (
        "import copy; model = copy.deepcopy(nn.Sequential(nn.Linear(2, 2)))",
        "None",
        "model.parameters()",
        ("0",),
    ),
    "only the head": (
        "model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))",
        "None",
        "model[1].parameters()",
        ("1",),
    ),
    "two models of an optimizer": (
        "model = nn.Sequential(nn.Linear(2, 2)); other = nn.Sequential(nn.Linear(2, 2))",
        "other",
        "[*model.parameters(), *other.parameters()]",
        ("Sequential.0", "Sequential_2.0"),
    ),
    "a scripted model": (
        "model = torch.jit.script(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)))",
        "None",
        "model.parameters()",
        ("0", "1"),
    ),
    "beside modules that cannot be read": (
        "model = nn.Sequential(nn.Linear(2, 2)); odd = Odd(), Uncomparable()",
        "nn.ModuleList([Odd()])",
        "model.parameters()",
        ("0",),
    ),
    "in a module that cannot be read": (
        "model = nn.Sequential(nn.Linear(2, 2)); other = Uncomparable()",
        "Odd(); wrapper.model = model",
        "[*model.parameters(), *other.parameters()]",
        ("Sequential.0", "Uncomparable.linear"),
    ),
    "tensors alone": (
        "w = torch.ones(2, 2, requires_grad=True); b = torch.zeros(2, requires_grad=True)",
        "None",
        "[w, b]",
        ("parameter_0", "parameter_1"),
    ),
    "frozen objects": (
        "model = nn.Sequential(nn.Linear(2, 2))",
        "gc.disable(), gc.freeze()",
        "model.parameters()",
        ("0",),
    ),
}
ODD = """
class Odd(nn.Module):
    broken = False
    @property
    def _modules(self):
        if self.broken:
            raise RuntimeError("not now")
        return self.__dict__.setdefault("_modules", {})
    @_modules.setter
    def _modules(self, value):
        self.__dict__["_modules"] = value

class Uncomparable(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2)
    def __eq__(self, other):
        raise NotImplementedError
    __hash__ = nn.Module.__hash__
"""


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """A run for each case of names, all trained one after the other by one script."""
    script = f"import gc, os, torch\nfrom torch import nn\n{ODD}"
    for number, (model, wrapper, parameters, _) in enumerate(NAMES.values()):
        script += f"""
def train{number}():
    {model}
    wrapper = {wrapper}
    optimizer = torch.optim.SGD({parameters}, lr=0.1)
    Odd.broken = True
    for group in optimizer.param_groups:
        for p in group["params"]:
            p.grad = torch.ones_like(p)
    optimizer.step()
    optimizer.step()
    Odd.broken = False
train{number}()
gc.collect()
os.chdir("..")  # relative directories stay where they were
"""
    directory = tmp_path_factory.mktemp("names")
    write(directory / "train.py", script)
    status, _, errors = ended([*RUN, "--logdir", "run", "train.py"], directory)
    assert status == 0, errors
    assert errors.count("Warning: modules of type Odd are left out") == 1
    runs = ["run", *(f"run-{number}" for number in range(2, len(NAMES) + 1))]
    return {case: directory / run for case, run in zip(NAMES, runs, strict=True)}


@pytest.mark.parametrize("case", NAMES)
def test_layers_have_the_names_that_they_have_in_their_model(case, named):
    expected = NAMES[case][-1]
    block = recorded.all_rows(named[case])
    assert set(block.layers) >= set(expected)
    assert block.steps.tolist() == [0, 1]
    heard = [layer for i, layer in enumerate(block.layers) if block.norms[0, i] > 0]
    assert tuple(heard) == expected


BREAKS = """
import sys, torch
from torch import nn
{imports}
model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
{writer}
for step in range(60):
    optimizer.zero_grad()
    loss = model(torch.ones(8, 4)).square().mean() * (float("nan") if step >= 40 else 1.0)
    loss.backward()
    optimizer.step()
    print("step", step, file=sys.stderr)
print("done")
{end}
sys.exit(5)
"""
OWN = (
    "from tb_sonify import SonifyWriter",
    'writer = SonifyWriter("runs/a"); writer.watch(model, optimizer)',
    "writer.close()",
)


@pytest.mark.parametrize("own", [False, True])
def test_what_happens_is_told_beside_the_script(fork_server, tmp_path, own):
    names = ("imports", "writer", "end")
    lines = OWN if own else ("", "", "")
    write(tmp_path / "train.py", BREAKS.format(**dict(zip(names, lines, strict=True))))
    status, output, errors = fork_server.tb_sonify_run(
        *("--watch", "--logdir", "runs/a", "train.py"), directory=tmp_path
    )
    assert (status, output) == (5, "done\n")
    lines = errors.replace("\n  ", " ").splitlines()
    ours = [line[9:] for line in lines if line[2:3] == line[5:6] == ":"]
    assert ours[0] == "runs/a began"
    [told] = [line for line in ours if "NaN at step " in line]
    assert "NaN at step 40, first in 0 and 1 more layer" in told
    assert sum(" PROBLEM NaN " in line for line in ours) == 1  # of norms, or of the loss
    assert ours[-1] == "runs/a ended at step 59"
    assert lines[-1].startswith("tb-sonify run: ")
    rest = [line for line in lines if line[9:] not in ours and not line.startswith("tb-sonify")]
    assert rest == [f"step {step}" for step in range(60)]
