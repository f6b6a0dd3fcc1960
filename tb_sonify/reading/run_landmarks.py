"""Landmarks of a stored run: of its norms, its losses, and against another run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from tb_sonify.landmarks import KINDS, Landmark, find_landmarks
from tb_sonify.landmarks.divergence import find_divergences
from tb_sonify.landmarks.landmark import factor_words
from tb_sonify.landmarks.milestones import MilestoneMonitor
from tb_sonify.landmarks.monitor import RunMonitor
from tb_sonify.landmarks.overfitting import find_overfitting
from tb_sonify.landmarks.parting import COMPARABLE_POINTS, find_parting
from tb_sonify.reading.runs import list_scalars
from tb_sonify.reading.scalars import Series, on_steps_of, read_first_scalar, read_series, series_of
from tb_sonify.reading.store import Scope, Store
from tb_sonify.reading.timeline import Timeline
from tb_sonify.schema.metadata import MEAN_HEADROOM_TAG, SCALARS, scalar_tag
from tb_sonify.schema.norm_tags import norm_layers
from tb_sonify.schema.notes import Notes, chunks_of
from tb_sonify.schema.pairs import Pair, pairs_of, partner_folder
from tb_sonify.schema.scalar_names import kind_of, tells_landmarks
from tb_sonify.sound import stream_layers
from tb_sonify.sound.deviations import APART, CHIME_NOTES, Cause, find_chimes

MOST_TOLD = 8  # scalars that tell milestones: a run may have a learning rate for each parameter
TOLD_APART = 100  # notes: of what chimes again sooner, the first is told


def landmarks_of(timeline: Timeline) -> tuple[Landmark, ...]:
    """What there is to jump to in a run, in order of step; nothing where no norms were logged."""
    if not timeline.notes:
        return ()
    segments = [each.segment for each in timeline.segments]
    restarts = [
        int(segment.steps[0])
        for before, segment in pairwise(segments)
        if segment.session != before.session
    ]
    found = find_landmarks(
        _Stored(timeline),
        steps=timeline.steps,
        layers=timeline.layers,
        restarts=restarts,
        quantity=timeline.quantity,
    )
    found += _chimes_without_words(timeline, found)
    return tuple(sorted(found, key=lambda each: (each.note, KINDS.index(each.kind))))


_SAYS = {
    Cause.LAYER: "of {layer} {factor} its usual size",
    Cause.TOTAL: "{factor} its usual size; largest in {layer}",
    Cause.LEFT: "of {layer} leaves the layers of its group, {factor} its usual size, and stays",
}


def _chimes_without_words(timeline: Timeline, told: Sequence[Landmark]) -> list[Landmark]:
    """Landmarks where `smooth` chimes and none of those that are told says why."""
    layers, quantity = timeline.layers, timeline.quantity
    groups = stream_layers(len(layers))
    spans = [range(each.note - APART, each.note + APART + 1) for each in told]
    found: list[Landmark] = []
    for part in chunks_of(timeline.notes, len(layers)):
        start = max(part.start - CHIME_NOTES, 0)
        notes = timeline.table(start, part.stop - start)
        for chime in find_chimes(notes, groups, first_note=start):
            note, layer = start + chime.note, layers[chime.layer]
            if note < part.start or any(note in span for span in spans):
                continue
            spans.append(range(note, note + TOLD_APART))
            kind = "leaving" if chime.cause == Cause.LEFT else "unusual"
            concerned = None if chime.cause == Cause.TOTAL else layer
            words = f"{quantity} {_SAYS[chime.cause]}".format(
                layer=layer, factor=factor_words(chime.factor)
            )
            step = int(timeline.steps[note])
            found.append(Landmark(kind, step, note, concerned, words, quantity))
    return found


def scalar_landmarks(
    store: Store, scope: Scope, timeline: Timeline, run: str
) -> tuple[Landmark, ...]:
    """What the scalars of a run tell: a loss that leaves its floor, overfitting, milestones.

    Of pairs that are known by their names, the first is looked at; of those of the user, all.
    """
    tags = own_scalars(store, scope, timeline, run)
    first = read_first_scalar(store, scope, run, tags)
    series = None if first is None else read_series(store, scope, run, first)
    found: list[Landmark] = []
    if first is not None and series is not None and kind_of(first) == "loss":
        found += find_divergences(first, series.steps, series.values)
    for pair, training, validation in _paired(store, scope, run, tags):
        points = (training.steps, training.values), (validation.steps, validation.values)
        found += find_overfitting(pair, *points)
    milestones = MilestoneMonitor()
    telling = [each for each in tags if tells_landmarks(each)]
    for tag, of_tag in store.points_of_tags(scope, run, telling[:MOST_TOLD]).items():
        told = series_of(of_tag)
        told = told if series is None else on_steps_of(series, told)
        steps = told.steps.astype(np.int64)
        if tag == MEAN_HEADROOM_TAG:
            found += RunMonitor().add_points(tag, steps, told.values)
        else:
            found += milestones.add(tag, steps, told.values)
    return _at_notes(found, timeline)


def _paired(
    store: Store, scope: Scope, run: str, tags: Sequence[str]
) -> Iterator[tuple[Pair, Series, Series]]:
    """The pairs of losses of a run, the one that matters most first, with their points."""
    own = store.settings.pairs
    places = {tag: (run, tag) for tag in tags}
    pairs = pairs_of(places, own)
    if not pairs:
        places = _with_neighbours(store, scope, run, tags)
        pairs = pairs_of(places, own)
    for pair in pairs[: len(own) or 1]:
        training, validation = (read_series(store, scope, *places[name]) for name in pair)
        if training is not None and validation is not None:
            yield pair, training, on_steps_of(training, validation)


def has_pair(store: Store, scope: Scope, run: str, pair: Pair) -> bool:
    """Whether a run, or those beside it that are one training with it, has both scalars."""
    tags = list_scalars(store, scope, run)
    return set(pair) <= {*tags, *_with_neighbours(store, scope, run, tags)}


def _with_neighbours(
    store: Store, scope: Scope, run: str, tags: Sequence[str]
) -> dict[str, tuple[str, str]]:
    """The scalars of a run and of those beside it that hold its validation, as Keras writes them.

    Each with its run and tag, by the last part of the name of the run and its tag.
    """
    folder, slash, own = run.rpartition("/")
    runs = store.provider.list_runs(scope.context, experiment_id=scope.experiment)
    beside = {
        name: list_scalars(store, scope, f"{folder}{slash}{name}")
        for path, _, name in (each.run_name.rpartition("/") for each in runs)
        if path == folder and partner_folder(own, name)
    }
    found = {own: tags, **beside} if beside else {}
    return {
        f"{name}/{tag}": (f"{folder}{slash}{name}", tag)
        for name, those in found.items()
        for tag in those
    }


def broken_scalar(store: Store, scope: Scope, timeline: Timeline, run: str) -> Landmark | None:
    """Where the first scalar of a run is NaN or infinite for the first time."""
    tag = read_first_scalar(store, scope, run, own_scalars(store, scope, timeline, run))
    series = None if tag is None else read_series(store, scope, run, tag)
    if tag is None or series is None or np.isfinite(series.values).all():
        return None
    point = int(np.isfinite(series.values).argmin())
    kind, word = ("nan", "NaN") if np.isnan(series.values[point]) else ("inf", "infinity")
    found = Landmark(kind, int(series.steps[point]), point, None, f"{word} in {tag}", tag)
    return _at_notes([found], timeline)[0]


class Comparison(NamedTuple):
    """Where a run parts from another, or `None`, and a sentence on it."""

    parting: Landmark | None
    sentence: str


def compare_runs(
    store: Store, scope: Scope, timeline: Timeline, run: str, other: str
) -> Comparison:
    """Where the first scalar that a run shares with another goes its own way for good."""
    shared = set(list_scalars(store, scope, other))
    tags = [tag for tag in own_scalars(store, scope, timeline, run) if tag in shared]
    first = read_first_scalar(store, scope, run, tags)
    one, own = (first and read_series(store, scope, each, first) for each in (other, run))
    if not (first and one and own):
        return Comparison(None, f"{other} and {run} have no scalar in common")
    common = len(np.intersect1d(one.steps, own.steps))
    if common < COMPARABLE_POINTS:
        few = f"{common:,} steps of {first} in common, too few to compare"
        return Comparison(None, f"{other} and {run} have {few}")
    found = find_parting(first, (one.steps, one.values), (own.steps, own.values))
    if found is None:
        lasts = [f"{each.values[-1]:.4g}".replace("nan", "NaN") for each in (one, own)]
        ends = f"they end at {' and '.join(lasts)}"
        return Comparison(None, f"{other} and {run} do not part for good in {first}: {ends}")
    told = replace(found, sentence=f"{found.sentence}, against {other}")
    [told] = _at_notes([told], timeline)
    return Comparison(told, f"{run} from step {told.step:,} on: {told.sentence}")


def _at_notes(found: Sequence[Landmark], timeline: Timeline) -> tuple[Landmark, ...]:
    """Landmarks of a scalar by the notes of a timeline, or by its points without any."""
    if not timeline.notes:
        return tuple(found)
    starts = timeline.steps[:-1]
    notes = np.searchsorted(starts, [each.step for each in found], side="right") - 1
    return tuple(
        replace(each, note=max(int(note), 0)) for each, note in zip(found, notes, strict=True)
    )


def own_scalars(store: Store, scope: Scope, timeline: Timeline, run: str) -> list[str]:
    """The scalars of a run but those of layers."""
    tags = list_scalars(store, scope, run)
    if not timeline.notes:
        return tags
    layers = norm_layers(tags, store.settings.norm_globs)
    ours = tuple(scalar_tag("", quantity) for quantity in SCALARS)
    return [tag for tag in tags if tag not in layers and not tag.startswith(ours)]


@dataclass(frozen=True)
class _Stored:
    """The notes of a timeline as a `NoteTable`."""

    timeline: Timeline

    def __len__(self) -> int:
        return self.timeline.notes

    @property
    def layers(self) -> int:
        return len(self.timeline.layers)

    def __getitem__(self, part: tuple[slice, slice]) -> Notes:
        start, stop, _ = part[0].indices(len(self))
        return self.timeline.table(start, stop - start, part[1])
