"""What an optimizer changes of parameters: the norms of the differences, exact or from a sample."""

import math
from functools import partial, reduce
from typing import Any, Literal, TypeAlias, get_args

import torch
from torch import Tensor

from tb_sonify.training.tensor_norms import (
    CHUNK,
    Gradients,
    add_powers,
    add_up,
    row_norms,
    to_device,
    to_power,
)

Updates: TypeAlias = bool | Literal["exact"]

# Of a larger tensor, 1,024 places of 4 adjacent values each are compared. For the errors against
# all values see benchmarks/updates.py.
_EXACT = 32_768
_PLACES = 1_024
_ADJACENT = 4
_DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)


def check_updates(updates: Any) -> Updates:
    """A valid value of the option."""
    if updates not in (True, False, *get_args(get_args(Updates)[1])):
        raise ValueError(f"updates must be True, False or 'exact', got {updates!r}")
    return updates


class UpdateNorms:
    """Measures how far parameters move between `start` and `powers`, without waiting for a device.

    Parameters
    ----------
    norm_type
        p of the p-norm; if infinite, all values are compared.
    exact
        Compare all values of all tensors: takes as much memory as they do.

    Attributes
    ----------
    most
        A tensor of more values is compared in a sample of them; `None`: none is.
    measured
        The places of the tensors that can be compared: dense ones of float32, float64, float16
        and bfloat16. Known after `start`.
    """

    def __init__(self, norm_type: float, *, exact: bool) -> None:
        self._norm_type = norm_type
        self.most = None if exact or norm_type == math.inf else _EXACT
        self._pointers: list[int] = []
        self._groups: list[_Group] = []
        self._size = 0
        self.measured: frozenset[int] = frozenset()

    @torch.no_grad()
    def start(self, tensors: Gradients) -> None:
        """Keep the values as they are before the step; of `None`, nothing is measured."""
        self._follow(tensors)
        for group in self._groups:
            group.before = group.values()

    @torch.no_grad()
    def powers(self, tensors: Gradients) -> Tensor:
        """The norms of what was changed since `start`, to the power of their type.

        By the widest float of the device, shape ``(tensors,)``; 0 of what cannot be compared.
        """
        before = [group.before for group in self._groups]
        self._follow(tensors)  # an optimizer may replace the memory of parameters
        for group, values in zip(self._groups, before, strict=True):
            group.before = values
        parts = [group.powers(self._norm_type, self._size) for group in self._groups]
        if not parts:
            return torch.zeros(self._size, dtype=torch.float64, device="cpu")
        return reduce(partial(add_powers, norm_type=self._norm_type), parts)

    def _follow(self, tensors: Gradients) -> None:
        pointers = _pointers(tensors)
        if pointers == self._pointers:
            return
        self._pointers, self._size = pointers, len(tensors)
        kinds: dict[object, dict[int, Tensor]] = {}
        for place, tensor in enumerate(tensors):
            values = None if tensor is None else _flat(tensor)
            if values is not None:
                kinds.setdefault((values.device, values.dtype), {})[place] = values
        self._groups = [_Group(values, self.most) for values in kinds.values()]
        self._groups.sort(key=lambda group: group.owners.device.type == "cpu")
        self.measured = frozenset(place for values in kinds.values() for place in values)


def _pointers(tensors: Gradients) -> list[int]:
    return [0 if tensor is None else tensor.data_ptr() for tensor in tensors]


def _flat(tensor: Tensor) -> Tensor | None:
    """The values in the order of memory, not copied; `None` where that is not possible."""
    if tensor.layout != torch.strided or tensor.dtype not in _DTYPES or tensor.is_meta:
        return None
    in_memory = sorted(range(tensor.dim()), key=tensor.stride, reverse=True)
    try:
        return tensor.detach().permute(in_memory).view(-1) if tensor.numel() else None
    except RuntimeError:  # it has gaps
        return None


class _Group:
    """Values of one device and dtype, as tables of which every row has a norm."""

    def __init__(self, values: dict[int, Tensor], most: int | None) -> None:
        whole: dict[int, list[tuple[int, Tensor]]] = {}  # by size: equal ones make up a table
        sampled: dict[int, Tensor] = {}
        for place, flat in values.items():
            if most is not None and flat.numel() > most:
                sampled[place] = _sample(flat)
            else:
                for piece in flat.split(CHUNK):
                    whole.setdefault(piece.numel(), []).append((place, piece))
        self._whole = [piece for same in whole.values() for _, piece in same]
        self._shapes = [(len(same), size) for size, same in whole.items()]
        self._sampled = list(sampled.values())
        owners = [place for same in whole.values() for place, _ in same]
        scales = [1.0] * len(owners)
        scales += [values[place].numel() / sample.numel() for place, sample in sampled.items()]
        device = next(iter(values.values())).device
        self.owners = to_device(torch.tensor(owners + list(sampled), device="cpu"), device)
        self._scales = to_device(torch.tensor(scales, dtype=torch.float64, device="cpu"), device)
        self.before: list[Tensor] = []

    def values(self) -> list[Tensor]:
        """The values now: those of whole tensors, then the samples."""
        return [torch.cat(part) for part in (self._whole, self._sampled) if part]

    def powers(self, norm_type: float, size: int) -> Tensor:
        """The powers of what was changed since `before`, shape ``(size,)``."""
        moved = [_difference(*each) for each in zip(self.values(), self.before, strict=True)]
        self.before = []
        tables = [moved[-1].view(len(self._sampled), -1)] if self._sampled else []
        if self._whole:
            parts = moved[0].split([rows * size for rows, size in self._shapes])
            shaped = zip(parts, self._shapes, strict=True)
            tables = [*(part.view(shape) for part, shape in shaped), *tables]
        powers = to_power(row_norms(tables, norm_type), norm_type)
        if self._sampled:
            powers = powers * self._scales
        return add_up(powers, self.owners, size, norm_type)


def _difference(after: Tensor, before: Tensor) -> Tensor:
    if after.dtype.itemsize < 4:
        after, before = after.float(), before.float()
    return after.sub_(before)


def _sample(flat: Tensor) -> Tensor:
    """Places that are spread evenly over the values, shape ``(places, adjacent values)``."""
    values = flat.numel()
    stride = _prime_below((values - _ADJACENT) // (_PLACES - 1), values)
    first = (values - _ADJACENT - stride * (_PLACES - 1)) // 2
    return flat.as_strided((_PLACES, _ADJACENT), (stride, 1), flat.storage_offset() + first)


def _prime_below(most: int, values: int) -> int:
    """A prime that does not divide the number of values, so that all columns are met alike."""
    for number in range(most, _ADJACENT, -1):
        if values % number and all(number % d for d in range(2, math.isqrt(number) + 1)):
            return number
    return most
