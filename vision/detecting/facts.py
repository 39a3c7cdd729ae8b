"""What a detector's model set says of itself: classes, sizes, and what it scored on parts that it
never learned from.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from contracts.errors import ArtefactRefusedError
from vision.defects.conformal import BOUNDS_PERCENT, needed_items, strictest_bound, threshold

FILE, STEM, KIND = "detector.json", "detector", "defect-detector"
FORMAT = 1


class DetectorFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`good_scores` and `bad_scores` hold one number an item that was held out of the training: the
    surest box on it, 0 where there was none; of an item with several pictures the one that makes
    the bound harder to meet.
    """

    format: int
    classes: tuple[str, ...]
    side_px: int
    """Pictures are brought to a square of this side."""
    good_scores: tuple[float, ...] = ()
    bad_scores: tuple[float, ...] = ()
    overlap: float = 0.5
    """Of two boxes of a class that share more than this, the surer one stays."""
    least: float = 0.05
    """Boxes below this are noise."""

    @property
    def bound_percent(self) -> int | None:
        """At most so many of a hundred good items are called defective; None: too few to say."""
        return strictest_bound(len(self.good_scores))

    @property
    def limit(self) -> float | None:
        """Beyond it a picture shows a defect."""
        bound = self.bound_percent
        return None if bound is None else threshold(self.good_scores, bound)

    @property
    def missed_percent(self) -> int | None:
        """At most so many of a hundred defective items, of the kinds taught, lie below `sound`."""
        return strictest_bound(len(self.bad_scores))

    @property
    def sound(self) -> float | None:
        """Below it a picture is sound, as far as the taught kinds go."""
        bound = self.missed_percent
        if bound is None:
            return None
        mirrored = threshold([-score for score in self.bad_scores], bound)
        return None if mirrored is None else -mirrored


def needed() -> int:
    """Items of each sort, good and defective, without which everything is review."""
    return needed_items(BOUNDS_PERCENT[-1])


def read_facts(folder: Path) -> DetectorFacts:
    """Raises ArtefactRefusedError for a file that is missing or says something else."""
    path = folder / FILE
    try:
        facts = msgspec.json.decode(path.read_bytes(), type=DetectorFacts)
    except (OSError, msgspec.MsgspecError) as error:
        raise ArtefactRefusedError(
            f"{path} is not a detector's: {error}", mend="Make the set again: models/recipes/yolo"
        ) from error
    if facts.format != FORMAT or not facts.classes or facts.side_px % 32:
        raise ArtefactRefusedError(
            f"{path} has format {facts.format}, {len(facts.classes)} classes and a side of "
            f"{facts.side_px} px",
            mend="Make the set again: models/recipes/yolo",
        )
    return facts
