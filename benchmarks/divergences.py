"""Trainings that diverge, and healthy ones: norms of every layer and the loss at each step.

The networks are small, so that all of them train in minutes on one thread. What is recorded is
exact, in float64, and independent of how the library measures.
"""

import math
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from tb_sonify.cli.demo.training import Images, Network, digits

CONTEXT, BATCH = 32, 16  # bytes of a sequence; sequences of a batch
GROWS_FROM, GROWTH = 250, 1.02  # of the learning rate: first step, factor a step
WARM_UP = 100  # steps in which the constant rates of AdamW with beta2 = 0.5 are reached
AFTER = 60  # steps that are trained on once the loss is lost
QUANTITIES = ("gradient", "update", "weight")
Schedule = Callable[[int], float]
Loss = Callable[[nn.Module], Tensor]


@dataclass(frozen=True)
class Recording:
    """What was measured of a training.

    Attributes
    ----------
    layers
        Names in order of depth.
    norms
        By quantity, float64, shape ``(steps, layers)``.
    loss
        Shape ``(steps,)``.
    """

    layers: tuple[str, ...]
    norms: dict[str, NDArray[np.float64]]
    loss: NDArray[np.float64]


@dataclass(frozen=True)
class Training:
    """A network, its optimizer as a function of the parameters, and the learning rate.

    Attributes
    ----------
    schedule
        Learning rate at a step, relative to the optimizer's.
    diverges
        Whether it is meant to.
    """

    network: str
    optimizer: Callable[..., torch.optim.Optimizer]
    options: Mapping[str, object]
    schedule: Schedule
    steps: int
    diverges: bool
    batch: int = BATCH


def constant(_: int) -> float:
    """A learning rate that stays."""
    return 1.0


def growing(step: int) -> float:
    """A learning rate that grows without end."""
    return float(GROWTH ** max(step - GROWS_FROM, 0))


def warmed_up(step: int) -> float:
    """A learning rate that grows linearly, then stays."""
    return min((step + 1) / WARM_UP, 1.0)


def cosine(steps: int) -> Schedule:
    """Linear warm-up, then a cosine down to a tenth."""

    def rate(step: int) -> float:
        return warmed_up(step) * (0.55 + 0.45 * math.cos(math.pi * step / steps))

    return rate


SGD, ADAMW = torch.optim.SGD, torch.optim.AdamW
MOMENTUM = {"lr": 0.05, "momentum": 0.9}
FAST = {"betas": (0.9, 0.5)}
DIVERGING = {
    "gpt-adamw-growing": Training("gpt", ADAMW, {"lr": 1e-3}, growing, 800, True),
    "gpt-momentum-growing": Training("gpt", SGD, MOMENTUM, growing, 800, True),
    "gpt-beta0.5-0.008": Training("gpt", ADAMW, {"lr": 0.008, **FAST}, warmed_up, 800, True),
    "gpt-beta0.5-0.016": Training("gpt", ADAMW, {"lr": 0.016, **FAST}, warmed_up, 800, True),
    "lstm-momentum-growing": Training(
        "lstm", SGD, {"lr": 0.3, "momentum": 0.9}, growing, 800, True
    ),
    "cnn-sgd-1.0": Training("cnn", SGD, {"lr": 1.0, "momentum": 0.5}, constant, 200, True, 10),
}
HEALTHY = {
    "gpt-adamw-cosine": Training("gpt", ADAMW, {"lr": 3e-3}, cosine(4_000), 4_000, False),
    "gpt-adamw": Training("gpt", ADAMW, {"lr": 1e-3}, constant, 3_000, False),
    "gpt-momentum": Training("gpt", SGD, MOMENTUM, constant, 3_000, False),
    "gpt-hot": Training("gpt", ADAMW, {"lr": 0.01, "betas": (0.9, 0.95)}, warmed_up, 2_000, False),
    "lstm-momentum": Training("lstm", SGD, {"lr": 0.3, "momentum": 0.9}, constant, 2_000, False),
    "lstm-adamw": Training("lstm", ADAMW, {"lr": 3e-3}, cosine(2_000), 2_000, False),
    "cnn-sgd-0.01": Training("cnn", SGD, {"lr": 0.01, "momentum": 0.5}, constant, 2_000, False, 10),
    "cnn-adam": Training("cnn", torch.optim.Adam, {"lr": 1e-3}, constant, 2_000, False, 10),
}


def lost_at(loss: NDArray[np.float64]) -> int | None:
    """First step where the median of five losses exceeds 1.5 x that of the hundred before.

    A loss that is NaN or infinite exceeds all, and is left out of those before. Before step 100,
    all earlier losses are compared.
    """
    values = np.where(np.isfinite(loss), loss, np.inf)
    for step in range(5, len(values)):
        before = values[max(step - 104, 0) : step - 4]
        floor = np.median(before[np.isfinite(before)])
        if np.median(values[step - 4 : step + 1]) > 1.5 * floor:
            return step
    return None


def record(name: str, training: Training, *, seed: int, cache: Path) -> Recording:
    """The recording of a training, which is deterministic in the seed, from the cache or new."""
    path = cache / f"{name}-{seed}.npz"
    if not path.exists():
        recording = train(training, seed=seed, title=f"{name} {seed}")
        cache.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.stem}-partial.npz")
        np.savez(
            partial,
            layers=np.array(recording.layers),
            loss=recording.loss,
            **recording.norms,  # type: ignore[arg-type]
        )
        partial.replace(path)
    with np.load(path) as stored:
        norms = {quantity: stored[quantity] for quantity in QUANTITIES}
        return Recording(tuple(stored["layers"].tolist()), norms, stored["loss"])


