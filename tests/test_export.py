"""Exports as files: what is in them, what is not, and what becomes of the folder."""

import errno
import shutil
import signal
import socket
import threading
from pathlib import Path

import pytest

from tb_sonify import SonifyWriter
from tb_sonify.schema.block import decode_block
from tb_sonify.site import answers as kept
from tb_sonify.site import export as exporting
from tb_sonify.site.export import export
from tb_sonify.site.page import MARKER
from tb_sonify.site.requests import Wanted
from tb_sonify.training.summary import surface_event
from tests import exported
from tests.broken_run import write_pair
from tests.commands import tb_sonify_here
from tests.exported import answer, table
from tests.landscapes import surface_of
from tests.logs import norms_of, run_events, scalar_events, write_events

HOSTILE = (
    "<b onclick=alert(1)>bold",
    "a b&run=c%20d",
    "\u202eقطار\u202d 😀",
    "x/.. y",
    "</script>",
)


def write_scalars(directory, *, points=60):
    losses = [2.3 * 0.9**step for step in range(points)]
    write_events(directory, scalar_events("loss/train", enumerate(losses), start=1_000.0))


def files(site):
    return {str(path.relative_to(site)) for path in site.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two runs of the same steps, and their export."""
    root = tmp_path_factory.mktemp("secret-project")
    write_pair(root / "runs")
    said = exported.export(root / "runs", root / "site")
    return root, root / "site", said


def test_the_folder_holds_the_answers_that_the_page_asks_for_and_nothing_else(pair):
    _, site, said = pair
    there = files(site)
    named = {name for name in table(site).values() if (site / name).exists()}
    assert named == {name for name in there if name.startswith("answers/")}
    assert there - named >= {"index.html", "index.js", "licences.txt", "parts/ticker.js", MARKER}
    megabytes = sum((site / name).stat().st_size for name in there) / 2**20
    assert f"{site}: {megabytes:.1f} MB, 2 runs" in said


def test_a_kept_sound_has_the_samples_of_the_plugin(pair):
    root, site, _ = pair
    exported.export(root / "runs", root / "wav", "--format", "wav", "--run", "b-calm")
    asked = {"run": "b-calm", "preset": "smooth", "first_note": 100, "notes": 100}
    flac, wav = answer(site, "clip", **asked), answer(root / "wav", "clip", **asked)
    assert (flac[:4], wav[:4]) == (b"fLaC", b"RIFF")
    assert len(flac) < len(wav) / 3
    assert kept.encode_flac(wav) == flac


def test_what_is_offered_is_what_can_be_played(pair):
    """Presets, quantities and formats of files that were not exported are not in the menus."""
    root, site, _ = pair
    options = ("--preset", "calm", "--preset", "smooth", "--quantity", "all", "--speed", "25")
    exported.export(root / "runs", root / "more", *options)
    for folder, presets, speeds in ((site, ["smooth"], 1), (root / "more", ["smooth", "calm"], 2)):
        header = decode_block(answer(folder, "coverage", run="b-calm")).header
        assert [preset["name"] for preset in header["presets"]] == presets
        assert header["formats"] == []
        fast = [key for key in table(folder) if key.startswith("coverage") and "speed=25" in key]
        assert bool(fast) == (speeds == 2)


def test_two_runs_of_the_same_steps_are_heard_together_for_no_more_bytes(pair):
    _, site, _ = pair
    asked = {"run": "b-calm", "preset": "smooth", "first_note": 0, "notes": 100}
    names = table(site)
    laid = {**asked, "along": "a-broken", "by": "step"}
    assert names[kept.key_of("clip", asked)] == names[kept.key_of("clip", laid)]


def test_of_many_runs_the_two_that_are_suggested_are_heard_together(pair, tmp_path):
    root, _, _ = pair
    shutil.copytree(root / "runs", tmp_path / "runs")
    shutil.copytree(root / "runs" / "b-calm", tmp_path / "runs" / "c-calm")
    export(tmp_path / "runs", tmp_path / "site", wanted=Wanted(most_together=2))
    asked = [key.split("\n") for key in table(tmp_path / "site") if key.startswith("coverage\n")]
    laid = [{*lines} for lines in asked if any(line.startswith("along=") for line in lines)]
    assert len(laid) == 2


def test_neither_paths_nor_host_names_are_in_it(pair):
    root, site, _ = pair
    page = root / "page.html"
    exported.export(root / "runs", page)
    text = page.read_text()
    data = b"".join((site / name).read_bytes() for name in files(site))
    for secret in (str(root), root.name, f".{socket.gethostname()}.", "tfevents"):
        assert secret.encode() not in data
        assert secret not in text


def test_names_of_runs_can_be_left_out(pair, tmp_path):
    root, _, _ = pair
    exported.export(root / "runs", tmp_path / "site", "--anonymous")
    data = b"".join(path.read_bytes() for path in (tmp_path / "site").rglob("*.*"))
    header = decode_block(answer(tmp_path / "site", "coverage", run="run-1")).header
    assert header["run"] == "run-1"
    assert not any(name.encode() in data for name in ("a-broken", "b-calm"))


def test_scalars_alone_are_exported_with_their_sound(tmp_path):
    for name in HOSTILE:
        write_scalars(tmp_path / "runs" / name)
    exported.export(tmp_path / "runs", tmp_path / "site")
    page = (tmp_path / "site" / "index.html").read_text()
    assert page.count("</script>") == page.count("<script")
    for name in HOSTILE:
        run = str(Path(name))
        scalar = {"run": run, "tag": "loss/train"}
        header = decode_block(answer(tmp_path / "site", "coverage", **scalar)).header
        assert header["scale"]["kind"] == "log"
        (preset,) = header["presets"]
        part = {"first_note": 0, "notes": 60, "preset": preset["name"]}
        assert answer(tmp_path / "site", "clip", **scalar, **part)[:4] == b"fLaC"


def test_steps_limit_what_sounds(pair, tmp_path):
    root, _, _ = pair
    exported.export(root / "runs", tmp_path / "site", "--run", "b-calm", "--steps", "150:199")
    asked = [key.split("\n") for key in table(tmp_path / "site") if key.startswith("clip\n")]
    firsts = {line for lines in asked for line in lines if line.startswith("first_note=")}
    assert firsts == {"first_note=100"}


def test_what_does_not_fit_is_left_out_and_listed(pair, tmp_path):
    root, site, _ = pair
    silent = sum(path.stat().st_size for path in site.rglob("*.bin"))
    lessons = sum(
        (site / name).stat().st_size
        for name in {name for key, name in table(site).items() if key.startswith("lesson\n")}
    )
    made = export(root / "runs", tmp_path / "site", most_bytes=silent + lessons + 100_000)
    assert made.runs == ("a-broken", "b-calm")
    assert made.left_out
    data = sum(path.stat().st_size for path in (tmp_path / "site" / "answers").iterdir())
    assert data <= silent + lessons + 100_000
    assert {*table(tmp_path / "site").values()} >= {
        f"answers/{path.name}" for path in (tmp_path / "site" / "answers").iterdir()
    }
    done = tb_sonify_here(
        "export",
        root / "runs",
        "-o",
        tmp_path / "s",
        "--preset",
        "all",
        "--quantity",
        "all",
        "--max-mb",
        "1",
    )
    assert "Left out, with 1 MB to fill (--max-mb):\n  " in done.stdout
    assert ": no room\n" in done.stdout


def test_runs_are_read_a_few_at_a_time(pair, tmp_path, monkeypatch):
    root, site, _ = pair
    monkeypatch.setattr(exporting, "_BATCH_BYTES", 1)
    exported.export(root / "runs", tmp_path / "site")
    alone = {key for key in table(site) if "along=" not in key and "against=" not in key}
    assert {*table(tmp_path / "site")} == alone
    for key in alone - {"runs"}:  # of which two are suggested for a comparison
        names = (table(folder)[key] for folder in (site, tmp_path / "site"))
        assert len({*names}) == 1, key


def test_a_run_that_grows_meanwhile_is_exported_as_it_was(tmp_path):
    with SonifyWriter(str(tmp_path / "runs" / "live")) as writer:

        def write(step):
            writer.add_norms({"one": 1.0, "two": 2.0}, step)
            writer.add_scalar("loss/train", 1.0, step)

        for step in range(150):
            write(step)
        writer.flush()
        steps = iter(range(150, 10_000))

        def grow(*_):
            for _ in range(20):
                write(next(steps))
            writer.flush()

        export(tmp_path / "runs", tmp_path / "site", progress=grow)
        assert next(steps) > 200
    coverage = decode_block(answer(tmp_path / "site", "coverage", run="live"))
    asked = {"run": "live", "preset": "smooth"}
    for segment in coverage.header["segments"]:
        span = {"first_note": segment["first_note"], "notes": segment["notes"]}
        answer(tmp_path / "site", "clip", **asked, **span)
    assert coverage.arrays["steps"][-1] == 169  # it grew once before it was read


def test_a_run_that_is_gone_meanwhile_is_told(tmp_path):
    for name in ("gone", "there"):
        write_scalars(tmp_path / "runs" / name)

    def delete(*_):
        shutil.rmtree(tmp_path / "runs" / "gone", ignore_errors=True)

    made = export(tmp_path / "runs", tmp_path / "site", progress=delete)
    assert made.runs == ("there",)
    assert made.left_out == ("gone: nothing in it can be read",)


def test_one_step_and_a_damaged_surface_do_not_leave_out_a_run(tmp_path):
    damaged = surface_event("cut", surface_of(), step=0)
    (value,) = damaged.summary.value
    value.tensor.string_val[0] = value.tensor.string_val[0][:90]
    events = run_events(norms_of(1), [7]), [damaged, *scalar_events("loss", [(0, 1.0)])]
    for name, some in zip(("step", "surface"), events, strict=True):
        write_events(tmp_path / "runs" / name, some)
    made = export(tmp_path / "runs", tmp_path / "site")
    assert made.runs == ("step", "surface")
    (said,) = made.left_out
    assert "the surface 'cut' of run 'surface' cannot be read" in said
    (clip,) = exported.clips(tmp_path / "site", "step")
    assert clip.first_note == 0


def test_steps_at_which_a_run_has_nothing_are_told(pair, tmp_path):
    root, _, _ = pair
    where = (root / "runs", "-o", tmp_path / "site", "--run", "b-calm", "--steps")
    done = tb_sonify_here("export", *where, "900:999")
    assert "sound of b-calm: none of its steps, 0 to 399, is from 900 to 999" in done.stdout
    done = tb_sonify_here("export", *where, "150:100")
    assert done.returncode == 2
    assert "the first step must not be after the last, got '150:100'" in done.stderr


def test_where_nothing_fits_it_is_said_what_was_left_out(pair, tmp_path):
    root, _, _ = pair
    with pytest.raises(LookupError, match="a-broken, the whole run: no room"):
        export(root / "runs", tmp_path / "site", most_bytes=1)


@pytest.mark.parametrize(
    ("logdir", "message"),
    [
        ("empty", "no runs to export here"),
        ("nothing", "no log directory"),
        ("file", "is a file: give the directory that it is in"),
    ],
)
def test_where_there_is_nothing_to_export_nothing_is_written(tmp_path, logdir, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    done = tb_sonify_here("export", tmp_path / logdir, "-o", tmp_path / "site")
    assert done.returncode == 2
    assert message in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"empty", "file"}


def test_a_run_that_is_not_there_is_told_with_those_that_are(pair, tmp_path):
    root, _, _ = pair
    done = tb_sonify_here("export", root / "runs", "-o", tmp_path / "site", "--run", "c")
    assert done.returncode == 2
    assert "no run 'c'; there are: a-broken, b-calm" in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--preset", "loud"), "no preset 'loud'; there are: smooth, calm, "),
        (("--tag", "acc*"), "no scalar is named as acc*"),
    ],
)
def test_a_preset_or_tag_that_no_run_has_is_told(pair, tmp_path, options, message):
    root, _, _ = pair
    done = tb_sonify_here("export", root / "runs", "-o", tmp_path / "site", *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize("name", ["site", "page.html"])
def test_what_is_not_ours_is_left_as_it_is(pair, tmp_path, name):
    root, _, _ = pair
    there = tmp_path / name
    if name == "site":
        there.mkdir()
        (there / "thesis.tex").write_text("years")
    else:
        there.write_text("<!doctype html>\nyears")
    done = tb_sonify_here("export", root / "runs", "-o", there)
    assert done.returncode == 2
    assert "is not an export of tb-sonify and is left as it is" in done.stderr
    assert "years" in (there / "thesis.tex" if name == "site" else there).read_text()


def test_an_earlier_export_is_replaced_as_a_whole(pair, tmp_path):
    root, site, _ = pair
    shutil.copytree(site, tmp_path / "site")
    (tmp_path / "site" / "answers" / "old.bin").write_text("")
    exported.export(root / "runs", tmp_path / "site")
    assert files(tmp_path / "site") == files(site)
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_what_others_put_into_our_folder_is_not_deleted(pair, tmp_path):
    root, site, _ = pair
    shutil.copytree(site, tmp_path / "site")
    (tmp_path / "site" / ".git").mkdir()
    done = tb_sonify_here("export", root / "runs", "-o", tmp_path / "site")
    assert done.returncode == 2
    assert "holds what no export has made: move away .git" in done.stderr


@pytest.mark.parametrize("name", [".", "there.html"])
def test_a_folder_that_cannot_be_replaced_is_told_at_once(pair, tmp_path, monkeypatch, name):
    root, _, _ = pair
    (tmp_path / "there.html").mkdir()
    monkeypatch.chdir(tmp_path)
    done = tb_sonify_here("export", root / "runs", "-o", name)
    assert done.returncode == 2
    assert "choose another -o" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["there.html"]


@pytest.mark.parametrize("ending", ["", ".html", ".HTML"])
def test_an_export_goes_where_a_link_leads_and_may_have_a_long_name(tmp_path, ending):
    write_scalars(tmp_path / "runs" / "a")
    name = "n" * 250 + ending
    link = tmp_path / f"link{ending}"
    link.symlink_to(name)
    for _ in range(2):
        exported.export(tmp_path / "runs", link)
    assert link.is_symlink()
    assert (tmp_path / name).is_dir() == (not ending)
    assert {path.name for path in tmp_path.iterdir()} == {"runs", link.name, name}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_nothing(pair, tmp_path, monkeypatch, number):
    root, _, _ = pair
    write = Path.write_bytes

    def interrupted(path, data):
        if path.name.endswith(".flac"):
            signal.raise_signal(number)
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    done = tb_sonify_here("export", root / "runs", "-o", tmp_path / "site")
    assert done.returncode == 128 + number
    assert not [*tmp_path.iterdir()]


def test_a_full_disk_leaves_the_earlier_export(pair, tmp_path, monkeypatch):
    root, site, _ = pair
    shutil.copytree(site, tmp_path / "site")
    write = Path.write_bytes

    def full(path, data):
        if path.name.endswith(".flac"):
            raise OSError(errno.ENOSPC, "No space left on device")  # as a file that is open
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    done = tb_sonify_here("export", root / "runs", "-o", tmp_path / "site")
    assert done.returncode == 2
    assert f"{tmp_path / 'site'}: No space left on device" in done.stderr
    assert files(tmp_path / "site") == files(site)
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_of_two_exports_at_once_one_stays_and_it_is_whole(pair, tmp_path):
    root, _, _ = pair
    both = threading.Barrier(2)
    failures = []

    def run():
        started = []

        def wait(*_):
            if not started:
                started.append(both.wait(60))

        try:
            export(root / "runs", tmp_path / "site", runs=["b-calm"], progress=wait)
        except OSError as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(failures) <= 1
    there = files(tmp_path / "site")
    assert {name for name in table(tmp_path / "site").values() if name in there} == {
        name for name in there if name.startswith("answers/")
    }
    assert [path.name for path in tmp_path.iterdir()] == ["site"]
