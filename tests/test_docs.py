"""What the documents say is what the code does."""

import doctest
import os
import re
import runpy
import shlex
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest

from tb_sonify.cli.main import defaults_of, main
from tb_sonify.plugin.run_routes import RunRoutes
from tb_sonify.reading.store import Store
from tb_sonify.sound import PRESETS, Encoding

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def code_blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def test_the_training_loop_of_the_readme_trains_and_is_logged(tmp_path, monkeypatch):
    (program,) = code_blocks("python")
    script = tmp_path / "train.py"
    script.write_text(program)
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(script))
    (events,) = (tmp_path / "runs" / "adam").iterdir()
    assert b"grad_norm/0" in events.read_bytes()


def test_every_make_command_of_the_readme_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    commands = re.findall(r"^make ([a-z]+)", "\n".join(code_blocks("sh")), re.MULTILINE)
    assert commands
    assert set(commands) <= targets


def commands_in(line):
    """The arguments of each `tb-sonify` in a line for a shell, also within quotes."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list(lexer)
    for start, word in enumerate(words):
        if word == "tb-sonify":
            rest = words[start + 1 :]
            yield rest[: next((i for i, each in enumerate(rest) if each[0] in "();<>|&"), None)]
        elif "tb-sonify " in word:
            yield from commands_in(word)


@pytest.mark.parametrize(
    "document",
    [
        "README.md",
        *(f"docs/{each}.md" for each in ("first_minute", "howto", "monitoring", "sharing")),
    ],
)
def test_commands_of_the_documents_are_understood(document):
    text = (ROOT / document).read_text()
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    shell = "".join(block for language, block in blocks if language in ("", "sh"))
    lines = [line for line in shell.splitlines() if "tb-sonify " in line]
    found = [command for line in lines for command in commands_in(line)]
    assert len(found) >= max(len(lines), 2)
    for arguments in found:
        defaults_of(*arguments)


def test_commands_of_the_readme_that_end_by_themselves_run_as_printed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--recorded", "--no-serve", "--logdir", "runs"]) == 0
    Path("runs/adam-0.01-batch10").rename("runs/adam")
    Path("runs/sgd-1.0-batch10").rename("runs/sgd")
    for other in Path("runs").glob("*-batch*"):
        shutil.rmtree(other)
    lines = [line for line in "".join(code_blocks("sh")).splitlines() if "tb-sonify " in line]
    found = [command for line in lines for command in commands_in(line)]
    ran = [each for each in found if each and each[0] in ("describe", "render", "export")]
    assert len(ran) > 6
    for arguments in ran:
        assert main(arguments) == (3 if "--fail-on" in arguments else 0), arguments
    written = {path.name for path in Path().iterdir()}
    assert {"adam.wav", "ratio.wav", "adam.html", "site"} <= written


SAYS = {  # a line of the README: what it says before it is ended, if it does not end by itself
    "tb-sonify demo --recorded": "/#sonify",
    "tb-sonify run train.py --lr 0.1": "tensorboard --logdir runs",
    "tb-sonify run --watch train.py": "ended at step 2",
    "tensorboard --logdir runs": "at http://",
    "tensorboard --logdir runs --sonify_norms='norms/*,optim/*.gn'": "at http://",
    "tb-sonify watch runs": "exploded since step 3",
    "tb-sonify watch runs --until first-failure": "exploded since step 3",
    "tb-sonify tutorial": "a norm of 1 in all layers",
    "tb-sonify listen-test": "is at http://",
    "tb-sonify open runs": "plugin_entry.html?name=sonify",
}
TRAINING = """\
import argparse
import torch

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.01)
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=parser.parse_args().lr)
for _ in range(3):
    optimizer.zero_grad()
    model(torch.ones(2, 4)).square().mean().backward()
    optimizer.step()
