"""Logs by the writers of other people; none of them knows of tb_sonify."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.tensorflow_stub import dtypes
from tensorboard.plugins.scalar.metadata import create_summary_metadata
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.summary import Writer
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util import tensor_util
from tensorboardX import SummaryWriter as SummaryWriterX
from torch.utils.tensorboard import SummaryWriter

from tests.forked import ForkServer

POINTS = 20
TYPES = ("float16", "bfloat16", "float32", "float64", "int8", "int32", "int64", "uint8")
LAYERS = ("embed", "blocks.2.attn", "blocks.10.attn", "blocks.10.mlp", "head")

LIGHTNING = """
    import sys, torch
    from lightning.pytorch import LightningModule, Trainer
    from lightning.pytorch.loggers import TensorBoardLogger
    from lightning.pytorch.utilities import grad_norm
    torch.manual_seed(0)
    class Model(LightningModule):
        def __init__(self):
            super().__init__()
            self.stem, self.middle, self.fc = (torch.nn.Linear(4, 4) for _ in range(3))
        def training_step(self, batch, index):
            loss = self.fc(self.middle(self.stem(batch)).tanh()).square().mean()
            self.log("train_loss", loss, on_step=True, on_epoch=True)
            return loss
        def on_before_optimizer_step(self, optimizer):
            self.log_dict(grad_norm(self, norm_type=2))
        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.05)
    trainer = Trainer(max_epochs=2, accelerator="cpu", log_every_n_steps=1,
                      enable_checkpointing=False, enable_progress_bar=False,
                      enable_model_summary=False, logger=TensorBoardLogger(sys.argv[1]))
    trainer.fit(Model(), torch.utils.data.DataLoader(torch.randn(40, 4), batch_size=4))
"""

HUGGING_FACE = """
    import os, sys, torch
    os.environ["TENSORBOARD_LOGGING_DIR"] = sys.argv[1]
    from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments
    config = BertConfig(vocab_size=30, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
                        intermediate_size=32, max_position_embeddings=12)
    tokens = torch.randint(30, (64, 10))
    data = [{"input_ids": row, "labels": row[0] % 2} for row in tokens]
    arguments = TrainingArguments("out", per_device_train_batch_size=4, use_cpu=True, max_steps=12,
        save_strategy="no", logging_steps=2, report_to="tensorboard", eval_strategy="steps",
        eval_steps=6, disable_tqdm=True)
    arguments.logging_dir = sys.argv[1]  # of transformers before 5, which know no such variable
    Trainer(BertForSequenceClassification(config), arguments, train_dataset=data,
            eval_dataset=data[:8]).train()
"""


def trained(fork_server: ForkServer, directory: Path, script: str, logs: Path) -> None:
    """Run a training script of a framework that logs below `logs`."""
    directory.mkdir()
    ended = fork_server.run(script, logs, directory=directory)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def write_by_torch(run: Path) -> None:
    """Each form that torch's SummaryWriter has; its `add_scalars` makes runs of its own."""
    with SummaryWriter(str(run)) as writer:
        for step, value in _losses():
            writer.add_scalar("loss", value, step)
            writer.add_scalar("new/style", value, step, new_style=True)
            writer.add_scalars("both", {"train": value, "dev set": 2 * value}, step)


def write_by_tensorboardx(run: Path) -> None:
    """Scalars of tensorboardX, among them the norms of some layers."""
    with SummaryWriterX(str(run)) as writer:
        for step, value in _losses():
            writer.add_scalar("train/loss", value, step)
            for number, layer in enumerate(LAYERS):
                writer.add_scalar(f"gradients/{layer}", value * (1 + number), step)


def write_by_tensorboard(run: Path) -> None:
    """The writer that TensorBoard has itself."""
    writer = Writer(str(run))
    for step, value in _losses():
        writer.add_scalar("loss", np.float32(value), step)
    writer.close()


def write_by_tensorflow(run: Path) -> None:
    """What TensorFlow's summaries, old and new, store: the same protos by the same code.

    In folders `train` and `validation`, as Keras has them.
    """
    for part, tags in (
        ("train", ("epoch_loss", "epoch_learning_rate")),
        ("validation", ("epoch_loss", "evaluation_loss_vs_iterations")),
    ):
        writer = EventFileWriter(str(run / part))
        for step, value in _losses():
            for tag in tags:
                _add(writer, scalar_pb(tag, value), step)
            simple = Summary(value=[Summary.Value(tag="simple_value", simple_value=value)])
            _add(writer, simple, step)
        writer.close()


def write_types(run: Path) -> None:
    """A scalar as a tensor of each type and shape."""
    writer = EventFileWriter(str(run))
    for step, value in _losses():
        for name in (
            "float16",
            "bfloat16",
            "float32",
            "float64",
            "int8",
            "int32",
            "int64",
            "uint8",
        ):
            whole = name.startswith(("int", "uint"))
            _add(writer, _tensor(name, int(9 * value) if whole else value, ()), step)
        _add(writer, _tensor("float32", value, (1,), tag="shape (1,)"), step)
    writer.close()


def _tensor(name: str, value: float, shape: tuple[int, ...], *, tag: str = "") -> Summary:
    kind = dtypes.as_dtype(name)
    if name == "bfloat16":
        bits = np.float32(value).view(np.uint32) >> 16
        tensor = TensorProto(dtype=kind.as_datatype_enum, half_val=[int(bits)])
        tensor.tensor_shape.SetInParent()
    else:
        array = np.full(shape, value, kind.as_numpy_dtype)
        tensor = tensor_util.make_tensor_proto(array)
    metadata = create_summary_metadata(display_name="", description="")
    return Summary(value=[Summary.Value(tag=tag or name, tensor=tensor, metadata=metadata)])


def _add(writer: Any, summary: Summary, step: int) -> None:
    if not isinstance(summary, Summary):
        summary = Summary.FromString(summary.SerializeToString())
    writer.add_event(Event(summary=summary, step=step, wall_time=1_000.0 + step))


def _losses() -> Iterator[tuple[int, float]]:
    return ((step, 2.3 * 0.9**step) for step in range(POINTS))