def train(training: Training, *, seed: int, title: str) -> Recording:
    """Train a network from its start until the last step, or until its loss has been lost."""
    torch.manual_seed(seed)
    model, losses_of = NETWORKS[training.network](training.batch, seed)
    optimizer = training.optimizer(model.parameters(), **training.options)
    rates = [group["lr"] for group in optimizer.param_groups]
    layers = {
        name: list(module.parameters(recurse=False))
        for name, module in model.named_modules()
        if list(module.parameters(recurse=False))
    }
    parameters = [each for some in layers.values() for each in some]
    sizes = [sum(each.numel() for each in some) for some in layers.values()]
    starts = np.cumsum([0, *sizes[:-1]])
    losses: list[float] = []
    norms: dict[str, list[NDArray[np.float64]]] = {quantity: [] for quantity in QUANTITIES}
    end = training.steps
    bar = tqdm(range(training.steps), title.ljust(28), unit="step", mininterval=1.0)
    for step in bar:
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * training.schedule(step)
        optimizer.zero_grad()
        loss = next(losses_of)(model)
        torch.autograd.backward(loss)
        before = _flat(parameters)
        optimizer.step()
        after = _flat(parameters)
        gradient = torch.cat([each.grad.flatten() for each in parameters])
        measured = (gradient.double(), after.double() - before.double(), after.double())
        for quantity, values in zip(QUANTITIES, measured, strict=True):
            squares = np.add.reduceat((values * values).numpy(), starts)
            norms[quantity].append(np.sqrt(squares))
        losses.append(loss.item())
        if training.diverges and step % 20 == 0 and end == training.steps:
            lost = lost_at(np.array(losses))
            end = end if lost is None else min(lost + AFTER, end)
        if step >= end:
            break
    bar.close()
    tables = {quantity: np.array(rows) for quantity, rows in norms.items()}
    return Recording(tuple(layers), tables, np.array(losses))


def _flat(parameters: list[nn.Parameter]) -> Tensor:
    """The values of all parameters in one vector."""
    return torch.cat([each.detach().flatten() for each in parameters])


class _Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention, self.projection = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, values: Tensor) -> Any:
        batch, length, width = values.shape
        shape = (batch, length, self.heads, width // self.heads)
        parts = self.attention(self.norm1(values)).split(width, dim=-1)
        query, key, value = (part.view(shape).transpose(1, 2) for part in parts)
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        values = values + self.projection(seen.transpose(1, 2).reshape(batch, length, width))
        return values + self.narrow(functional.gelu(self.widen(self.norm2(values))))


class _Gpt(nn.Module):
    """Three blocks, 32 wide: 22 layers, 47,000 parameters."""

    def __init__(self, width: int = 32, blocks: int = 3) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(128, width), nn.Embedding(CONTEXT, width)
        self.blocks = nn.Sequential(*(_Block(width, 4) for _ in range(blocks)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 128)
        for parameter in self.parameters():
            if parameter.ndim > 1:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, text: Tensor) -> Any:
        values = self.tokens(text) + self.places.weight[: text.shape[1]]
        return self.head(self.norm(self.blocks(values)))


class _Lstm(nn.Module):
    """Two LSTM layers of 64 units."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.tokens = nn.Embedding(128, width)
        self.lower, self.upper = (nn.LSTM(width, width, batch_first=True) for _ in range(2))
        self.head = nn.Linear(width, 128)

    def forward(self, text: Tensor) -> Any:
        return self.head(self.upper(self.lower(self.tokens(text))[0])[0])


def _sources() -> NDArray[np.uint8]:
    """The sources of Python's standard library, as ASCII."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    text = b"".join(path.read_bytes() for path in sorted(folder.glob("*.py")))
    return np.minimum(np.frombuffer(text, np.uint8), 127)


def _text_losses(batch: int, seed: int) -> Iterator[Loss]:
    text, rng = _sources(), np.random.default_rng(seed)
    while True:
        starts = rng.integers(0, len(text) - CONTEXT - 1, batch)[:, None]
        chosen = torch.from_numpy(text[starts + np.arange(CONTEXT + 1)].astype(np.int64))

        def loss(model: nn.Module, chosen: Tensor = chosen) -> Tensor:
            scores = model(chosen[:, :-1])
            return functional.cross_entropy(scores.flatten(0, 1), chosen[:, 1:].flatten())

        yield loss


def _image_losses(images: Images, batch: int, seed: int) -> Iterator[Loss]:
    for pixels, labels in images.batches(batch, seed=seed):

        def loss(model: nn.Module, pixels: Tensor = pixels, labels: Tensor = labels) -> Tensor:
            return functional.nll_loss(model(pixels), labels)

        yield loss


NETWORKS: dict[str, Callable[[int, int], tuple[nn.Module, Iterator[Loss]]]] = {
    "gpt": lambda batch, seed: (_Gpt(), _text_losses(batch, seed)),
    "lstm": lambda batch, seed: (_Lstm(), _text_losses(batch, seed)),
    "cnn": lambda batch, seed: (Network(), _image_losses(digits(), batch, seed)),
}
