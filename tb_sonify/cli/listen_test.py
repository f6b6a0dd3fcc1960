"""`tb-sonify listen-test`: measure on a page of one's own machine which differences one hears."""

import argparse
import secrets
import webbrowser
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from tb_sonify.cli.main import CommandError, add_parser, numbered_names, positive_int

if TYPE_CHECKING:
    from tb_sonify.sound import StreamPreset

_DESCRIPTION = """\
Measure in five to six minutes which differences you hear in the sound of a run: a change of pitch,
a spike in one layer, roughness and pulsation.

A page in your browser plays two sounds at a time and asks which of them has it; the difference
gets smaller or larger by your answers. It works by keys alone (1 and 2 or the arrows answer, Space
plays again, Escape pauses) and with a screen reader, and there are no time limits. Wear headphones.

The page is served by this command, on this machine alone, and nothing is sent anywhere: the result
is written to a JSON file in the current directory, with every trial. Ctrl+C ends the command; until
then, a page that was closed goes on where it was. What the result can show, and what it cannot, is
on the page and in docs/listen_test.md."""

_MOST_TRIALS = 200  # of a part: ten minutes


def add_command(commands: Any, name: str) -> None:
    """Add the subcommand and its options to a parser's subparsers."""
    parser = add_parser(
        commands, name, summary="measure which differences you hear", description=_DESCRIPTION
    )
    parser.add_argument("--preset", default="smooth", help="whose sound (default: smooth)")
    parser.add_argument(
        "--trials",
        type=positive_int,
        default=18,
        metavar="N",
        help="of each of the four parts: more take longer and leave less uncertainty (default: 18)",
    )
    parser.add_argument(
        "--seed", type=int, help="of all that is drawn, to be given the same sounds (default: new)"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="must not exist yet (default: listen-test.json, or the next free -2, -3, ...)",
    )
    parser.add_argument("--port", type=int, default=0, help="of the page (default: a free one)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")


def run(options: argparse.Namespace) -> int:
    """Serve the page until Ctrl+C; returns the exit status."""
    from tb_sonify.listen_test.server import ListenTest, bound_server
    from tb_sonify.listen_test.session import Session

    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    if seed < 0:
        raise CommandError(f"--seed must be at least 0, got {seed}")
    if options.trials > _MOST_TRIALS:
        raise CommandError(f"--trials must be at most {_MOST_TRIALS}, got {options.trials}")
    preset, output = _preset(options.preset), _output(options.output)
    test = ListenTest(Session(preset, seed=seed, trials=options.trials), output)
    if not 0 <= options.port < 2**16:
        raise CommandError(f"--port must be from 0 to 65535, got {options.port}")
    try:
        server = bound_server(test, port=options.port)
    except OSError as error:
        raise CommandError(f"cannot serve on --port {options.port}: {error.strerror}") from error
    with suppress(KeyboardInterrupt):
        address = f"http://{server.host}:{server.port}/"
        print(f"The listening test is at {address} (Ctrl+C ends it)", flush=True)
        if not options.no_browser:
            # A browser of the terminal does not return.
            Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        server.serve_forever()
    if not test.saved:
        print("\nEnded before the result: nothing was saved")
    return 0


def _preset(name: str) -> "StreamPreset":
    from tb_sonify.sound import PRESETS, StreamPreset

    preset = PRESETS.get(name)
    if not isinstance(preset, StreamPreset):
        known = ", ".join(each.name for each in PRESETS.values() if isinstance(each, StreamPreset))
        raise CommandError(f"--preset must be one with streams ({known}), got {name!r}")
    return preset


def _output(chosen: Path | None) -> Path:
    """The file to be written at the end, which can be known to be possible now."""
    names = numbered_names("listen-test")
    output = chosen or next(path for name in names if not (path := Path(f"{name}.json")).exists())
    try:
        output.touch(exist_ok=False)
        output.unlink()
    except OSError as error:
        raise CommandError(f"cannot write --output {output}: {error.strerror}") from error
    return output
