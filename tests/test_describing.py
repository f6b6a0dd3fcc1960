"""`tb-sonify describe`: what happened in a run, in words."""

import json
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from tensorboard.compat.proto.event_pb2 import Event
from torch.utils.tensorboard import SummaryWriter

from tb_sonify import SonifyWriter
from tb_sonify.reading.logdir import chosen_runs, open_logdir
from tests.commands import tb_sonify
from tests.commands import tb_sonify_here as command
from tests.logged import logged_run
from tests.logs import write_events


@pytest.fixture(scope="module")
def logdir(tmp_path_factory):
    """A calm run, one that turns NaN in its second layer at step 60, and one without norms."""
    logdir = tmp_path_factory.mktemp("logs")
    logged_run(logdir / "calm", steps=120, losses=np.linspace(2.0, 0.5, 120))

    def broken(norms):
        norms[60:, 1] = np.nan

    logged_run(logdir / "broken", steps=120, change=broken)
    with SummaryWriter(str(logdir / "plain")) as writer:
        for step in range(10):
            writer.add_scalar("accuracy", step / 10, step)
    return logdir


@pytest.fixture
def copied(logdir, tmp_path):
    """The same log directory, for a test that changes it."""
    return shutil.copytree(logdir, tmp_path / "logs")


def test_every_run_is_described_in_words(logdir):
    result = tb_sonify("describe", logdir)
    assert result.returncode == 0
    table, broken, plain, calm = result.stdout.split("\n\n")
    assert [line.split()[0] for line in table.splitlines()] == ["run", "broken", "plain", "calm"]
    assert table.splitlines()[1].endswith("nan at 60")
    assert calm.splitlines()[:3] == [
        "calm",
        "  steps 0 to 119, ended",
        "  loss/train: starts at 2, minimum 0.5 at step 119, maximum 2 at step 0, ends at 0.5, "
        "still falling",
    ]
    assert "no landmarks" in calm
    assert "  step 60: NaN, first in middle" in broken
    assert broken.count(", end at ") == 2
    assert broken.count(", end without a finite one") == 1
    assert "accuracy: starts at 0, best 0.9 at step 9, ends at 0.9" in plain
    assert "no gradient norms were logged" in plain


def test_programs_get_the_same_as_json(logdir):
    (run,) = json.loads(command("describe", logdir, "--run", "broken", "--json").stdout)["runs"]
    assert (run["first_step"], run["last_step"]) == (0, 119)
    assert {"nan"} <= {landmark["kind"] for landmark in run["landmarks"]}
    assert [stream["name"] for stream in run["streams"]] == ["early", "middle", "late"]


@pytest.mark.parametrize("run", ["nowhere", "cal"])
def test_a_run_that_is_not_there_is_named_with_those_that_are(logdir, run):
    result = command("describe", logdir, "--run", run)
    assert result.returncode == 2
    assert f"no run '{run}'; there are: broken, calm, plain" in result.stderr


def test_an_empty_directory_says_what_a_run_is(tmp_path):
    result = command("describe", tmp_path)
    assert result.returncode == 2
    assert "a run is a directory with event files" in result.stderr


def write(directory, scalars):
    """A run with these values of each scalar, from step 0 on."""
    with SummaryWriter(str(directory)) as writer:
        for tag, values in scalars.items():
            for step, value in enumerate(values):
                writer.add_scalar(tag, value, step)


def test_what_is_not_finite_is_told_with_its_first_step(tmp_path):
    write(tmp_path / "run", {"loss": [2.0, 1.0, float("nan"), 4e16, float("inf")]})
    text = command("describe", tmp_path).stdout
    assert (
        "  loss: starts at 2, minimum 1 at step 1, maximum 4e+16 at step 3, infinity since step 4; "
        "2 points not finite, the first at 2"
    ) in text
    assert "run\n  steps 0 to 4, still growing\n" in text


def test_a_run_that_is_lost_says_since_when_and_comes_first(tmp_path):
    def lost_from(point, *, points=40):
        return [0.5] * point + [float("nan")] * (points - point)

    write(tmp_path / "a", {"loss": lost_from(40)})
    write(tmp_path / "b", {"loss": lost_from(30)})
    write(tmp_path / "c", {"loss": lost_from(0)})
    table, *texts = command("describe", tmp_path).stdout.split("\n\n")
    assert "ends at" not in "".join(texts[:2]) + "".join(table.splitlines()[:3])
    assert [text.split()[0] for text in texts] == ["c", "b", "a"]
    assert "loss best 0.5, NaN since step 30" in table
    assert "loss NaN since step 0" in table
    assert "minimum 0.5 at step 0, maximum 0.5 at step 0, NaN since step 30\n" in texts[1]
    runs = json.loads(command("describe", tmp_path, "--json").stdout)["runs"]
    assert [run["loss"]["lost_since"] for run in runs] == [0, 30, None]


