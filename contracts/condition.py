"""What state a carton's outside is in, against the reference sides of good cartons."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from contracts.geometry import Region
from contracts.inspection import InspectDecision
from contracts.reason import Reason


class ConditionKind(StrEnum):
    CRUSHED = "crushed"
    """The outline or the edges leave their place."""
    TORN = "torn"
    """A hole or a torn edge; the core of the board shows."""
    WET = "wet"
    """A soft dark stain under which the print is still whole."""
    OPENED = "opened"
    """Tape, flap line or seal differ: opened, or closed again."""
    CHANGED = "changed"
    """Beyond the limit, but like none of the others: writing, a sticker, dirt."""


@dataclass(frozen=True, slots=True)
class ConditionFinding:
    """One change on one side. `limit` is None while too few good cartons are known (I7)."""

    kind: ConditionKind
    side: str
    score: float
    limit: float | None
    region: Region | None
    """Where in the frame that was judged; None where the whole side is meant."""


@dataclass(frozen=True, slots=True)
class CartonCondition:
    """`compared` is False when no reference side was found in the frame: nothing is known then,
    and `reasons` says why. `decision` is `defect` only with a limit that a bound stands behind.
    """

    findings: tuple[ConditionFinding, ...]
    compared: bool
    decision: InspectDecision
    reasons: tuple[Reason, ...]
    bound_percent: int | None
    """At most so many of a hundred good cartons are called damaged; None: too few to say."""
    profile: str
    """Digest of the condition profile; it holds all there is, no network takes part."""
    elapsed_ms: float
