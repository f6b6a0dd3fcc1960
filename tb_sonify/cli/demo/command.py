"""`tb-sonify demo`: train the five settings, then show them in TensorBoard."""

import argparse
import time
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tb_sonify.cli.demo.settings import SETTINGS
from tb_sonify.cli.main import CommandError, add_parser

if TYPE_CHECKING:
    from tb_sonify.cli.demo.digits import Images


_DESCRIPTION = """\
Train a small convolutional network in five settings, 200 steps each, and open the five runs in
TensorBoard: SGD with a learning rate of 0.01, 0.1 and 1.0, SGD with 1.0 and large batches, and
Adam. The first learns calmly, those with 1.0 explode; the Sonify tab lets you hear how.

It takes less than a minute and needs no network: the handwritten digits come with
scikit-learn."""


_DEFAULT_LOGDIR = Path("runs/demo")


def add_command(commands: Any, name: str) -> None:
    """Add the subcommand and its options to a parser's subparsers."""
    parser = add_parser(
        commands,
        name,
        summary="train five small networks and listen to them in TensorBoard",
        description=_DESCRIPTION,
    )
    parser.add_argument(
        "--logdir",
        type=Path,
        help="where the five runs go; must not hold any of them yet "
        f"(default: {_DEFAULT_LOGDIR}, or the next free of {_DEFAULT_LOGDIR}-2, -3, ...)",
    )
    parser.add_argument("--dataset", choices=("digits", "mnist"), default="digits")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="for --dataset mnist: directory with MNIST/raw, as torchvision has it; "
        "the training split is used if it is there, else the test split",
    )
    parser.add_argument("--steps", type=_positive, default=200, help="of each run (default: 200)")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same runs (default: 0)")
    parser.add_argument("--no-serve", action="store_true", help="end without starting TensorBoard")
    parser.add_argument("--host", default="localhost", help="to serve on (default: localhost)")
    parser.add_argument(
        "--port", type=int, help="to serve on (default: 6006, or the next free one)"
    )


def run(options: argparse.Namespace) -> int:
    """Train, then serve until Ctrl-C; returns the exit status."""
    _require_extras()
    logdir = _free_logdir(options.logdir)
    images = _images(options)
    import torch

    from tb_sonify.cli.demo.training import train

    # On small batches a second thread gains nothing, and where other programs keep the cores
    # busy, two threads that wait for each other take many times as long as one.
    torch.set_num_threads(1)
    print(f"Training {len(SETTINGS)} networks on {images.title}, logged to {logdir}", flush=True)
    for setting in SETTINGS:
        losses = train(setting, images, logdir, steps=options.steps, seed=options.seed)
        print(f"{setting.run}: loss {losses[0]:.3g} -> {losses[-1]:.3g}", flush=True)
    if options.no_serve:
        print(f"To hear them: tensorboard --logdir {logdir}, then choose the Sonify tab")
        return 0

    return serve(logdir, host=options.host, port=options.port)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


def _require_extras() -> None:
    missing = [name for name in ("torch", "torchvision", "sklearn", "tqdm") if not find_spec(name)]
    if missing:
        raise CommandError(
            f"the demo needs packages that are not installed ({', '.join(missing)}): "
            'pip install "tb-sonify[demo]"'
        )


def _free_logdir(chosen: Path | None) -> Path:
    """The directory to log to: never one where two demos would end up in the same run."""
    if chosen is None:
        numbered = (_DEFAULT_LOGDIR.with_name(f"{_DEFAULT_LOGDIR.name}-{n}") for n in count(2))
        chosen = _DEFAULT_LOGDIR
        while _holds_runs(chosen):
            chosen = next(numbered)
    elif _holds_runs(chosen):
        raise CommandError(
            f"--logdir must not hold runs of the demo, and {chosen} does: "
            "choose another, or delete them"
        )
    return chosen


def _holds_runs(logdir: Path) -> bool:
    return any((logdir / setting.run).exists() for setting in SETTINGS)


def _images(options: argparse.Namespace) -> "Images":
    if (options.dataset == "mnist") != (options.data is not None):
        raise CommandError("--dataset mnist and --data DIR go together")
    if options.dataset == "mnist":
        from tb_sonify.cli.demo.mnist import mnist

        return mnist(options.data)
    from tb_sonify.cli.demo.digits import digits

    return digits()


def serve(logdir: Path, *, host: str, port: int | None) -> int:
    """Serve in this process and say where; without a port, TensorBoard takes the next free one."""
    from tensorboard import program

    tensorboard = program.TensorBoard()
    chosen_port = [] if port is None else ["--port", str(port)]
    tensorboard.configure(["", "--logdir", str(logdir), "--host", host, *chosen_port])
    try:
        url = tensorboard.launch()
    except program.TensorBoardServerException as error:
        raise CommandError(f"{error.msg}; choose another --port or --host") from error
    except OSError as error:
        raise CommandError(f"cannot serve on --host {host}: {error}") from error

    print(
        f"\nOpen {url}#sonify\n"
        "and click anywhere on the loss curve: you hear the training from there. Space pauses,\n"
        "a click elsewhere jumps, and A and B switch between two runs at the same step.\n"
        "Ctrl-C ends TensorBoard.",
        flush=True,
    )
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        print()  # the terminal shows ^C without ending the line
    return 0
