"""Chains: what is found in several quantities before a loss is lost, told as one story."""

from collections.abc import Iterable
from dataclasses import replace

from tb_sonify.landmarks.landmark import KINDS, Landmark

CAUSAL = ("drift", "outgrowing", "unusual", "spike", "explosion")  # what may come before
GAP = 300  # notes between two of a chain, at most
PLURALS = {"gradient": "gradients", "update": "updates", "ratio": "updates", "weight": "weights"}


def as_stories(landmarks: Iterable[Landmark]) -> tuple[Landmark, ...]:
    """Landmarks of a run in order, where each lost loss tells since when what had grown.

    Of the chain before it, the first landmark of each quantity is kept; of what the causal
    detectors find while the loss is lost, nothing.

    Parameters
    ----------
    landmarks
        Of all quantities and losses, whose notes are of one timeline.
    """
    ordered = sorted(landmarks, key=lambda each: (each.step, KINDS.index(each.kind)))
    lost = [each for each in ordered if each.kind == "divergence"]
    dropped: set[Landmark] = set()
    told: dict[Landmark, Landmark] = {}
    for divergence in lost:
        chain = _chain(ordered, divergence)
        first = {each.quantity: each for each in reversed(chain)}
        dropped |= set(chain) - set(first.values())
        # A gradient that rises as the loss does has not escaped from a plateau.
        near = [each for each in ordered if abs(each.note - divergence.note) < GAP]
        for escape in [each for each in near if each.kind == "escape"]:
            before = [
                each for each in ordered if each.kind == "plateau" and each.note < escape.note
            ]
            dropped |= {escape, *before[-1:]}
        for_good = divergence.sentence.endswith("for good")
        dropped |= {
            each
            for each in ordered
            if each.kind in CAUSAL[:3]
            and divergence.note <= each.note
            and (for_good or each.note < divergence.note + GAP)
        }
        since = [
            f"{PLURALS[each.quantity]} from step {each.step:,}"
            for each in sorted(first.values(), key=lambda each: each.note)
            if each.quantity in PLURALS
        ]
        if since:
            story = f"{divergence.sentence}; {', '.join(since)}"
            told[divergence] = replace(divergence, sentence=story)
    return tuple(told.get(each, each) for each in ordered if each not in dropped)


def _chain(ordered: list[Landmark], divergence: Landmark) -> list[Landmark]:
    """What leads to a lost loss without a long gap, in order."""
    chain: list[Landmark] = []
    note = divergence.note
    for each in reversed(ordered):
        if each.kind in CAUSAL and each.note <= divergence.note:
            if note - each.note > GAP:
                break
            note = each.note
            chain.append(each)
    return chain[::-1]
