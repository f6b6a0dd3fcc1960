"""Exports runs of a log directory as a page that needs no server."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tb_sonify.plugin.run_routes import RunRoutes
from tb_sonify.reading.logdir import directories, open_logdir
from tb_sonify.reading.runs import RunCatalog
from tb_sonify.site.answers import Answers, SoundFormat, best_format
from tb_sonify.site.output import check_output, replace_file, replaced_folder
from tb_sonify.site.page import data_address, linked_page, scripts, single_page
from tb_sonify.site.requests import Requests, Wanted

MIB = 2**20
_BATCH_BYTES = 256 * MIB  # of event files that are read together
_TYPES = {"json": "application/json", "flac": "audio/flac", "wav": "audio/wav"}


@dataclass(frozen=True)
class Exported:
    """What was exported: how large, which runs, and what there was no room for, in words."""

    nbytes: int
    runs: tuple[str, ...]
    left_out: tuple[str, ...]


def export(
    logdir: Path,
    output: Path,
    *,
    runs: Sequence[str] = (),
    wanted: Wanted | None = None,
    sound: SoundFormat | None = None,
    most_bytes: int = 100 * MIB,
    progress: Callable[[float, str], None] = lambda _, __: None,
) -> Exported:
    """Write a static page: a folder, or a single file where `output` ends with ``.html``.

    Parameters
    ----------
    runs
        By name; none: all.
    sound
        The format of clips; by default FLAC where soundfile is installed, else WAV.
    most_bytes
        Of all answers together; what does not fit is left out.
    progress
        Is told the share that is done, and what is next.

    Raises
    ------
    FileNotFoundError, FileExistsError, LookupError, OSError
        If there is no such log directory or run, or `output` cannot be written or replaced.
    """
    check_output(output)
    files = scripts()
    options = most_bytes, sound or best_format()
    if output.suffix == ".html":
        page, exported = export_page(logdir, runs, wanted or Wanted(), *options, progress)
        replace_file(output, page)
        return exported
    with replaced_folder(output) as folder:
        (folder / "answers").mkdir()
        (folder / "parts").mkdir()

        def keep(name: str, answer: bytes) -> str:
            (folder / "answers" / name).write_bytes(answer)
            return f"answers/{name}"

        def drop(name: str) -> None:
            (folder / "answers" / name).unlink()

        answers = Answers(keep, drop, most_bytes=most_bytes, sound=options[1])
        found = _record(logdir, runs, wanted or Wanted(), answers, progress)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        (folder / "index.html").write_bytes(linked_page(answers.table))
        nbytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Exported(nbytes, tuple(run["run"] for run in found.runs), tuple(found.left_out))


def export_page(
    logdir: Path,
    runs: Sequence[str],
    wanted: Wanted,
    most_bytes: int,
    sound: SoundFormat,
    progress: Callable[[float, str], None] = lambda _, __: None,
) -> tuple[bytes, Exported]:
    """The page with all in it; parameters as for `export`."""

    def keep(name: str, answer: bytes) -> str:
        kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
        return data_address(kind, answer)

    answers = Answers(keep, lambda _: None, most_bytes=most_bytes * 3 // 4, sound=sound)
    found = _record(logdir, runs, wanted, answers, progress)
    page = single_page(answers.table)
    names = tuple(run["run"] for run in found.runs)
    return page, Exported(len(page), names, tuple(found.left_out))


def _record(
    logdir: Path,
    runs: Sequence[str],
    wanted: Wanted,
    answers: Answers,
    progress: Callable[[float, str], None],
) -> Requests:
    requests = Requests(answers, wanted)
    batches = list(_batches(logdir, runs))
    for number, batch in enumerate(batches):
        progress(number / len(batches), f"reading {', '.join(batch[:3])}")
        store, scope = open_logdir(logdir, runs=batch)
        handlers = RunRoutes(store).handlers()
        names = [each.name for each in RunCatalog(store).runs(scope) if each.name in batch]
        if number == 0:
            requests.keep_lessons(handlers)
        for done, label in enumerate(requests.visit(handlers, names)):
            share = done / (done + 3 * len(names))  # nobody knows how much there is to hear
            progress((number + share) / len(batches), label)
    if not requests.runs:
        raise LookupError(
            "no runs to export here: a run is a directory with event files that hold scalars"
        )
    requests.finish()
    return requests


def _batches(logdir: Path, runs: Sequence[str]) -> Iterator[list[str]]:
    """Names of runs that are read together, so that memory is bounded."""
    if not logdir.is_dir():
        open_logdir(logdir)  # says what is wrong
    found = {os.path.relpath(each, logdir): each for each in directories(logdir)}
    unknown = [name for name in runs if name not in found]
    if unknown:
        raise LookupError(f"no run {unknown[0]!r}; there are: {', '.join(found) or 'none'}")
    batch: list[str] = []
    nbytes = 0
    for name in runs or found:
        size = sum(entry.stat().st_size for entry in os.scandir(found[name]) if entry.is_file())
        if batch and nbytes + size > _BATCH_BYTES:
            yield batch
            batch, nbytes = [], 0
        batch.append(name)
        nbytes += size
    if batch:
        yield batch
