"""The command line, run as a process of its own."""

from importlib import metadata

import pytest

from tests.commands import tb_sonify


def test_help_names_every_command():
    result = tb_sonify("--help")
    assert result.returncode == 0
    assert "demo" in result.stdout
    assert "SonifyWriter" in result.stdout


def test_help_of_the_demo_names_its_options():
    result = tb_sonify("demo", "--help")
    assert result.returncode == 0
    for option in ("--logdir", "--steps", "--seed", "--no-serve", "--port"):
        assert option in result.stdout


def test_version_is_the_installed_one():
    assert tb_sonify("--version").stdout == f"tb-sonify {metadata.version('tb-sonify')}\n"


def test_the_console_script_is_installed():
    (script,) = metadata.entry_points(group="console_scripts", name="tb-sonify")
    assert script.value == "tb_sonify.cli.main:main"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: command"),
        (["dance"], "invalid choice: 'dance'"),
        (["demo", "--steps", "0"], "must be at least 1, got 0"),
        (["demo", "--steps", "few"], "invalid"),
        (["demo", "--dataset", "mnist"], "unrecognized arguments: --dataset mnist"),
    ],
)
def test_a_mistake_ends_with_status_2_and_says_what_must_hold(arguments, message, tmp_path):
    result = tb_sonify(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []
