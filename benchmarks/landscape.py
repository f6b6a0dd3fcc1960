"""Cost of strips in training, and of a surface beside that of another library.

    python -m benchmarks.landscape strip [--rounds 8]
    python -m benchmarks.landscape surface [--size 25] [--images 1000] [--steps 100]

strip: two trainings alternate in one process, both watched, one of them with a strip at every 10th
step; a round is 10 steps of each. A tenth of what the strip takes more than the other is its cost
at every 100th step; printed are the median of these and their quartiles. The probe batch is as
large as the training batch.

surface: the network of 2019 is trained on the digits of MNIST's test split, if its files are in
--data, else on scikit-learn's. Its surface over two filter-normalised random directions takes so
many images; then the loss alone is evaluated as often; then, if it is installed, `loss-landscapes`
computes the same, from the same two directions. Cells are compared with evaluations of the loss in
float64, by the places that each library documents.
"""

import argparse
import copy
import resource
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.mnist import mnist
from benchmarks.networks import Training, resnet
from tb_sonify import SonifyWriter
from tb_sonify.cli.demo.training import Images, Network, digits
from tb_sonify.landscape import Landscape, plane, surface

_STRIP_TARGET, _SURFACE_TARGET = 1.03, 60.0  # times a step; seconds of CPU
_EVERY = 10
_CHUNK = 100  # images


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("strip", "surface"))
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--models", default="cnn,resnet")
    parser.add_argument("--size", type=int, default=25)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.what == "strip":
        for model in options.models.split(","):
            _strip(model, options.rounds)
    else:
        _surface(options)


def _strip(name: str, rounds: int) -> None:
    torch.manual_seed(0)
    make = _cnn if name == "cnn" else lambda: resnet("cpu")
    plain, measured = make(), make()
    probe = torch.randn_like(measured.inputs)

    def loss(model: nn.Module) -> Tensor:
        return functional.cross_entropy(model(probe), measured.targets)

    with TemporaryDirectory() as logdir:
        writers = [SonifyWriter(f"{logdir}/{each}", presets=()) for each in ("plain", "strip")]
        writers[0].watch(plain.model, plain.optimizer)
        landscape = Landscape(loss, every=_EVERY)
        writers[1].watch(measured.model, measured.optimizer, landscape=landscape)
        ratios = []
        for number in range(rounds + 1):
            order = (plain, measured) if number % 2 else (measured, plain)
            seconds = {id(each): _seconds(each) for each in order}
            if number:  # the first warms up
                more = seconds[id(measured)] / seconds[id(plain)] - 1
                ratios.append(1 + more * _EVERY / 100)
        for writer in writers:
            writer.close()
    low, middle, high = np.percentile(ratios, (25, 50, 75))
    print(
        f"{name}: CPU with a strip every 100 steps x {middle:.3f} ({low:.3f} to {high:.3f}), "
        f"target {_STRIP_TARGET}, {rounds} rounds"
    )


def _cnn() -> Training:
    return Training(Network(), torch.randn(64, 1, 28, 28), torch.randint(10, (64,)))


def _seconds(training: Training) -> float:
    start = time.process_time()
    for _ in range(_EVERY):
        training.step(None)
    return time.process_time() - start


def _surface(options: argparse.Namespace) -> None:
    images = _images(options.data)
    torch.manual_seed(0)
    model = Network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.5)
    batches: Iterator[tuple[Tensor, Tensor]] = images.batches(32, seed=0)
    for pixels, labels in islice(batches, options.steps):
        optimizer.zero_grad()
        functional.nll_loss(model(pixels), labels).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    # Both libraries get the loss that is fastest here: activations that fit into the cache.
    pixels, labels = next(images.batches(options.images, seed=1))
    pixels = pixels.to(memory_format=torch.channels_last)

    def loss(network: nn.Module) -> Tensor:
        parts = zip(torch.split(pixels, _CHUNK), torch.split(labels, _CHUNK), strict=True)
        sums = [functional.nll_loss(network(x), y, reduction="sum") for x, y in parts]
        return torch.stack(sums).sum() / len(labels)

    chosen = plane.random(0)
    axes = chosen.axes(model)
    own, seconds, memory = _timed(
        lambda: surface(model, loss, plane=chosen, size=options.size).losses
    )
    _, bare, _ = _timed(lambda: _evaluate(copy.deepcopy(model).eval(), loss, options.size**2))
    x = np.linspace(-1, 1, options.size)
    exact = _exact(model, axes.directions, x, pixels, labels)
    print(f"{options.size} x {options.size}, {options.images:,} of {images.title}")
    print(f"the loss alone, {options.size**2} times: {bare:.1f} s of CPU")
    print(
        f"tb_sonify: {seconds:.1f} s of CPU, target {_SURFACE_TARGET:.0f} s, {memory:.0f} MiB; "
        f"{_wrong(own, exact)}",
        flush=True,
    )
    other = _loss_landscapes(model, axes.directions, loss, options.size)
    if other is None:
        print("loss-landscapes is not installed")
        return
    losses, seconds, memory, moved = other
    exact = _exact(model, axes.directions, -1 + 2 * np.arange(len(x)) / len(x), pixels, labels)
    print(
        f"loss-landscapes: {seconds:.1f} s of CPU, {memory:.0f} MiB; {_wrong(losses, exact)}; "
        f"weights afterwards off by up to {moved:.3g}"
    )


