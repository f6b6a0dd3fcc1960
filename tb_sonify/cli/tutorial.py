"""`tb-sonify tutorial`: play or write every sound with its meaning."""

import argparse
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tb_sonify.cli.main import CommandError, add_parser
from tb_sonify.cli.player import find_player

_DESCRIPTION = """\
Print the meaning of each sound of the preset smooth and play it, with an audio player of the
system. With -o, write WAV files instead."""


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
    from tb_sonify.rendering import Sound
    from tb_sonify.sound.lessons import SAMPLE_RATE, lessons

    if options.output is not None:
        try:
            options.output.mkdir(parents=True, exist_ok=True)
            for number, lesson in enumerate(lessons(), start=1):
                path = options.output / f"{number:02}-{lesson.name}.wav"
                Sound(lesson.render(), SAMPLE_RATE, lesson.meaning).save(path)
                print(f"{path}: {lesson.meaning}")
        except OSError as error:
            raise CommandError(str(error)) from error
        return 0
    try:
        player = find_player()
    except FileNotFoundError as error:
        raise CommandError(f"{error}: write files with -o DIR") from error
    with TemporaryDirectory() as directory:
        for lesson in lessons():
            print(lesson.meaning, flush=True)
            path = Path(directory) / f"{lesson.name}.wav"
            Sound(lesson.render(), SAMPLE_RATE, lesson.meaning).save(path)
            if subprocess.run([*player, str(path)], check=False).returncode:
                raise CommandError(f"{player[0]} cannot play here: write files with -o DIR")
    return 0
