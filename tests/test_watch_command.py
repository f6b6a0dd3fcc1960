"""`tb-sonify watch`: what is told of runs while they are written, and how it ends."""

import json
import os
import pty
import re
import shutil
import signal
import stat
import subprocess
import sys
import termios
import time
import wave
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from torch.utils.tensorboard import SummaryWriter

from tb_sonify import SonifyWriter
from tb_sonify.cli import player
from tb_sonify.cli.main import defaults_of
from tb_sonify.cli.watch import actions as actions_module
from tb_sonify.cli.watch.actions import Actions
from tb_sonify.cli.watch.command import _describe
from tb_sonify.cli.watch.follow import GrowingLogdir
from tb_sonify.cli.watch.logdir_watch import LogdirWatch
from tb_sonify.cli.watch.printer import Printer
from tb_sonify.sound import encode_wav
from tests.commands import tb_sonify_here
from tests.logs import scalar_events, write_events
from tests.test_monitor import eventful
from tests.test_monitor import losses as falling
from tests.waiting import WAIT_SECONDS, wait_until

LAYERS = ("conv1", "conv2", "fc")


class Watching:
    """A watch of a directory that looks when it is asked, and what it has printed."""

    def __init__(self, directory, capsys, *arguments):
        options = defaults_of("watch", str(directory), *arguments)
        self.printer = Printer(as_json=options.json)
        self.actions = Actions(
            sound=options.sound, bell=options.bell, command=options.exec, say=self.printer.remark
        )
        self.logdir = GrowingLogdir(options.logdir)
        self.watch = LogdirWatch(options, self.printer, self.actions, self.logdir)
        self._capsys, self._is_json = capsys, options.json

    def look(self):
        """What is printed of what is new, without the time of day."""
        self.logdir._next_walk = 0.0  # where it would wait for a second
        self.status = self.watch.look()
        self.actions.go_on()
        text = self._capsys.readouterr().out
        assert self._is_json or all(len(line) <= 80 for line in text.splitlines())
        lines = text.replace("\n  ", " ").splitlines()
        return [line[9:] if line[2:3] == ":" else line for line in lines]


@pytest.fixture
def watching(tmp_path, capsys):
    with ExitStack() as stack:

        def start(*arguments, directory=tmp_path):
            found = Watching(directory, capsys, *arguments)
            stack.enter_context(found.actions)
            return found

        yield start


def norms(step, value=None, layers=()):
    """Calm norms, which are another number in some layers."""
    random = np.random.default_rng(step)
    found = dict(zip(LAYERS, np.exp(random.normal(0, 0.05, 3)).tolist(), strict=True))
    return found | dict.fromkeys(layers, value)


def write(writer, steps, *, value=None, layers=(), loss=0.5):
    for step in steps:
        writer.add_norms(norms(step, value, layers), step)
        writer.add_scalar("loss", loss, step)
    writer.flush()


def test_a_run_that_breaks_is_told_once_with_step_layer_and_loss(tmp_path, watching):
    watch = watching()
    assert watch.look() == []
    with SonifyWriter(str(tmp_path / "live1")) as writer:
        write(writer, range(20))
        assert watch.look() == ["live1 began, step 19, loss 0.5"]
        write(writer, range(20, 30))
        assert watch.look() == []
        write(writer, range(30, 40), value=float("nan"), layers=("conv2", "fc"))
        expected = (
            "live1 PROBLEM NaN at step 30, first in conv2 and 1 more layer; loss was 0.5 at 29"
        )
        assert watch.look() == [expected]
        write(writer, range(40, 50), value=float("nan"), layers=LAYERS, loss=float("nan"))
        assert watch.look() == ["live1 NaN in loss, step 40; loss was 0.5 at 39"]
        write(writer, range(50, 60), value=float("inf"), layers=LAYERS, loss=float("nan"))
        [line] = watch.look()
        assert line.startswith("live1 PROBLEM infinity at step 50, first in conv1 and 2 more")
        watch.watch.say_all()
        assert watch.look() == [
            "live1 PROBLEM step 59, loss 0.5, NaN since step 30, infinity since step 50"
        ]
    assert watch.look() == ["live1 ended at step 59"]
    assert watch.look() == []
    assert watch.status is None


