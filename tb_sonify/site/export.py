"""Exports runs of a log directory as a page that needs no server."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tb_sonify.plugin.run_routes import RunRoutes
from tb_sonify.reading.logdir import directories, open_logdir
from tb_sonify.reading.runs import RunCatalog
from tb_sonify.schema.scalar_names import TRAINING, VALIDATION, words_of
from tb_sonify.site.answers import Answers, Files, SoundFormat
from tb_sonify.site.page import (
    check_output,
    is_single,
    linked_page,
    replace_file,
    replaced_folder,
    scripts,
    single_page,
)
from tb_sonify.site.requests import Requests, Wanted

Progress = Callable[[float, str], None]

MIB = 2**20
_BATCH_BYTES = 64 * MIB  # of event files that are read together, which take ten times as much


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
    anonymous: bool = False,
    sound: SoundFormat = "flac",
    most_bytes: int = 100 * MIB,
    progress: Progress = lambda _, __: None,
) -> Exported:
    """Write a static page: a folder, or a single file where `output` ends with ``.html``.

    Parameters
    ----------
    runs
        By name; none: all.
    anonymous
        Whether runs are called run-1, run-2, ...
    sound
        The format of clips; WAV is four times as large as FLAC.
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
    if is_single(output):
        page, exported = export_page(
            logdir,
            runs=runs,
            wanted=wanted,
            anonymous=anonymous,
            sound=sound,
            most_bytes=most_bytes,
            progress=progress,
        )
        replace_file(output, page)
        return exported
    with replaced_folder(output) as folder:
        (folder / "answers").mkdir()
        (folder / "parts").mkdir()
        answers = Files(folder, most_bytes=most_bytes, sound=sound)
        requests = Requests(answers, wanted or Wanted())
        _record(logdir, runs, requests, progress, anonymous=anonymous)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        (folder / "index.html").write_bytes(linked_page(answers))
        nbytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return _exported(nbytes, requests)


def export_page(
    logdir: Path,
    *,
    runs: Sequence[str] = (),
    wanted: Wanted | None = None,
    anonymous: bool = False,
    sound: SoundFormat = "flac",
    most_bytes: int = 100 * MIB,
    progress: Progress = lambda _, __: None,
) -> tuple[bytes, Exported]:
    """The page with all in it, which needs no file server either; parameters as for `export`."""
    # In a page, four bytes stand for three.
    answers = Answers(most_bytes=most_bytes * 3 // 4, sound=sound)
    requests = Requests(answers, wanted or Wanted())
    _record(logdir, runs, requests, progress, anonymous=anonymous)
    page = single_page(answers)
    return page, _exported(len(page), requests)


def _exported(nbytes: int, found: Requests) -> Exported:
    names = tuple(run["run"] for run in found.runs)
    return Exported(nbytes, names, tuple(found.left_out))


def _record(
    logdir: Path,
    runs: Sequence[str],
    requests: Requests,
    progress: Progress,
    *,
    anonymous: bool,
) -> None:
    """Ask for all runs, as many at a time as memory has room for."""
    found = _directories(logdir, runs)
    names = anonymous_names(found) if anonymous else {}
    batches = list(_batches(found, runs or list(found)))
    for number, batch in enumerate(batches):
        progress(number / len(batches), f"reading {', '.join(batch[:3])}")
        for share, label in _visit(logdir, batch, names, requests, asked=runs):
            progress((number + share) / len(batches), label)
    if not requests.runs:
        raise LookupError(
            f"nothing can be exported: {'; '.join(requests.left_out[:3])}"
            if requests.left_out
            else "no runs to export here: a run is a directory with event files that hold scalars"
        )
    requests.finish()


def _visit(
    logdir: Path,
    batch: Sequence[str],
    names: Mapping[str, str],
    requests: Requests,
    *,
    asked: Sequence[str],
) -> Iterator[tuple[float, str]]:
    """Ask for some runs, of which nothing is in memory after that."""
    store, scope = open_logdir(logdir, runs=batch, names=names)
    wanted = {names.get(name, name) for name in batch}
    there = [each.name for each in RunCatalog(store).runs(scope) if each.name in wanted]
    for name in batch:
        shown = names.get(name, name)
        if shown not in there and (name in asked or not (logdir / name).is_dir()):
            requests.left_out.append(f"{shown}: nothing in it can be read")
    for done, label in enumerate(requests.visit(RunRoutes(store).handlers(), there)):
        yield done / (done + 3 * len(there)), label  # nobody knows how much there is to hear


def anonymous_names(names: Iterable[str]) -> dict[str, str]:
    """What runs are called where their own names are not to be seen: run-1, run-1/train, ...

    Examples
    --------
    >>> anonymous_names(["secret/train", "secret/validation", "other"])
    {'secret/train': 'run-1/train', 'secret/validation': 'run-1/validation', 'other': 'run-2'}
    """
    folders: dict[str, str] = {"": ""}
    counts = Counter[str]()
    for name in names:
        path = ""
        for part in Path(name).parts or (name,):
            before, path = path, os.path.join(path, part)  # noqa: PTH118 - no file
            if path in folders:
                continue
            # By these, runs are found that belong together.
            words = [word for word in words_of(part) if word in TRAINING | VALIDATION]
            shown = os.path.join(folders[before], words[0] if words else "run")  # noqa: PTH118
            counts[shown] += 1
            numbered = not words or counts[shown] > 1
            folders[path] = f"{shown}-{counts[shown]}" if numbered else shown
    return {name: folders[name] for name in names}


def _directories(logdir: Path, runs: Sequence[str]) -> dict[str, str]:
    """Directories of runs by name; a `LookupError` where one of these is not there."""
    if not logdir.is_dir():
        open_logdir(logdir)  # says what is wrong
    found = {os.path.relpath(each, logdir): each for each in directories(logdir)}
    unknown = [name for name in runs if name not in found]
    if unknown:
        raise LookupError(f"no run {unknown[0]!r}; there are: {', '.join(found) or 'none'}")
    return found


def _batches(found: Mapping[str, str], runs: Iterable[str]) -> Iterator[list[str]]:
    """Names of runs that are read together."""
    batch: list[str] = []
    nbytes = 0
    for name in runs:
        size = sum(entry.stat().st_size for entry in os.scandir(found[name]) if entry.is_file())
        if batch and nbytes + size > _BATCH_BYTES:
            yield batch
            batch, nbytes = [], 0
        batch.append(name)
        nbytes += size
    if batch:
        yield batch
