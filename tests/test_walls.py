"""Who may import whom: each room is imported in a process of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINES = 800

# A room and the rooms that it may import.
ROOMS = {
    "schema": set(),
    "sound": {"schema"},
    "training": {"schema", "sound"},
    "reading": {"schema", "sound"},
    "plugin": {"schema", "sound", "reading"},
    "integrations": {"schema", "sound", "training"},
}
# The rooms of the dashboard, from the bottom to the top: each may import those before it.
FRONTEND = ("units", "model", "drawing", "audio", "server", "host", "state", "actions", "effects")
IMPORT_ALL = """
import importlib, pkgutil, sys
for name in sys.argv[1:]:
    room = importlib.import_module(name.removesuffix(".*"))
    if name.endswith(".*"):
        for module in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
            importlib.import_module(module.name)
print(*sys.modules)
"""


def modules_after_importing(*names: str) -> set[str]:
    command = [sys.executable, "-c", IMPORT_ALL, *names]
    environment = {**os.environ, "KERAS_BACKEND": "torch"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


def libraries(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_rooms_below_it(room):
    modules = modules_after_importing(f"tb_sonify.{room}.*")
    ours = {module.split(".")[1] for module in modules if module.startswith("tb_sonify.")}
    assert room in ours
    assert ours - {room} <= ROOMS[room]


@pytest.mark.parametrize(
    ("modules", "unwanted"),
    [
        (["tb_sonify"], {"torch", "tensorboard", "numpy"}),
        (["tb_sonify.schema.*"], {"torch", "tensorboard", "scipy"}),
        (["tb_sonify.sound.*"], {"torch", "tensorboard", "scipy"}),
        (["tb_sonify.reading.*"], {"torch", "scipy"}),
        (["tb_sonify.plugin.*"], {"torch", "scipy"}),
        (["tb_sonify.cli.main", "tb_sonify.cli.demo.command"], {"torch", "tensorboard", "numpy"}),
        (["tb_sonify.cli.main", "tb_sonify.cli.run.command"], {"torch", "tensorboard", "numpy"}),
    ],
)
def test_what_starts_often_does_not_import_what_is_heavy(modules, unwanted):
    assert libraries(modules_after_importing(*modules)).isdisjoint(unwanted)


def test_the_rooms_of_the_dashboard_import_only_those_below_them():
    source = ROOT / "frontend" / "src"
    against = []
    for path in source.rglob("*.ts*"):
        for imported in re.findall(r'from "(\.[^"]+)"', path.read_text()):
            target = os.path.relpath((path.parent / imported).resolve(), source)
            room, other = (
                Path(each).with_suffix("").parts[0] for each in (path.relative_to(source), target)
            )
            if room in FRONTEND and other not in FRONTEND[: FRONTEND.index(room) + 1]:
                against.append(f"{path.relative_to(source)} imports {target}")
    assert against == []


def test_no_source_file_is_long():
    patterns = (
        "*.py",
        "tb_sonify/**/*.py",
        "tests/**/*.py",
        "benchmarks/**/*.py",
        "examples/**/*.py",
        "frontend/src/**/*.*",
        "frontend/test/**/*.*",
    )
    files = {path for pattern in patterns for path in ROOT.glob(pattern)}
    long = {path.name: count for path in files if (count := _lines(path)) > LINES}
    assert len(files) > 50
    assert long == {}


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())