def test_a_run_that_breaks_before_it_is_looked_at_is_news_unless_it_was_there(tmp_path, watching):
    log = tmp_path / "log"
    logdir = tmp_path / "runs"
    is_on_standard_error = "test /dev/fd/1 -ef /dev/fd/2"  # what a command prints
    text = "$TB_SONIFY_RUN $TB_SONIFY_KIND $TB_SONIFY_STEP"
    shell = f'{is_on_standard_error} && echo "{text}" >> {log}'
    write_events(logdir / "old", scalar_events("loss", [(4, 0.5), (5, np.nan)]))
    none = watching("--run", "nope", directory=logdir)
    assert none.look() == ["no run matches 'nope' yet; there are old"]
    watch = watching("--json", "--exec", shell, "--every", "0.001s", directory=logdir)
    [state] = map(json.loads, watch.look())
    assert (state["kind"], state["level"]) == ("state", "PROBLEM")
    for name in ("new", "newer"):
        write_events(logdir / name, scalar_events("loss", [(4, 0.5), (5, np.nan)]))
    lines = [json.loads(line) for line in watch.look()]
    told = ["began", "began", "nan", "nan"]
    assert [(each["kind"], each["step"]) for each in lines] == [(kind, 5) for kind in told]
    wait_until(lambda: (watch.look(), log.exists() and len(log.read_text()) == 22)[1], "commands")
    assert sorted(log.read_text().splitlines()) == ["new nan 5", "newer nan 5"]


def test_a_loss_that_leaves_its_floor_and_a_layer_that_jumps_are_told(tmp_path, watching):
    watch = watching()
    random = np.random.default_rng(0)
    with SonifyWriter(str(tmp_path / "run")) as writer:
        writer.add_scalar("loss", 2.0, 0)
        writer.flush()
        assert watch.look() == ["run step 0, loss 2"]
        for step in range(300):
            writer.add_norms(norms(step, 400.0, ("fc",)) if step == 250 else norms(step), step)
            level = 0.5 if step < 280 else 0.5 * 1.4 ** (step - 280)
            writer.add_scalar("loss", level * np.exp(random.normal(0, 0.02)), step + 1)
        writer.flush()
        text = " ".join(watch.look())
    assert "WARNING gradient of fc" in text
    assert "step 250" in text
    assert "PROBLEM loss leaves its floor" in text
    assert text.count("PROBLEM") == 1


def test_a_run_that_overfits_is_told_once_and_can_be_waited_for(tmp_path, watching):
    watch = watching("--until", "overfitting")
    with SummaryWriter(str(tmp_path / "run")) as writer:
        told = []
        for step in range(200):
            writer.add_scalar("train/loss", 0.98**step, step)
            writer.add_scalar("val/loss", 1 + (step - 60) ** 2 / 1e4, step)
            if step % 10 == 0:
                writer.flush()
                told += watch.look()
                assert (watch.status == 3) == (len(told) == 2)
    [began, text] = told
    assert began.startswith("run step 0")
    assert text.startswith("run WARNING overfitting from step 60, val/loss 1 to 1.")
    assert "while train/loss goes on falling, 0.298 to 0." in text
    watch.watch.say_all()
    [state] = watch.look()
    assert state.endswith(", overfitting since step 60")


