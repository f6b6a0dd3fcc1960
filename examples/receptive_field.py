"""The effective receptive field of a deep network, measured and heard as it grows.

    python examples/receptive_field.py [--logdir runs/receptive-field] [--steps 600] [--seed 0]

A stack of small convolutions begins with a narrow field, in the middle of what it could see, and
widens it as it learns. To hear that:

    tb-sonify render runs/receptive-field --tag receptive_field/block8 -o field.wav
"""

import argparse
from collections import OrderedDict
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from tb_sonify import SonifyWriter
from tb_sonify.cli.demo.training import digits
from tb_sonify.probes import effective_receptive_field

DEPTH, WIDTH = 8, 16
SHOWN = ("block4", "block8")


class Network(nn.Sequential):
    """Blocks of a 3x3 convolution, the mean over all pixels of the last one, and a linear layer."""

    def __init__(self) -> None:
        blocks = OrderedDict(
            (f"block{number}", block(1 if number == 1 else WIDTH)) for number in range(1, DEPTH + 1)
        )
        super().__init__(blocks)
        self.append(nn.AdaptiveAvgPool2d(1)).append(nn.Flatten()).append(nn.Linear(WIDTH, 10))


def block(channels: int) -> nn.Sequential:
    """A convolution that keeps the size of the image, with He initialisation."""
    convolution = nn.Conv2d(channels, WIDTH, 3, padding=1)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    nn.init.zeros_(convolution.bias)
    return nn.Sequential(convolution, nn.BatchNorm2d(WIDTH), nn.ReLU())


def main() -> None:
    """Train on scikit-learn's digits, and log the fields of a block in the middle and the last."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--logdir", type=Path, default=Path("runs/receptive-field"))
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--every", type=int, default=20, help="steps between two measurements")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    data, model = digits(), Network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    images, _ = next(data.batches(16, seed=1))
    with SonifyWriter(str(options.logdir)) as writer:
        writer.watch(model, optimizer)
        batches = islice(data.batches(32, seed=options.seed), options.steps)
        for step, (pixels, labels) in enumerate(batches):
            if step % options.every == 0 or step == options.steps - 1:
                for name in SHOWN:
                    log_field(writer, model, name, images, step)
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(pixels), labels)
            loss.backward()
            optimizer.step()
            writer.add_scalar("loss/train", loss.item(), step)


def log_field(writer: SonifyWriter, model: nn.Module, name: str, images: Tensor, step: int) -> None:
    """Log the field of a block as a number and as an image."""
    field = effective_receptive_field(model, name, images, probes=16)
    shown = field.map / field.map.max()
    writer.add_scalar(f"receptive_field/{name}", field.size, step)
    writer.add_image(f"receptive_map/{name}", shown, step, dataformats="HW")
    print(f"step {step}: {name} {field.words()}", flush=True)


if __name__ == "__main__":
    main()
