"""Probes of a model: the effective receptive field of a layer, and whether gradients are right."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

from tb_sonify.landscape.progress import Estimate, Progress
from tb_sonify.sound.earcons import Earcon, earcon_waveform
from tb_sonify.sound.guides import tick_waveform

if TYPE_CHECKING:
    from tb_sonify.rendering import Sound

_TWO_SIGMA = 1 - 0.9545  # of the peak: the bound of Luo et al., NeurIPS 2016
Verdict = Literal["right", "doubtful", "wrong"]
_DOUBTFUL, _WRONG = 1e-5, 1e-3  # as in Stanford's CS231n, where 1e-7 and less is at ease
_LEAST = 1e-5  # times the loss: smaller gradients are as good as zero
_SOUND_SECONDS: dict[Verdict, float] = {"right": 0.1, "doubtful": 0.3, "wrong": 0.3}
_SOUND_LEVEL, _SAMPLE_RATE = 0.4, 48_000
_STEP = 1e-5  # of a central difference, times the value where that is above 1
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


@dataclass(frozen=True)
class GradientCheck:
    """How far the gradients of a model are from differences of its loss.

    Attributes
    ----------
    errors
        Of each parameter by its name, the relative error
        ``|numeric - analytic| / (|numeric| + |analytic|)``, 2-norms over the values that were
        tried. Gradients of less than 1e-5 times the loss are compared with that.
    without
        Names of trained parameters to which no gradient flows.
    """

    errors: Mapping[str, float]
    without: tuple[str, ...]

    @property
    def worst(self) -> str:
        """The name of the parameter with the largest error; NaN is larger than any."""
        return max(self.errors, key=lambda name: (math.isnan(self.errors[name]), self.errors[name]))

    @property
    def verdict(self) -> Verdict:
        """``"right"`` below 1e-5, ``"doubtful"`` below 1e-3, else ``"wrong"``."""
        return self.verdict_of(self.worst)

    def verdict_of(self, name: str) -> Verdict:
        """``"right"`` below 1e-5, ``"doubtful"`` below 1e-3, else ``"wrong"``."""
        error = self.errors[name]
        return "right" if error < _DOUBTFUL else "doubtful" if error < _WRONG else "wrong"

    def sound(self) -> "Sound":
        """The parameters one after the other, the first on the left, the last on the right.

        A knock is right; doubtful is the chime, wrong the clash that a NaN has in the presets.
        """
        from tb_sonify.rendering import Sound  # which reads logs

        parts = []
        for number, name in enumerate(self.errors):
            verdict = self.verdict_of(name)
            frames = round(_SOUND_SECONDS[verdict] * _SAMPLE_RATE)
            if verdict == "right":
                wave = tick_waveform(frames=frames, sample_rate=_SAMPLE_RATE).astype(np.float64)
            else:
                earcon = Earcon.CHIME if verdict == "doubtful" else Earcon.NAN
                wave = earcon_waveform(earcon, frames=frames, sample_rate=_SAMPLE_RATE)
            angle = np.pi / 2 * (number + 0.5) / len(self.errors)
            parts.append(_SOUND_LEVEL * wave[:, None] * [np.cos(angle), np.sin(angle)])
        pcm = np.round(32_767 * np.concatenate(parts)).astype(np.int16)
        return Sound(pcm, _SAMPLE_RATE, self.words())

    def words(self) -> str:
        """The check in one sentence fragment, with the parameter that is worst."""
        error, count = self.errors[self.worst], len(self.errors)
        where = f"largest error {error:.1g}, in {self.worst}"
        none = f"; no gradient flows to {', '.join(self.without)}" if self.without else ""
        if self.verdict == "right":
            return f"gradients of {count} parameters are right, {where}{none}"
        wrong = [name for name in self.errors if self.verdict_of(name) != "right"]
        shown = ", ".join(wrong[:3]) + (f" and {len(wrong) - 3} more" if len(wrong) > 3 else "")
        hint = "; a kink, as of a ReLU, may be near" if self.verdict == "doubtful" else ""
        return f"gradients of {shown} are {self.verdict}, {where}{hint}{none}"


def check_gradients(
    model: nn.Module,
    loss: Callable[[nn.Module], Any],
    *,
    samples: int = 16,
    seed: int = 0,
    progress: bool | Callable[[int, int], None] = True,
) -> GradientCheck:
    """Compare the gradients of a model with central differences of its loss, in float64.

    That is done on a copy of the model, in eval mode, with batch normalisation by the batch. What
    the loss holds in float32 is taken in float64, too; operations with a backward of your own, as
    of a `torch.autograd.Function`, are what this can find wrong.

    Parameters
    ----------
    loss
        Called with the copy, gives one number. It must use the model that it is given.
    samples
        Values of each parameter that are tried, drawn by `seed`; the loss is evaluated twice for
        each. Before that, the logger `tb_sonify` has at its level INFO how long all
        will take.
    progress
        As in `tb_sonify.landscape.surface`.

    Raises
    ------
    ValueError
        If no parameter is trained, the loss is not finite, or none of them has an effect on it.
    """
    if samples < 1:
        raise ValueError(f"samples must be at least 1, got {samples!r}")
    copy = deepcopy(model).double()
    for module in copy.modules():
        module.training = False
        if isinstance(module, _BatchNorm):
            module.running_mean = module.running_var = None
    trained = {name: p for name, p in copy.named_parameters() if p.requires_grad}
    if not trained:
        raise ValueError("the model must have a parameter that is trained (requires_grad)")

    def at() -> Tensor:
        with torch.random.fork_rng(), _Doubles():
            torch.manual_seed(seed)
            value = loss(copy)
        if not isinstance(value, Tensor) or value.numel() != 1 or not value.isfinite():
            raise ValueError(f"loss(model) must give one finite number as a tensor, got {value!r}")
        return value

    with torch.enable_grad():
        value = at()
        if not value.requires_grad:
            raise ValueError("loss(model) must depend on the model that it is called with")
        found = torch.autograd.grad(value, list(trained.values()), allow_unused=True)
    gradients = dict(zip(trained, found, strict=True))
    start = time.perf_counter()  # the first evaluation was slower: it kept what gradients need
    with torch.no_grad():
        at()
    seconds = time.perf_counter() - start
    generator = torch.Generator().manual_seed(seed)
    sizes = [p.numel() for name, p in trained.items() if gradients[name] is not None]
    count = 1 + sum(2 * min(size, samples) for size in sizes)
    nbytes = sum(8 * p.numel() for p in (*copy.parameters(), *copy.buffers())) + 8 * sum(sizes)
    expected = Estimate(count, count * seconds, nbytes)
    with Progress("check_gradients", progress, expected) as done:

        def tried() -> float:
            found = at().item()
            done.step()
            return found

        errors = {
            name: _relative_error(trained[name].detach(), gradient, tried, samples, generator)
            for name, gradient in gradients.items()
            if gradient is not None
        }
    without = tuple(name for name, gradient in gradients.items() if gradient is None)
    return GradientCheck(errors, without)


@torch.no_grad()
def _relative_error(
    p: Tensor,
    gradient: Tensor,
    at: Callable[[], float],
    samples: int,
    generator: torch.Generator,
) -> float:
    drawn = torch.randperm(p.numel(), generator=generator)[:samples].tolist()
    places = [tuple(map(int, np.unravel_index(place, p.shape))) for place in drawn]
    numeric = []
    for place in places:
        here = p[place].item()
        step = _STEP * max(abs(here), 1.0)
        losses = []
        for value in (here + step, here - step):
            p[place] = value
            losses.append(at())
        p[place] = here
        numeric.append((losses[0] - losses[1]) / (2 * step))
    one, two = np.array(numeric), np.array([gradient[place].item() for place in places])
    # Where the gradient is zero, as before batch normalisation, the difference is rounding.
    both = float(np.linalg.norm(one) + np.linalg.norm(two))
    size = _LEAST * abs(losses[0]) if both < _LEAST * abs(losses[0]) else both
    return float(np.linalg.norm(one - two)) / size if size else 0.0


class _Doubles(TorchFunctionMode):
    """Has torch's functions take float32 tensors as float64."""

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        del types
        return function(*tree_map(_doubled, args), **tree_map(_doubled, kwargs or {}))


def _doubled(value: Any) -> Any:
    if isinstance(value, Tensor) and value.dtype == torch.float32:
        with torch._C.DisableTorchFunction():
            return value.double()
    return value


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
