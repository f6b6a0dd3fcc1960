"""tensorboardX, or any writer with `add_scalar` and `add_audio`: gradient norms in its log.

    python examples/train_tensorboardx.py [--steps N] [--logdir runs/tensorboardx]

Needs `pip install "tb-sonify[tensorboardx]"`.
"""

import argparse

import torch
from tensorboardX import SummaryWriter
from torch import nn

from tb_sonify.integrations.adapter import SonifyAdapter


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--logdir", default="runs/tensorboardx")
    options = parser.parse_args()
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 2)
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with SummaryWriter(f"{options.logdir}/sgd") as writer, SonifyAdapter(writer) as sonify:
        sonify.watch(model, optimizer)
        for step in range(options.steps):
            inputs = torch.randn(32, 8)
            labels = (inputs.sum(dim=1) > 0).long()
            loss = nn.functional.cross_entropy(model(inputs), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            writer.add_scalar("loss/train", loss.item(), step)


if __name__ == "__main__":
    main()
