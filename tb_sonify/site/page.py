"""The page of an export: its HTML with the answers, and the folder or file it is written to."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tb_sonify.plugin.assets import BUNDLE, PARTS
from tb_sonify.site.answers import LOOSE, Answers, data_address

MARK = "<!-- made by tb-sonify export -->"
"""In the first line of a page: what has it may be replaced."""

MARKER = "tb-sonify-export.txt"
TEMPORARY = ".tb-sonify-export-"
"""What a file or folder is called until it is whole."""

_MADE = {MARKER, "answers", "index.html", "index.js", "licences.txt", "parts", ".DS_Store"}
_MARKER_TEXT = "Made by `tb-sonify export`, which replaces this folder as a whole.\n"

_PAGE = """\
<!doctype html>{mark}
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>Sonify</title>
<script type="application/json" id="sonify-site">{site}</script>
{modules}
<body>
<noscript>This page needs JavaScript.</noscript>
{check}
<script type="module">
import {{ render }} from "{index}";
render();
</script>
"""
# Nothing is loaded from anywhere else, whatever the scripts do.
_POLICY = "default-src {origin} data: 'unsafe-inline' 'unsafe-eval'"
# A browser loads no module and no data for a page that it has opened from a disk.
_CHECK = """\
<script>
if (location.protocol === "file:") {
  document.body.innerHTML =
    "<main style='font: 16px/1.5 sans-serif; max-width: 40rem; margin: 2rem'>" +
    "<h1>This page needs a file server</h1><p>Browsers do not let a page from a disk load its " +
    "data. In the folder of this file, run <code>python -m http.server</code> and open " +
    "<a href='http://localhost:8000'>http://localhost:8000</a>; or export a single file, which " +
    "opens anywhere: <code>tb-sonify export LOGDIR -o page.html</code>.</p></main>";
}
</script>"""


def scripts() -> dict[str, bytes]:
    """The dashboard's scripts, by their places beside the page.

    Raises
    ------
    FileNotFoundError
        If the dashboard is not built.
    """
    if not BUNDLE.exists():
        raise FileNotFoundError("the dashboard is not built: run `make frontend` in the checkout")
    parts = {f"parts/{path.name}": path.read_bytes() for path in sorted(PARTS.glob("*.js"))}
    licences = BUNDLE.with_name("licences.txt")
    return {"index.js": BUNDLE.read_bytes(), **parts, "licences.txt": licences.read_bytes()}


def linked_page(answers: Answers) -> bytes:
    """The page that loads scripts and answers from beside it."""
    return _page(answers, origin="'self'", modules="", check=_CHECK, index="./index.js")


def single_page(answers: Answers) -> bytes:
    """The page with its scripts in it."""
    modules = {name.rpartition("/")[2]: code for name, code in scripts().items() if ".js" in name}
    imported = re.compile(rf'"(?:\.\.?/)+(?:parts/)?({"|".join(map(re.escape, modules))})"')
    table = {}
    for name, code in modules.items():
        # What a module is imported by must not depend on where it is: data is nowhere.
        text = imported.sub(r'"sonify/\1"', code.decode())
        table[f"sonify/{name}"] = data_address(name, text.encode())
    mapped = f'<script type="importmap">{_json({"imports": table})}</script>'
    return _page(answers, origin="", modules=mapped, check="", index="sonify/index.js")


def _page(answers: Answers, *, origin: str, modules: str, check: str, index: str) -> bytes:
    site = {"answers": answers.table, "addresses": answers.addresses, "loose": LOOSE}
    page = _PAGE.format(
        mark=MARK,
        policy=_POLICY.format(origin=origin),
        site=_json(site),
        modules=modules,
        check=check,
        index=index,
    )
    return page.encode()


def _json(value: object) -> str:
    """JSON that cannot end the script it stands in."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


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
