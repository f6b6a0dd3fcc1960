"""What is built and published, from a copy of the sources without anything built in it."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.release import absolute_links, section, version_of
from tests.serving import served

pytestmark = pytest.mark.package

ROOT = Path(__file__).parent.parent
VERSION = version_of((ROOT / "pyproject.toml").read_text())
BUNDLE = "tb_sonify/plugin/static/index.js"
SOURCES = (
    "tb_sonify",
    "frontend",
    "hatch_build.py",
    "pyproject.toml",
    "README.md",
    "LICENSE",
    ".gitignore",
)
# Whoever still asks the registry fails at once.
NO_REGISTRY = {"npm_config_registry": "http://localhost:9/", "npm_config_fetch_retries": "0"}


def copy(destination: Path) -> Path:
    """The sources alone, as in a fresh clone."""
    destination.mkdir(parents=True)
    unbuilt = shutil.ignore_patterns("node_modules", "static", "__pycache__")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, destination / name, ignore=unbuilt)
        else:
            shutil.copy(source, destination)
    return destination


def run(*command, cwd=None, **environment):
    result = subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return result.returncode, result.stdout + result.stderr


def hook(name: str, sources: Path, **environment) -> tuple[int, str]:
    """Call a hook of the build backend as pip does, with what is installed here."""
    (sources / "dist").mkdir(exist_ok=True)
    call = f"import hatchling.build; hatchling.build.{name}('dist')"
    return run(sys.executable, "-c", call, cwd=sources, **environment)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A copy of the sources in which a wheel was built where the PATH has no Node."""
    directory = tmp_path_factory.mktemp("package")
    (directory / "bin").mkdir()
    (directory / "bin" / "sh").symlink_to(shutil.which("sh"))
    sources = copy(directory / "sources")
    pip = (sys.executable, "-m", "pip")
    status, output = run(
        *pip, "wheel", ".", "--no-deps", "-w", "dist", cwd=sources, PATH=str(directory / "bin")
    )
    assert status == 0, output
    return sources


@pytest.fixture(scope="module")
def wheel(built) -> Path:
    (path,) = (built / "dist").glob("*.whl")
    return path


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory) -> Path:
    """The programs of an empty environment into which the wheel alone was installed."""
    directory = tmp_path_factory.mktemp("environment")
    programs = directory / "bin"
    python = ("--python", programs / "python")
    for command in (
        (sys.executable, "-m", "venv", "--without-pip", directory),
        (sys.executable, "-m", "pip", *python, "install", "--no-compile", wheel),
    ):
        status, output = run(*command)
        assert status == 0, output
    return programs


def test_the_wheel_holds_the_package_with_its_bundle_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    folders = {name.split("/")[0] for name in names}
    assert folders == {"tb_sonify", f"tb_sonify-{VERSION}.dist-info"}
    assert {BUNDLE, "tb_sonify/py.typed", "tb_sonify/schema/__init__.py"} <= names
    assert {f"tb_sonify/listen_test/page.{kind}" for kind in ("html", "css", "js")} <= names
    assert not [name for name in names if name.endswith((".ts", ".tsx", ".map"))]
    assert f"tb_sonify-{VERSION}.dist-info/licenses/LICENSE" in names


def test_the_wheel_names_its_licence_and_its_entry_points(wheel):
    archive = zipfile.ZipFile(wheel)
    metadata = archive.read(f"tb_sonify-{VERSION}.dist-info/METADATA").decode()
    entry_points = archive.read(f"tb_sonify-{VERSION}.dist-info/entry_points.txt").decode()
    assert "License-Expression: Apache-2.0\n" in metadata
    assert "sonify = tb_sonify.plugin.loader:SonifyLoader" in entry_points
    assert "tb-sonify = tb_sonify.cli.main:main" in entry_points


def test_an_sdist_brings_its_bundle_so_that_a_wheel_from_it_needs_no_npm(built, tmp_path):
    status, output = hook("build_sdist", built, **NO_REGISTRY)
    assert status == 0, output
    (archive,) = (built / "dist").glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    (sources,) = tmp_path.iterdir()
    assert (sources / "frontend" / "package-lock.json").exists()
    assert not (sources / "frontend" / "node_modules").exists()

    asked = "import hatchling.build; print(hatchling.build.get_requires_for_build_wheel())"
    assert run(sys.executable, "-c", asked, cwd=sources) == (0, "[]\n")
    status, output = hook("build_wheel", sources, **NO_REGISTRY)
    assert status == 0, output
    (from_sdist,) = (sources / "dist").glob("*.whl")
    assert zipfile.ZipFile(from_sdist).read(BUNDLE) == (built / BUNDLE).read_bytes()


