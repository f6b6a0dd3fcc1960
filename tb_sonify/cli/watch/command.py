"""`tb-sonify watch`: follow runs in a terminal, by lines that are only ever added."""

import argparse
import io
import os
import select
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tb_sonify.cli.main import CommandError, add_parser, exit_on_signals
from tb_sonify.schema.pairs import Pair, parse_pairs

if TYPE_CHECKING:
    from tb_sonify.cli.watch.actions import Actions
    from tb_sonify.cli.watch.logdir_watch import LogdirWatch

_DESCRIPTION = """\
Follow all runs of a log directory while they are written, also those that begin later, and say
what happens to them: what breaks and in which layer, what becomes unusual, where a loss leaves its
floor, and which runs begin, stall, resume and end. Each is said once, as a line of text.

In a terminal, press Enter for all runs as they are now, d for what `tb-sonify describe` says of the
run to which something happened last, space to turn sound on or off, p and n for what was said
before, and q to leave.

Exit status: 0 the runs ended well, or you left; 3 a run failed; 4 a run stalled."""

_POLL_SECONDS = 0.5
_UNTIL = ("first-failure", "nan", "divergence", "overfitting", "end")


def add_command(commands: Any, name: str) -> None:
    """Add the subcommand and its options to a parser's subparsers."""
    parser = add_parser(
        commands, name, summary="follow runs in a terminal", description=_DESCRIPTION
    )
    parser.add_argument("logdir", type=Path, help="as for TensorBoard; may come later")
    parser.add_argument("--run", metavar="GLOB", default="*", help="only these (default: all)")
    parser.add_argument(
        "--every",
        type=_seconds,
        default=60.0,
        metavar="TIME",
        help="between lines on progress, such as 30s, 5m (default: 60s)",
    )
    parser.add_argument(
        "--say",
        choices=("events", "progress", "all"),
        default="all",
        help="what happens, how far runs are with what is wrong, or both (default)",
    )
    parser.add_argument(
        "--sound",
        choices=("off", "events", "norms"),
        default="off",
        help="play what happens, or also the gradient norms as they come (default: off)",
    )
    parser.add_argument("--bell", action="store_true", help="ring the terminal's bell at a problem")
    parser.add_argument(
        "--stall",
        type=_seconds,
        default=60.0,
        metavar="TIME",
        help="a run that has written nothing for so long is told (default: 60s)",
    )
    parser.add_argument(
        "--exec",
        metavar="CMD",
        help="shell command at each problem, warning, stall and end; it gets TB_SONIFY_RUN, _KIND, "
        "_LEVEL, _STEP and _TEXT as environment variables, and a minute",
    )
    parser.add_argument(
        "--pairs",
        type=_pairs,
        metavar="TRAINING:VALIDATION,...",
        default=(),
        help="losses that belong together, to be told where they overfit; usual names are known",
    )
    parser.add_argument("--json", action="store_true", help="a JSON object a line, for programs")
    parser.add_argument(
        "--until",
        choices=_UNTIL,
        help="leave at this, and in any case when all runs are over",
    )


def _pairs(text: str) -> tuple[Pair, ...]:
    try:
        return parse_pairs(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _seconds(text: str) -> float:
    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    number, unit = (text[:-1], text[-1]) if text[-1:] in units else (text, "s")
    try:
        seconds = float(number) * units[unit]
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"a time such as 30s, 5m or 1h, got {text!r}")
    return seconds


def run(options: argparse.Namespace) -> int:
    """Follow until something ends it; returns the exit status."""
    from tb_sonify.cli.watch.actions import Actions
    from tb_sonify.cli.watch.follow import GrowingLogdir
    from tb_sonify.cli.watch.logdir_watch import LogdirWatch
    from tb_sonify.cli.watch.printer import Printer

    if options.logdir.is_file():
        raise CommandError(f"{str(options.logdir)!r} is a file: give the directory that it is in")
    printer = Printer(as_json=options.json)
    try:
        actions = Actions(
            sound=options.sound, bell=options.bell, command=options.exec, say=printer.remark
        )
    except FileNotFoundError as error:
        raise CommandError(f"{error}: leave --sound out") from error
    watch = LogdirWatch(options, printer, actions, GrowingLogdir(options.logdir))
    with exit_on_signals(), actions, Keys() as keys:
        if not options.logdir.is_dir():
            printer.remark(f"waiting for {options.logdir}")
        while True:
            status = watch.look()
            actions.go_on()
            if status is not None:
                return status
            if not _answer(keys, watch, actions, options):
                return 0


class Keys:
    """Reads keys without waiting for Enter; the terminal is put back as it was at the end."""

    def __init__(self) -> None:
        self._terminal: Any = None
        self._before: Any = None

    def __enter__(self) -> "Keys":
        try:
            import termios
            import tty

            if sys.stdin.isatty():
                self._before = termios.tcgetattr(sys.stdin)
                tty.setcbreak(sys.stdin)
                self._terminal = termios
        except (ImportError, OSError, ValueError):  # no such terminals here, or none at all
            self._terminal = None
        return self

    def wait(self, seconds: float) -> str:
        """The next key; empty if none is pressed in time."""
        if self._terminal is None:
            time.sleep(seconds)
            return ""
        ready, _, _ = select.select([sys.stdin], [], [], seconds)
        # Not `sys.stdin.read`, which keeps the next keys where `select` does not see them.
        return os.read(sys.stdin.fileno(), 1).decode("ascii", "replace") if ready else ""

    def __exit__(self, *_: object) -> None:
        if self._terminal is not None:
            self._terminal.tcsetattr(sys.stdin, self._terminal.TCSADRAIN, self._before)


def _answer(
    keys: Keys, watch: "LogdirWatch", actions: "Actions", options: argparse.Namespace
) -> bool:
    """Wait for a key for half a second and do what it asks for; `False`: to leave."""
    key = keys.wait(_POLL_SECONDS)
    if key in ("\n", "\r"):
        watch.say_all()
    elif key == " ":
        watch.printer.remark(actions.toggle_sound())
    elif key in ("n", "p"):
        watch.printer.again(1 if key == "n" else -1)
    elif key == "d":
        _describe(watch, options.logdir)
    return key != "q"


def _describe(watch: "LogdirWatch", logdir: Path) -> None:
    from tb_sonify.cli.main import main

    name = watch.printer.last_run or next(iter(watch.runs), None)
    if name not in watch.runs and "." in watch.runs:  # shown by the name of the directory
        name = "."
    if name is None:
        watch.printer.remark("no runs yet")
        return
    with redirect_stdout(io.StringIO()) as text:
        main(["describe", str(logdir.resolve()), f"--run={name}"])
    for line in text.getvalue().splitlines():
        watch.printer.remark(line)
