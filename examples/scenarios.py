"""Twenty trainings, healthy and failing, to learn their sounds; on scikit-learn's digits.

    python examples/scenarios.py [--logdir runs/scenarios] [--seeds N] [--steps N] [NAME ...]

Each differs from the healthy one by the options in `SCENARIOS`, and takes about a second.
"""

import argparse
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import SGD, Adam, Optimizer
from torch.optim.lr_scheduler import ExponentialLR, LRScheduler, MultiStepLR
from tqdm import tqdm

from tb_sonify import SonifyWriter

WIDTH = 64  # of every hidden layer
CALM = partial(SGD, lr=0.05)


def double_softmax(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy takes the softmax itself: of probabilities, it is never below 1.46 for ten."""
    return functional.cross_entropy(functional.softmax(logits, dim=1), labels)


def he(weight: Tensor) -> Tensor:
    """He initialisation, which keeps the variance of gradients from layer to layer."""
    return nn.init.kaiming_normal_(weight, nonlinearity="relu")


@dataclass(frozen=True)
class Scenario:
    """A training, and a description of its sound.

    Attributes
    ----------
    sounds
        Description of the sound.
    schedule
        Of the learning rate, stepped after each step of the training.
    layers
        Number of linear layers.
    activation
        What follows each hidden layer.
    initialise
        Initialises a weight, with biases 0; `None`: PyTorch's default for both.
    pixel
        What a white pixel is; a black one is 0.
    images
        Trained on; the others are for validation. `None`: all, and no validation.
    loss
        Of logits and labels.
    flipped
        Whether the gradient of the second layer has the wrong sign.
    """

    sounds: str
    optimizer: Callable[[Iterable[nn.Parameter]], Optimizer] = CALM
    schedule: Callable[[Optimizer], LRScheduler] | None = None
    batch_size: int = 256
    layers: int = 4
    activation: Callable[[], nn.Module] = nn.ReLU
    initialise: Callable[[Tensor], Tensor] | None = he
    pixel: float = 1.0
    images: int | None = None
    loss: Callable[[Tensor, Tensor], Tensor] = functional.cross_entropy
    flipped: bool = False


SCENARIOS = {
    "healthy": Scenario("Three calm voices that sink a little as the network learns."),
    "hot-learning-rate": Scenario(
        "Jumps from step to step, most at the start; it learns, but over spikes.",
        optimizer=partial(SGD, lr=0.6),
    ),
    "explosion-nan": Scenario(
        "Shoots up within five steps, then NaN to the end. A leaky ReLU cannot die.",
        optimizer=partial(SGD, lr=5.0),
        activation=nn.LeakyReLU,
    ),
    "explosion-dead": Scenario(
        "Shoots up as well, but then its ReLUs are dead: exact zeros, and only the bias of the "
        "last layer goes on.",
        optimizer=partial(SGD, lr=3.0, momentum=0.9),
    ),
    "adam-collapse": Scenario(
        "The early layers fall out of hearing without an explosion: Adam's steps are so large "
        "that sigmoids saturate.",
        optimizer=partial(Adam, lr=0.12),
        activation=nn.Sigmoid,
    ),
    "zero-init": Scenario(
        "Exact zeros from the first step on, in all layers but the last.",
        initialise=nn.init.zeros_,
    ),
    "huge-init": Scenario(
        "All voices high, and they sink slowly: weights five times a standard normal.",
        optimizer=partial(Adam, lr=0.001),
        initialise=partial(nn.init.normal_, std=5.0),
    ),
    "vanishing": Scenario(
        "The voices far apart, the early layers lowest, and they stay there: 50 layers of tanh.",
        layers=50,
        activation=nn.Tanh,
        initialise=None,
    ),
    "plateau-escape": Scenario(
        "Low and flat for half of the run, then a rise of all voices: weights that start small.",
        optimizer=partial(SGD, lr=0.3),
        activation=nn.Tanh,
        initialise=partial(nn.init.xavier_normal_, gain=0.25),
    ),
    "batch-8": Scenario(
        "Restless and higher than the healthy one, which has batches of 256.",
        batch_size=8,
    ),
    "momentum": Scenario(
        "Sinks lower than the healthy one, which has none, and sways more and more.",
        optimizer=partial(SGD, lr=0.05, momentum=0.9),
    ),
    "learning-rate-decay": Scenario(
        "Begins like the hot one and settles to a level that stays.",
        optimizer=partial(SGD, lr=0.6),
        schedule=partial(ExponentialLR, gamma=0.97),
    ),
    "dropout": Scenario(
        "Falls at once from far above to below the healthy one, then rises slowly, the first "
        "layer above the others: seven of ten units, others at each step, are silent.",
        optimizer=partial(SGD, lr=0.3),
        activation=lambda: nn.Sequential(nn.ReLU(), nn.Dropout(0.7)),
    ),
    "batch-norm": Scenario(
        "Sinks steadily and far, and the voices stay apart: normalisation bears the learning "
        "rate of the hot one without its spikes, and its own gradients are the low ones.",
        optimizer=partial(SGD, lr=0.6),
        activation=lambda: nn.Sequential(nn.BatchNorm1d(WIDTH), nn.ReLU()),
    ),
    "overfitting": Scenario(
        "Sinks and sinks, out of hearing: 64 images are known by heart. The landmark is where "
        "the validation loss was best, and where early stopping would have ended.",
        optimizer=partial(SGD, lr=0.02, momentum=0.9),
        batch_size=32,
        images=64,
    ),
    "weight-decay": Scenario(
        "Sinks and comes to rest on a calm level, where the one that overfits sinks out of "
        "hearing: L2 pulls back what is learned by heart, and the validation loss stays low.",
        optimizer=partial(SGD, lr=0.2, weight_decay=0.02),
        batch_size=512,
        images=64,
    ),
    "double-softmax": Scenario(
        "Begins far lower than the healthy one, smooth, and rises slowly: a second softmax "
        "flattens the loss, which stays above 1.46.",
        loss=double_softmax,
    ),
    "wrong-gradient": Scenario(
        "One voice rises, step by step, and takes the others with it: the gradient of the second "
        "layer has the wrong sign, and Adam follows it.",
        optimizer=partial(Adam, lr=0.003),
        flipped=True,
    ),
    "not-normalised": Scenario(
        "Begins hundreds of times above the healthy one, sinks, and stays high and restless: "
        "pixels are bytes, from 0 to 255, not to 1.",
        optimizer=partial(Adam, lr=0.001),
        pixel=255.0,
    ),
    "step-decay": Scenario(
        "Sways until the middle; then, with a hundredth of the learning rate, it steps down and "
        "is level.",
        optimizer=partial(SGD, lr=0.15, momentum=0.9),
        schedule=partial(MultiStepLR, milestones=[100], gamma=0.01),
    ),
}


def train(scenario: Scenario, writer: SonifyWriter, *, seed: int, steps: int) -> list[float]:
    """Train a new network, log it, and return its losses; deterministic in the seed."""
    torch.manual_seed(seed)
    pixels, labels = digits()
    pixels = scenario.pixel * pixels
    count = scenario.images or len(labels)
    model = network(scenario)
    optimizer = scenario.optimizer(model.parameters())
    schedule = scenario.schedule and scenario.schedule(optimizer)
    losses = []
    with writer.watch(model, optimizer):
        for step in range(steps):
            batch = torch.randint(count, (scenario.batch_size,))
            loss = scenario.loss(model(pixels[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            if schedule:
                schedule.step()
            losses.append(loss.item())
            writer.add_scalar("loss/train", losses[-1], step)
            if count < len(labels):
                with torch.no_grad():
                    held_out = scenario.loss(model(pixels[count:]), labels[count:])
                writer.add_scalar("loss/validation", held_out.item(), step)
    return losses


@cache
def digits() -> tuple[Tensor, Tensor]:
    """Pixels in ``[0, 1]``, shape ``(1797, 64)``, and the label of each image."""
    pixels, labels = load_digits(return_X_y=True)
    return torch.from_numpy(pixels / 16).float(), torch.from_numpy(labels).long()


def network(scenario: Scenario) -> nn.Sequential:
    """The scenario's linear layers, with its activation between them."""
    sizes = [64, *[WIDTH] * (scenario.layers - 1), 10]
    modules: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layer = nn.Linear(inputs, outputs)
        if scenario.initialise is not None:
            scenario.initialise(layer.weight)
            nn.init.zeros_(layer.bias)
        modules += [layer, scenario.activation()]
    if scenario.flipped:
        modules[2].weight.register_hook(torch.neg)  # type: ignore[operator]
    return nn.Sequential(*modules[:-1])


def main() -> None:
    """Train the scenarios that the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SCENARIOS)}")
    parser.add_argument("--logdir", type=Path, default=Path("runs/scenarios"))
    parser.add_argument("--seeds", type=positive, default=1, help="runs of each (default: 1)")
    parser.add_argument("--steps", type=positive, default=200, help="of each run (default: 200)")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in SCENARIOS]
    if unknown:
        parser.error(f"NAME must be one of {', '.join(SCENARIOS)}, got {', '.join(unknown)}")

    torch.set_num_threads(1)  # networks of this size are faster so
    runs = [(name, s) for name in options.names or SCENARIOS for s in range(options.seeds)]
    directories = [options.logdir / name / f"seed-{seed}" for name, seed in runs]
    taken = [str(directory) for directory in directories if directory.exists()]
    if taken:
        parser.error(f"--logdir must not hold these runs yet, and it holds {taken[0]}: delete it")

    hidden = not sys.stderr.isatty()  # in a log file, a bar is noise
    bar = tqdm(zip(runs, directories, strict=True), total=len(runs), unit="run", disable=hidden)
    for (name, seed), directory in bar:
        with SonifyWriter(str(directory)) as writer:
            losses = train(SCENARIOS[name], writer, seed=seed, steps=options.steps)
        tqdm.write(f"{name}, seed {seed}: loss {losses[0]:.3g} -> {losses[-1]:.3g}")
        if seed == 0:
            tqdm.write(f"  {SCENARIOS[name].sounds}")
    print(f"To hear them: tensorboard --logdir {options.logdir}, then choose the Sonify tab")


def positive(text: str) -> int:
    """Type of an argument that must be at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


if __name__ == "__main__":
    main()
