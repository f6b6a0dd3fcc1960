"""Training one setting, logged as anybody would log it."""

import sys
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from tb_sonify import SonifyWriter
from tb_sonify.cli.demo.digits import Images
from tb_sonify.cli.demo.settings import Setting


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


def train(setting: Setting, images: Images, logdir: Path, *, steps: int, seed: int) -> list[float]:
    """Train a new network, log it to the run's directory in `logdir`, and return its losses.

    The same seed trains the same network.
    """
    torch.manual_seed(seed)
    model = Network()
    optimizer = _optimizer(setting, model)
    writer = SonifyWriter(str(logdir / setting.run))
    writer.watch(model, optimizer)

    losses = []
    batches = islice(images.batches(setting.batch_size, seed=seed), steps)
    # Where nobody watches, a bar would fill a log file with its redraws.
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


def _optimizer(setting: Setting, model: Network) -> torch.optim.Optimizer:
    if setting.optimizer == "adam":
        return torch.optim.Adam(model.parameters(), lr=setting.learning_rate)
    return torch.optim.SGD(model.parameters(), lr=setting.learning_rate, momentum=0.5)
