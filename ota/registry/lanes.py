"""Which lane a model set is for, and what may name one in the image plane."""

from __future__ import annotations

import re

from contracts.errors import BadInputError
from contracts.ota import LANES

LANE_OF_KIND = {
    "label-reader": "read",
    "defect": "inspect",
    "cracks": "cracks",
    "crack-network": "cracks",
    "defect-detector": "detectors",
    "profiles": "profiles",
    "rules": "rules",
    "templates": "templates",
}
JUDGING = frozenset({"read", "inspect", "cracks", "detectors"})
"""Lanes whose sets hold weights: those show figures and golden frames before they are published."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def lane_of(kind: str) -> str:
    """The lane of a kind of set. Raises BadInputError for a kind that no station uses."""
    try:
        return LANE_OF_KIND[kind]
    except KeyError:
        raise BadInputError(
            f"No station uses a set of the kind {kind[:80]!r}",
            mend=f"The manifest's kind is one of {', '.join(LANE_OF_KIND)}",
        ) from None


def check_lane(lane: str) -> str:
    """`lane` itself; raises BadInputError where it is none."""
    if lane not in LANES:
        raise BadInputError(f"{lane[:80]!r} is not a lane", mend=f"Lanes are {', '.join(LANES)}")
    return lane


def check_part(part: str, what: str) -> str:
    """A name or version that may stand in a path; raises BadInputError otherwise."""
    if _NAME.fullmatch(part) is None or ".." in part:
        raise BadInputError(
            f"The set's {what} {part[:80]!r} cannot stand in a path",
            mend="Use 1 to 64 letters, digits, dots, hyphens and underscores",
        )
    return part