def test_a_run_that_nobody_closed_says_how_long_ago_it_was_written(tmp_path):
    event = Event(wall_time=time.time() - 4.5 * 60, step=7)
    event.summary.value.add(tag="loss", simple_value=1.0)
    write_events(tmp_path / "run", [event])
    text = command("describe", tmp_path).stdout
    assert "\n  steps 7 to 7, last written 4 minutes ago\n" in text


def test_a_step_is_described_with_what_is_near(logdir):
    done = command("describe", logdir, "--at", "70")
    assert done.returncode == 0
    broken, plain, calm = done.stdout.split("\n\n")
    lines = broken.splitlines()
    assert lines[0] == "broken at step 70"
    assert lines[1].startswith("  gradient norms: early 0.")
    assert ", middle NaN, late 0." in lines[1]
    assert lines[2].startswith("  largest layers: middle NaN, ")
    assert lines[3] == "  10 steps earlier, at step 60: NaN, first in middle"
    assert plain.splitlines()[:2] == ["plain at step 9, the nearest to 70", "  accuracy 0.9"]
    assert calm.splitlines()[1] == "  loss/train 1.118"
    assert calm.splitlines()[-1] == "  no landmarks"
    found = json.loads(command("describe", logdir, "--at=70", "--run=broken", "--json").stdout)
    [moment] = found["moments"]
    assert moment["layers"][0] == ["middle", "NaN"]
    assert moment["landmarks"][0]["step"] == 60


def test_norms_are_told_by_their_range_with_the_step_of_the_peak(tmp_path):
    def spike(norms):
        norms[60, 1] = 400

    logged_run(tmp_path / "run", steps=120, change=spike)
    text = command("describe", tmp_path).stdout
    assert "norms of the middle layers (middle): start at " in text
    assert " to 400 (step 60), end at " in text


def test_clocks_and_constants_are_one_line_and_none_is_cut_off_in_silence(tmp_path):
    metrics = {f"metric_{number:02}": [0.0, 1.0] for number in range(30)}
    clocks = {"lr": [0.1, 0.01], "train_runtime": [998.0], "gamma": [0.99, 0.99]}
    write(tmp_path / "run", {"train/loss": [2.0, 1.0], **clocks, **metrics})
    lines = command("describe", tmp_path).stdout.splitlines()
    assert len(lines) <= 25
    assert lines[2].startswith("  train/loss: ")
    (also,) = [line for line in lines if line.startswith("  also: ")]
    assert "which --all describes" in also
    every = command("describe", tmp_path, "--all").stdout
    assert all(f"  {tag}: starts at " in every for tag in [*metrics, *clocks, "train/loss"])
    (run,) = json.loads(command("describe", tmp_path, "--json").stdout)["runs"]
    assert len(run["scalars"]) == len(metrics) + len(clocks)


def test_a_total_norm_alone_is_named(tmp_path):
    write(tmp_path / "run", {"train/loss": [2.0, 1.0], "train/grad_norm": [1.0, 2.0]})
    text = command("describe", tmp_path).stdout
    assert "no gradient norms were logged by layer, only train/grad_norm" in text


