"""Pairs of a training loss and the validation loss beside it, by their names."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tb_sonify.schema.metadata import LOSS_TAG
from tb_sonify.schema.scalar_names import (
    AGGREGATES,
    TRAINING,
    VALIDATION,
    first_rank,
    kind_of,
    words_of,
)

# Of several validation losses of one training loss, the one that comes first here.
_PREFERRED = (
    *("val", "valid", "validation", "dev", "holdout", "eval", "evaluation", "test", "testing"),
)


class Pair(NamedTuple):
    """The names of a training loss and of a validation loss."""

    training: str
    validation: str


def pairs_of(names: Iterable[str], own: Sequence[Pair] = ()) -> list[Pair]:
    """The pairs among the scalars of a run, the one that matters most first.

    A validation loss belongs to the training loss whose name has the same words, but for those of
    training, of validation and of averaging: ``train/loss`` and ``eval/loss``, ``loss`` and
    ``val_loss``, ``train_loss_step`` and ``val_loss_epoch``. A name that fits several is paired
    once: with the one whose words are in the same places, then with one per epoch, then the
    shorter. Of validation losses of one training loss, val comes before dev, eval and test.

    Parameters
    ----------
    names
        Tags; or, where a run and its neighbours are one training, the last part of the name of
        each run before its tags.
    own
        Of the user: those whose names are both there are taken, and no others.

    Examples
    --------
    >>> pairs_of(["train/loss", "train/train_loss", "eval/loss", "lr"])
    [Pair(training='train/loss', validation='eval/loss')]
    """
    names = list(names)
    chosen = [pair for pair in own if set(pair) <= set(names)]
    if chosen:
        return chosen
    trained: dict[frozenset[str], list[str]] = {}
    held_out: dict[frozenset[str], list[str]] = {}
    for name in names:
        if kind_of(name) == "loss":
            of_validation = not VALIDATION.isdisjoint(words_of(name))
            (held_out if of_validation else trained).setdefault(_subject(name), []).append(name)
    found: list[Pair] = []
    for subject, those in held_out.items():
        pairs = [Pair(one, other) for one in trained.get(subject, ()) for other in those]
        found += sorted(pairs, key=_preference)[:1]
    return sorted(found, key=lambda pair: (first_rank(pair.training), pair))


def with_training(names: Iterable[str]) -> set[str]:
    """The validation losses among some scalars beside which there is the training loss."""
    losses = [name for name in names if kind_of(name) == "loss"]
    held_out = {name for name in losses if not VALIDATION.isdisjoint(words_of(name))}
    trained = {_subject(name) for name in losses if name not in held_out}
    return {name for name in held_out if _subject(name) in trained}


def parse_pairs(text: str) -> tuple[Pair, ...]:
    """The pairs of ``"a:b,c:d"``, training before validation.

    Raises
    ------
    ValueError
        If there are none, or one is not two names with a colon between them.
    """
    found = []
    for each in filter(None, map(str.strip, text.split(","))):
        training, colon, validation = map(str.strip, each.partition(":"))
        if not (training and colon and validation) or ":" in validation:
            raise ValueError(
                "pairs are TRAINING:VALIDATION,... such as 'loss/a:loss/b', with names that have "
                f"neither a comma nor a colon; got {each!r}"
            )
        found.append(Pair(training, validation))
    if not found:
        raise ValueError("pairs are TRAINING:VALIDATION,..., and there are none")
    return tuple(found)


def partner_folder(one: str, other: str) -> bool:
    """Whether a folder of validation belongs to one of training, by the words of their names."""
    words, others = words_of(one), words_of(other)
    is_pair = not TRAINING.isdisjoint(words) and not VALIDATION.isdisjoint(others)
    return is_pair and _places(words) == _places(others)


def _subject(name: str) -> frozenset[str]:
    """What a loss is of: its words but those that differ within a pair."""
    taken = {"backward"} if name == LOSS_TAG else set()
    return frozenset(words_of(name)) - TRAINING - VALIDATION - AGGREGATES - taken


def _places(words: Sequence[str]) -> list[str]:
    """Words with one mark in the place of each that says what data a loss is of."""
    return ["*" if word in TRAINING | VALIDATION else word for word in words]


def _preference(pair: Pair) -> tuple[bool, int, int, int, tuple[str, str]]:
    words, others = words_of(pair.training), words_of(pair.validation)
    place = min(_PREFERRED.index(word) for word in others if word in _PREFERRED)
    steps = sum("step" in each for each in (words, others))
    length = len(pair.training) + len(pair.validation)
    return _places(words) != _places(others), place, steps, length, pair
