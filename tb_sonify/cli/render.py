"""`tb-sonify render`: a run, or a table of numbers, to an audio file."""

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tb_sonify.cli.main import CommandError, add_parser, positive_int

if TYPE_CHECKING:
    from tb_sonify.sound import Encoding


_DESCRIPTION = """\
Render a run of a log directory, or a CSV file such as TensorBoard, W&B or Lightning write, to an
audio file.

The presets smooth, calm, arpeggio and classic hear gradient norms: columns of a CSV file that are
named as norms of layers or, where its first column is `step`, all others.
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
        "--quantity",
        choices=("gradient", "update", "weight", "ratio"),
        default="gradient",
        help="of layers: norms of gradients, updates or weights, or update / weight",
    )
    parser.add_argument(
        "--steps", type=span, default=(None, None), metavar="A:B", help="from A to B, included"
    )
    parser.add_argument("--preset", default="smooth", help="default: smooth")
    parser.add_argument(
        "--notes",
        type=positive_int,
        metavar="N",
        help="at most N notes: sum up more in twos, fours, ...",
    )
    parser.add_argument(
        "--speed", type=float, metavar="N", help="notes per second, 4 to 32 (default: 16.7)"
    )
    pitch = parser.add_argument_group("pitch")
    pitch.add_argument(
        "--zoom",
        type=int,
        default=1,
        choices=(1, 2, 4),
        help="semitones for each doubling of the norm (default: 1)",
    )
    pitch.add_argument(
        "--center",
        type=float,
        metavar="NORM",
        help="the norm whose pitch stays where it is (default: 1; of ratios 0.001)",
    )
    pitch.add_argument(
        "--polarity",
        default="up",
        choices=("up", "down"),
        help="whether a larger norm is higher or lower (default: up)",
    )
    guides = parser.add_argument_group("guides")
    guides.add_argument("--reference", action="store_true", help="a quiet tone at norm 1")
    guides.add_argument(
        "--epoch",
        type=positive_int,
        metavar="STEPS",
        help="a tick at the start of every so many steps",
    )
    guides.add_argument(
        "--legend", action="store_true", help="play the ends and the middle of the scale first"
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
    from tb_sonify.rendering import render

    try:
        sound = render(
            options.source,
            run=options.run,
            tag=options.tag,
            quantity=options.quantity,
            steps=options.steps,
            preset=options.preset,
            notes=options.notes,
            speed=options.speed,
            encoding=_encoding(options),
            reference=options.reference,
            epoch=options.epoch,
            with_legend=options.legend,
        )
        if options.output == "-":
            sys.stdout.buffer.write(sound.wav())
            sys.stdout.buffer.flush()
            return 0
        output = Path(options.output or f"{_file_name(sound.legend.split(',')[0])}.wav")
        try:
            sound.save(output)
        except OSError as error:
            raise CommandError(f"cannot write {output}: {error.strerror or error}") from error
    except (OSError, LookupError, ValueError, ImportError) as error:
        raise CommandError(
            str(error.args[0] if isinstance(error, LookupError) else error)
        ) from error
    print(f"{output}: {sound.seconds:.1f} s, {sound.legend}")
    return 0


def _encoding(options: argparse.Namespace) -> "Encoding | None":
    """The encoding that was asked for; `None`: the preset's own."""
    from tb_sonify.sound import Encoding, value_at_440_hz

    unit = value_at_440_hz(options.quantity)
    center = 1.0 if options.center is None else options.center / unit
    asked = Encoding(options.zoom, center, options.polarity)
    return None if asked == Encoding() else asked


def _file_name(name: str) -> str:
    """A name as that of a file, which a listing shows."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "sonify"


def span(text: str) -> tuple[int | None, int | None]:
    """Type of an argument that is a range of steps, A:B, :B or A:."""
    first, colon, last = text.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError(f"must be A:B, :B or A:, got {text!r}")
    try:
        low, high = (int(each) if each else None for each in (first, last))
    except ValueError:
        raise argparse.ArgumentTypeError(f"steps must be integers, got {text!r}") from None
    if low is not None and high is not None and low > high:
        raise argparse.ArgumentTypeError(f"the first step must not be after the last, got {text!r}")
    return low, high
