"""Networks to train in a benchmark: many small layers, many large ones, and a mixture."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

CLASSES = 10


@dataclass
class Training:
    """A network with its optimizer, and one batch for all steps."""

    model: nn.Module
    inputs: Tensor
    targets: Tensor
    optimizer: torch.optim.Optimizer = field(init=False)

    def __post_init__(self) -> None:
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=1e-4)

    def step(self, before_update: Callable[[], object] | None) -> None:
        """One training step; `before_update` is called between backward and the update."""
        self.optimizer.zero_grad()
        loss = nn.functional.cross_entropy(self.model(self.inputs), self.targets)
        torch.autograd.backward(loss)
        if before_update is not None:
            before_update()
        self.optimizer.step()


def mlp(device: str, *, layers: int = 100, gain: float = 2.0**0.5) -> Training:
    """Layers of 64 units; by default, neither activations nor gradients grow or vanish."""
    blocks: list[nn.Module] = []
    for _ in range(layers):
        linear = nn.Linear(64, 64)
        nn.init.normal_(linear.weight, std=gain / 8)
        nn.init.zeros_(linear.bias)
        blocks += [linear, nn.ReLU()]
    model = nn.Sequential(*blocks, nn.Linear(64, CLASSES))
    return _training(model, torch.randn(64, 64), device)


def vanishing_mlp(device: str) -> Training:
    """MLP whose gradients vanish towards the first layer, below the range of float32."""
    return mlp(device, gain=0.5)


def resnet(device: str) -> Training:
    """ResNet-18 of torchvision, on images of 64 x 64."""
    from torchvision.models import resnet18

    return _training(resnet18(num_classes=CLASSES), torch.randn(16, 3, 64, 64), device)


def transformer(device: str) -> Training:
    """Six encoder layers, 512 wide, on 8 sequences of 64."""
    layer = nn.TransformerEncoderLayer(512, 8, 2048, dropout=0.0, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 6, enable_nested_tensor=False)
    model = nn.Sequential(encoder, _MeanOverTime(), nn.Linear(512, CLASSES))
    return _training(model, torch.randn(8, 64, 512), device)


NETWORKS: dict[str, Callable[[str], Training]] = {
    "mlp": mlp,
    "mlp-vanishing": vanishing_mlp,
    "resnet": resnet,
    "transformer": transformer,
}


class _MeanOverTime(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return values.mean(dim=1)


def _training(model: nn.Module, inputs: Tensor, device: str) -> Training:
    targets = torch.randint(CLASSES, (len(inputs),))
    return Training(model.to(device), inputs.to(device), targets.to(device))
