"""A sharded model in training, and an unsharded twin in float64 that sees all data."""

import json

import torch
from torch import distributed, nn

from tb_sonify import SonifyWriter
from tests.reference import layer_norms, norm_of

STEPS = 6


def network(width=7):
    """Layers whose sizes two and four processes cannot share evenly, in float64."""
    torch.manual_seed(0)
    layers = (nn.Linear(5, width), nn.Tanh(), nn.Linear(width, 3), nn.Tanh(), nn.Linear(3, 1))
    return nn.Sequential(*layers).double()


def loss_of(model, step, rank):
    generator = torch.Generator().manual_seed(100 * step + rank)
    return model(torch.randn(4, 5, generator=generator, dtype=torch.float64)).square().sum()


class Training:
    """A model, sharded by `shard`, and an unsharded twin that sees all data."""

    def __init__(self, directory, name, shard, *, batches=None, width=7, **options):
        self.rank = distributed.get_rank()
        self.batches = batches or distributed.get_world_size()
        self.model, self.twin = network(width), network(width)
        self.model = shard(self.model) or self.model
        self.directory, self.name = directory, name
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01)
        self.writer = SonifyWriter(str(directory / name))
        self.norm_type = options.get("norm_type", 2.0)
        self.expected, self.ratios, self.weights = {}, {}, {}
        self.watch = self.writer.watch(self.model, self.optimizer, **options)

    def backward(self, step):
        """A step of the twin, and gradients of the model that must be the same."""
        self.twin.zero_grad()
        for rank in range(self.batches):
            (loss_of(self.twin, step, rank) / self.batches).backward()
        self.optimizer.zero_grad()
        loss_of(self.model, step, self.rank % self.batches).backward()
        self.expected[step] = layer_norms(self.twin, self.norm_type)

    def update(self, clip=None):
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(self.twin.parameters(), clip)
        step = len(self.ratios)
        is_sharded = any(hasattr(p, "device_mesh") for p in self.model.parameters())
        if is_sharded or not self.weights:  # else they are measured at the first step alone
            self.weights = weight_norms(self.twin, self.norm_type)
        moved = layer_norms(self.twin, self.norm_type)
        self.ratios[step] = {name: 0.01 * moved[name] / self.weights[name] for name in moved}
        with torch.no_grad():
            for parameter in self.twin.parameters():
                parameter -= 0.01 * parameter.grad

    def finish(self):
        self.writer.close()
        if self.rank == 0:
            expected = {step: norms for step, norms in self.expected.items() if norms is not None}
            text = json.dumps(expected)
            (self.directory / f"{self.name}.json").write_text(text)
            (self.directory / f"{self.name}-ratios.json").write_text(json.dumps(self.ratios))


def weight_norms(model, norm_type):
    """The norm of each module's own parameters, by its name."""
    return {
        name: norm_of(list(module.parameters(recurse=False)), norm_type)
        for name, module in model.named_modules()
        if list(module.parameters(recurse=False))
    }