def test_pairs_of_neighbouring_runs_and_of_the_user_are_told(tmp_path, watching):
    watch = watching("--pairs", "err/a:err/b")
    steps = np.arange(100)
    training, validation = 0.98**steps, 1 + (steps - 30) ** 2 / 1e3
    tags = {
        "keras/train": {"epoch_loss": training},
        "keras/validation": {"epoch_loss": validation, "lr": training},
        "own": {"err/a": training, "err/b": validation},
        "one": {"loss": training, "val_loss": validation, "test_loss": validation},
    }
    told = []
    for part in (slice(0, 10), slice(10, 100)):
        for run, scalars in tags.items():
            for tag, values in scalars.items():
                points = zip(steps[part].tolist(), values[part].tolist(), strict=True)
                write_events(tmp_path / run, scalar_events(tag, points))
        told = watch.look()
    assert len(told) == 3  # none of them is a divergence
    for line, run in zip(sorted(told), ("keras/validation", "one", "own"), strict=True):
        assert line.startswith(f"{run} WARNING overfitting from step 30, ")
    with pytest.raises(SystemExit):
        watching("--pairs", "err/a")


def test_what_a_script_does_is_a_note_that_is_no_alarm(tmp_path, watching):
    watch = watching("--until", "first-failure")
    with SummaryWriter(str(tmp_path / "run")) as writer:
        for step in range(20):
            if step in (5, 19):
                watch.look()
            writer.add_scalar("lr", 0.1 if step < 10 else 0.01, step)
            writer.flush()
        lines = watch.look()
    assert lines == []  # it was told when it was written
    assert [each.kind for each in watch.printer._said] == ["schedule"]
    [said] = watch.printer._said
    assert (said.level, said.step) == ("NOTE", 10)
    assert said.text == "learning rate cut to a tenth, 0.1 to 0.01, step 10"
    assert watch.status is None


def test_runs_that_come_later_resume_stall_and_go(tmp_path, watching):
    logdir = tmp_path / "later"
    watch = watching("--stall", "30s", directory=logdir)
    assert watch.look() == []
    run = logdir / "a"
    with SonifyWriter(str(run)):
        pass
    assert watch.look() == ["a began"]
    with SonifyWriter(str(run)) as writer:
        write(writer, range(10))
    assert watch.look() == ["a ended at step 9"]
    with SonifyWriter(str(run), purge_step=5) as writer:
        write(writer, range(5, 8))
        assert watch.look() == ["a resumed at step 5"]
        for file in run.iterdir():
            os.utime(file, (time.time() - 40,) * 2)
        assert watch.look() == ["a WARNING nothing written for 30 seconds, last step 9"]
        assert watch.look() == []
        write(writer, range(8, 12))
        assert watch.look() == ["a writes again, step 11"]
    watch.look()
    shutil.rmtree(run)
    assert watch.look() == ["a WARNING is gone, last step 11"]


def test_an_incomplete_record_waits_for_its_rest_and_a_damaged_one_ends_the_file(
    tmp_path, watching, caplog
):
    with SonifyWriter(str(tmp_path / "whole")) as writer:
        write(writer, range(10))
        writer.add_scalar("loss", float("nan"), 10)
    data = next((tmp_path / "whole").iterdir()).read_bytes()
    growing = tmp_path / "parts" / "events.out.tfevents.1.host"
    growing.parent.mkdir()
    watch = watching("--run", "parts")
    told = []
    for start in range(0, len(data), 997):
        with growing.open("ab") as file:
            file.write(data[start : start + 997])
        told += watch.look()
    text = " ".join(told)
    assert text.count("NaN in loss, step 10; loss was 0.5 at 9") == 1
    assert text.endswith("parts ended at step 10")
    with growing.open("ab") as file:
        file.write(bytes(100))
    assert watch.look() == []
    assert "is damaged" in caplog.text


def test_a_directory_that_is_a_run_gives_it_its_name(tmp_path, watching):
    write_events(tmp_path / "adam", scalar_events("loss", [(4, 0.5)]))
    watch = watching(directory=tmp_path / "adam")
    assert watch.look() == ["adam step 4, loss 0.5"]
    write_events(tmp_path / "adam", scalar_events("loss", [(5, np.nan)]))
    assert watch.look() == ["adam PROBLEM NaN in loss, step 5; loss was 0.5 at 4"]
    _describe(watch.watch, tmp_path / "adam")
    text = " ".join(watch.look())
    assert text.startswith("(the log directory itself) steps 4 to 5, ")
    assert "NaN since step 5" in text


