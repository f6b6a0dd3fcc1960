"""`tb-sonify export`: runs as a page that any file server plays."""

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from tb_sonify.cli.main import CommandError, add_parser, exit_on_signals, positive_int
from tb_sonify.cli.render import span

_DESCRIPTION = """\
Write runs as a static page: the Sonify tab with everything that it shows and plays, without a
server. A folder plays from any file server, GitHub Pages or a static Space of Hugging Face, under
any path; a single file, -o page.html, also opens from a disk, and can be sent by mail.

Nothing is asked for outside of the folder, and neither paths nor host names are in it. What a page
without a server cannot do is turned off there and says so: other speeds, pitch ranges, layers one
by one, and following a training that goes on."""

_BAR = 24
_MOST_LINES = 12


def add_command(commands: Any, name: str) -> None:
    """Add the subcommand and its options to a parser's subparsers."""
    parser = add_parser(
        commands,
        name,
        summary="write runs as a page that any file server plays",
        description=_DESCRIPTION,
    )
    parser.add_argument("logdir", type=Path, help="log directory, as TensorBoard takes it")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("site"),
        metavar="SITE",
        help="folder, or a file that ends with .html (default: site); an earlier export is "
        "replaced, anything else is not",
    )
    parser.add_argument(
        "--run", action="append", default=[], metavar="RUN", help="this run; may be repeated"
    )
    parser.add_argument(
        "--tag",
        action="append",
        default=[],
        metavar="GLOB",
        help="scalars to be drawn, as 'loss/*'; may be repeated (default: all but norms of layers)",
    )
    parser.add_argument("--anonymous", action="store_true", help="call the runs run-1, run-2, ...")
    sounds = parser.add_argument_group("sounds")
    sounds.add_argument(
        "--preset",
        action="append",
        default=[],
        metavar="PRESET",
        help="this preset, or all; may be repeated (default: the first that a run has)",
    )
    sounds.add_argument(
        "--quantity",
        action="append",
        default=[],
        choices=("gradient", "update", "weight", "ratio", "all"),
        help="of layers; may be repeated (default: gradient)",
    )
    sounds.add_argument(
        "--speed",
        action="append",
        default=[],
        type=float,
        choices=(5, 10, 25, 32),
        help="so many notes per second, too; may be repeated",
    )
    sounds.add_argument(
        "--steps",
        type=span,
        default=(None, None),
        metavar="A:B",
        help="sound from step A to B alone; the rest is drawn, and silent",
    )
    sounds.add_argument(
        "--format",
        choices=("flac", "wav"),
        default="flac",
        help="of sounds (default: flac; wav is four times as large)",
    )
    parser.add_argument(
        "--max-mb",
        type=positive_int,
        default=100,
        metavar="N",
        help="leave out what does not fit into N MB, and say what (default: 100)",
    )


def run(options: argparse.Namespace) -> int:
    """Export; returns the exit status."""
    from tb_sonify.site.export import MIB, export
    from tb_sonify.site.page import is_single
    from tb_sonify.site.requests import Wanted

    wanted = Wanted(
        tags=tuple(options.tag),
        presets=tuple(options.preset),
        quantities=tuple(options.quantity) or ("gradient",),
        speeds=tuple(options.speed),
        steps=options.steps,
    )
    bar = _Bar()
    try:
        with exit_on_signals():
            made = export(
                options.logdir,
                options.output,
                runs=options.run,
                anonymous=options.anonymous,
                wanted=wanted,
                sound=options.format,
                most_bytes=options.max_mb * MIB,
                progress=bar.show,
            )
    except (OSError, ImportError, LookupError, ValueError) as error:
        raise CommandError(_words(error, options.output)) from error
    finally:
        bar.clear()
    runs = "1 run" if len(made.runs) == 1 else f"{len(made.runs)} runs"
    print(f"{options.output}: {made.nbytes / MIB:.1f} MB, {runs}")
    if made.left_out:
        print(f"Left out, with {options.max_mb} MB to fill (--max-mb):")
        print(*(f"  {each}" for each in made.left_out[:_MOST_LINES]), sep="\n")
        if len(made.left_out) > _MOST_LINES:
            print(f"  and {len(made.left_out) - _MOST_LINES} more")
    if not is_single(options.output):
        print(f"To play it: python -m http.server -d {shlex.quote(str(options.output))}")
    return 0


class _Bar:
    """A bar on a terminal; nothing elsewhere."""

    def show(self, share: float, label: str) -> None:
        if sys.stderr.isatty():
            full = round(_BAR * share)
            line = f"[{'#' * full}{' ' * (_BAR - full)}] {label}"
            print(f"\r\033[K{line[:78]}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _words(error: Exception, output: Path) -> str:
    from tb_sonify.site.page import TEMPORARY

    if isinstance(error, OSError) and error.strerror:
        named = str(error.filename or TEMPORARY)  # a full disk names no file
        return f"{output if TEMPORARY in named else named}: {error.strerror}"
    return str(error.args[0] if error.args else error)
