"""What a profile knows of a product besides its arrays: plain numbers and words, kept as JSON.

New fields come with a default, so that profiles made before them go on judging; a field that
changes its meaning takes a new FORMAT.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vision.defects.drift import DriftFacts
from vision.defects.scale import Scale

FORMAT = 2


@dataclass(frozen=True, slots=True)
class Range:
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class CrackFacts:
    """How the crack network looks at this product. Crack values are deviations in `scale`."""

    network: str
    """Digest of the crack network's model set: a profile judges under no other (I3)."""
    scale: Scale
    trained_on: Literal["nothing", "good", "cracked"] = "nothing"
    """`nothing`: the base network as it came; else the profile holds weights of its own, learned
    from good items with drawn cracks, or from really cracked parts too.
    """
    counts: bool = False
    """Whether cracks are part of the score; else only a reason for a review."""
    judges: bool = True
    """Whether enough items were held out for that."""
    limit: float | None = None
    """Where cracks are no part of the score: beyond it a pass becomes a review."""
    lag: float = 2.0
    """Deviations by which cracks count for less than patches; false alarms raise it."""
    held_out: tuple[str, ...] = ()
    """Items that the weights never saw: only they may set a limit."""
    cracked_parts: int = 0


@dataclass(frozen=True, slots=True)
class HeadFacts:
    """A head learned from taught flaws (vision.defects.teaching); its numbers are `Profile.head`."""

    name: str
    scale: Scale
    limit: float | None = None
    scores: tuple[float, ...] = ()
    """What it says of good items that it was not taught with."""
    caught: int = 0
    """How many of the taught misses it finds when it learns from the others only."""
    ranks: float = 0.0
    """The chance that such a miss scores above a good item that the head did not learn from."""
    near: float = 0.5
    """A picture is like a taught one when one of its patches lies nearer to a flaw than by this
    share of its distance to anything good; no good item does.
    """


@dataclass(frozen=True, slots=True)
class Lesson:
    """One confirmed mistake: `defect` is the class of a miss, `picture` the SHA-256 of its file."""

    kind: Literal["miss", "false_alarm"]
    defect: str = ""
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Channel:
    """A way of seeing, whether it is part of the score, and why or why not."""

    name: Literal["bank", "places", "cracks"]
    on: bool
    why: str
    """A reason's code: `channel_always`, `channel_few_items` and the like."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The quality record: from what a profile was made, and with what outcome."""

    at: str = ""
    """UTC, ISO 8601."""
    items: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    """What patches and places say of each item when held against the others, in deviations."""
    channels: tuple[Channel, ...] = ()
    odd: tuple[str, ...] = ()
    """Items that look unlike the rest: a look at their pictures is due before they set a limit."""
    left_out: tuple[str, ...] = ()
    """Odd items that a person left out: the bound speaks of goods like the kept ones."""
    wanted_percent: int | None = None
    """No stricter bound was asked for; None: the strictest that the items allow."""


@dataclass(frozen=True, slots=True)
class ProfileFacts:
    """What is known of a product besides its patches.

    `scores` has one score for each good item that may set the limit, in deviations from the
    typical one (vision.defects.scale), the unit of `threshold` too.
    """

    format: int
    product: str
    backbone: str
    """Digest of the model set whose patches these are."""
    width_px: int
    height_px: int
    good_items: int
    good_images: int
    patch_scale: Scale
    place_scale: Scale | None
    """None while the items are too few to say what belongs where."""
    place_counts: bool
    """Whether places are part of the score; else, of loosely lying goods, only of the gate."""
    place: Range
    """The strangest cell of good items."""
    scores: tuple[float, ...]
    bound_percent: int | None
    """At most so many of a hundred good items are called defective; None: too few to say."""
    threshold: float | None
    brightness: Range
    sharpness: Range
    typical: Range
    """Median patch distance of good pictures."""
    scene: Range
    enrolled: Enrolled = Enrolled()
    review_limit: float | None = None
    """Where odd items set the threshold: beyond what the others reach, a pass becomes a review."""
    cracks: CrackFacts | None = None
    drift: DriftFacts | None = None
    head: HeadFacts | None = None
    camera: str = ""
    """The camera that the good pictures are from; empty: not told."""
    flaw_kinds: tuple[str, ...] = ()
    """The defect class of each row of `Profile.flaws`; empty text: not told."""
    parent: str = ""
    """Digest of the profile that this one was taught from."""
    lessons: tuple[Lesson, ...] = ()
    """What was taught since enrolment, oldest first."""

    @property
    def odd(self) -> tuple[str, ...]:
        return self.enrolled.odd
