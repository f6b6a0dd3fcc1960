"""Which scalars are the gradient norms of layers, by the names that people's code gives them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tb_sonify.schema.metadata import SCALARS
from tb_sonify.schema.quantities import RATIO

# Words of a tag, whatever their case and whatever joins them: grad_norm, GradNorm, gradient norms.
_JOIN = r"[_\-. ]?"
_GRAD = r"(?:grad(?:ient)?s?)"
_ORDER = r"(?:l_?(?:\d|inf)|inf|\d+(?:\.\d+)?)"  # of the norm: l2, inf, 2.0
_NORM = rf"(?:(?:{_ORDER}{_JOIN})?norms?|l2)"
_GRAD_NORM = (
    rf"(?:{_GRAD}{_JOIN}(?:{_ORDER}{_JOIN})?{_NORM}|norms?{_JOIN}(?:of{_JOIN})?{_GRAD}|gnorm)"
)
_PER_LAYER = r"(?:[_\- ]?(?:per|by)[_\- ]?(?:layer|param(?:eter)?|module)s?)?"


@dataclass(frozen=True)
class _Family:
    """One way to name the norms of layers.

    Attributes
    ----------
    pattern
        Has the groups ``before`` and ``layer``.
    says_norm
        Whether the name says that it is a norm; those that do come first.
    parameters_only
        Whether the layer must look like the name of a parameter for the tag to count.
    """

    pattern: "re.Pattern[str]"
    says_norm: bool = True
    parameters_only: bool = False


def _family(layer_at: str, **options: bool) -> _Family:
    """A family from an expression in which ``LAYER`` stands for the layer."""
    leading = layer_at.startswith("LAYER")
    before = "(?P<before>)" if leading else r"(?P<before>(?:.*?[/_. \-])?)"
    expression = before + layer_at.replace("LAYER", "(?P<layer>.+?)")
    return _Family(re.compile(expression, re.IGNORECASE | re.DOTALL), **options)


_FAMILIES = (
    _family(rf"{_GRAD_NORM}{_PER_LAYER}/LAYER"),  # grad_norm/conv1, GradientNorms/conv1
    _family(rf"{_NORM}/{_GRAD}/LAYER"),  # l2_norm/grad/conv1, of Composer
    _family(rf"{_GRAD}/LAYER[/._\-]{_NORM}"),  # gradients/conv1/norm, grad/conv1.norm of OLMo
    _family(rf"{_GRAD_NORM}[_.:\- ]LAYER"),  # grad_norm_conv1
    _family(rf"LAYER[/_.\- ]{_GRAD_NORM}"),  # conv1/kernel_gradient_norm of TensorFlow
    _family(rf"{_GRAD}/LAYER", says_norm=False),  # gradients/conv1, as wandb names its histograms
    _family(rf"{_GRAD}[_\-]\w+/LAYER", says_norm=False, parameters_only=True),  # grad_iter/fc.bias
    _family(rf"LAYER[/_.]{_GRAD}", says_norm=False, parameters_only=True),  # fc.bias.grad
)

_STATISTIC = (
    r"min|max|mean|avg|average|std|var|variance|median|sum|rms|abs|p\d+|q\d+|\d+th|percentile"
)
# What is no layer: a norm of all layers, another statistic, a number of another kind, a copy.
_NO_LAYER = re.compile(
    rf"(?:.*[/._ \-])?(?:{_STATISTIC})(?:[_\- ]?norms?)?"
    r"|(?:.*[/.])?(?:total|global|overall|all|full|model|net)(?:[_\- ].*)?"
    r"|(?:.*[/._ \-])?(?:total|global|overall)"
    r"|norms?|l_?(?:\d|inf)|inf|nan|raw|value|(?:before|after|pre|post)(?:[_\- ].*)?"
    r"|(?:.*[/._ \-])?(?:pre|post|un)?[_\- ]?clip(?:ped|ping)?"
    r"(?:[_\- ]?(?:frac|fraction|ratio|coef|value|rate|norm))?"
    r"|(?:.*[/._ \-])?(?:noise|scale|scaler|ratio|fraction|coef|cos|cosine|sim|similarity|snr"
    r"|sparsity|penalty|accumulation|overflow|count|num|lr|gaf|threshold|finite|zeros)(?:[_\- ].*)?"
    r"|(?:epoch|step|iter|iteration|batch|round|fold|seed|rank|gpu|worker|device|run)s?[_\- ]?\d*"
    r"|(?:train|training|val|valid|validation|eval|evaluation|test|dev|optim|optimizer|metrics?"
    r"|monitor|stats|debug|loss|losses|charts|perf|global_step|diagnostics|info|log|logs)",
    re.IGNORECASE | re.DOTALL,
)
_PARAMETER = re.compile(
    r".*(?:[/._](?:weight|bias|kernel|gamma|beta|scale|embedding)s?|[a-z]\d+|\.\d+.*)",
    re.IGNORECASE | re.DOTALL,
)


def norm_layers(tags: Iterable[str], own_globs: tuple[str, ...] = ()) -> dict[str, str]:
    """The scalars of a run that are norms of layers, each with the name of its layer.

    Totals, minima, means, copies per epoch and norms before and after clipping are no layers. Of a
    layer that is logged per step and per epoch, as Lightning does, the scalar per step counts.

    Parameters
    ----------
    own_globs
        Of the user, in which a last ``*`` stands for the layer; if any scalar fits one of them,
        all that do are taken, and no others.

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
    found = own or _most_specific(families)
    if len(found) < 2 and not own:
        return {}
    return dict(sorted(_named(found).items(), key=lambda pair: natural_sort_key(pair[1])))


