"""`tb-sonify tutorial`: play or write every sound with its meaning."""

import argparse
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tb_sonify.cli.main import CommandError, add_parser

_DESCRIPTION = """\
Print the meaning of each sound of the preset smooth and play it, with an audio player of the
system. With -o, write WAV files instead."""

_PLAYERS = (
    ("afplay",),
    ("pw-play",),
    ("paplay",),
    ("aplay", "-q"),
    ("ffplay", "-nodisp", "-autoexit", "-loglevel", "error"),
)


def add_command(commands: Any, name: str) -> None:
    """Add the subcommand and its options to a parser's subparsers."""
    parser = add_parser(
        commands, name, summary="hear what each sound means", description=_DESCRIPTION
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="write WAV files there instead of playing"
    )


def run(options: argparse.Namespace) -> int:
    """Play or write every lesson; returns the exit status."""
    from tb_sonify.cli.lessons import lessons

    if options.output is not None:
        try:
            options.output.mkdir(parents=True, exist_ok=True)
            for number, lesson in enumerate(lessons(), start=1):
                path = options.output / f"{number:02}-{lesson.name}.wav"
                lesson.sound().save(path)
                print(f"{path}: {lesson.meaning}")
        except OSError as error:
            raise CommandError(str(error)) from error
        return 0
    player = next((player for player in _PLAYERS if shutil.which(player[0])), None)
    if player is None:
        names = ", ".join(player[0] for player in _PLAYERS)
        raise CommandError(f"no player found, out of {names}: write files with -o DIR")
    with TemporaryDirectory() as directory:
        for lesson in lessons():
            print(lesson.meaning, flush=True)
            path = Path(directory) / f"{lesson.name}.wav"
            lesson.sound().save(path)
            if subprocess.run([*player, str(path)], check=False).returncode:
                raise CommandError(f"{player[0]} cannot play here: write files with -o DIR")
    return 0
