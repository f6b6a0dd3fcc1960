"""A script or module that becomes `__main__`, as if Python had been called with it."""

import builtins
import io
import os
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, ModuleType, TracebackType

from tb_sonify.cli.main import CommandError

_RUN = Path(__file__).parent
_HOOKS = (str(_RUN), str(_RUN.parents[1] / "training" / "amp.py"))


class Program:
    """What is to run.

    Parameters
    ----------
    script
        A Python file, or the name of a module.
    arguments
        Its `sys.argv`, after the first.
    """

    def __init__(self, script: str, arguments: Sequence[str], *, is_module: bool) -> None:
        self._script = script
        self._is_module = is_module
        self._arguments = list(arguments)
        self.name = script.rpartition(".")[2] if is_module else Path(script).stem
        if not is_module:
            _require_file(script)

    def run(self) -> None:
        """Run it, in this process; its exceptions look as if nobody else had been there."""
        main = ModuleType("__main__")
        vars(main)["__builtins__"] = builtins
        if "__annotations__" in vars(sys.modules["__main__"]):  # before Python 3.14
            vars(main)["__annotations__"] = {}
        sys.modules["__main__"] = main
        sys.argv[:] = [self._script, *self._arguments]
        try:
            code = self._module(main) if self._is_module else self._file(main)
            exec(code, vars(main))
        except (CommandError, SystemExit):
            raise
        except BaseException as error:
            traceback = _outside_of_ours(error.__traceback__)
            chained: BaseException | None = error
            while chained is not None:
                _cut_hooks(traceback if chained is error else chained.__traceback__)
                chained = chained.__cause__ or chained.__context__
            _show_only(error, traceback)
            raise

    def _file(self, main: ModuleType) -> CodeType:
        path = os.path.abspath(self._script)  # noqa: PTH100 - as Python: links are not followed
        _set_first_path(str(Path(path).resolve().parent))
        loader = SourceFileLoader("__main__", path)
        vars(main).update(__file__=path, __loader__=loader, __cached__=None)
        with io.open_code(path) as file:
            return compile(file.read(), path, "exec", dont_inherit=True)

    def _module(self, main: ModuleType) -> CodeType:
        sys.argv[0] = "-m"
        _set_first_path(str(Path.cwd()))
        name = self._script
        try:
            spec = find_spec(name)
            if spec is not None and spec.submodule_search_locations is not None:
                name = f"{name}.__main__"
                spec = find_spec(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise  # something that the package itself imports
            spec = None
        loader = spec and spec.loader
        code: CodeType | None = getattr(loader, "get_code", lambda _: None)(name)
        if spec is None or code is None:
            raise CommandError(
                f"-m must be followed by a module that Python finds from here, got {name!r}: "
                "is it spelled as for `python -m`, and the directory the right one?"
            )
        sys.argv[0] = str(spec.origin)
        vars(main).update(
            __file__=spec.origin,
            __cached__=spec.cached,
            __loader__=spec.loader,
            __package__=spec.parent,
            __spec__=spec,
        )
        return code


def _require_file(script: str) -> None:
    path = Path(script)
    if path.is_dir():
        raise CommandError(f"SCRIPT must be a Python file, and {script!r} is a directory")
    if not path.is_file():
        hint = " (a module is run by -m)" if "/" not in script and ".py" not in script else ""
        raise CommandError(f"SCRIPT must be a Python file, and there is no {script!r}{hint}")


def _set_first_path(directory: str) -> None:
    """What Python puts first in `sys.path`: for us, it had put the directory of our command."""
    if not getattr(sys.flags, "safe_path", False):  # Python 3.11 and newer
        sys.path[0] = directory


def _outside_of_ours(traceback: TracebackType | None) -> TracebackType | None:
    """The part of a traceback that begins with the script's own code."""
    ours = Path(__file__).name
    while traceback is not None and Path(traceback.tb_frame.f_code.co_filename).name == ours:
        if traceback.tb_frame.f_globals is not globals():
            break
        traceback = traceback.tb_next
    return traceback


def _cut_hooks(traceback: TracebackType | None) -> None:
    """Take our wrappers of torch's functions out of a traceback, from its second frame on."""
    while traceback is not None:
        inner = traceback.tb_next
        while inner is not None and inner.tb_frame.f_code.co_filename.startswith(_HOOKS):
            inner = traceback.tb_next = inner.tb_next
        traceback = inner


def _show_only(error: BaseException, traceback: TracebackType | None) -> None:
    """Have Python, or who took over from it, show the exception with this traceback alone."""
    show = sys.excepthook

    def shown(kind: type[BaseException], value: BaseException, whole: TracebackType | None) -> None:
        if value is error:
            value, whole = value.with_traceback(traceback), traceback
        show(kind, value, whole)

    hook: Callable[[type[BaseException], BaseException, TracebackType | None], None] = shown
    sys.excepthook = hook
