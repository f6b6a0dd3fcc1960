"""Lightning: a callback that logs gradient norms into the trainer's run.

    python examples/train_lightning.py [--steps N] [--logdir runs/lightning]

Needs `pip install "tb-sonify[lightning]"`.
"""

import argparse

import lightning.pytorch as pl
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor, nn, optim
from torch.utils.data import DataLoader, TensorDataset

from tb_sonify.integrations.lightning import SonifyCallback


class Model(pl.LightningModule):
    """A small classifier that logs its loss as usual."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU())
        self.head = nn.Linear(16, 2)

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        """The loss of a batch."""
        inputs, labels = batch
        loss = nn.functional.cross_entropy(self.head(self.encoder(inputs)), labels)
        self.log("loss/train", loss)
        return loss

    def configure_optimizers(self) -> optim.Optimizer:
        """Adam."""
        return optim.Adam(self.parameters(), lr=1e-2)


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--logdir", default="runs/lightning")
    options = parser.parse_args()
    pl.seed_everything(0)
    inputs = torch.randn(512, 8)
    data = TensorDataset(inputs, (inputs.sum(dim=1) > 0).long())
    trainer = pl.Trainer(
        max_steps=options.steps,
        log_every_n_steps=1,
        logger=TensorBoardLogger(options.logdir, name="", version="adam"),
        callbacks=[SonifyCallback()],
        enable_checkpointing=False,
        enable_progress_bar=False,
    )
    trainer.fit(Model(), DataLoader(data, batch_size=32, shuffle=True))


if __name__ == "__main__":
    main()
