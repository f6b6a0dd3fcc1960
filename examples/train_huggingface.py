"""Hugging Face: a callback that logs gradient norms of a small language model.

    python examples/train_huggingface.py [--steps N] [--logdir runs/huggingface]

Needs `pip install "tb-sonify[huggingface]"`. Nothing is downloaded: the weights are random.
"""

import argparse

import torch
from torch import Tensor
from torch.utils.data import Dataset
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

from tb_sonify.integrations.huggingface import SonifyCallback


class Counting(Dataset[dict[str, Tensor]]):
    """Data set of sequences that count upwards from a random start."""

    def __len__(self) -> int:
        return 512

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        tokens = (torch.arange(16) + 7 * index) % 64
        return {"input_ids": tokens, "labels": tokens}


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--logdir", default="runs/huggingface")
    options = parser.parse_args()
    config = GPT2Config(vocab_size=64, n_positions=16, n_embd=32, n_layer=3, n_head=2)
    arguments = TrainingArguments(
        output_dir=options.logdir,
        max_steps=options.steps,
        per_device_train_batch_size=16,
        learning_rate=1e-3,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        seed=0,
    )
    model, callback = GPT2LMHeadModel(config), SonifyCallback(f"{options.logdir}/adam")
    Trainer(model, arguments, train_dataset=Counting(), callbacks=[callback]).train()


if __name__ == "__main__":
    main()
