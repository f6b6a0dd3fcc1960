"""Waiting for the script to import a module: nothing is imported before, or instead of, it."""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

Action = Callable[[ModuleType], None]


def after_import(actions: Mapping[str, Action]) -> None:
    """Call an action with each module that is named, once it is imported."""
    waiting = dict(actions)
    for name in [name for name in waiting if name in sys.modules]:
        waiting.pop(name)(sys.modules[name])
    sys.meta_path.insert(0, _ImportHook(waiting))


class _ImportHook(MetaPathFinder):
    """Finds a module by the other finders, and has its loader tell when it is done."""

    def __init__(self, actions: dict[str, Action]) -> None:
        self._actions = actions

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in self._actions:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = None
            if find is not None and finder is not self:
                spec = find(name, path, target)
            if spec is not None:
                self._tell(spec)
                return spec
        return None

    def _tell(self, spec: ModuleSpec) -> None:
        loader: Any = spec.loader
        execute = getattr(loader, "exec_module", None)
        if execute is None:
            return

        def exec_module(module: ModuleType) -> None:
            del loader.exec_module
            execute(module)
            action = self._actions.pop(spec.name, None)
            if action is not None:
                action(module)

        # On the one object, so that whoever looks at it later finds the loader as it was.
        loader.exec_module = exec_module
