"""Who judges a batch: pins, watermarks and generations (I3).

The judge of goods is every set that has a say in them, by use: the networks, the product's profile,
a product's own detector. A pin gives one (batch, generation) to one judge, for good; the first to
ask wins. Each result carries the judge that made it and the generation that it was made for, its
watermark, and counts only where both are the pin's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from contracts.canonical import canonical
from contracts.stock import BatchKey

GOODS_PARTS = ("inspect", "cracks", "profile", "detector")
"""The uses of sets that judge goods. Reading has a pin of its own, by receiving session."""


def judge_digest(parts: Mapping[str, str]) -> str:
    """`sha256:` and 64 hex digits of who judges: a set's digest by its use, uses of
    `GOODS_PARTS` only, empty ones left out. The same sets are the same judge on every engine.
    """
    named = {use: parts[use] for use in GOODS_PARTS if parts.get(use)}
    return "sha256:" + hashlib.sha256(canonical({"v": 1, "judge": named})).hexdigest()


def parts_of(model_sets: Mapping[str, str], profile: str = "") -> dict[str, str]:
    """The judge's sets by use, as a result names them: its `model_sets`, and the digest of the
    product's profile that its inspection names. A result counts only where these are its
    watermark's judge, so `CartonJudged.model_sets` names every part that judged.
    """
    named = {use: model_sets[use] for use in GOODS_PARTS if model_sets.get(use)}
    return {**named, "profile": profile} if profile else named


@dataclass(frozen=True, slots=True)
class Pin:
    """One (batch, generation) and its one judge. `parts` are the judge's sets by use; generations
    count from 1.
    """

    batch: BatchKey
    generation: int
    judge: str
    parts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SessionPin:
    """A receiving session and the one set that reads its labels."""

    session: str
    model_set: str


@dataclass(frozen=True, slots=True)
class Watermark:
    """Under whom a result was made. `provisional`: the station could not ask for the pin (I6); the
    core gives it the pin when it is free, and else the result may hold and never release.
    """

    judge: str
    generation: int = 1
    provisional: bool = False


class Standing(StrEnum):
    """What a result is worth, by pin and watermark."""

    COUNTS = "counts"
    OTHER_JUDGE = "other_judge"
    OTHER_GENERATION = "other_generation"
    UNPINNED = "unpinned"
    """Nobody judges the batch yet: whoever asks first."""


def standing(pin: Pin | None, mark: Watermark) -> Standing:
    """Whether a result counts for release. It may always hold."""
    if pin is None:
        return Standing.UNPINNED
    if mark.judge != pin.judge:
        return Standing.OTHER_JUDGE
    if mark.generation != pin.generation:
        return Standing.OTHER_GENERATION
    return Standing.COUNTS


def frees(worth: Standing, *, passed: bool) -> bool:
    """Whether a result lets goods go: only a pass that counts."""
    return passed and worth is Standing.COUNTS


@dataclass(frozen=True, slots=True)
class RejudgeTask:
    """A carton whose goods must be judged again under `pin`, from the frame that was kept:
    `picture` is its SHA-256 at the station that saw it.
    """

    carton_id: str
    station: str
    pin: Pin
    picture: str
