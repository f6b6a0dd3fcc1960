"""What a scalar is by its name: a loss, a score, a gradient norm, a clock; which to draw first."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from typing import Literal, get_args

from tb_sonify.schema.metadata import LOSS_TAG, MEAN_HEADROOM_TAG
from tb_sonify.schema.norm_tags import is_update_ratio, norm_layers

Kind = Literal["loss", "score", "norm", "other", "clock"]
Milestone = Literal["schedule", "scale", "skip", "epoch", "checkpoint"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""Every kind, the one that matters most first."""
_DRAWN: tuple[Kind, ...] = ("loss", "score", "other", "norm", "clock")  # in this order


def _vocabulary(words: str) -> frozenset[str]:
    return frozenset(words.split())


VALIDATION = _vocabulary("val valid validation eval evaluation test testing dev holdout")
TRAINING = _vocabulary("train training fit")
# Words that leave a loss what it is: how it is counted or averaged.
AGGREGATES = _vocabulary(
    "total sum overall step epoch batch iter iteration avg average mean running ema smooth "
    "smoothed main full"
)
_LOSSES = _vocabulary("loss losses nll objective cost")
_PENALTIES = _vocabulary(
    "entropy kl kld reg regularization regularisation regularizer aux auxiliary penalty decay "
    "commit commitment"
)
_ERRORS = _vocabulary(
    "mse rmse mae mape error err perplexity ppl wer cer fid ce bce crossentropy bpc bpb"
)
# In a folder of losses, what is none.
_NO_LOSS = _vocabulary(
    "clip clipfrac fraction frac explained variance lr rate norm grad gradient scale coef "
    "temperature beta weight acc accuracy std advantage advantages ratio count num steps min "
    "max"
)
# At the end of a name, what a loss is multiplied by.
_FACTORS = _vocabulary("scale scaler scaling weight weights coef coefficient lr rate")
_SCORES = _vocabulary(
    "acc accuracy map miou iou f1 fscore auc auroc auprc bleu rouge meteor cider reward rew "
    "return returns score precision recall psnr ssim dice top1 top5 r2 success win winrate "
    "mcc kappa exact em hits ndcg mrr"
)
_CLOCKS = _vocabulary(
    "lr runtime fps sps time seconds sec secs second duration eta epoch epochs step steps "
    "timesteps iteration iterations samples flos flops throughput memory mem gpu cpu elapsed "
    "progress"
)
_NORMS = _vocabulary("gradnorm gnorm")
_SCALES = _vocabulary("scale scaler")
_SCALED = _vocabulary("loss grad gradient amp scaler")
_SKIPS = _vocabulary("skip skipped skips")
_STEPS = _vocabulary("step steps iter iters iteration iterations update updates batch batches")
_CHECKPOINTS = _vocabulary("checkpoint checkpoints ckpt ckpts")


def first_to_draw(tags: Sequence[str]) -> str | None:
    """The scalar to begin with, of those of a run.

    A training loss where there is one: training before validation, the total before its parts,
    these before penalties such as an entropy, a loss per step before the same per epoch, a short
    name before a long one, what a script logs before what is taken from its `backward`. Else a
    score such as an accuracy, else anything that is neither a gradient norm nor a clock; a norm of
    a layer last.

    Examples
    --------
    >>> first_to_draw(["losses/approx_kl", "losses/policy_loss", "charts/SPS"])
    'losses/policy_loss'
    >>> first_to_draw(["eval/loss", "train/grad_norm", "train/loss"])
    'train/loss'
    """
    return min(tags, key=partial(_rank, layers=norm_layers(tags)), default=None)


def alike_to_first(tags: Sequence[str]) -> list[str]:
    """The losses or scores that are what the scalar to begin with is, that one first.

    As their names tell: only lengths of names, and epochs, part them.
    """
    layers = norm_layers(tags)
    ranked = sorted((_rank(tag, layers=layers), tag) for tag in tags)
    if not ranked or kind_of(ranked[0][1]) not in ("loss", "score"):
        return []
    return [tag for rank, tag in ranked if rank[:_ALIKE] == ranked[0][0][:_ALIKE]]


def first_rank(tag: str) -> tuple[int, ...]:
    """What to sort scalars by that are norms of no layer: the one to begin with is the smallest."""
    return _rank(tag, layers={})