def test_what_others_write_is_followed_too(tmp_path, watching):
    watch = watching()
    with SummaryWriter(str(tmp_path / "theirs")) as writer:
        for step in range(20):
            writer.add_scalar("train/loss", 1.0, step, new_style=step % 2 == 0)
        writer.add_text("notes", "none", 0)
        writer.flush()
        assert watch.look() == ["theirs step 19, train/loss 1"]
        writer.add_scalar("train/loss", float("inf"), 20)
        writer.flush()
        [line] = watch.look()
    assert line.startswith("theirs PROBLEM infinity in train/loss, step 20; train/loss was 1")


def test_a_run_of_others_that_is_resumed_can_fail_again(tmp_path, watching):
    watch = watching("--every", "1h")
    nan = float("nan")

    def log(first, losses):
        with SummaryWriter(str(tmp_path / "theirs"), filename_suffix=f".{first}") as writer:
            for step, loss in enumerate(losses, start=first):
                writer.add_scalar("loss", loss, step)
                writer.add_scalar("val/loss", 1.0, step)

    log(100, [1.0, 0.5, nan])
    assert watch.look() == ["theirs PROBLEM step 102, loss 0.5, NaN since step 102"]
    log(101, [0.5, 0.4])
    assert watch.look() == ["theirs resumed at step 101"]
    log(103, [0.4, nan])
    assert watch.look() == ["theirs PROBLEM NaN in loss, step 104; loss was 0.4 at 103"]
    log(105, [0.3])
    assert watch.look() == []
    watch.watch.say_all()
    assert watch.look() == ["theirs PROBLEM step 105, loss 0.3, NaN at step 104"]


@pytest.fixture
def clock(monkeypatch):
    """Adds to what both clocks of the machine say."""

    class Clock:
        monotonic = wall = 0.0

    real = {"monotonic": time.monotonic, "time": time.time}
    monkeypatch.setattr(time, "monotonic", lambda: real["monotonic"]() + Clock.monotonic)
    monkeypatch.setattr(time, "time", lambda: real["time"]() + Clock.wall)
    return Clock


def test_a_clock_that_jumps_and_a_sleep_are_no_stall_and_bursts_are_one(tmp_path, watching, clock):
    path = tmp_path / "run" / "events.out.tfevents.1.host"
    other = tmp_path / "elsewhere"
    with SummaryWriter(str(other)) as writer:
        for step in range(9):
            writer.add_scalar("loss", 1.0, step)
    data = next(other.iterdir()).read_bytes()
    shutil.rmtree(other)
    path.parent.mkdir()
    path.write_bytes(data[:-300])
    watch = watching("--stall", "30s", "--every", "24h")
    assert watch.look() == ["run step 0, loss 1"]
    for jump in (86_400.0, -86_400.0):  # or the machine slept, which `monotonic` does not count
        clock.wall += jump
        assert watch.look() == []

    def grow(piece):
        with path.open("ab") as file:
            file.write(piece)
        os.utime(path, (0, 0))  # by the clock of another machine

    grow(data[-300:-200])
    assert watch.look() == []
    clock.monotonic += 120
    [line] = watch.look()
    assert line.startswith("run WARNING nothing written for 30 seconds, last step ")
    grow(data[-200:-100])
    [line] = watch.look()
    assert line.startswith("run writes again, step ")
    clock.monotonic += 130
    assert watch.look() == []
    grow(data[-100:-50])
    assert watch.look() == []
    clock.monotonic += 300
    [line] = watch.look()
    assert line.startswith("run WARNING nothing written for 260 seconds, last step ")
    path.write_bytes(data[:200])  # written anew
    assert watch.look() == ["run resumed at step 0"]


