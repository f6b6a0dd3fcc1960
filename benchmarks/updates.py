"""Errors of update norms that are taken from a sample, against those of all values.

    python -m benchmarks.updates [--steps 20] [--json]

Networks are trained by SGD, SGD with momentum and AdamW on batches that change at every step. Each
tensor of more than 32,768 values is compared at each step from the third on: its norm from the
sample, divided by its norm, less 1. Errors of the root of the mean square and of the mean (the
bias) are of all these tensors and steps.
"""

import argparse
import json
from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import nn

from benchmarks.networks import NETWORKS, Training
from tb_sonify.cli.demo.training import Network
from tb_sonify.training.update_norms import UpdateNorms

Optimizer = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]
OPTIMIZERS: dict[str, Optimizer] = {
    "SGD": lambda parameters: torch.optim.SGD(parameters, lr=1e-2),
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=1e-2, momentum=0.9),
    "AdamW": lambda parameters: torch.optim.AdamW(parameters, lr=1e-3),
}
_FIRST = 2  # the first steps of an optimizer are unlike all others
_TARGET, _BIAS = 0.05, 0.02


def main() -> None:
    """Measure all networks with all optimizers and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=20, help="of each training; default: 20")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    if options.steps <= _FIRST:
        parser.error(f"--steps must be above {_FIRST}")
    torch.set_num_threads(1)
    results = {
        f"{network}, {optimizer}": errors(network, make, options.steps)
        for network in ("resnet", "transformer", "cnn")
        for optimizer, make in OPTIMIZERS.items()
    }
    if options.json:
        print(json.dumps(results))
        return
    print("| network, optimizer | rms | bias | worst | n |\n|---|---|---|---|---|")
    for name, found in results.items():
        values = np.array(found)
        rms, bias = np.sqrt(np.mean(values**2)), values.mean()
        print(
            f"| {name} | {rms:.2%} | {bias:+.2%} | {np.abs(values).max():.1%} | {len(values):,} |"
        )
    print(f"\ntargets: rms {_TARGET:.0%}, bias {_BIAS:.0%}")


def errors(network: str, make: Optimizer, steps: int) -> list[float]:
    """Relative errors, one for each large tensor and step."""
    torch.manual_seed(0)
    training = _training(network)
    parameters = list(training.model.parameters())
    training.optimizer = make(parameters)
    sample = UpdateNorms(2.0, exact=False)
    exact = UpdateNorms(2.0, exact=True)
    found: list[float] = []
    for step in range(steps):
        training.inputs = torch.randn_like(training.inputs)
        training.targets = torch.randint(10, training.targets.shape)
        sample.start(parameters)
        exact.start(parameters)
        training.step(None)
        if step >= _FIRST:
            ratios = (sample.powers(parameters) / exact.powers(parameters)).sqrt() - 1
            large = torch.tensor([p.numel() > (sample.most or 0) for p in parameters])
            found += ratios[large & ratios.isfinite()].tolist()
    return found


def _training(network: str) -> Training:
    if network != "cnn":
        return NETWORKS[network]("cpu")
    return Training(Network(), torch.randn(64, 1, 28, 28), torch.randint(10, (64,)))


if __name__ == "__main__":
    main()
