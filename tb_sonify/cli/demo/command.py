"""`tb-sonify demo`: train or unpack the five settings, then show them in TensorBoard."""

import argparse
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tb_sonify.cli.demo import recorded
from tb_sonify.cli.main import CommandError, add_parser, numbered_names, positive_int
from tb_sonify.cli.open import PAGE, check_address, serve

_DESCRIPTION = """\
Train a small convolutional network in five settings, 200 steps each, and open the five runs in
TensorBoard: SGD with a learning rate of 0.01, 0.1 and 1.0, SGD with 1.0 and large batches, and
Adam. The first learns calmly, those with 1.0 explode; the Sonify tab lets you hear how.

It takes less than a minute and needs no internet connection: the data set of handwritten digits
is part of scikit-learn. With --recorded nothing is trained, and neither torch nor scikit-learn is
needed: the same five runs, recorded before, come with the package."""

_STEPS = 200
_WORDS = f"""
Open {{url}}#sonify
and click anywhere on the loss curve: you hear the training from there. Space pauses,
a click elsewhere jumps, and A and B switch between two runs at the same step.
Without a mouse, the keys work as soon as it is open, and H lists them. The tab alone,
best with a screen reader: {{url}}{PAGE}
Ctrl-C ends TensorBoard."""

_CELLS, _IMAGES = 25, 200  # of a side of the landscape, and of its loss
_DEFAULT_LOGDIR = Path("runs/demo")


def add_command(commands: Any, name: str) -> None:
    """Add the subcommand and its options to a parser's subparsers."""
    parser = add_parser(
        commands,
        name,
        summary="listen to five small networks in TensorBoard, trained now or before",
        description=_DESCRIPTION,
    )
    parser.add_argument(
        "--logdir",
        type=Path,
        help="log directory; must not contain runs of the demo yet "
        f"(default: {_DEFAULT_LOGDIR}, or the next free of {_DEFAULT_LOGDIR}-2, -3, ...)",
    )
    parser.add_argument(
        "--recorded", action="store_true", help="train nothing: play a recorded training (seconds)"
    )
    parser.add_argument("--steps", type=positive_int, help="training steps per run (default: 200)")
    parser.add_argument("--seed", type=int, help="random seed (default: 0)")
    parser.add_argument(
        "--landscape",
        action="store_true",
        help="then show all five on one plane of the loss, in words and in landscape.csv; minutes",
    )
    parser.add_argument("--no-serve", action="store_true", help="exit without TensorBoard")
    parser.add_argument("--host", default="localhost", help="of TensorBoard (default: localhost)")
    parser.add_argument(
        "--port", type=int, help="of TensorBoard (default: 6006, or the next free one)"
    )


def run(options: argparse.Namespace) -> int:
    """Train or unpack, then serve until Ctrl-C; returns the exit status."""
    logdir = (_unpacked if options.recorded else _trained)(options)
    if options.no_serve:
        print(f"To hear them: tensorboard --logdir {logdir}, then choose the Sonify tab,")
        print("or open /#sonify at the address that it gives")
        return 0

    return serve(str(logdir), host=options.host, port=options.port, words=_WORDS)


def _unpacked(options: argparse.Namespace) -> Path:
    """The log directory of the five recorded runs."""
    given = [name for name in ("steps", "seed", "landscape") if getattr(options, name)]
    if given:
        raise CommandError(
            f"--recorded trains nothing, so that it takes no --{' and no --'.join(given)}: "
            "leave one of them away"
        )
    logdir = _prepared(options, recorded.runs())
    try:
        recorded.unpack(logdir)
    except OSError as error:
        raise CommandError(f"cannot write to --logdir {logdir}: {error.strerror}") from error
    print(f"Five recorded runs are in {logdir}", flush=True)
    return logdir


def _trained(options: argparse.Namespace) -> Path:
    """The log directory of the five runs, which are trained now."""
    _require_extras()
    import torch

    from tb_sonify.cli.demo.training import SETTINGS, digits, shared_landscape, train
    from tb_sonify.landscape import record_path

    logdir = _prepared(options, [setting.run for setting in SETTINGS])
    images = digits()
    # On small batches a second thread gains nothing, and on busy cores, threads that wait for
    # each other take many times as long as one.
    torch.set_num_threads(1)
    print(f"Training {len(SETTINGS)} networks on {images.title}, logged to {logdir}", flush=True)
    paths = []
    for setting in SETTINGS:
        recorders: list[Any] = []

        def begin(model: Any, name: str = setting.run, recorders: list[Any] = recorders) -> None:
            if options.landscape:
                recorders.append((model, record_path(model, name=name)))

        steps = options.steps or _STEPS
        losses = train(setting, images, logdir, steps=steps, seed=options.seed or 0, begin=begin)
        paths += [recorder.close() for _, recorder in recorders]
        print(f"{setting.run}: loss {losses[0]:.3g} -> {losses[-1]:.3g}", flush=True)
    if options.landscape:
        found = shared_landscape(paths, images, logdir, size=_CELLS, count=_IMAGES)
        found.write_csv(logdir / "landscape.csv")
        print("\n".join(["", "On one plane:", *found.words(), f"{logdir / 'landscape.csv'}\n"]))
    return logdir


def _prepared(options: argparse.Namespace, runs: Sequence[str]) -> Path:
    """A free log directory; raises what would end the demo only after the training."""
    logdir = _free_logdir(options.logdir, runs)
    if not options.no_serve:
        check_address(options.host, options.port or 0)
    return logdir


def _require_extras() -> None:
    missing = [name for name in ("torch", "torchvision", "sklearn", "tqdm") if not find_spec(name)]
    if missing:
        raise CommandError(
            f"the demo needs packages that are not installed ({', '.join(missing)}): "
            'pip install "tb-sonify[demo]"; or take --recorded, which trains nothing'
        )


def _free_logdir(chosen: Path | None, runs: Sequence[str]) -> Path:
    """A log directory without runs of the demo: two event files would end up in one run."""

    def is_free(logdir: Path) -> bool:
        return not any((logdir / run).exists() for run in runs)

    logdir = chosen or next(filter(is_free, map(Path, numbered_names(str(_DEFAULT_LOGDIR)))))
    try:
        free = is_free(logdir)
        logdir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"cannot write to --logdir {logdir}: {error.strerror}") from error
    if not free:
        raise CommandError(
            f"--logdir must not hold runs of the demo, and {logdir} does: "
            "choose another, or delete them"
        )
    return logdir
