"""What integrations share: the framework that is their host, new directories, logged numbers."""

import sys
import time
from importlib import import_module
from itertools import chain, count
from pathlib import Path
from types import ModuleType
from typing import Any


def require(module: str, *others: str, extra: str) -> ModuleType:
    """The first of some modules that is there; one that the program has imported already wins.

    Parameters
    ----------
    extra
        What installs it, as an extra of this package.
    """
    names = sorted((module, *others), key=lambda name: name not in sys.modules)
    for found in map(_imported, names):
        if found is not None:
            return found
    package = " or ".join(name.partition(".")[0] for name in (module, *others))
    raise ImportError(f'this needs {package}: pip install "tb-sonify[{extra}]"')


def new_run_directory(root: str, suffix: str = "") -> str:
    """Make a directory in ``runs/`` under `root`, named by the clock, that no training has yet.

    Under a URL, or where none can be made, its name alone is given.
    """
    name = time.strftime("%b%d_%H-%M-%S") + suffix
    if "://" in root:
        return f"{root.rstrip('/')}/runs/{name}"
    parent = Path(root, "runs")
    for each in chain([name], (f"{name}_{number}" for number in count(2))):
        try:
            (parent / each).mkdir(parents=True)
        except FileExistsError:
            continue  # by another training of this second
        except OSError:
            pass  # the writer says so
        return str(parent / each)
    raise AssertionError


def number_of(value: Any) -> float | None:
    """A value that a host logs, as a number; `None` if it is none, as an image or a list."""
    try:
        return None if isinstance(value, str | bytes) else float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # the last by torch
        return None


def _imported(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # it is there, and something that it needs itself is not
        return None