"""


@pytest.mark.server
@pytest.mark.parametrize("line", SAYS)
def test_commands_of_the_readme_that_go_on_run_as_printed(line, tmp_path):
    printed = [each.split("  ")[0] for each in "".join(code_blocks("sh")).splitlines()]
    assert line in printed
    (tmp_path / "train.py").write_text(TRAINING)
    assert main(["demo", "--recorded", "--no-serve", "--logdir", str(tmp_path / "runs")]) == 0
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    process = subprocess.Popen(
        ["bash", "-c", line],
        cwd=tmp_path,
        env={**os.environ, "PATH": programs, "BROWSER": "true", "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # so that it can be ended with all that it starts
    )
    with process:
        said = []
        try:
            for output in process.stdout:
                said.append(output)
                if SAYS[line] in output:
                    break
            else:
                pytest.fail("".join(said))
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize(
    "module",
    [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((ROOT / "tb_sonify").rglob("*.py"))
        if ">>>" in path.read_text()
    ],
)
def test_examples_in_docstrings_give_what_they_say(module):
    tried = doctest.testmod(import_module(module))
    assert tried.attempted
    assert not tried.failed


@pytest.mark.parametrize(
    "document",
    [
        *("README.md", "CONTRIBUTING.md", "SECURITY.md"),
        *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))),
    ],
)
def test_links_between_documents_lead_somewhere(document):
    path = ROOT / document
    for target in re.findall(r"\]\(([^)#]+)", path.read_text()):
        if not target.startswith("http"):
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("module", ["tb_sonify", "tb_sonify.landscape"])
def test_all_that_a_module_exports_is_in_the_api_of_the_documentation(module):
    documented = (ROOT / "docs" / "api.md").read_text()
    names = set(import_module(module).__all__) - set(re.findall(r"\w+", documented))
    assert names == set()


def test_every_module_that_the_map_names_exists():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    modules = re.findall(
        r"`(?:tb_sonify/)?((?:schema|sound|training|reading|plugin)/\w+\.py)`", text
    )
    assert len(modules) > 10
    assert [module for module in modules if not (ROOT / "tb_sonify" / module).exists()] == []


def test_every_route_is_specified_and_every_specified_route_exists():
    api = (ROOT / "docs" / "http_api.md").read_text()
    specified = re.findall(r"^## `([a-z./*]+)", api, re.MULTILINE)
    handlers = RunRoutes(Store(provider=None)).handlers()  # no request, so nothing is read
    assert {f"/{route}" for route in specified} == set(handlers)


def test_every_argument_of_a_request_is_specified():
    api = (ROOT / "docs" / "http_api.md").read_text()
    sources = "".join(path.read_text() for path in (ROOT / "tb_sonify/plugin").glob("*.py"))
    read = re.findall(r'request, "(\w+)"|args\.get\("(\w+)"\)|"(\w+)" in request\.args', sources)
    names = {name for found in read for name in found if name}
    assert {"run", "tag", "along", "speed", "epoch", "columns", "from"} <= names
    specified = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", api))))
    assert names - specified == set()


def test_every_preset_is_described():
    sounds = (ROOT / "docs" / "sounds.md").read_text()
    assert set(re.findall(r"^\| `([a-z]+)` \|", sounds, re.MULTILINE)) | {"smooth"} == set(PRESETS)


def test_the_preset_of_the_document_is_accepted_by_the_writer(tmp_path, monkeypatch):
    sounds = (ROOT / "docs" / "sounds.md").read_text()
    (program,) = re.findall(r"^```python\n(.*?)^```", sounds, re.DOTALL | re.MULTILINE)
    script = tmp_path / "soft.py"
    script.write_text(program + 'writer.add_norms({"a": 1.0}, 0)\nwriter.close()\n')
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(script))
    (events,) = (tmp_path / "runs" / "soft").iterdir()
    assert b"sonify/soft" in events.read_bytes()


def test_the_table_of_pitches_is_true():
    sounds = (ROOT / "docs" / "sounds.md").read_text()
    norms = re.search(r"^\| norm \|(.*)\|$", sounds, re.MULTILINE).group(1).split("|")
    pitches = re.search(r"^\| Hz \|(.*)\|$", sounds, re.MULTILINE).group(1).split("|")
    heard = Encoding()([float(norm) for norm in norms])
    assert [float(pitch.replace(",", "")) for pitch in pitches] == pytest.approx(heard, abs=0.5)
