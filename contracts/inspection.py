"""What was seen of the goods."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from contracts.geometry import Region
from contracts.reason import Reason


class InspectDecision(StrEnum):
    PASS = "pass"  # noqa: S105 -- a verdict, not a password
    DEFECT = "defect"
    REVIEW = "review"


class DefectKind(StrEnum):
    """The classes an operator can teach; a region of none of them is an `anomaly`."""

    CRACK = "crack"
    DENT = "dent"
    TEAR = "tear"
    WET = "wet"
    MISSING_CAP = "missing_cap"
    BROKEN_SEAL = "broken_seal"


@dataclass(frozen=True, slots=True)
class Inspection:
    """`threshold` is None while the profile has too few good items to state a bound (I7)."""

    image: str
    score: float
    threshold: float | None
    decision: InspectDecision
    reasons: tuple[Reason, ...]
    regions: tuple[Region, ...]
    model_set: str
    elapsed_ms: float
    profile: str = ""
