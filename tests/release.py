"""Builds and checks a release: `make release`, which writes it into dist/.

Wheel and sdist are built twice, from two copies of the sources in two directories, and must be
the same bytes. They pass `twine check`, and the wheel is installed, without PyTorch, by each
supported Python that is found. Beside them are written `version` and `notes.md`, the section of
the changelog. With `SOURCE_URL`, the address of the repository, the links of the README and the
metadata lead there, as PyPI needs it.
"""

import filecmp
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parent.parent
DIST = ROOT / "dist"
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
# What an installed package must do without PyTorch, in an empty directory.
TRIED = (
    ("--version",),
    ("tutorial", "-o", "tutorial"),
    ("demo", "--recorded", "--no-serve"),
    ("describe", "runs/demo"),
    ("export", "runs/demo", "-o", "site"),
)


def main() -> None:
    """Build, check, and leave the result in dist/."""
    version = version_of((ROOT / "pyproject.toml").read_text())
    notes = section(version, (ROOT / "CHANGELOG.md").read_text())
    shutil.rmtree(DIST, ignore_errors=True)
    with TemporaryDirectory() as first, TemporaryDirectory() as second:
        for copy in (first, second):
            copy_sources(Path(copy), version)
            run(sys.executable, "-m", "build", cwd=Path(copy))
        shutil.copytree(Path(first) / "dist", DIST)
        names = [path.name for path in DIST.iterdir()]
        same, *others = filecmp.cmpfiles(DIST, Path(second) / "dist", names, shallow=False)
        if any(others) or len(same) != 2:
            sys.exit(f"error: two builds must be the same bytes, and these differ: {others}")
    run(sys.executable, "-m", "twine", "check", "--strict", *map(str, DIST.iterdir()))
    (wheel,) = DIST.glob("*.whl")
    tried = [install(found, wheel) for python in PYTHONS for found in find_python(python)]
    (DIST / "version").write_text(version + "\n")
    (DIST / "notes.md").write_text(notes)
    print(f"{', '.join(names)}: built twice, installed by Python {', '.join(tried)}")


def version_of(pyproject: str) -> str:
    """The version in `pyproject.toml`; Python 3.10 has no `tomllib`."""
    return re.findall(r'^version = "(.+)"$', pyproject, re.MULTILINE)[0]


def section(version: str, changelog: str) -> str:
    """What a changelog says of a version."""
    found = re.search(
        rf"^## \[{re.escape(version)}\] - [^\n]*\n(.*?)(?=^## |\Z)",
        changelog,
        re.DOTALL | re.MULTILINE,
    )
    if found is None:
        sys.exit(f"error: CHANGELOG.md must have a section [{version}], and it has none")
    return found[1].strip() + "\n"


def copy_sources(directory: Path, version: str) -> None:
    """Copy what git knows; with `SOURCE_URL`, relative links lead to the tag of the version."""
    listed = run("git", "ls-files", "-z", cwd=ROOT).split("\0")
    for name in filter(None, listed):
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, directory / name)
    if source := os.environ.get("SOURCE_URL"):
        readme = directory / "README.md"
        readme.write_text(absolute_links(readme.read_text(), source, f"v{version}"))
        with (directory / "pyproject.toml").open("a") as pyproject:
            pyproject.write(
                f'\n[project.urls]\nSource = "{source}"\n'
                f'Changelog = "{source}/blob/v{version}/CHANGELOG.md"\n'
            )


def absolute_links(text: str, source: str, tag: str) -> str:
    """Links and pictures of a Markdown text, at a tag of a repository instead of beside it."""
    text = re.sub(r"(!\[[^\]]*\]\()(?!http)", rf"\1{source}/raw/{tag}/", text)
    return re.sub(r"((?<!!)\[[^\[\]]*\]\()(?!http|#)(?=\w)", rf"\1{source}/blob/{tag}/", text)


def find_python(version: str) -> Iterator[str]:
    """The path of a Python of this version that runs, if any: on the PATH, or pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for found in [shutil.which(f"python{version}"), *pyenv.glob(f"{version}.*/bin/python")]:
        works = (found, "-c", "import venv")  # pyenv puts programs that fail on the PATH
        if found and not subprocess.run(works, capture_output=True, check=False).returncode:
            yield str(found)
            return
    print(f"no Python {version} is found, so the wheel is not tried by it")


def install(python: str, wheel: Path) -> str:
    """Install a wheel into an empty environment, and run commands of it; the version of Python."""
    with TemporaryDirectory() as directory:
        programs = Path(directory) / "environment" / "bin"
        run(python, "-m", "venv", str(programs.parent))
        run(str(programs / "python"), "-m", "pip", "install", "--quiet", str(wheel))
        for command in TRIED:
            run(str(programs / "tb-sonify"), *command, cwd=Path(directory))
        return run(str(programs / "python"), "-V").split()[1]


def run(*command: str, cwd: Path | None = None) -> str:
    """What a command prints; what it says is shown if it fails, which ends the release."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    result = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if result.returncode:
        sys.exit(f"{result.stdout}{result.stderr}\nerror: {' '.join(command)} failed")
    return result.stdout


if __name__ == "__main__":
    main()
