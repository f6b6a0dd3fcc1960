"""The frameworks, of which whoever uses one has it installed."""

import sys
from importlib import import_module
from types import ModuleType


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


def _imported(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # it is there, and something that it needs itself is not
        return None
