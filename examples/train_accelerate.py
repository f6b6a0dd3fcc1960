"""Accelerate: a tracker that also logs gradient norms.

    python examples/train_accelerate.py [--steps N] [--logdir runs/accelerate]

Needs `pip install "tb-sonify[accelerate]"`.
"""

import argparse

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from tb_sonify.integrations.accelerate import SonifyTracker


def main() -> None:
    """Train, with gradients of two batches accumulated for each step."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--logdir", default="runs/accelerate")
    options = parser.parse_args()
    tracker = SonifyTracker("adam", options.logdir)
    accelerator = Accelerator(log_with=tracker, gradient_accumulation_steps=2, cpu=True)
    accelerator.init_trackers("sonify", config={"learning_rate": 1e-2})
    set_seed(0)
    inputs = torch.randn(64 * options.steps, 8)
    data = DataLoader(TensorDataset(inputs, (inputs.sum(dim=1) > 0).long()), batch_size=32)
    model = nn.Sequential(
        nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 2)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    model, optimizer, data = accelerator.prepare(model, optimizer, data)
    tracker.watch(model, optimizer)
    step = 0
    for batch, labels in data:
        with accelerator.accumulate(model):
            loss = nn.functional.cross_entropy(model(batch), labels)
            accelerator.backward(loss)
            optimizer.step()
            optimizer.zero_grad()
        if accelerator.sync_gradients:
            accelerator.log({"loss/train": loss.item()}, step=step)
            step += 1
    accelerator.end_training()


if __name__ == "__main__":
    main()
