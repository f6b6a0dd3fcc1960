"""Which scalars are the gradient norms of layers, by the names that people's code gives them."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

# A `*` stands for the layer. What comes before, as `train/`, may come before any of these that
# does not begin with a `*` itself. Of two that fit as many scalars, the first is taken.
GLOBS = (
    "grad_norm/*",  # of tb_sonify, and of many a loop
    "grad_norms/*",
    "grad_*_norm/*",  # of Lightning's `grad_norm`: the first `*` is the type of norm
    "grads_norm/*",  # of Ignite's GradsScalarHandler
    "gradient_norm/*",
    "gradient_norms/*",
    "l2_norm/grad/*",  # of Composer's OptimizerMonitor
    "gradients/*/norm",
    "gradients/*",  # as wandb names its histograms
    "gradient/*",
    "grad/*.norm",  # of OLMo
    "grad/*",
    "grads/*",
    "grad_norm_*",
    "*_gradient_norm",  # of TensorFlow's add_gradients_summaries
    "*_grad_norm",
)


# What is no layer: norms of all of them, and numbers of other kinds.
_NO_LAYER = re.compile(
    r"(.*[/.])?(total|global|overall|all|mean|avg|average|std|var|median|min|max|clipped|unclipped"
    r"|raw|(global|total|before|after|pre|post)_.*|.*_clip(ping)?)|norm",
    re.IGNORECASE,
)


def norm_layers(tags: Iterable[str], own_globs: tuple[str, ...] = ()) -> dict[str, str]:
    """The scalars of a run that are norms of layers, each with the name of its layer.

    Parameters
    ----------
    own_globs
        Of the user; if any scalar fits one of them, all that do are taken, and no others.

    Returns
    -------
    layers
        By tag, in natural order; empty unless there are several.

    Examples
    --------
    >>> norm_layers(["loss", "train/grad_norm/conv10", "train/grad_norm/conv2"])
    {'train/grad_norm/conv2': 'conv2', 'train/grad_norm/conv10': 'conv10'}
    """
    families: dict[int, dict[str, tuple[str, str]]] = {}
    for tag in tags:
        for number, before, layer in _matches(tag, own_globs):
            families.setdefault(number, {})[tag] = before, layer
    own = families.pop(-1, {})
    found = own or max(families.items(), key=_size, default=(0, {}))[1]
    if len(found) < 2 and not own:
        return {}
    return dict(sorted(_named(found).items(), key=lambda pair: natural_sort_key(pair[1])))


def natural_sort_key(name: str) -> list[tuple[int, str]]:
    """A key to sort names by, in which 10 comes after 2."""
    parts = re.findall(r"(\d+)|(\D+)", name)
    return [(int(digits) if digits else -1, text) for digits, text in parts]


def _size(family: tuple[int, Mapping[str, object]]) -> tuple[int, int]:
    number, tags = family
    return len(tags), -number


def _named(found: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """The layer of each tag, with what comes before it where that tells some apart."""
    if len({before for before, _ in found.values()}) == 1:
        return {tag: layer for tag, (_, layer) in found.items()}
    return {tag: f"{before}{layer}" for tag, (before, layer) in found.items()}


@lru_cache(maxsize=65_536)
def _matches(tag: str, own_globs: tuple[str, ...]) -> tuple[tuple[int, str, str], ...]:
    """Number of each glob that a tag fits, -1 for the user's own, and its parts there."""
    found = []
    for number, glob in [*((-1, own) for own in own_globs), *enumerate(GLOBS)]:
        match = _pattern(glob).fullmatch(tag)
        layer = match and (match["layer"] or tag)
        if match and layer and (number < 0 or not _NO_LAYER.fullmatch(layer)):
            found.append((number, match["before"] or "", layer))
    return tuple(found)


@lru_cache(maxsize=1_024)
def _pattern(glob: str) -> "re.Pattern[str]":
    """A glob as an expression; its last `*` is the layer."""
    parts = [re.escape(part) for part in glob.split("*")]
    last = parts.pop() if len(parts) > 1 else None
    before = "(?P<before>)" if glob.startswith("*") else "(?P<before>(?:.+?/)?)"
    layer = "(?P<layer>)" if last is None else f"(?P<layer>.+){last}"
    return re.compile(before + "[^/]+".join(parts) + layer, re.IGNORECASE | re.DOTALL)
