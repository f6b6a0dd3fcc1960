"""Layers of a model: the parameters of each, by names."""

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import chain, count
from typing import Literal, TypeAlias, get_args

from torch import nn

Granularity: TypeAlias = Literal["layer", "parameter"]
Patterns: TypeAlias = str | Sequence[str] | None
Layers: TypeAlias = dict[str, list[nn.Parameter]]

# What torch.compile and activation checkpointing put between a module and its owner.
_WRAPPERS = frozenset({"_orig_mod", "_checkpoint_wrapped_module"})
_COMPUTED = "parametrizations"  # the child that `torch.nn.utils.parametrize` makes


class NoLayersError(ValueError):
    """A model without anything to be heard."""


def find_layers(
    model: nn.Module,
    *,
    granularity: Granularity = "layer",
    include: Patterns = None,
    exclude: Patterns = None,
) -> Layers:
    """The layers of a model, in the order in which its modules were registered.

    Parameters
    ----------
    granularity
        ``"layer"``: each submodule that directly owns parameters, weights and biases together;
        the model's own parameters are under the name of its class. ``"parameter"``: each
        parameter on its own.
    include, exclude
        Glob patterns on the names of layers: keep those that match, leave out those that match.

    Returns
    -------
    layers
        The parameters of each layer by its name, which is the same whether the model is compiled
        or wrapped for parallel training. A shared parameter belongs to its first owner alone.
    """
    if granularity not in get_args(Granularity):
        raise ValueError(f"granularity must be 'layer' or 'parameter', got {granularity!r}")
    model = _unwrapped(model)
    found: Layers = {}
    for name, parameter in _owned(model, granularity):
        found.setdefault(name, []).append(parameter)
    layers = {
        name: parameters
        for name, parameters in found.items()
        if (include is None or _matches(name, include)) and not _matches(name, exclude or ())
    }
    if not layers:
        raise NoLayersError(
            f"a model must have a layer with parameters to be heard: {type(model).__name__} has "
            f"{len(found)}, of which include={include!r} and exclude={exclude!r} leave none"
        )
    return layers


def numbered_names(name: str) -> Iterator[str]:
    """`name`, and then with a number from 2 on: for the first that is free."""
    return chain([name], (f"{name}_{number}" for number in count(2)))


def _owned(model: nn.Module, granularity: Granularity) -> Iterator[tuple[str, nn.Parameter]]:
    seen: set[nn.Parameter] = set()
    for wrapped, module in model.named_modules():
        if type(module).__name__ == "FullyShardedDataParallel":
            raise ValueError(
                "FullyShardedDataParallel hides layers in flat parameters: shard the model by "
                "torch.distributed.fsdp.fully_shard to have norms of layers"
            )
        parts = [part for part in wrapped.split(".") if part and part not in _WRAPPERS]
        # A weight that torch computes from others belongs to the layer whose weight it is.
        owned = parts.index(_COMPUTED) if _COMPUTED in parts else len(parts)
        path, inside = ".".join(parts[:owned]), parts[owned + 1 :]
        for name, parameter in module.named_parameters(recurse=False):
            if parameter in seen:
                continue
            seen.add(parameter)
            if granularity == "layer":
                yield path or type(model).__name__, parameter
            else:
                yield ".".join([*parts[:owned], *inside, name]), parameter


def _unwrapped(model: nn.Module) -> nn.Module:
    while True:
        if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            model = model.module
        elif isinstance(getattr(model, "_orig_mod", None), nn.Module):
            model = model._orig_mod  # type: ignore[assignment]
        else:
            return model


def _matches(name: str, patterns: str | Iterable[str]) -> bool:
    patterns = [patterns] if isinstance(patterns, str) else patterns
    return any(fnmatchcase(name, pattern) for pattern in patterns)
