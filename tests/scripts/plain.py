"""A plain loop over a small network, with a SummaryWriter of its own."""

import argparse

import torch
from torch import nn
from torch.nn import functional
from torch.utils.tensorboard import SummaryWriter


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3)
        self.conv2 = nn.Conv2d(4, 4, 3)
        self.fc = nn.Linear(64, 10)

    def forward(self, images):
        return self.fc(self.conv2(self.conv1(images).relu()).relu().flatten(1))


parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--steps", type=int, default=40)
parser.add_argument("--log-dir")
args = parser.parse_args()

torch.manual_seed(1)
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9)
writer = SummaryWriter(args.log_dir)
# training begins
for step in range(args.steps):
    images, labels = torch.randn(16, 1, 8, 8), torch.randint(10, (16,))
    optimizer.zero_grad()
    loss = functional.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    writer.add_scalar("loss/train", loss.item(), step)
writer.close()
print(f"loss {loss.item():.6f}")
