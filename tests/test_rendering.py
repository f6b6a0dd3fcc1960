"""`tb-sonify render`: what is in the file is what was asked for."""

import io

import numpy as np
import pytest
import soundfile

import tb_sonify
from tb_sonify.cli.main import main
from tb_sonify.sound import PRESETS
from tests.commands import tb_sonify as process
from tests.commands import tb_sonify_here as command
from tests.logged import logged_run
from tests.logs import scalar_events, write_events

SMOOTH = PRESETS["smooth"]


@pytest.fixture(scope="module")
def logdir(tmp_path_factory):
    """Two runs of 250 steps; the first has a loss."""
    logdir = tmp_path_factory.mktemp("logs")
    losses = np.linspace(2.0, 0.1, 250)
    logged_run(logdir / "one", steps=250, losses=losses)
    logged_run(logdir / "two", steps=250)
    return logdir


def table(tmp_path, text):
    path = tmp_path / "norms.csv"
    path.write_text(text)
    return path


def peak_hz(mono, sample_rate):
    spectrum = np.abs(np.fft.rfft(mono * np.hanning(len(mono)), 1 << 18))
    return spectrum.argmax() * sample_rate / (1 << 18)


def test_a_run_is_rendered_whole(logdir):
    sound = tb_sonify.render(logdir, run="one")
    assert len(sound.pcm) == 250 * SMOOTH.hop(3) + SMOOTH.tail
    assert sound.legend.startswith("one, steps 0 to 249, 250 notes, preset smooth")


def test_steps_and_notes_make_it_shorter(logdir):
    sound = tb_sonify.render(logdir, run="one", steps=(50, 149))
    assert "steps 50 to 149, 100 notes" in sound.legend
    shorter = tb_sonify.render(logdir, run="one", steps=(50, 149), notes=30)
    assert "steps 50 to 146, 25 notes" in shorter.legend


def test_a_scalar_is_heard_on_a_scale_that_is_named(logdir):
    sound = tb_sonify.render(logdir, run="one", tag="loss/train")
    assert "log scale, 0.1 (110 Hz) to 2 (1,760 Hz)" in sound.legend
    first, last = sound.pcm[: SMOOTH.note_frames, 0], sound.pcm[-SMOOTH.note_frames :, 0]
    assert peak_hz(first[200:], sound.sample_rate) == pytest.approx(1_760, rel=0.02)
    assert peak_hz(last[:-200], sound.sample_rate) == pytest.approx(110, rel=0.05)


def test_columns_of_a_csv_file_are_layers(tmp_path):
    path = table(tmp_path, "step,conv,fc\n" + "".join(f"{i},1.0,16.0\n" for i in range(40)))
    sound = tb_sonify.render(path)
    left, right = sound.pcm[-8_000:].T.astype(float)
    assert peak_hz(left, sound.sample_rate) == pytest.approx(220, rel=0.003)
    assert peak_hz(right, sound.sample_rate) == pytest.approx(880 * 2 ** (4 / 12), rel=0.003)