def test_a_second_build_in_another_directory_is_the_same_bytes(built, wheel, tmp_path):
    """Of the dashboard, too; npm's packages are those of the first."""
    sources = copy(tmp_path / "somewhere" / "else")
    shutil.copytree(
        built / "frontend" / "node_modules", sources / "frontend" / "node_modules", symlinks=True
    )
    for name in ("build_sdist", "build_wheel"):
        status, output = hook(name, sources, **NO_REGISTRY)
        assert status == 0, output
    assert hook("build_sdist", built)[0] == 0
    (archive,) = (built / "dist").glob("*.tar.gz")
    for first in (wheel, archive):
        assert (sources / "dist" / first.name).read_bytes() == first.read_bytes()


def test_version_changelog_and_citation_agree():
    assert f"\nversion: {VERSION}\n" in (ROOT / "CITATION.cff").read_text()
    assert "### Added" in section(VERSION, (ROOT / "CHANGELOG.md").read_text())


def test_the_links_of_the_readme_lead_to_the_repository_where_it_is_read_elsewhere():
    links = absolute_links((ROOT / "README.md").read_text(), "https://host.test/us/it", "v1")
    targets = re.findall(r"\]\(([^)]+)\)", links)
    assert "https://host.test/us/it/raw/v1/docs/dashboard.png" in targets
    assert "https://host.test/us/it/blob/v1/docs/sounds.md" in targets
    assert [each for each in targets if not each.startswith(("http", "#"))] == []


def test_an_editable_install_neither_builds_nor_needs_the_registry(tmp_path):
    sources = copy(tmp_path / "sources")
    status, output = hook("build_editable", sources, **NO_REGISTRY)
    assert status == 0, output
    assert not (sources / BUNDLE).exists()


def test_a_build_without_a_registry_says_what_failed_and_what_to_do(tmp_path):
    sources = copy(tmp_path / "sources")
    cache = str(tmp_path / "cache")
    status, output = hook("build_wheel", sources, npm_config_cache=cache, **NO_REGISTRY)
    assert status != 0
    assert "the dashboard could not be built: `npm ci" in output
    assert "set npm's `registry`" in output


def test_a_source_that_changed_is_built_again(built, tmp_path):
    sources = tmp_path / "sources"
    shutil.copytree(built, sources, symlinks=True)
    assert hook("build_wheel", sources)[0] == 0
    (sources / "frontend" / "src" / "index.ts").write_text("export function render( {")
    status, output = hook("build_wheel", sources)
    assert status != 0
    assert "the dashboard could not be built: `npm run build`" in output
    assert not (sources / BUNDLE).exists()


def test_the_wheel_alone_shows_the_tab_and_serves_its_bundle(environment, built, tmp_path):
    assert run(environment / "python", "-c", "import torch")[0] != 0
    command = (str(environment / "tensorboard"),)
    with served(tmp_path, command=command) as url:
        with urlopen(f"{url}data/plugins_listing") as response:
            assert b'"sonify"' in response.read()
        with urlopen(f"{url}data/plugin/sonify/index.js") as response:
            assert response.headers["Content-Type"].startswith("text/javascript")
            assert response.read() == (built / BUNDLE).read_bytes()
        ticker = (built / BUNDLE).parent / "parts" / "ticker.js"
        with urlopen(f"{url}data/plugin/sonify/parts/ticker.js") as response:
            assert response.read() == ticker.read_bytes()


def test_without_torch_the_package_says_which_extra_to_install(environment):
    python = environment / "python"
    assert run(python, "-c", "import tb_sonify") == (0, "")
    status, output = run(python, "-c", "import tb_sonify; tb_sonify.SonifyWriter")
    assert status != 0
    assert "tb-sonify[torch]" in output.splitlines()[-1]
    status, output = run(environment / "tb-sonify", "demo")
    assert status == 2
    assert 'pip install "tb-sonify[demo]"; or take --recorded' in output
    assert "Traceback" not in output


def test_without_torch_the_demo_plays_what_was_recorded(environment, tmp_path):
    recorded = ("demo", "--recorded", "--no-serve", "--logdir", str(tmp_path))
    status, output = run(environment / "tb-sonify", *recorded)
    assert status == 0, output
    assert len(list(tmp_path.glob("*/*.recorded"))) == 10
