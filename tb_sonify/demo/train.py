"""Training one setting, logged as anybody would log it."""

import sys
from itertools import islice
from pathlib import Path

import torch
from torch.nn import functional
from tqdm import tqdm

from tb_sonify import SonifyWriter
from tb_sonify.demo.images import Images
from tb_sonify.demo.network import Network
from tb_sonify.demo.settings import Setting


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
