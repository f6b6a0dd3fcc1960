"""The demo, on real digits and in real processes."""

import re
import resource
import signal
import socket
import subprocess
import sys
from itertools import islice
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest

from tb_sonify.cli.demo.training import SETTINGS, digits, train
from tb_sonify.cli.main import main
from tb_sonify.schema.landscape import Surface
from tb_sonify.schema.metadata import SURFACE_TAG
from tb_sonify.schema.records import Rows
from tests.recorded import all_rows, blobs, scalars
from tests.waiting import ending

SHARED = f"{SURFACE_TAG}/shared"
RUNS = {setting.run for setting in SETTINGS}
DEMO = [sys.executable, "-m", "tb_sonify", "demo", "--steps", "2"]


@pytest.mark.training
def test_it_logs_every_step_of_the_five_settings_and_their_landscape(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("tb_sonify.cli.demo.command._CELLS", 3)
    monkeypatch.setattr("tb_sonify.cli.demo.command._IMAGES", 20)
    options = ["--no-serve", "--landscape", "--steps", "3", "--logdir", str(tmp_path / "log")]
    assert main(["demo", *options]) == 0
    assert {run.name for run in (tmp_path / "log").glob("*/")} == RUNS
    for setting in SETTINGS:
        logged = all_rows(tmp_path / "log" / setting.run)
        assert logged.layers == ("conv1", "conv2", "fc1", "fc2")
        assert logged.steps.tolist() == [0, 1, 2]
        assert (logged.norms > 0).all()
        [surface] = map(Surface.decode, blobs(tmp_path / "log" / setting.run, SHARED))
        assert {path.name for path in surface.paths} == RUNS
        assert all(path.steps.tolist() == [0, 1, 2, 3] for path in surface.paths)
    assert len((tmp_path / "log" / "landscape.csv").read_text().splitlines()) == 1 + 9
    said = capsys.readouterr().out
    assert "tensorboard --logdir" in said
    assert "On one plane:\n3 x 3 losses" in said


def test_recorded_runs_are_those_that_it_trains_and_need_no_torch(tmp_path):
    imports = "import sys; sys.modules['torch'] = sys.modules['sklearn'] = None"
    command = f"{imports}; from tb_sonify.cli.main import main; sys.exit(main())"
    options = ["demo", "--recorded", "--no-serve", "--logdir", str(tmp_path)]
    done = subprocess.run([sys.executable, "-c", command, *options], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"tensorboard --logdir {tmp_path}" in done.stdout
    assert {run.name for run in tmp_path.glob("*/")} == RUNS
    for setting in SETTINGS:
        logged = all_rows(tmp_path / setting.run)
        assert logged.layers == ("conv1", "conv2", "fc1", "fc2")
        assert logged.steps.tolist() == list(range(200))
        [surface] = map(Surface.decode, blobs(tmp_path / setting.run, SHARED))
        assert {path.name for path in surface.paths} == RUNS
    # Trained by the code that is here: its first losses are those of a training now.
    losses = train(SETTINGS[0], digits(), tmp_path / "now", steps=3, seed=0)
    recorded = [loss for _, loss in scalars(tmp_path / SETTINGS[0].run, "loss/train")]
    assert recorded[:3] == pytest.approx(losses, rel=1e-4)


def test_recorded_runs_that_a_disk_has_no_room_for_are_told_and_removed(tmp_path, capsys):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        assert main(["demo", "--recorded", "--no-serve", "--logdir", str(tmp_path)]) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert f"cannot write to --logdir {tmp_path}: File too large" in capsys.readouterr().err
    assert not [*tmp_path.iterdir()]


def test_recorded_runs_take_no_options_of_a_training(tmp_path, capsys):
    given = ["--recorded", "--steps", "5", "--landscape", "--logdir", str(tmp_path)]
    assert main(["demo", "--no-serve", *given]) == 2
    assert "--recorded trains nothing, so that it takes no --steps and no --landscape" in (
        capsys.readouterr().err
    )


@pytest.mark.training
def test_the_same_seed_trains_the_same_network(tmp_path):
    def run(name: str, seed: int) -> tuple[list[float], Rows]:
        losses = train(SETTINGS[0], digits(), tmp_path / name, steps=4, seed=seed)
        return losses, all_rows(tmp_path / name / SETTINGS[0].run)

    first, again, other = run("first", 1), run("again", 1), run("other", 2)
    assert first[0] == again[0] != other[0]
    assert first[1].norms.tolist() == again[1].norms.tolist() != other[1].norms.tolist()


@pytest.mark.training
def test_a_second_demo_leaves_the_first_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(3):
        assert main(["demo", "--no-serve", "--steps", "1"]) == 0
    assert {path.name for path in Path("runs").iterdir()} == {"demo", "demo-2", "demo-3"}
    assert all(len(list(run.iterdir())) == 1 for run in Path("runs").glob("*/*"))


def test_a_chosen_directory_is_never_shared_with_an_earlier_demo(tmp_path, capsys):
    (tmp_path / SETTINGS[2].run).mkdir()
    assert main(["demo", "--no-serve", "--logdir", str(tmp_path)]) == 2
    assert "must not hold runs of the demo" in capsys.readouterr().err


def test_batches_are_normalised_and_cover_an_epoch_without_repeats():
    images = digits()
    batches = list(islice(images.batches(256, seed=0), 14))
    first, second = (torch_cat(batches[start : start + 7]) for start in (0, 7))
    assert first.shape == (7 * 256, 1, 28, 28)
    assert len(np.unique(first.reshape(len(first), -1), axis=0)) == len(first)
    assert abs(first.mean()) < 0.01
    assert abs(first.std() - 1) < 0.01
    assert (first != second).any()


def torch_cat(batches):
    return np.concatenate([pixels.numpy() for pixels, _ in batches])


@pytest.mark.server
def test_it_serves_the_sonify_tab_until_interrupted(tmp_path):
    with socket.create_server(("localhost", 0)) as taken:
        port = taken.getsockname()[1]
    command = [*DEMO, "--logdir", str(tmp_path), "--port", str(port)]
    with ending(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) as demo:
        line = next(line for line in demo.stdout if line.startswith("Open "))
        url = re.fullmatch(r"Open (http://localhost:\d+/)#sonify\n", line).group(1)
        assert url == f"http://localhost:{port}/"
        with urlopen(f"{url}data/plugins_listing") as response:
            assert b'"sonify"' in response.read()
        demo.send_signal(signal.SIGINT)
        assert demo.wait(timeout=60) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--port", "{taken}"), "already in use; choose another --port"),
        (("--port", "99999"), "must be from 0 to 65535"),
        (("--host", "nowhere.invalid"), "cannot serve on --host nowhere.invalid"),
        (("--logdir", "{file}/log"), "cannot write to --logdir"),
    ],
)
def test_what_would_end_the_demo_is_told_before_the_training(tmp_path, capsys, options, message):
    (tmp_path / "file").touch()
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        given = [option.format(file=tmp_path / "file", taken=taken) for option in options]
        assert main(["demo", "--logdir", str(tmp_path / "log"), *given]) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert "Training" not in said.out
