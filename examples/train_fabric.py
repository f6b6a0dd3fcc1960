"""Lightning Fabric: its TensorBoard logger, extended to log gradient norms.

    python examples/train_fabric.py [--steps N] [--logdir runs/fabric]

Needs `pip install "tb-sonify[lightning]"`.
"""

import argparse

import torch
from lightning.fabric import Fabric
from torch import nn

from tb_sonify.integrations.fabric import SonifyLogger


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--logdir", default="runs/fabric")
    options = parser.parse_args()
    logger = SonifyLogger(options.logdir, name="", version="sgd")
    fabric = Fabric(accelerator="cpu", devices=1, loggers=logger)
    fabric.launch()
    fabric.seed_everything(0)
    model = nn.Sequential(
        nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 2)
    )
    model, optimizer = fabric.setup(model, torch.optim.SGD(model.parameters(), lr=0.1))
    logger.watch(model, optimizer)
    for step in range(options.steps):
        inputs = torch.randn(32, 8, device=fabric.device)
        labels = (inputs.sum(dim=1) > 0).long()
        loss = nn.functional.cross_entropy(model(inputs), labels)
        optimizer.zero_grad()
        fabric.backward(loss)
        optimizer.step()
        fabric.log("loss/train", loss, step)
    logger.finalize("success")


if __name__ == "__main__":
    main()