@torch.no_grad()
def _evaluate(model: nn.Module, loss: Callable[[nn.Module], Tensor], times: int) -> None:
    for _ in range(times):
        loss(model)


def _images(directory: Path) -> Images:
    try:
        return mnist(directory)
    except FileNotFoundError:
        return digits()


def _timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """What is computed, seconds of CPU, and by how many MiB the peak of memory grew."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    found = work()
    seconds = time.process_time() - start
    return found, seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


_CHECKED = 40  # cells


def _exact(
    model: nn.Module,
    directions: tuple[Tensor, Tensor],
    x: "np.ndarray[Any, Any]",
    pixels: Tensor,
    labels: Tensor,
) -> dict[tuple[int, int], float]:
    """Losses of some cells in float64, (row, column): the corners, the middle, and others."""
    twin = copy.deepcopy(model).double().requires_grad_(False)
    origin = nn.utils.parameters_to_vector(twin.parameters())
    rng, last = np.random.default_rng(0), len(x) - 1
    cells = {(0, 0), (0, last), (last, 0), (last, last), (last // 2, last // 2)}
    cells |= {(int(row), int(column)) for row, column in rng.integers(0, len(x), (_CHECKED, 2))}
    found = {}
    for row, column in sorted(cells):
        point = origin + x[column] * directions[0].double() + x[row] * directions[1].double()
        nn.utils.vector_to_parameters(point, twin.parameters())
        found[row, column] = float(functional.nll_loss(twin(pixels.double()), labels))
    return found


def _wrong(losses: "np.ndarray[Any, Any]", exact: dict[tuple[int, int], float]) -> str:
    """How many of the cells that were checked are off by more than 1e-4 of the loss."""
    errors = [abs(losses[cell] - value) / abs(value) for cell, value in exact.items()]
    wrong = sum(error > 1e-4 for error in errors)
    return f"{wrong} of {len(errors)} checked cells are wrong, by {max(errors):.2g} at most"


def _loss_landscapes(
    model: nn.Module,
    directions: tuple[Tensor, Tensor],
    loss: Callable[[nn.Module], Tensor],
    size: int,
) -> "tuple[np.ndarray[Any, Any], float, float, float] | None":
    """The same by `loss-landscapes`: losses as (row, column), seconds, MiB, displacement."""
    try:
        from loss_landscapes import planar_interpolation
    except ImportError:
        return None
    start = nn.utils.parameters_to_vector(model.parameters()).detach()
    # It interpolates from one model to two others, so the corner and the ends of two edges.
    corner, right, up = (copy.deepcopy(model).requires_grad_(False) for _ in range(3))
    one, two = directions
    for network, point in (
        (corner, start - one - two),
        (right, start + one - two),
        (up, start - one + two),
    ):
        nn.utils.vector_to_parameters(point, network.parameters())
    before = nn.utils.parameters_to_vector(corner.parameters()).clone()

    def metric(wrapped: Any) -> float:
        with torch.no_grad():
            return float(loss(wrapped.modules[0]))

    found, seconds, memory = _timed(
        lambda: planar_interpolation(corner, right, up, metric, steps=size)
    )
    after = nn.utils.parameters_to_vector(corner.parameters())
    return np.asarray(found).T, seconds, memory, float((after - before).abs().max())


if __name__ == "__main__":
    main()
