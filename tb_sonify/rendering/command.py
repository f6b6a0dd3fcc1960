"""`tb-sonify render`: a run, or a table of numbers, to an audio file."""

import argparse
import re
import sys
from pathlib import Path
from typing import Any

from tb_sonify.cli import CommandError, add_parser

_DESCRIPTION = """\
Render a run of a log directory to an audio file, or a CSV file whose first column is `step`.

The presets smooth, arpeggio and classic hear gradient norms, a CSV file's columns being the layers.
The preset single hears any scalar, named by --tag, on a scale that is printed."""


def add_command(commands: Any, name: str) -> None:
    """Add the subcommand and its options to a parser's subparsers."""
    parser = add_parser(
        commands,
        name,
        summary="render a run, or a CSV file, to WAV, FLAC or Ogg",
        description=_DESCRIPTION,
    )
    parser.add_argument("source", type=Path, help="log directory or .csv file")
    parser.add_argument("--run", help="which run (default: the only one)")
    parser.add_argument("--tag", help="scalar or column to hear instead of norms")
    parser.add_argument(
        "--steps", type=_span, default=(None, None), metavar="A:B", help="from A to B, included"
    )
    parser.add_argument("--preset", default="smooth", help="default: smooth")
    parser.add_argument(
        "--notes", type=_count, metavar="N", help="at most N notes: sum up more in twos, fours, ..."
    )
    parser.add_argument(
        "-o",
        "--output",
        default=None,
        metavar="FILE",
        help=".wav, .flac or .ogg; - is WAV to standard output (default: named after the source)",
    )


def run(options: argparse.Namespace) -> int:
    """Render and write; returns the exit status."""
    from tb_sonify.rendering.sound import render

    try:
        sound = render(
            options.source,
            run=options.run,
            tag=options.tag,
            steps=options.steps,
            preset=options.preset,
            notes=options.notes,
        )
        if options.output == "-":
            sys.stdout.buffer.write(sound.wav())
            sys.stdout.buffer.flush()
            return 0
        output = Path(options.output or f"{_file_name(sound.legend.split(',')[0])}.wav")
        sound.save(output)
    except (OSError, LookupError, ValueError, ImportError) as error:
        raise CommandError(
            str(error.args[0] if isinstance(error, LookupError) else error)
        ) from error
    print(f"{output}: {sound.seconds:.1f} s, {sound.legend}")
    return 0


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-") or "sonify"


def _span(text: str) -> tuple[int | None, int | None]:
    first, colon, last = text.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError(f"must be A:B, :B or A:, got {text!r}")
    try:
        return (int(first) if first else None, int(last) if last else None)
    except ValueError:
        raise argparse.ArgumentTypeError(f"steps must be integers, got {text!r}") from None


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number
