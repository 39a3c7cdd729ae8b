"""What a station has gathered of a product: its good pictures, and how far learning has come. Pure.

Bounds count physical items, not pictures (vision.defects.conformal), so every picture belongs to
an item: a shot that shows the same carton once more joins the item before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from contracts.reason import Reason
from vision.defects.conformal import BOUNDS_PERCENT, needed_items

MOST_PICTURES = 300
"""A thousand would teach no more, and enrolling must stay a matter of seconds."""


class Source(StrEnum):
    """Where a picture is from."""

    CAMERA = "camera"
    CARTON = "carton"
    UPLOAD = "upload"


class Phase(StrEnum):
    """How far learning has come. Only LEARNING goes on by itself, also after a restart."""

    COLLECTING = "collecting"
    """No profile yet."""
    LEARNING = "learning"
    """The quick profile stands, cracks are being learned."""
    QUICK = "quick"
    """The quick profile stands and cracks are not being learned: stopped, failed, or not possible."""
    DONE = "done"
    """The profile that learned cracks stands."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One good picture. `name` is a file's name, a camera's or a carton's id."""

    sha256: str
    item: int
    source: Source
    name: str
    width_px: int
    height_px: int
    media_type: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Draft:
    """A product at this station."""

    gtin: str
    product: str
    pictures: tuple[Picture, ...] = ()
    phase: Phase = Phase.COLLECTING
    enrolled: tuple[str, ...] = ()
    """Pictures that the profile was made from, by hash, in their order."""
    profile: str = ""
    """Digest of the profile that the last enrolment made; learning cracks goes on from it."""
    operator: str = ""
    """Who enrolled."""
    trouble: Reason | None = None
    """Why cracks are not being learned."""
    restarts: int = 0
    """How often learning cracks was begun anew because this process ended."""

    @property
    def items(self) -> tuple[int, ...]:
        """Each physical item once, in the order in which they were shown."""
        return tuple(dict.fromkeys(picture.item for picture in self.pictures))

    @property
    def next_item(self) -> int:
        return max(self.items, default=0) + 1

    @property
    def changed(self) -> bool:
        """Whether the pictures are others than those the profile was made from."""
        return bool(self.enrolled) and self.enrolled != tuple(p.sha256 for p in self.pictures)

    def picture(self, sha256: str) -> Picture | None:
        return next((one for one in self.pictures if one.sha256 == sha256), None)

    def of_enrolled(self) -> Draft:
        """With those pictures only that the profile was made from and that are still here."""
        learned = set(self.enrolled)
        return replace(self, pictures=tuple(p for p in self.pictures if p.sha256 in learned))

    def with_picture(self, picture: Picture) -> Draft:
        return replace(self, pictures=(*self.pictures, picture))

    def without(self, sha256: str) -> Draft:
        return replace(self, pictures=tuple(one for one in self.pictures if one.sha256 != sha256))


@dataclass(frozen=True, slots=True)
class Step:
    """What so many good items allow: `bound_percent` None is "review only"."""

    items: int
    bound_percent: int | None
    reached: bool


def ladder(items: int) -> Sequence[Step]:
    """From one good item to the strictest bound, least first."""
    steps = [(1, None), *((needed_items(percent), percent) for percent in reversed(BOUNDS_PERCENT))]
    return [Step(needed, percent, items >= needed) for needed, percent in steps]


def next_step(items: int) -> Step | None:
    """The first step that is not reached yet; None at the top."""
    return next((step for step in ladder(items) if not step.reached), None)