def test_a_csv_file_without_numbers_everywhere_says_where(tmp_path):
    path = table(tmp_path, "step,conv\n0,1\n1,many\n")
    with pytest.raises(ValueError, match=r"line 3 must hold numbers: .*'many'"):
        tb_sonify.render(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time,conv\n0,1\n", "no columns of .* are named as gradient norms of layers"),
        ("", "must have columns of numbers under a header"),
        ("step\n1\n", "must have columns of numbers under a header"),
        ("step,conv\n0\n", "line 2 must have 2 columns, got 1"),
        ("step,conv\n0,-1\n", "must be at least 0: choose --preset single"),
    ],
)
def test_other_files_are_refused(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        tb_sonify.render(table(tmp_path, text))


@pytest.mark.parametrize(("suffix", "subtype"), [("wav", "PCM_16"), ("flac", "PCM_16")])
def test_lossless_files_hold_the_samples(logdir, tmp_path, suffix, subtype):
    sound = tb_sonify.render(logdir, run="one", notes=10)
    sound.save(tmp_path / f"out.{suffix}")
    with soundfile.SoundFile(tmp_path / f"out.{suffix}") as file:
        assert file.subtype == subtype
        np.testing.assert_array_equal(file.read(dtype="int16"), sound.pcm)


def test_ogg_is_opus(logdir, tmp_path):
    tb_sonify.render(logdir, run="one", notes=10).save(tmp_path / "out.ogg")
    with soundfile.SoundFile(tmp_path / "out.ogg") as file:
        assert file.subtype == "OPUS"


def test_other_suffixes_are_refused(logdir):
    with pytest.raises(ValueError, match=r"\.wav, \.flac or \.ogg, got 'out\.mp3'"):
        tb_sonify.render(logdir, run="one").save(logdir / "out.mp3")


def test_a_notebook_shows_a_player_that_says_what_it_plays(logdir):
    html = tb_sonify.render(logdir, run="one", notes=10)._repr_html_()
    assert '<audio controls aria-label="one, steps 0 to' in html


def test_the_command_writes_the_file_and_says_what_is_in_it(logdir, tmp_path):
    result = process("render", logdir, "--run", "one", "-o", tmp_path / "a.wav")
    assert result.returncode == 0
    assert "15.0 s, one, steps 0 to 249" in result.stdout
    assert soundfile.info(str(tmp_path / "a.wav")).duration == pytest.approx(15.0, abs=0.01)


def test_a_dash_writes_wav_to_standard_output(logdir):
    result = process("render", logdir, "--run", "one", "-o", "-", text=False)
    assert soundfile.info(io.BytesIO(result.stdout)).samplerate == SMOOTH.sample_rate


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "choose one run (run=, --run): one, two"),
        (["--run", "three"], "no run 'three'; there are: one, two"),
        (["--run", "two", "--tag", "loss"], "no scalar 'loss' in run 'two'"),
        (["--run", "one", "--preset", "loud"], "no preset 'loud'; there are: smooth"),
        (["--run", "one", "--steps", "900:"], "nothing of 'one' at steps 900:, it has 0 to 249"),
        (["--run", "one", "-o", "nowhere/a.wav"], "cannot write nowhere/a.wav: No such file"),
    ],
)
def test_what_cannot_be_rendered_is_said_without_a_traceback(logdir, arguments, message):
    result = command("render", logdir, *arguments)
    assert result.returncode == 2
    assert message in result.stderr


def test_a_log_directory_that_is_a_run_itself_is_named_after_the_directory(
    tmp_path, monkeypatch, capsys
):
    run = tmp_path / "plain"
    write_events(run, scalar_events("val_loss", [(step, 1.0 + step) for step in range(20)]))
    monkeypatch.chdir(tmp_path)
    assert main(["render", "plain"]) == 2
    said = capsys.readouterr().err
    assert "no gradient norms in run 'plain': choose a scalar with --tag: val_loss" in said
    assert main(["render", "plain", "--tag", "val_loss"]) == 0
    assert capsys.readouterr().out.startswith("plain-val_loss.wav: 1.2 s, plain val_loss, steps")
    assert main(["describe", str(next(run.iterdir()))]) == 2
    assert "is a file: give the directory that it is in" in capsys.readouterr().err


def test_the_tutorial_writes_every_sound_with_its_meaning(tmp_path):
    result = process("tutorial", "-o", tmp_path / "sounds")
    assert result.returncode == 0
    files = sorted((tmp_path / "sounds").glob("*.wav"))
    assert len(files) == len(result.stdout.splitlines()) == 16
    assert 30 < sum(soundfile.info(str(file)).duration for file in files) < 70
    assert "a clash: NaN in the middle layers" in result.stdout


def test_the_tutorial_without_a_player_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    result = command("tutorial")
    assert result.returncode == 2
    assert "no player found" in result.stderr
    assert "-o DIR" in result.stderr
