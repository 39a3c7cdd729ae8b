"""What an operator's answer adds to a profile. The old profile stays as it is (I5).

A confirmed false alarm: its strangest patches join the bank, so the like of them is known from
then on, and what its places look like counts as usual. The threshold stays: both only lower the
scores of good items, so the stated bound goes on holding. A confirmed miss: its strangest patches are kept as flaws, and whatever
lies nearer to a flaw than to anything good is shown for review. It can add a review, never a pass.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from contracts.errors import BadInputError
from vision.defects.bank import distances
from vision.defects.facts import Lesson
from vision.defects.places import widened
from vision.defects.profile import Profile

ROWS_OF_A_FALSE_ALARM = 32
ROWS_OF_A_MISS = 6
MOST_FALSE_ALARMS = 10
MOST_MISSES = 20
_NEAR = 0.5
"""A patch is like a flaw when it is at most half as far from it as from anything good."""


def taught(
    profile: Profile,
    patches: NDArray[np.float32],
    places: NDArray[np.float32],
    *,
    kind: Literal["miss", "false_alarm"],
) -> Profile:
    """A new profile with the lesson of one picture's (n, 152) patches and (r, c, 152) cells.

    Raises BadInputError when the profile has learned as much as a profile may.
    """
    facts = profile.facts
    most = MOST_MISSES if kind == "miss" else MOST_FALSE_ALARMS
    if sum(lesson.kind == kind for lesson in facts.lessons) >= most:
        raise BadInputError(
            f"The profile of {profile.product} has learned {most} such mistakes, no more fit",
            mend="Enrol the product anew with the pictures collected since",
        )
    bank, flaws, spread = profile.bank, profile.flaws, profile.spread
    kinds = facts.flaw_kinds
    strangest = np.argsort(-distances(patches, bank), kind="stable")
    if kind == "false_alarm":
        bank = np.concatenate([bank, patches[strangest[:ROWS_OF_A_FALSE_ALARM]]])
        spread = widened(places, profile.usual, spread)
    else:
        new = patches[strangest[:ROWS_OF_A_MISS]]
        flaws, kinds = np.concatenate([flaws, new]), (*kinds, *[""] * len(new))
    lessons = (*facts.lessons, Lesson(kind))
    return profile.but(
        replace(facts, parent=profile.digest, lessons=lessons, flaw_kinds=kinds),
        bank=bank,
        spread=spread,
        flaws=flaws,
    )


def resembles(
    patches: NDArray[np.float32],
    good_distances: NDArray[np.float32],
    flaws: NDArray[np.float32],
) -> bool:
    """Whether any of (n, 152) patches is much nearer to a taught flaw than to anything good."""
    if not len(flaws):
        return False
    return bool((distances(patches, flaws) < _NEAR * good_distances).any())
