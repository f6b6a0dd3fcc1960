"""p-norms of tensors, exact over the whole range of float32, on any device."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import torch
from torch import Tensor

Gradients: TypeAlias = Sequence[Tensor | None]

# Float32 sums on a CPU drift with their length: by 8e-5 over 100,000 values, 1e-3 over 20 million.
_CHUNK = 8192
_SMALL = 1e-13  # squares of the parts of a smaller norm begin to vanish in float32


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
    if is_chunked(tensor, 2.0) and type(tensor) is Tensor:
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


def is_chunked(tensor: Tensor, norm_type: float) -> bool:
    """Whether `chunk_norms` and `one_chunk_norms` take a tensor.

    On a CPU float64 is seven times slower than float32; on a GPU, memory is the limit.
    """
    return (
        norm_type == 2.0
        and tensor.device.type == "cpu"
        and tensor.layout == torch.strided
        and not tensor.is_nested
        and tensor.dtype in (torch.float32, torch.float16, torch.bfloat16)
    )


def is_one_chunk(tensor: Tensor) -> bool:
    """Whether a tensor is so small that float32 adds it up well."""
    return tensor.numel() <= _CHUNK


def chunk_norms(tensors: list[Tensor]) -> Tensor:
    """L2 norms of tensors cut into chunks, float64, in the order of `owners_of_chunks`.

    The sums are in float32, which is fast and, over a chunk, exact enough; where it is not,
    because squares overflow or vanish, they are taken again in float64.
    """
    small, tables = [], []
    for tensor in tensors:
        if tensor.numel() <= _CHUNK:
            small.append(tensor)
        else:
            table, rest = _cut(tensor)
            tables.append(table)
            if rest.numel():
                small.append(rest)
    norms = [torch.linalg.vector_norm(rows, dim=1, dtype=torch.float32) for rows in tables]
    parts = [norm.double() for norm in norms]
    for part, table in zip(parts, tables, strict=True):
        _correct_table(part, table)
    return torch.cat([*parts, one_chunk_norms(small)] if small else parts)


def one_chunk_norms(tensors: list[Tensor]) -> Tensor:
    """L2 norms of tensors of one chunk each, float64."""
    norms = torch.stack(torch._foreach_norm(tensors, 2, dtype=torch.float32)).double()
    doubtful = _is_doubtful(norms)
    if doubtful.any():
        places = doubtful.nonzero().flatten()
        again = [tensors[i] for i in places.tolist()]
        norms[places] = torch.stack(torch._foreach_norm(again, 2, dtype=torch.float64))
    return norms


def owners_of_chunks(tensors: list[Tensor], owners: list[int]) -> list[int]:
    """The owner of each chunk, where `owners` has that of each tensor."""
    rows: list[int] = []
    small: list[int] = []
    for tensor, owner in zip(tensors, owners, strict=True):
        whole, rest = divmod(tensor.numel(), _CHUNK)
        if tensor.numel() <= _CHUNK:
            whole, rest = 0, 1
        rows += [owner] * whole
        small += [owner] * (rest > 0)
    return rows + small


def _cut(tensor: Tensor) -> tuple[Tensor, Tensor]:
    """The values in any order, without a copy: a table of whole chunks, and the rest."""
    in_memory = sorted(range(tensor.dim()), key=tensor.stride, reverse=True)
    values = tensor.permute(in_memory).reshape(-1)
    whole = tensor.numel() // _CHUNK * _CHUNK
    return values[:whole].view(-1, _CHUNK), values[whole:]


def _is_doubtful(norms: Tensor) -> Tensor:
    """Which norms may have overflown or vanished, in float32."""
    return (norms < _SMALL) | (norms == math.inf)


def _correct_table(norms: Tensor, table: Tensor) -> None:
    if _is_doubtful(norms).any():
        largest = _largest(table)
        if largest > 0 and largest < math.inf:  # else they are zero or infinite indeed
            norms.copy_(torch.linalg.vector_norm(table, dim=1, dtype=torch.float64))


def _largest(tensor: Tensor) -> Tensor:
    """The inf norm, seventeen times faster than by `vector_norm`; NaN if there is one."""
    low, high = torch.aminmax(tensor)
    return torch.maximum(-low, high)