def test_runs_that_are_renamed_and_a_directory_that_goes(tmp_path, watching):
    logdir = tmp_path / "logs"
    watch = watching("--every", "1h", directory=logdir)
    write_events(logdir / "a", scalar_events("loss", [(4, 0.5)]))
    assert watch.look() == ["a step 4, loss 0.5"]
    (logdir / "a").rename(logdir / "b")
    assert watch.look() == ["a WARNING is gone, last step 4", "b began, step 4, loss 0.5"]
    write_events(logdir / "b", scalar_events("loss", [(5, np.nan)]))
    assert watch.look() == ["b PROBLEM NaN in loss, step 5; loss was 0.5 at 4"]
    logdir.rename(tmp_path / "away")
    assert watch.look() == ["b WARNING is gone, last step 5"]
    (tmp_path / "away").rename(logdir)
    assert watch.look() == ["b PROBLEM step 5, loss 0.5, NaN since step 5"]


def test_of_200_runs_the_worst_are_told_and_the_others_counted(tmp_path, watching, clock):
    watch = watching("--every", "60s")
    losses = [1.0, 0.5]
    for number in range(200):
        values = [*losses, np.nan] if number == 150 else losses
        events = scalar_events("loss", enumerate(values))
        write_events(tmp_path / f"run{number:03}", events)
    lines = watch.look()
    assert lines[0] == "run150 PROBLEM step 2, loss 0.5, NaN since step 2"
    assert len(lines) == 21
    assert lines[-1] == "and 180 more runs: Enter tells all"
    for number in range(200):
        write_events(tmp_path / f"run{number:03}", scalar_events("loss", [(3, 0.4)]))
    clock.monotonic += 60
    lines = watch.look()
    assert len(lines) == 21
    assert lines[-1] == "and 180 more runs go on"
    watch.watch.say_all()
    assert len(watch.look()) == 200


@pytest.mark.parametrize(
    ("until", "ends", "value", "status"),
    [
        ("end", True, 1.0, 0),
        ("end", True, float("nan"), 3),
        ("nan", False, float("nan"), 3),
        ("first-failure", False, float("inf"), 3),
        ("divergence", True, 1.0, 0),
        ("end", False, 1.0, 4),
    ],
)
def test_the_exit_status_says_how_it_ended(tmp_path, until, ends, value, status):
    writer = SonifyWriter(str(tmp_path / "run"))
    write(writer, range(5))
    write(writer, range(5, 8), value=value, layers=("fc",))
    if ends:
        writer.close()
    else:
        for file in (tmp_path / "run").iterdir():
            os.utime(file, (time.time() - 100,) * 2)
    done = tb_sonify_here("watch", tmp_path, "--until", until)
    writer.close()
    assert (done.returncode, done.stderr) == (status, "")
    assert done.stdout.count("run ") == 1


def test_a_line_is_text_of_at_most_the_width(tmp_path, watching, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "40")
    name = "b\x1b[31mold " + "long" * 20
    watch = watching()
    with SonifyWriter(str(tmp_path / name)) as writer:
        write(writer, range(5))
        watch.look()
        write(writer, range(5, 8), value=float("nan"), layers=("fc",))
        watch.watch.look()
        text = capsys.readouterr().out
    assert all(len(line) <= 40 and line.isprintable() for line in text.splitlines())
    assert "NaN at step 5" in " ".join(text.split())


def every_kind_of_line(logdir, watching, clock):
    """What is told of a run to which everything happens."""
    watch = watching("--every", "1s", "--stall", "30s", directory=logdir)
    lines = watch.look()
    norms, losses = (np.nan_to_num(each, nan=1.0, posinf=1.0) for each in (eventful(), falling()))
    norms = np.abs(norms)
    norms[880:, 2], norms[890:, 3] = np.nan, np.inf
    names = [f"blocks.{number}.q_proj" for number in range(norms.shape[1])]
    run = logdir / "lr-1e-05_seed1"
    with SonifyWriter(str(run)) as writer:
        writer.flush()
        lines += watch.look()
        for step, row in enumerate(norms):
            writer.add_norms(dict(zip(names, row.tolist(), strict=True)), step)
            updates = dict(zip(names, (0.001 * np.abs(row)).tolist(), strict=True))
            writer.add_norms(updates, step, quantity="update")
            writer.add_scalar("train/loss", 1e-5 * losses[max(step - 200, 0)], step)
            if step % 50 == 49:
                writer.flush()
                clock.monotonic += 1
                lines += watch.look()
    clock.monotonic += 2
    lines += watch.look()
    with SonifyWriter(str(run), purge_step=5) as writer:
        write(writer, range(5, 8), value=float("nan"), layers=("fc",))
        lines += watch.look()
        clock.monotonic += 100
        lines += watch.look()
        write(writer, range(8, 12))
        lines += watch.look()
    shutil.rmtree(run)
    lines += watch.look()
    watch.watch.say_all()
    watch.printer.again(1)
    watch.printer.remark(watch.actions.toggle_sound())
    return lines + watch.look()


