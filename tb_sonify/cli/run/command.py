"""`tb-sonify run`: run a training script as it is, and log how it sounds."""

import argparse
import atexit
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from tb_sonify.cli.main import CommandError, add_parser, positive_int
from tb_sonify.cli.run.launcher import Program
from tb_sonify.cli.run.script_writers import SummaryWriters
from tb_sonify.cli.run.session import ScriptSession
from tb_sonify.cli.run.signals import flush_on_signals

_DESCRIPTION = """\
Run a training script that knows nothing of tb_sonify, just as `python` would, and log the gradient
norm of every layer whenever one of its optimizers steps. Arguments, output, exit status, signals
and tracebacks are the script's own; options of ours come before its name:

    tb-sonify run train.py --lr 0.1
    tb-sonify run --logdir runs/lr-0.1 -m package.train --lr 0.1
    torchrun --nproc-per-node 2 -m tb_sonify run train.py

Where the script makes a SummaryWriter, of torch or of tensorboardX, the norms go into its
directory, so that its loss and its gradients are one run; each training of a sweep is a run of its
own. The loss is also taken from what the script calls backward() on, as loss/backward. Steps are
those of the optimizer, counted from 0, or those of the script's loss where they count faster, such
as environment steps; several optimizers, such as a GAN's, share them. Layers have the names that
they have in their model. At the end, one line says where the run is and how to hear it. With
--watch, lines in between say what happens to it, as `tb-sonify watch` does."""


def add_command(commands: Any, name: str) -> None:
    """Add the subcommand and its options to a parser's subparsers."""
    parser = add_parser(
        commands,
        name,
        summary="run your training script as it is, and log how it sounds",
        description=_DESCRIPTION,
    )
    parser.allow_abbrev = False  # the script's options are none of ours that are cut short
    parser.usage = (
        "tb-sonify run [--logdir DIR] [--every N] [--first-step N] [--preset NAME] [--watch] "
        "(SCRIPT | -m MODULE) [ARGS ...]"
    )
    parser.add_argument(
        "--logdir",
        metavar="DIR",
        help="of this run, for a script without a SummaryWriter "
        "(default: runs/, then date, time and name of the script)",
    )
    parser.add_argument(
        "--every", type=positive_int, default=1, metavar="N", help="log every so many steps"
    )
    parser.add_argument(
        "--first-step",
        type=_step,
        default=0,
        metavar="N",
        help="step of the first that is taken, for a script that resumes (default: 0)",
    )
    parser.add_argument(
        "--preset",
        action="append",
        metavar="NAME",
        help="log clips of it for TensorBoard's Audio tab; may be repeated (default: smooth)",
    )
    parser.add_argument(
        "--watch",
        action="store_true",
        help="say on standard error what happens to the run, and every minute how far it is",
    )
    parser.add_argument(
        "-m", action="store_true", dest="module", help="run a module, as `python -m` does"
    )
    parser.add_argument("script", metavar="SCRIPT", help="a Python file, or with -m a module")
    parser.add_argument(
        "arguments", metavar="ARGS", nargs=argparse.REMAINDER, help="the script's own"
    )


def run(options: argparse.Namespace) -> int:
    """Run the script; returns if it ends as a script does that comes to its end."""
    _require_presets(options.preset or [])
    program = Program(options.script, options.arguments, is_module=options.module)
    writers = SummaryWriters()
    started = time.strftime("%b%d_%H-%M-%S")
    session = ScriptSession(
        writers,
        logdir=options.logdir or f"runs/{started}_{program.name}",
        every=options.every,
        first_step=options.first_step,
        presets=options.preset or ["smooth"],
        watch=options.watch,
    )
    # The first to be registered is the last to run: what the script does at exit is seen, too.
    atexit.register(session.end)
    flush_on_signals(session.end)
    actions = {
        "torch": session.torch_is_there,
        "torch.distributed.fsdp.sharded_grad_scaler": session.scaler_is_there,
        **dict.fromkeys(writers.MODULES, writers.notice),
    }
    after_import({name: session.guarded(action) for name, action in actions.items()})
    try:
        program.run()
    except CommandError:
        atexit.unregister(session.end)
        raise
    return 0


def _step(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**63:
        raise argparse.ArgumentTypeError(f"must be at least 0 and fit 64 bits, got {number}")
    return number


def _require_presets(names: list[str]) -> None:
    if not names:
        return  # numpy, and the threads that it starts, are the script's to import first
    from tb_sonify.sound import PRESETS

    unknown = [name for name in names if name not in PRESETS]
    if unknown:
        raise CommandError(f"--preset must be one of {', '.join(PRESETS)}, got {unknown[0]}")


Action = Callable[[ModuleType], None]


def after_import(actions: Mapping[str, Action]) -> None:
    """Call an action with each module that is named, once the script has imported it.

    Nothing is imported before, or instead of, the script.
    """
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
