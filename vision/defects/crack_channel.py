"""What the crack network adds to a product's score, and when it may.

A memory of patches is blind to thin cracks, the crack network to everything else. Both are brought
to deviations from the typical good item, and the stranger one decides; the cracks are taken two
deviations short, so that where a product has no cracks they stay below what the memory says. Where
good goods look cracked all the same (prints, seams, crumbs), cracks are no part of the score and
only ask for a review.

The base network never saw the product, so every good item may speak for the threshold. A product's
own weights were learned from some of its items: those look better to them than new goods will, and
only the held-out ones may speak.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from vision.defects.conformal import BOUNDS_PERCENT, needed_items
from vision.defects.facts import Channel, CrackFacts
from vision.defects.limits import bound_for
from vision.defects.scale import Scale

LAG = 2.0
"""Deviations by which cracks count for less than patches."""
MOST_TRAINED = 100
"""Good items that a product's own weights are learned from; more only take memory."""
_FEWEST_TRAINED = 3
_NORMAL = 1.4826
_ONE_IN = 10
_FEW = 5
_LEAST, _LEAST_OF_FEW = 0.25, 1.0
"""Logits that a deviation is taken for at least."""
_ORDINARY = 3.0
_SLACK = 0.1
_SEED = 20261


class CrackEye(Protocol):
    """vision.defects.cracks.network.CrackNetwork."""

    @property
    def model_set(self) -> str: ...

    def see(
        self, image: NDArray[np.uint8], weights: NDArray[np.float16] | None = None
    ) -> NDArray[np.float32]: ...


@dataclass(frozen=True, slots=True)
class Shares:
    """Which items a product's weights are learned from, and which they are held against.

    `judges`: whether enough are held out for cracks to be part of the score.
    """

    learned: tuple[str, ...]
    held_out: tuple[str, ...]
    judges: bool


def shares_of(
    items: Sequence[str], *, odd: Collection[str] = (), wanted_percent: int | None = None
) -> Shares:
    """Half of the items each; the held-out half is never smaller than the wanted bound needs, or
    where none is wanted the loosest one: a hundred items that saw no cracks at 1 % are worth less
    than fifty that see them at 2 %. Odd items teach nothing: were one broken, its cracks would be
    learned as good.
    """
    sound = [item for item in items if item not in odd]
    if len(sound) < _FEWEST_TRAINED:
        return Shares(tuple(sound or items), (), judges=True)
    bound = bound_for(len(items), wanted_percent or BOUNDS_PERCENT[-1])
    least = 0 if bound is None else needed_items(bound)
    held = max(len(items) // 2, least)
    learn = min(len(items) - held, len(sound), MOST_TRAINED)
    judges = learn >= min(_FEWEST_TRAINED, len(items) // 2)
    if not judges:
        learn = min(len(items) // 2, len(sound), MOST_TRAINED)
    order = np.random.default_rng(_SEED).permutation(len(sound))
    chosen = {sound[number] for number in order[:learn]}
    return Shares(
        tuple(item for item in items if item in chosen),
        tuple(item for item in items if item not in chosen),
        judges,
    )


def crack_scale(values: Sequence[float]) -> Scale:
    """The scale of good items' crack scores, which are logits: they may lie on either side of 0."""
    typical = statistics.median(values)
    if len(values) < _FEW:
        return Scale(typical, _LEAST_OF_FEW)
    spread = statistics.median(abs(value - typical) for value in values)
    return Scale(typical, max(_NORMAL * spread, _LEAST))


def crack_facts(
    values: Mapping[str, float],
    scores: Mapping[str, float],
    *,
    network: str,
    trained_on: Literal["nothing", "good", "cracked"] = "nothing",
    held_out: Sequence[str] = (),
    judges: bool = True,
    cracked_parts: int = 0,
) -> CrackFacts:
    """`values`: the highest crack score of each item that may speak; `scores`: what patches and
    places say of the same items, in deviations.
    """
    scale = crack_scale(list(values.values()))
    strange = {item: scale.of(value) for item, value in values.items()}
    # Cracks must not set a limit that patches and places would not have set: broken goods would
    # pass below it. Among many, one good item in ten may: a scratch that does no harm. The
    # bound holds all the same, since it goes by rank.
    ranked = sorted(strange.values(), reverse=True)
    usual = ranked[len(ranked) // _ONE_IN]
    harmless = usual - LAG <= max(_ORDINARY, *(scores[item] for item in strange))
    counts = judges and harmless
    return CrackFacts(
        network=network,
        scale=scale,
        trained_on=trained_on,
        counts=counts,
        judges=judges,
        limit=None if counts else max(_ORDINARY, *strange.values()),
        lag=LAG,
        held_out=tuple(held_out),
        cracked_parts=cracked_parts,
    )


def channel_of(cracks: CrackFacts | None) -> Channel:
    """How the quality record names it."""
    if cracks is None:
        return Channel("cracks", on=False, why="channel_no_network")
    if cracks.counts:
        return Channel("cracks", on=True, why="channel_harmless")
    why = "channel_goods_look_cracked" if cracks.judges else "channel_few_held_out"
    return Channel("cracks", on=False, why=why)


def fused(
    scores: Mapping[str, float], values: Mapping[str, float], facts: CrackFacts | None
) -> dict[str, float]:
    """Each item's whole score; items without a crack score that must have one are left out."""
    if facts is None or not facts.counts:
        return dict(scores)
    return {
        item: max(scores[item], facts.scale.of(value) - facts.lag) for item, value in values.items()
    }


def allowing(facts: CrackFacts, logit: float, limit: float) -> CrackFacts:
    """After a confirmed false alarm: what looks as cracked as this good picture is no defect any
    more. It only lowers scores of good items, so a stated bound goes on holding.
    """
    value = facts.scale.of(logit) + _SLACK
    if facts.counts:
        return replace(facts, lag=max(facts.lag, value - limit))
    return replace(facts, limit=max(facts.limit or 0.0, value))


@dataclass(frozen=True, slots=True)
class CrackSeen:
    """What cracks say of a picture: `grid` (rows, columns) and `score` in the unit of its score,
    minus infinity where cracks are no part of it; `suspected`: then it is beyond its own limit.
    """

    grid: NDArray[np.float32]
    score: float
    suspected: bool


def seen_in(logits: NDArray[np.float32], peak: float, facts: CrackFacts, limit: float) -> CrackSeen:
    """(rows, columns) logits and their score; `limit` is what a picture's score must not pass."""
    value = facts.scale.of(peak)
    if facts.limit is None:
        grid = facts.scale.over(logits) - np.float32(facts.lag)
        return CrackSeen(grid, value - facts.lag, suspected=False)
    grid = facts.scale.over(logits) - np.float32(facts.limit - limit)
    return CrackSeen(grid, -math.inf, suspected=value > facts.limit)