def is_update_ratio(tag: str) -> bool:
    """Whether a scalar is an update of a layer relative to its weights, as we log it."""
    return f"/{tag}".find(f"/{SCALARS[RATIO]}/") >= 0


def natural_sort_key(name: str) -> list[tuple[int, str]]:
    """A key to sort names by, in which 10 comes after 2."""
    parts = re.findall(r"(\d+)|(\D+)", name)
    return [(int(digits) if digits else -1, text) for digits, text in parts]


def _most_specific(
    families: Mapping[int, dict[str, tuple[str, str]]],
) -> dict[str, tuple[str, str]]:
    """The tags of one family: of those that say that they are norms, the largest."""
    found: dict[str, tuple[str, str]] = {}
    best = (False, 1, 0)
    for number, tags in families.items():
        kept = _without_epochs(tags)
        rank = (_FAMILIES[number].says_norm, len(kept), -number)
        if len(kept) > 1 and rank > best:
            found, best = kept, rank
    return found


def _without_epochs(tags: Mapping[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """Without the mean over an epoch of what is also there for each step."""
    kept = {}
    for tag, (before, layer) in tags.items():
        stem, _, suffix = layer.rpartition("_")
        copies = {f"{tag[: -len(suffix)]}{each}" for each in ("step", "epoch")}
        if suffix not in ("step", "epoch") or not copies <= tags.keys():
            kept[tag] = before, layer
        elif suffix == "step":
            kept[tag] = before, stem
    return kept


def _named(found: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """The layer of each tag, with what comes before it where that tells some apart."""
    if len({before for before, _ in found.values()}) == 1:
        return {tag: layer for tag, (_, layer) in found.items()}
    return {tag: f"{before}{layer}" for tag, (before, layer) in found.items()}


@lru_cache(maxsize=65_536)
def _matches(tag: str, own_globs: Sequence[str]) -> tuple[tuple[int, str, str], ...]:
    """Number of each family that a tag fits, -1 for the user's own globs, and its parts there."""
    found = []
    for glob in own_globs:
        match = _pattern(glob).fullmatch(tag)
        if match:
            found.append((-1, match["before"] or "", match["layer"] or tag))
            break
    for number, family in enumerate(() if is_update_ratio(tag) else _FAMILIES):
        match = family.pattern.fullmatch(tag)
        if match is None or _NO_LAYER.fullmatch(match["layer"]):
            continue
        if not family.parameters_only or _PARAMETER.fullmatch(match["layer"]):
            found.append((number, match["before"], match["layer"]))
    return tuple(found)


@lru_cache(maxsize=1_024)
def _pattern(glob: str) -> "re.Pattern[str]":
    """A glob as an expression; its last ``*`` is the layer, what comes before may be preceded."""
    parts = [re.escape(part) for part in glob.split("*")]
    last = parts.pop() if len(parts) > 1 else None
    before = "(?P<before>)" if glob.startswith("*") else "(?P<before>(?:.+?/)?)"
    layer = "(?P<layer>)" if last is None else f"(?P<layer>.+){last}"
    return re.compile(before + "[^/]+".join(parts) + layer, re.IGNORECASE | re.DOTALL)
