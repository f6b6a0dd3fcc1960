"""Structure of the code: which room and module imports which, and how large they may get."""

import ast
import os
import re
import subprocess
import sys
from collections import Counter
from contextlib import closing
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.forked import ForkServer

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "tb_sonify"

MOST_LINES = 800  # of a source file
MOST_MODULES = 18  # of a folder
MOST_MODULES_OF_ALL = 146

# Each room of tb_sonify, and the rooms that it may import.
ROOMS = {
    "schema": set(),
    "sound": {"schema"},
    "landmarks": {"schema"},
    "training": {"schema", "sound", "landmarks"},
    "reading": {"schema", "sound", "landmarks"},
    "plugin": {"schema", "sound", "landmarks", "reading"},
    "integrations": {"schema", "sound", "landmarks", "training"},
    "landscape": {"schema", "sound", "landmarks", "training"},
    "csv_file": set(),
    "probes": {"sound", "rendering", "landscape"},
    "rendering": {"schema", "sound", "landmarks", "reading", "csv_file"},
    "listen_test": {"schema", "sound"},
    "site": {"schema", "sound", "landmarks", "reading", "plugin"},
    "cli": {
        *("schema", "sound", "landmarks", "training", "reading"),
        *("rendering", "integrations", "landscape", "listen_test", "plugin", "site"),
    },
}
MAY_IMPORT_TORCH = {"training", "integrations", "landscape", "probes", "cli"}
# Modules of the large rooms, from the bottom to the top: each may import those before it.
ORDER = {
    "reading": """limits cache work store scalars run_reader timeline
        scalar_timeline runs landscape timeline_builder selection audio heatmap export run_landmarks
        description logdir""",
    "training": """warn amp layers tensor_norms update_norms foreign_writer summary
        event_writer run_log recorder sharding grad_norms clip_grad optimizer_steps step_row
        row_buffer watch writer""",
    "landscape": "progress evaluation path plane strip grid",
    "site": "answers requests page export notebook",
}
# Rooms of the dashboard, from the bottom to the top.
FRONTEND = (
    "units",
    "model",
    "draw",
    "audio",
    "server",
    "host",
    "state",
    "actions",
    "effects",
    "view",
    "index",
)

IMPORT_ALL = """
import importlib, pkgutil, sys
for name in sys.argv[1:]:
    room = importlib.import_module(name.removesuffix(".*"))
    if name.endswith(".*"):
        for module in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
            importlib.import_module(module.name)
print(*sys.modules)
"""


# No module of ours: forks of a process that has imported it find out what ours import.
OF_OTHERS = "import torch, torch.utils.tensorboard, tensorboard.program, tensorboard.default"


@pytest.fixture(scope="module")
def libraries_loaded():
    with closing(ForkServer(OF_OTHERS)) as server:
        yield server


def modules_after_importing(*names: str) -> set[str]:
    command = [sys.executable, "-c", IMPORT_ALL, *names]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


