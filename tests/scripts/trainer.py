"""A trainer in a class, with gradient accumulation, mixed precision and clipping; no log."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Config:
    epochs: int = 4
    accumulate: int = 3
    clip: float = 0.5


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x):
        x = x + self.attention(x, x, x, need_weights=False)[0]
        return x + self.mlp(x)


class Model(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.embed = nn.Embedding(50, width)
        self.blocks = nn.ModuleList([Block(width) for _ in range(2)])
        self.head = nn.Linear(width, 50)

    def forward(self, tokens):
        x = self.embed(tokens)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


class Trainer:
    def __init__(self, config):
        self.config = config
        self.model = Model()
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-3)
        self.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
        self.criterion = nn.CrossEntropyLoss()

    def fit(self, loader):
        for _ in range(self.config.epochs):
            for i, (tokens,) in enumerate(loader):
                with torch.autocast("cpu", dtype=torch.bfloat16):
                    logits = self.model(tokens[:, :-1])
                    loss = self.criterion(logits.flatten(0, 1), tokens[:, 1:].flatten())
                self.scaler.scale(loss / self.config.accumulate).backward()
                if (i + 1) % self.config.accumulate == 0:
                    self.step()
        print(f"loss {loss.item():.6f}")

    def step(self):
        self.scaler.unscale_(self.optimizer)
        nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)


def main():
    torch.manual_seed(2)
    loader = DataLoader(TensorDataset(torch.randint(50, (36, 9))), batch_size=4, shuffle=True)
    trainer = Trainer(Config())
    model, optimizer = trainer.model, trainer.optimizer
    # training begins
    trainer.fit(loader)
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, "last.pt")


if __name__ == "__main__":
    main()
