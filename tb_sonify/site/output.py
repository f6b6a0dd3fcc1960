"""Where an export is written: a folder or a file, replaced as a whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tb_sonify.site.page import MARK

MARKER = "tb-sonify-export.txt"
TEMPORARY = ".tb-sonify-export-"
"""What a file or folder is called until it is whole."""

_MADE = {MARKER, "answers", "index.html", "index.js", "licences.txt", "parts", ".DS_Store"}
_MARKER_TEXT = "Made by `tb-sonify export`, which replaces this folder as a whole.\n"


def is_single(output: Path) -> bool:
    """Whether a file is to be written, not a folder."""
    return output.suffix.lower() == ".html"


def check_output(output: Path) -> None:
    """Raise a `FileExistsError` where there is something that no export has made."""
    if output.is_dir():
        if is_single(output) or Path.cwd().is_relative_to(output.resolve()):
            what = "a folder" if is_single(output) else "the folder that you are in, or one above"
            raise FileExistsError(f"{output} is {what}: choose another -o")
        there = {path.name for path in output.iterdir()}
        ours = MARKER in there or not there
        if ours and there - _MADE:
            raise FileExistsError(
                f"{output} is replaced as a whole, and holds what no export has made: move away "
                + ", ".join(sorted(there - _MADE)[:3])
            )
    elif output.exists():
        with output.open("rb") as file:
            ours = MARK.encode() in file.readline(200)
    else:
        return
    if not ours:
        raise FileExistsError(
            f"{output} is not an export of tb-sonify and is left as it is: choose another -o, or "
            "move it away"
        )


@contextmanager
def replaced_folder(output: Path) -> Iterator[Path]:
    """A new folder that takes the place of `output` at the end; after an exception it is gone."""
    check_output(output)
    output = output.resolve()  # what a link leads to
    output.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=output.parent))
    old = made.with_name(f"{made.name}-old")
    try:
        folder = made / "site"
        folder.mkdir()  # with the usual rights, which a temporary folder has not
        (folder / MARKER).write_text(_MARKER_TEXT, encoding="utf-8")
        yield folder
        check_output(output)
        if output.exists():
            output.rename(old)
        try:
            folder.rename(output)
        except OSError:
            if old.exists() and not output.exists():
                old.rename(output)
            raise
    finally:
        for leftover in (made, old):
            shutil.rmtree(leftover, ignore_errors=True)


def replace_file(output: Path, content: bytes) -> None:
    """Write a file that takes the place of `output` as a whole."""
    check_output(output)
    output = output.resolve()
    output.parent.mkdir(parents=True, exist_ok=True)
    handle, made = tempfile.mkstemp(prefix=TEMPORARY, dir=output.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        mask = os.umask(0)
        os.umask(mask)
        Path(made).chmod(0o666 & ~mask)
        Path(made).replace(output)
    finally:
        Path(made).unlink(missing_ok=True)
