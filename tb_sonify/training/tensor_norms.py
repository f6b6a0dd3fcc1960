"""p-norms of lists of tensors, exact over the whole range of float32, on any device."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import torch
from torch import Tensor

Gradients: TypeAlias = Sequence[Tensor | None]

# Float32 sums on a CPU drift with their length: by 8e-5 over 100,000 values, 1e-3 over 20 million.
CHUNK = 8192
_SMALL = 1e-13  # squares of the parts of a smaller norm begin to vanish in float32
_TABLE = 2**20  # values that are copied at most at once, to be added up as one table


def tensor_norms(tensors: list[Tensor], norm_type: float) -> Tensor:
    """Norm of each of some tensors of one kind, by the widest float that the device has."""
    if not _is_plain(tensors[0]):
        tensors = [_values(tensor) for tensor in tensors]
    first = tensors[0]
    if norm_type == math.inf:  # of nothing, torch refuses it
        tensors = [tensor if tensor.numel() else tensor.new_zeros(1) for tensor in tensors]
        if first.device.type == "cpu" and not first.is_complex():
            return torch.stack([_largest(tensor) for tensor in tensors]).double()
    dtype = torch.promote_types(first.dtype, widest_float(first.device))
    return torch.stack(torch._foreach_norm(tensors, norm_type, dtype=dtype))


@lru_cache
def widest_float(device: torch.device) -> torch.dtype:
    """The widest float of a device: float64 or, as on Apple's and some of Intel's, float32."""
    try:
        torch.ones((), dtype=torch.float32, device=device).double()
    except (TypeError, RuntimeError):
        return torch.float32
    return torch.float64


def is_reducible(tensor: Tensor, norm_type: float) -> bool:
    """Whether torch can reduce tensors of this kind."""
    if _is_chunked(tensor, 2.0) and type(tensor) is Tensor:
        return True
    try:
        tensor_norms([tensor], norm_type)
    except Exception:  # noqa: BLE001 - tensors of other libraries raise what they like
        return False
    return True


def _is_plain(tensor: Tensor) -> bool:
    """Whether the values of a tensor can be added up as they are."""
    is_float8 = tensor.is_floating_point() and tensor.element_size() == 1
    odd = is_float8 or tensor.is_nested or tensor.is_quantized
    return tensor.layout == torch.strided and not odd


def _values(tensor: Any) -> Tensor:
    """The values that a tensor stores, in any order, as a dense one whose values add up."""
    if _is_plain(tensor):
        return tensor
    if tensor.is_nested:
        parts = [_values(part).flatten() for part in tensor.unbind()]
        return torch.cat(parts) if parts else torch.zeros(0, device=tensor.device)
    if tensor.is_quantized:
        return tensor.dequantize()
    if tensor.layout == torch.strided:
        return tensor.float()
    if tensor.is_sparse:
        return tensor.coalesce().values()  # those at the same place add up first
    return tensor.to_dense() if tensor.is_mkldnn else tensor.values()


def _is_chunked(tensor: Tensor, norm_type: float) -> bool:
    """Whether `_Tables` takes a tensor.

    On a CPU float64 is seven times slower than float32; on a GPU, memory is the limit.
    """
    return (
        norm_type == 2.0
        and tensor.device.type == "cpu"
        and tensor.layout == torch.strided
        and not tensor.is_nested
        and tensor.dtype in (torch.float32, torch.float16, torch.bfloat16)
    )


class KindsChangedError(Exception):
    """Tensors are not of the kinds that a plan was made for."""


class NormPlan:
    """How tensors of certain kinds become the powers of their norms.

    These are the norms to the power of the norm's type, or the norms themselves where that is
    infinite.

    Parameters
    ----------
    tensors
        Of the kinds that are measured; of `None`, the power is 0.
    norm_type
        p of the p-norm, above 0; may be infinite.

    Attributes
    ----------
    left_out
        The places of those that torch cannot reduce.
    """

    def __init__(self, tensors: Gradients, norm_type: float) -> None:
        self._norm_type, self._size = norm_type, len(tensors)
        self._presence = [tensor is None for tensor in tensors]
        places: dict[object, list[int]] = {}
        for place, tensor in enumerate(tensors):
            if tensor is not None:
                places.setdefault(_dtype_kind(tensor), []).append(place)
        left_out: list[int] = []
        self._groups: list[_Tables | _Tensors] = []
        for same in places.values():
            some: list[Any] = [tensors[place] for place in same]
            if not is_reducible(some[0], norm_type):
                left_out += same
            elif _is_chunked(some[0], norm_type):
                self._groups.append(_Tables(same, some))
            else:
                self._groups.append(_Tensors(same, some, norm_type))
        # The powers end up on a GPU, where there is one.
        self._groups.sort(key=lambda group: group.owners.device.type == "cpu")
        self.left_out = frozenset(left_out)
        checked = [*left_out, *(place for group in self._groups for place in group.checked)]
        self._kinds = {place: kind_of(tensors[place]) for place in checked}

    def fits(self, tensors: Gradients) -> bool:
        """Whether tensors may be of these kinds; what is not looked at here, `powers` checks."""
        return [tensor is None for tensor in tensors] == self._presence and all(
            kind_of(tensors[place]) == kind for place, kind in self._kinds.items()
        )

    def powers(self, tensors: Gradients) -> Tensor:
        """The powers, by the widest float of their device, shape ``(tensors,)``.

        Raises
        ------
        KindsChangedError
            If the tensors are of other kinds.
        """
        total: Tensor | None = None
        for group in self._groups:
            norms = group.norms(tensors)
            part = add_up(
                to_power(norms, self._norm_type), group.owners, self._size, self._norm_type
            )
            total = part if total is None else add_powers(total, part, self._norm_type)
        if total is None:
            return torch.zeros(self._size, dtype=torch.float64, device="cpu")
        return total


def kind_of(tensor: Tensor | None) -> object:
    """What a plan depends on."""
    return None if tensor is None else (*_dtype_kind(tensor), tensor.numel())


def _dtype_kind(tensor: Tensor) -> tuple[object, ...]:
    return tensor.device, tensor.dtype, tensor.layout, type(tensor)


class _Tensors:
    """Tensors that are reduced one by one, all of one device, dtype and layout.

    Attributes
    ----------
    owners
        int64, the place of the tensor that each of the norms belongs to.
    checked
        The places of those whose kind `norms` does not check by itself.
    """

    def __init__(self, places: list[int], tensors: list[Tensor], norm_type: float) -> None:
        self._norm_type = norm_type
        self.checked = places
        self.owners = to_device(torch.tensor(places, device="cpu"), tensors[0].device)

    def norms(self, tensors: Gradients) -> Tensor:
        """Of all tensors of the plan, the norms of these, in the order of `owners`."""
        some: list[Any] = [tensors[place] for place in self.checked]
        return tensor_norms(some, self._norm_type)


class _Tables:
    """Dense tensors on the CPU, as tables of which every row has a norm: the L2 norm, in float32.

    That is fast and, over at most 8,192 values, exact enough; where it is not, because squares
    overflow or vanish, it is taken again in float64. Tensors of equal size are stacked, since
    torch takes longer for each call than for the values; larger ones are cut.
    """

    def __init__(self, places: list[int], tensors: list[Tensor]) -> None:
        by_size: dict[torch.Size, list[int]] = {}
        by_place = dict(zip(places, tensors, strict=True))
        for place, tensor in by_place.items():
            by_size.setdefault(tensor.shape, []).append(place)
        self._stacks: list[tuple[list[int], object]] = []
        single, cut = [], []
        for shape, same in by_size.items():
            size = shape.numel()
            if size > CHUNK:
                cut += same
            elif len(same) == 1:
                single += same
            else:
                rows = max(1, _TABLE // max(1, size))
                for start in range(0, len(same), rows):
                    some = same[start : start + rows]
                    stacked = torch.stack([by_place[place] for place in some])
                    self._stacks.append((some, kind_of(stacked)))
        self._single, self._cut = single, cut
        owners = [place for stack, _ in self._stacks for place in stack]
        owners += [place for place in cut for _ in range(by_place[place].numel() // CHUNK)]
        owners += single + [place for place in cut if by_place[place].numel() % CHUNK]
        self.owners = torch.tensor(owners, device="cpu")
        self.checked = single + cut

    def norms(self, tensors: Gradients) -> Tensor:
        """Of all tensors of the plan, the norms of these, in the order of `owners`."""
        tables = [self._stack(tensors, *stack) for stack in self._stacks]
        small: list[Any] = [tensors[place] for place in self._single]
        for place in self._cut:
            table, rest = _cut(tensors[place])
            tables.append(table)
            if rest.numel():
                small.append(rest)
        return _float32_norms(tables, small)

    def _stack(self, tensors: Gradients, places: list[int], kind: object) -> Tensor:
        some: list[Any] = [tensors[place] for place in places]
        try:
            table = torch.stack(some)
        except RuntimeError as error:
            raise KindsChangedError from error
        if kind_of(table) != kind:
            raise KindsChangedError
        return table.reshape(len(places), some[0].numel())


def row_norms(tables: list[Tensor], norm_type: float) -> Tensor:
    """The norm of each row of tables ``(rows, at most 8,192 values)``, one after the other."""
    if _is_chunked(tables[0], norm_type):
        return _float32_norms(tables, [])
    dtype = torch.promote_types(tables[0].dtype, widest_float(tables[0].device))
    return torch.cat([torch.linalg.vector_norm(t, norm_type, dim=1, dtype=dtype) for t in tables])


def _float32_norms(tables: list[Tensor], small: list[Tensor]) -> Tensor:
    """L2 norms of the rows of tables, and of small tensors, float64.

    Those that float32 cannot hold are taken again.
    """
    parts = [torch.linalg.vector_norm(rows, dim=1, dtype=torch.float32) for rows in tables]
    if small:
        parts.append(torch.stack(torch._foreach_norm(small, 2, dtype=torch.float32)))
    norms = torch.cat(parts).double()
    low, high = torch.aminmax(norms)
    if low.item() >= _SMALL and high.item() < math.inf:
        return norms
    doubtful = (norms < _SMALL) | (norms == math.inf)
    start = 0
    for table in [*tables, *(tensor.reshape(1, -1) for tensor in small)]:
        part = slice(start, start + len(table))
        rows = doubtful[part].nonzero().flatten()
        if len(rows):
            values = table.index_select(0, rows)
            if values.numel() and _largest(values).item() > 0:  # else they are 0 indeed
                norms[part][rows] = torch.linalg.vector_norm(values, dim=1, dtype=torch.float64)
        start = part.stop
    return norms


def _cut(tensor: Any) -> tuple[Tensor, Tensor]:
    """The values in any order, without a copy: a table of whole chunks, and the rest."""
    in_memory = sorted(range(tensor.dim()), key=tensor.stride, reverse=True)
    values = tensor.permute(in_memory).reshape(-1)
    whole = tensor.numel() // CHUNK * CHUNK
    return values[:whole].view(-1, CHUNK), values[whole:]


def _largest(tensor: Tensor) -> Tensor:
    """The inf norm, seventeen times faster than by `vector_norm`; NaN if there is one."""
    low, high = torch.aminmax(tensor)
    return torch.maximum(-low, high)


def add_up(powers: Tensor, owner_of: Tensor, owners: int, norm_type: float) -> Tensor:
    """The sums of powers, those of one owner together."""
    zeros = powers.new_zeros(owners)
    if norm_type == math.inf:
        return zeros.scatter_reduce_(0, owner_of, powers, "amax")
    return zeros.index_add_(0, owner_of, powers)


def to_power(norms: Tensor, norm_type: float) -> Tensor:
    """Norms as numbers that add up to the norm of all; infinite ones do so by their maximum."""
    return norms if norm_type == math.inf else norms.pow(norm_type)


def to_root(sums: Tensor, norm_type: float) -> Tensor:
    """The norms again."""
    return sums if norm_type == math.inf else sums.pow(1 / norm_type)


def add_powers(total: Tensor, part: Tensor, norm_type: float) -> Tensor:
    """Two sums of powers as one, on the device of the first."""
    part = to_device(part.to(total.dtype), total.device)
    return torch.maximum(total, part) if norm_type == math.inf else total + part


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """A copy on `device`; a GPU is not waited for, which pageable memory could make us do.

    Float64 becomes float32 where the device has no more.
    """
    if tensor.dtype == torch.float64:
        tensor = tensor.to(widest_float(device))
    if device.type == "cuda" and tensor.device.type == "cpu":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=device.type == "cuda")