def test_every_kind_of_line_reads_well_aloud(tmp_path, watching, clock):
    lines = every_kind_of_line(tmp_path / "logs", watching, clock)
    text = "\n".join(lines)
    for words in (
        *("began", "NaN at step", "infinity at step", "its usual size", "outgrows", "grows, "),
        *("leaves its floor", "steps a second", "since step", "ended at", "resumed at"),
        *("nothing written for", "writes again", "is gone", "no runs yet", "nothing later"),
    ):
        assert words in text, words
    assert re.search(r"loss was \d\S+e minus \d+ at ", text)
    assert set(re.findall(r"[^A-Za-z0-9 \n]", text)) <= set(",.;:/-_")
    espeak = shutil.which("espeak-ng")
    if espeak is None:  # it is no dependency; continuous integration has it
        return
    path = tmp_path / "spoken.wav"
    command = [espeak, "-x", "-w", str(path), text]
    spoken = subprocess.run(command, capture_output=True, text=True, check=True)
    assert spoken.stderr == ""
    assert "m'aIn@s" in spoken.stdout
    with wave.open(str(path)) as sound:
        assert sound.getnframes() > sound.getframerate() * len(lines)  # a second a line, and more


def test_as_json_there_is_an_object_a_line(tmp_path, watching):
    watch = watching("--json")
    with SonifyWriter(str(tmp_path / "a")) as writer:
        write(writer, range(5))
        watch.look()
        write(writer, range(5, 8), value=float("nan"), layers=("fc",))
        [found] = map(json.loads, watch.look())
    assert found.pop("time") == pytest.approx(time.time(), abs=60)
    assert found == {
        "run": "a",
        "level": "PROBLEM",
        "kind": "nan",
        "step": 5,
        "layer": "fc",
        "text": "NaN at step 5, first in fc; loss was 0.5 at 4",
    }


def test_a_command_gets_what_happened_and_is_ended_when_it_hangs(tmp_path, watching, monkeypatch):
    log = tmp_path / "log"
    shell = f'echo "$TB_SONIFY_RUN $TB_SONIFY_KIND $TB_SONIFY_STEP" >> {log}; exit 7'
    watch = watching("--exec", shell, directory=tmp_path / "runs")
    said = []
    with SonifyWriter(str(tmp_path / "runs" / "a")) as writer:
        write(writer, range(5))
        watch.look()
        write(writer, range(5, 8), value=float("nan"), layers=("fc",))
        wait_until(lambda: said.extend(watch.look()) or "status 7" in str(said), "the command")
    assert log.read_text() == "a nan 5\n"
    log.write_text("")
    for number in range(20):  # more than run at once
        write_events(tmp_path / "runs" / f"b{number}", scalar_events("loss", [(4, 0.5)]))
    watch.look()
    for number in range(20):
        write_events(tmp_path / "runs" / f"b{number}", scalar_events("loss", [(5, np.nan)]))
    wait_until(lambda: (watch.look(), log.read_text().count(" nan 5\n") == 20)[1], "all commands")

    monkeypatch.setattr(actions_module, "_COMMAND_SECONDS", 0.0)
    hanging = watching("--exec", f"echo $$ > {log}; sleep 1000", directory=tmp_path / "runs")
    hanging.look()
    with SonifyWriter(str(tmp_path / "runs" / "b")) as writer:
        write(writer, range(5), value=float("nan"), layers=("fc",))
        hanging.look()
        with SonifyWriter(str(tmp_path / "runs" / "a"), purge_step=2) as again:
            write(again, range(2, 4), value=float("nan"), layers=("fc",))
            wait_until(lambda: "was ended after" in str(hanging.look()), "the end of the command")