_ALIKE = 5  # so much of a rank says what a scalar is


def _rank(tag: str, *, layers: Mapping[str, str]) -> tuple[int, ...]:
    words, kind = words_of(tag), kind_of(tag)
    length = len(words) if kind == "loss" else 0
    of_a_layer = tag in layers or is_update_ratio(tag)
    what = of_a_layer, _DRAWN.index(kind), is_validation(tag), _is_taken(tag)
    return *what, _part(tag), "epoch" in words, length


@lru_cache(maxsize=65_536)
def kind_of(tag: str) -> Kind:
    """What a scalar is by the words of its name, whatever their case and what joins them.

    A loss or an error is best at its minimum, a score at its maximum; a clock (a time, a rate, a
    number of epochs, a learning rate) tells nothing of how well a training goes.
    """
    words, last = words_of(tag), words_of(tag.rpartition("/")[2])
    if _is_taken(tag):
        return "loss"
    if is_update_ratio(tag) or _is_norm(words):
        return "norm"
    is_factor = bool(last) and last[-1] in _FACTORS
    if any(map(_is_loss, last)) and not is_factor:
        return "loss"
    if any(map(_is_loss, words)) and _NO_LOSS.isdisjoint(last) and _PENALTIES.isdisjoint(last):
        return "loss"
    if not _ERRORS.isdisjoint(last):
        return "loss"
    if ("rate" in last and "learning" in last) or ("per" in last and "second" in last):
        return "clock"
    if _is_clock(last):
        return "clock"
    if not _SCORES.isdisjoint(words):
        return "score"
    return "clock" if words[:1] in (("time",), ("perf",), ("timing",)) else "other"


@lru_cache(maxsize=65_536)
def milestone_of(tag: str) -> Milestone | None:
    """What a scalar tells that a script does, by the words of its name; `None`: none of these.

    A schedule of learning rates, the scale of a loss, skipped steps, epochs, checkpoints.
    """
    words, last = set(words_of(tag)), words_of(tag.rpartition("/")[2])
    if "lr" in words or {"learning", "rate"} <= words:
        return None if "momentum" in words else "schedule"
    if not _SCALES.isdisjoint(last) and not _SCALED.isdisjoint(words):
        return "scale"
    if not _SKIPS.isdisjoint(words) and not _STEPS.isdisjoint(words):
        return "skip"
    if not _CHECKPOINTS.isdisjoint(last):
        return "checkpoint"
    return "epoch" if last in (("epoch",), ("epochs",), ("current", "epoch")) else None


def tells_landmarks(tag: str) -> bool:
    """Whether a scalar that is no loss can tell a landmark."""
    return tag == MEAN_HEADROOM_TAG or milestone_of(tag) is not None


def is_validation(tag: str) -> bool:
    """Whether a scalar is of data that is not trained on."""
    return not VALIDATION.isdisjoint(words_of(tag))


def _is_taken(tag: str) -> bool:
    """Whether `tb-sonify run` took a loss from the script's calls of `backward`."""
    return tag == LOSS_TAG or tag.startswith(f"{LOSS_TAG}/")


def _part(tag: str) -> int:
    """0 for a total, 1 for a part of a loss, 2 for a penalty."""
    words = words_of(tag.rpartition("/")[2])
    if not _PENALTIES.isdisjoint(words):
        return 2
    rest = [word for word in words if not _is_loss(word)]
    return int(not set(rest) <= AGGREGATES | TRAINING | VALIDATION)


def _is_loss(word: str) -> bool:
    return word in _LOSSES or word.endswith("loss")


def _is_norm(words: tuple[str, ...]) -> bool:
    grads = any(word.startswith("grad") for word in words)
    return not _NORMS.isdisjoint(words) or (grads and not {"norm", "norms"}.isdisjoint(words))


def _is_clock(words: tuple[str, ...]) -> bool:
    rest = [word for word in words if word not in TRAINING | VALIDATION | AGGREGATES]
    rest = rest or list(words)
    return bool(_CLOCKS.intersection(rest)) and _SCORES.isdisjoint(words)


@lru_cache(maxsize=65_536)
def words_of(tag: str) -> tuple[str, ...]:
    """The words of a tag in lower case: ``train/epLoss_2`` is train, ep, loss, 2."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", tag)
    return tuple(re.findall(r"[a-z0-9]+", spaced.lower()))