def test_a_reader_that_closes_the_pipe_sees_no_traceback(logdir):
    describe = subprocess.Popen(
        [sys.executable, "-m", "tb_sonify", "describe", logdir, "--all"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    describe.stdout.close()
    assert describe.stderr.read() == b""
    describe.stderr.close()
    assert describe.wait(timeout=60) == 141  # as of a program that SIGPIPE ends


def test_links_to_the_same_directory_are_one_run(copied):
    (copied / "again").symlink_to(copied / "calm", target_is_directory=True)
    runs = json.loads(command("describe", copied, "--json").stdout)["runs"]
    assert [run["run"] for run in runs] == ["broken", "plain", "again"]


def test_links_that_lead_back_make_no_further_runs(copied):
    for name in ("calm", "broken"):  # followed, two of them would make 2 ** 40 directories
        (copied / name / "up").symlink_to(copied, target_is_directory=True)
        (copied / name / "self").symlink_to(copied / name, target_is_directory=True)
    (copied / "zz").symlink_to(copied / "calm", target_is_directory=True)
    store, scope = open_logdir(copied)
    assert chosen_runs(store, scope, copied, None) == ["broken", "calm", "plain"]
    assert chosen_runs(store, scope, copied, "zz") == ["calm"]
    with pytest.raises(LookupError, match="no run 'nobody'; there are: broken, calm, plain"):
        chosen_runs(store, scope, copied, "nobody")


def test_of_many_runs_only_those_that_are_named_are_read(copied):
    shutil.copytree(copied / "plain", copied / "pair" / "train")
    shutil.copytree(copied / "plain", copied / "pair" / "validation")
    for named, read in (
        (["calm"], ["calm"]),
        (["calm", "plain"], ["calm", "plain"]),
        (["pair/train"], ["pair/train", "pair/validation"]),
        (["calm", "nobody"], ["broken", "calm", "pair/train", "pair/validation", "plain"]),
    ):
        store, scope = open_logdir(copied, runs=named)
        assert chosen_runs(store, scope, copied, None) == read


def test_a_run_whose_loss_is_lost_is_told_as_one_story(tmp_path):
    rng = np.random.default_rng(0)
    with SonifyWriter(tmp_path / "run", presets=()) as writer:
        for step in range(600):
            grown, lost = 1.02 ** max(step - 250, 0), 1.1 ** max(step - 550, 0)
            noise = np.exp(0.1 * rng.standard_normal((3, 4)))
            for quantity, size in (("gradient", lost), ("update", 0.1 * grown), ("weight", 9.0)):
                norms = dict(zip("abcd", size * noise[0], strict=True))
                writer.add_norms(norms, step, quantity=quantity)
            writer.add_scalar("loss/train", 1.8 * lost + 0.05 * noise[1, 0], step)
    lines = [line.strip() for line in command("describe", tmp_path).stdout.splitlines()]
    landmarks = [line for line in lines if line.startswith("step ")]
    assert 2 <= len(landmarks) <= 4, landmarks
    assert landmarks[0].startswith("step 3")
    assert "update grows, " in landmarks[0]
    [lost] = [line for line in landmarks if "loss/train leaves its floor, " in line]
    assert " for good; updates from step 3" in lost


def test_two_runs_are_compared_and_a_landmark_can_fail(tmp_path):
    random = np.random.default_rng(0)
    common = 2.0 * np.exp(-np.arange(300) / 200)
    for name, factor in (("one", 1.0), ("same", 1.0), ("other", 1.5)):
        losses = common * np.exp(random.normal(0, 0.01, 300))
        losses[150:] *= factor
        logged_run(tmp_path / name, steps=300, losses=losses)
    done = command("describe", tmp_path, "--compare", "one", "other")
    assert (done.returncode, done.stderr) == (0, "")
    last = done.stdout.splitlines()[-1]
    step = int(last.removeprefix("other from step ").partition(" ")[0])
    assert abs(step - 150) <= 15
    assert "loss/train of the two runs parts, +" in last
    assert last.endswith(", against one")
    found = json.loads(command("describe", tmp_path, "--compare", "one", "other", "--json").stdout)
    assert (found["parting"]["kind"], found["parting"]["step"]) == ("parting", step)
    same = command("describe", tmp_path, "--compare", "one", "same").stdout
    assert "one and same do not part for good in loss/train: they end at 0.4" in same


def test_small_numbers_are_read_right_aloud(tmp_path):
    write(tmp_path / "lr=1e-05", {"loss": [1.0, 2.5e-7], "accuracy": [-3e-12, 0.5]})
    text = command("describe", tmp_path).stdout
    assert text.startswith("lr=1e-05\n")
    assert "minimum 2.5e minus 7 at step 1" in text
    assert "starts at -3e minus 12" in text
    assert "loss 2.5e minus 7\n" in command("describe", tmp_path, "--at", "1").stdout


def test_what_cannot_be_compared_is_said(tmp_path):
    write(tmp_path / "a", {"loss": [1.0] * 5})
    write(tmp_path / "b", {"loss": [1.0] * 9})
    write(tmp_path / "c", {"accuracy": [1.0] * 5})
    few = command("describe", tmp_path, "--compare", "a", "b").stdout
    assert few.endswith("a and b have 5 steps of loss in common, too few to compare\n")
    none = command("describe", tmp_path, "--compare", "a", "c").stdout
    assert none.endswith("a and c have no scalar in common\n")


def test_the_exit_status_tells_of_landmarks_that_one_asks_for(logdir):
    assert command("describe", logdir, "--fail-on", "nan,divergence").returncode == 3
    assert command("describe", logdir, "--run", "calm", "--fail-on", "nan").returncode == 0
    assert command("describe", logdir, "--fail-on", "").returncode == 2
    assert "there are none" in command("describe", logdir, "--pairs", "").stderr
    done = command("describe", logdir, "--fail-on", "nan,boom")
    assert done.returncode == 2
    assert "--fail-on takes nan, inf" in done.stderr
    assert "got boom" in done.stderr