def libraries(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def imports() -> dict[str, set[str]]:
    """Every module of tb_sonify and all that it imports, at its top or within a function."""
    names = {name_of(path): path for path in PACKAGE.rglob("*.py")}
    found = {}
    for name, path in names.items():
        found[name] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found[name] |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.module, f"{name}: imports must be absolute, write `from tb_sonify...`"
                submodules = {f"{node.module}.{alias.name}" for alias in node.names}
                found[name] |= submodules & set(names) or {node.module}
    return found


def room_of(module: str) -> str:
    return module.split(".")[1] if module.startswith("tb_sonify.") else ""


@pytest.mark.parametrize(
    "room",
    [
        pytest.param("integrations", marks=pytest.mark.training),  # imports the trainers
        *sorted(set(ROOMS) - {"csv_file", "probes", "rendering", "cli", "integrations"}),
    ],
)
def test_a_room_loads_only_the_rooms_below_it(libraries_loaded, room):
    how = {"environment": {"KERAS_BACKEND": "torch"}}
    result = libraries_loaded.run(IMPORT_ALL, f"tb_sonify.{room}.*", **how)
    assert result.returncode == 0, result.stderr
    loaded = {room_of(module) for module in result.stdout.split()}
    assert room in loaded
    assert loaded - {room, ""} <= ROOMS[room]


def test_rooms_import_only_rooms_below_them():
    wrong = [
        f"{module} imports {other}"
        for module, others in imports().items()
        for other in sorted(others)
        if (room := room_of(module)) in ROOMS
        and room_of(other)
        and room_of(other) not in {room, *ROOMS[room]}
    ]
    assert not wrong, "move the imported name to a lower room, or pass its value as an argument"


def test_only_rooms_for_training_import_torch():
    wrong = [
        module
        for module, others in imports().items()
        if "torch" in libraries(others) and room_of(module) not in {"", *MAY_IMPORT_TORCH}
    ]
    assert not wrong, "TensorBoard's server must not load torch: use numpy here"


@pytest.mark.parametrize("room", ORDER)
def test_modules_of_a_room_import_only_those_before_them(room):
    order = ORDER[room].split()
    modules = {
        path.stem
        for path in (PACKAGE / room).iterdir()
        if not path.name.startswith("__") and (path.suffix == ".py" or list(path.glob("*.py")))
    }
    assert modules == set(order), "add new modules to ORDER, after all that they import"
    wrong = [
        f"{module} imports {other}"
        for module, others in imports().items()
        for other in sorted(others)
        if room_of(module) == room_of(other) == room and module.count(".") > 1 < other.count(".")
        if order.index(module.split(".")[2]) < order.index(other.split(".")[2])
    ]
    assert not wrong, "move the imported name down, or, if the order is outdated, change ORDER"


def test_no_module_imports_itself_by_way_of_others():
    graph = {
        module: {other for other in others if other.startswith("tb_sonify")}
        for module, others in imports().items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"move what both need into a third module: {' <- '.join(error.args[1])}")


@pytest.mark.parametrize(
    ("modules", "unwanted"),
    [
        (["tb_sonify"], {"torch", "tensorboard", "numpy"}),
        (["tb_sonify.schema.*"], {"torch", "tensorboard", "scipy"}),
        (["tb_sonify.sound.*"], {"torch", "tensorboard", "scipy"}),
        (["tb_sonify.landmarks.*"], {"torch", "tensorboard", "scipy"}),
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
    for path in {*source.rglob("*.ts*")} - {*source.rglob("*.d.ts"), source / "ticker.ts"}:
        for imported in re.findall(r'from "(\.[^"]+)"', path.read_text()):
            target = os.path.relpath((path.parent / imported).resolve(), source)
            room, other = (
                Path(each).with_suffix("").parts[0] for each in (path.relative_to(source), target)
            )
            if other != "style" and other not in FRONTEND[: FRONTEND.index(room) + 1]:
                against.append(f"{path.relative_to(source)} imports {target}")
    assert against == []


def test_no_modules_of_the_dashboard_import_each_other():
    source = ROOT / "frontend" / "src"
    graph = {
        path: {
            module
            for imported in re.findall(r'from "(\.[^"]+)"', path.read_text())
            for ending in (".ts", ".tsx")
            if (module := (path.parent / f"{imported}{ending}").resolve()).exists()
        }
        for path in source.rglob("*.ts*")
    }
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the modules


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
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert len(files) > 50
    long = {str(path): count for path, count in lengths.items() if count > MOST_LINES}
    assert not long, "divide the file by its nouns, not by its length"


def test_no_folder_has_many_modules():
    modules = [path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"]
    counts = Counter(str(path.parent.relative_to(ROOT)) for path in modules)
    crowded = {folder: count for folder, count in counts.items() if count > MOST_MODULES}
    assert not crowded, "merge modules that have one importer into it, or divide the folder"
    assert len(modules) <= MOST_MODULES_OF_ALL, "merge modules that have one importer into it"
