"""Training of the demo: scikit-learn's digits, a small network, five settings of the 2019 post."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path as FilePath

import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from tb_sonify import SonifyWriter
from tb_sonify.landscape import Landscape, Path, Surface, plane, surface

_PROBED = 32  # images of the strips of the landscape
_CHUNK = 100  # images at a time


@dataclass(frozen=True, slots=True)
class Setting:
    """Optimizer settings of one run.

    Attributes
    ----------
    run
        Name of the run directory.
    optimizer
        ``"sgd"`` (with momentum 0.5) or ``"adam"``.
    """

    run: str
    optimizer: str
    learning_rate: float
    batch_size: int


SETTINGS = (
    Setting("sgd-0.01-batch10", "sgd", 0.01, 10),
    Setting("sgd-0.1-batch10", "sgd", 0.1, 10),
    Setting("sgd-1.0-batch10", "sgd", 1.0, 10),
    Setting("sgd-1.0-batch256", "sgd", 1.0, 256),
    Setting("adam-0.01-batch10", "adam", 0.01, 10),
)


@dataclass(frozen=True, slots=True)
class Images:
    """A labelled data set.

    Attributes
    ----------
    title
        Name for the user.
    pixels
        In ``[0, 1]``, float32, shape ``(images, 28, 28)``.
    labels
        Class of each image, int64, shape ``(images,)``.
    mean, deviation
        Mean and standard deviation of the pixels, to normalise by.
    """

    title: str
    pixels: Tensor
    labels: Tensor
    mean: float
    deviation: float

    def batches(self, size: int, *, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Endless shuffled batches: normalised images ``(size, 1, 28, 28)`` and their labels."""
        generator = torch.Generator().manual_seed(seed)
        count = len(self.labels)
        while True:
            order = torch.randperm(count, generator=generator)
            # The incomplete last batch is dropped: its gradients would be noisier.
            for chosen in order[: count - count % size].split(size):
                pixels = (self.pixels[chosen] - self.mean) / self.deviation
                yield pixels.unsqueeze(1), self.labels[chosen]


def digits() -> Images:
    """The 1,797 handwritten digits bundled with scikit-learn, resized from 8x8 to 28x28 pixels."""
    from sklearn.datasets import load_digits

    data = load_digits()
    small = torch.from_numpy(data.images).float().unsqueeze(1) / 16
    pixels = functional.interpolate(small, size=(28, 28), mode="bilinear").squeeze(1)
    labels = torch.from_numpy(data.target).long()
    title = f"{len(labels):,} handwritten digits from scikit-learn"
    return Images(title, pixels, labels, float(pixels.mean()), float(pixels.std()))


class Network(nn.Module):
    """Two convolutions and two fully connected layers, 431,080 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.fc1 = nn.Linear(4 * 4 * 50, 500)
        self.fc2 = nn.Linear(500, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Log probability of each class, shape ``(images, 10)``."""
        hidden = functional.max_pool2d(functional.relu(self.conv1(images)), 2)
        hidden = functional.max_pool2d(functional.relu(self.conv2(hidden)), 2)
        hidden = functional.relu(self.fc1(hidden.flatten(1)))
        return functional.log_softmax(self.fc2(hidden), dim=1)


def train(
    setting: Setting,
    images: Images,
    logdir: FilePath,
    *,
    steps: int,
    seed: int,
    begin: Callable[[nn.Module], object] = lambda _: None,
) -> list[float]:
    """Train a new network, log it to ``logdir / setting.run``, and return the loss of each step.

    The result is deterministic in `seed`. `begin` is called with the network before the first step.
    """
    torch.manual_seed(seed)
    model = Network()
    begin(model)
    optimizer = _optimizer(setting, model)
    writer = SonifyWriter(str(logdir / setting.run))
    writer.watch(model, optimizer, landscape=Landscape(_loss_of(images, _PROBED), every=10))

    losses = []
    batches = islice(images.batches(setting.batch_size, seed=seed), steps)
    # Without a terminal, a progress bar would fill a log file with redraws.
    hidden = not sys.stderr.isatty()
    bar = tqdm(batches, setting.run.ljust(18), steps, unit="step", disable=hidden)
    for step, (pixels, labels) in enumerate(bar):
        optimizer.zero_grad()
        output = model(pixels)
        loss = functional.nll_loss(output, labels)
        loss.backward()
        optimizer.step()

        losses.append(loss.item())
        accuracy = (output.argmax(1) == labels).float().mean().item()
        writer.add_scalar("loss/train", losses[-1], step)
        writer.add_scalar("accuracy/train", accuracy, step)
        bar.set_postfix(loss=f"{losses[-1]:.3g}", refresh=False)
    writer.close()
    return losses


def shared_landscape(
    paths: Sequence[Path], images: Images, logdir: FilePath, *, size: int, count: int
) -> Surface:
    """The loss of so many images over one plane through the paths of all runs, stored in each."""
    found = surface(Network(), _loss_of(images, count), plane=plane.through_path(*paths), size=size)
    for path in paths:
        with SonifyWriter(str(logdir / path.name), presets=()) as writer:
            writer.add_landscape(found, name="shared")
    return found


def _loss_of(images: Images, count: int) -> Callable[[nn.Module], Tensor]:
    """The loss of a network on so many images, always the same ones."""
    pixels, labels = next(images.batches(min(count, len(images.labels)), seed=0))
    # Convolutions take half the time with channels last, and again with what the cache holds.
    chunks = pixels.to(memory_format=torch.channels_last).split(_CHUNK)

    def loss(network: nn.Module) -> Tensor:
        return functional.nll_loss(torch.cat([network(chunk) for chunk in chunks]), labels)

    return loss


def _optimizer(setting: Setting, model: Network) -> torch.optim.Optimizer:
    if setting.optimizer == "adam":
        return torch.optim.Adam(model.parameters(), lr=setting.learning_rate)
    return torch.optim.SGD(model.parameters(), lr=setting.learning_rate, momentum=0.5)