def fake_player(directory, script):
    """A program that is found as a player of sounds."""
    path = directory / "paplay"
    path.write_text(f"#!{sys.executable}\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)


def test_sounddevice_plays_where_there_is_no_player(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    stand_in = "def play(pcm, rate, blocking): print(pcm.tolist(), rate, blocking)"
    (tmp_path / "sounddevice.py").write_text(stand_in)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    sound = tmp_path / "sound.wav"
    sound.write_bytes(encode_wav(np.array([[1, 2], [3, 4]], np.int16), sample_rate=24_000))
    done = subprocess.run(
        [*player.find_player(), sound], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[[1, 2], [3, 4]] 24000 True\n"


def test_sounds_are_played_and_a_player_that_fails_is_said_once(tmp_path, watching, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="no player found, out of"):
        watching("--sound", "events")
    played = tmp_path / "played"
    fake_player(tmp_path, f"import sys, shutil; shutil.copy(sys.argv[1], {str(played)!r})")
    logdir = tmp_path / "runs"
    watch = watching("--sound", "events", "--bell", directory=logdir)
    with SonifyWriter(str(logdir / "a")) as writer:
        write(writer, range(5))
        watch.look()
        write(writer, range(5, 8), value=float("nan"), layers=("fc",))
        assert any("\a" in line for line in watch.look())
        wait_until(played.exists, "the sound")
        assert played.read_bytes()[:4] == b"RIFF"
        fake_player(tmp_path, "raise SystemExit(1)")
        said = []
        write(writer, range(8, 12), value=float("inf"), layers=LAYERS)
        wait_until(lambda: said.extend(watch.look()) or "cannot play" in str(said), "the failure")
    assert str(said + watch.look()).count("no sound from here on: paplay cannot play here") == 1

    fake_player(tmp_path, "import time; time.sleep(1000)")
    monkeypatch.setattr(player, "_PATIENCE_SECONDS", 0.0)
    hanging = watching("--sound", "events", directory=tmp_path / "more")
    write_events(tmp_path / "more" / "a", scalar_events("loss", [(4, 0.5)]))
    hanging.look()
    write_events(tmp_path / "more" / "a", scalar_events("loss", [(5, np.nan)]))
    wait_until(lambda: "paplay hangs" in str(hanging.look()), "the end of the player")


@pytest.mark.training
@pytest.mark.parametrize("end", ["q", signal.SIGTERM])
def test_keys_in_a_terminal_which_is_left_as_it_was(tmp_path, end):
    with SonifyWriter(str(tmp_path / "runs" / "a")) as writer:
        write(writer, range(30))
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "tb_sonify", "watch", "runs"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), "COLUMNS": "60"}
    modes = termios.tcgetattr(slave)
    process = subprocess.Popen(
        command, cwd=tmp_path, stdin=slave, stdout=slave, stderr=slave, env=environment
    )
    text = ""

    def sees(wanted):
        nonlocal text
        text += os.read(master, 4096).decode()
        return wanted in text

    wait_until(lambda: sees("a step 29, loss 0.5, ended"), "the state of the run")
    for key, wanted in (
        ("\n", "ended"),
        ("d", "no landmarks"),
        ("p  n", "nothing later"),  # of keys that come at once, none is lost
    ):
        text = ""
        os.write(master, key.encode())
        wait_until(lambda wanted=wanted: sees(wanted), f"the answer to {key!r}")
    if end == "q":
        os.write(master, b"q")
    else:
        process.send_signal(end)
    assert process.wait(WAIT_SECONDS) == (0 if end == "q" else 128 + end)
    assert termios.tcgetattr(slave) == modes
    os.close(master)
    os.close(slave)
    assert "\x1b" not in text
