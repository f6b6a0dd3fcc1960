"""Probes of a model: the effective receptive field of a layer."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

_TWO_SIGMA = 1 - 0.9545  # of the peak: the bound of Luo et al., NeurIPS 2016
_HALF = 0.5  # of the mass: one of the bounds of RepLKNet (Ding et al., CVPR 2022)


@dataclass(frozen=True)
class ReceptiveField:
    """How much each pixel of an image moves the units in the middle of a layer.

    Attributes
    ----------
    map
        Root of the mean square of the gradient, summed over channels, shape ``(height, width)``.
    theoretical
        Height and width of the pixels that can reach these units at all, within the image.
    clipped
        Whether they reach a border of the image: the field may be larger than is seen.
    """

    map: NDArray[np.float64]
    theoretical: tuple[int, int]
    clipped: bool

    @property
    def size(self) -> float:
        """Side of a square as large as the participation area, in pixels; NaN where units are dead.

        The area is (sum of squares)^2 / sum of fourth powers of the map: as many pixels as there
        are where all count the same. It has no threshold, and no scale.
        """
        power = np.square(self.map)
        total = np.square(power).sum()
        return float(np.sqrt(np.square(power.sum()) / total)) if total > 0 else math.nan

    @property
    def sigma(self) -> tuple[float, float]:
        """Standard deviation of the map along its height and its width, in pixels; or NaN."""
        return _deviation(self.map.sum(axis=1)), _deviation(self.map.sum(axis=0))

    @property
    def two_sigma_size(self) -> float:
        """For comparison: root of the number of pixels above 4.55 % of the peak (Luo et al.)."""
        return (
            math.sqrt((self.map > _TWO_SIGMA * self.map.max()).sum()) if self.is_live else math.nan
        )

    @property
    def half_mass_size(self) -> float:
        """For comparison: side of the smallest centred square with half of the mass (RepLKNet)."""
        if not self.is_live:
            return math.nan
        height, width = self.map.shape
        for side in range(1, max(height, width) + 1):
            rows, columns = (slice(max(n - side, 0) // 2, (n + side) // 2) for n in (height, width))
            if self.map[rows, columns].sum() >= _HALF * self.map.sum():
                break
        return float(side)

    @property
    def is_live(self) -> bool:
        """Whether any pixel moves the units."""
        return bool(np.isfinite(self.map).all() and self.map.any())

    def words(self) -> str:
        """The field in one sentence fragment."""
        if not np.isfinite(self.map).all():
            return "no field: the gradient is not finite"
        if not self.is_live:
            return "no field: the units are dead, no pixel moves them"
        height, width = self.theoretical
        share = self.size**2 / (height * width)
        border = "; it reaches the border, and may be larger than the image" if self.clipped else ""
        return (
            f"{self.size:.1f} pixels, {share:.0%} of the {height} x {width} that can count{border}"
        )


def effective_receptive_field(
    model: nn.Module,
    layer: str | nn.Module,
    inputs: Tensor,
    *,
    probes: int = 64,
    seed: int = 0,
) -> ReceptiveField:
    """The effective receptive field of the units in the middle of a layer.

    The gradient of these units is taken with respect to the images, each channel times a random
    sign, and its squares are averaged over probes and images: neither a ReLU nor a logarithm
    hides a part of it. The model is in eval mode meanwhile, and no gradient of its own changes.

    Parameters
    ----------
    layer
        A submodule, or its name, that gives ``(images, channels, height, width)``.
    inputs
        Images, shape ``(images, channels, height, width)``, on the model's device.
    probes
        Of random signs; max pooling, which passes on one pixel alone, needs many.

    Raises
    ------
    ValueError
        If the layer is not called, or it or the images have other dimensions.

    References
    ----------
    Luo et al., Understanding the Effective Receptive Field, NeurIPS 2016.
    """
    if inputs.dim() != 4 or not inputs.is_floating_point():
        raise ValueError(
            f"inputs must be images of floats, (images, channels, height, width), got shape "
            f"{tuple(inputs.shape)} of {inputs.dtype}"
        )
    if probes < 1:
        raise ValueError(f"probes must be at least 1, got {probes!r}")
    module = _submodule(model, layer)
    generator = torch.Generator().manual_seed(seed)
    with _eval_mode(model):
        images = inputs.detach().clone().requires_grad_()
        with torch.enable_grad():
            middle = _middle(_output(model, module, images))
        total = torch.zeros(inputs.shape[2:], dtype=torch.float64)
        for _ in range(probes):
            signs = torch.randint(0, 2, middle.shape, generator=generator) * 2 - 1
            [found] = torch.autograd.grad(
                middle, images, signs.to(middle), retain_graph=True, allow_unused=True
            )
            if found is not None:
                total += found.cpu().double().square().sum(dim=(0, 1))
        reach = _reach(model, module, inputs[:1])
    rows, columns = (np.flatnonzero(each) for each in reach)
    clipped = bool(reach[0][[0, -1]].any() or reach[1][[0, -1]].any())
    mean = (total / (probes * len(inputs))).sqrt().numpy()
    return ReceptiveField(mean, (_extent(rows), _extent(columns)), clipped)


def _extent(places: NDArray[np.intp]) -> int:
    return int(places[-1] - places[0] + 1) if len(places) else 0


def _deviation(weights: NDArray[np.float64]) -> float:
    total = weights.sum()
    if not total > 0:
        return math.nan
    places = np.arange(len(weights))
    mean = (weights * places).sum() / total
    return float(np.sqrt((weights * np.square(places - mean)).sum() / total))


def _submodule(model: nn.Module, layer: str | nn.Module) -> nn.Module:
    modules = dict(model.named_modules())
    if isinstance(layer, str):
        if layer not in modules:
            names = ", ".join(list(modules)[1:6])
            raise ValueError(f"layer must be one of the model's, {names}, ..., got {layer!r}")
        return modules[layer]
    if all(each is not layer for each in modules.values()):
        raise ValueError("layer must be a submodule of the model")
    return layer


@contextmanager
def _eval_mode(model: nn.Module) -> Iterator[None]:
    modes = [(module, module.training) for module in model.modules()]
    try:
        for module, _ in modes:
            module.training = False
        yield
    finally:
        for module, training in modes:
            module.training = training


def _output(model: nn.Module, layer: nn.Module, images: Tensor) -> Tensor:
    """What a layer gives for some images."""
    found: list[Tensor] = []

    def keep(_: nn.Module, __: Any, output: Tensor) -> Tensor:
        found.append(output)
        return output.clone()  # what follows may change it in place

    handle = layer.register_forward_hook(keep)
    try:
        model(images)
    finally:
        handle.remove()
    if not found:
        raise ValueError("the layer must be called in the model's forward, and it was not")
    if found[0].dim() != 4:
        raise ValueError(
            f"the layer must give (images, channels, height, width), got {tuple(found[0].shape)}"
        )
    return found[0]


def _middle(output: Tensor) -> Tensor:
    return output[:, :, output.shape[2] // 2, output.shape[3] // 2]


_BATCH = 64  # images at a time


@torch.no_grad()
def _reach(model: nn.Module, layer: nn.Module, image: Tensor) -> list[NDArray[np.bool_]]:
    """Which rows and columns of an image can reach the units: a NaN in them does."""
    found = []
    for axis in (2, 3):
        reached = []
        for places in torch.arange(image.shape[axis]).split(_BATCH):
            images = image.repeat(len(places), 1, 1, 1)
            for number, place in enumerate(places.tolist()):
                images[number].select(axis - 1, place).fill_(torch.nan)
            units = _middle(_output(model, layer, images))
            reached.append(units.isnan().any(dim=1).cpu().numpy())
        found.append(np.concatenate(reached))
    return found
