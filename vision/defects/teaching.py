"""What an operator's answer adds to a profile. The old profile stays as it is (I5).

A confirmed false alarm: its strangest patches join the bank, so the like of them is known from
then on, and what its places look like counts as usual. The threshold stays: both only lower the
scores of good items, so the stated bound goes on holding. A confirmed miss: its strangest patches
are kept as flaws. From all flaws a head is learned (vision.defects.flaws); what it finds beyond
every good item, and whatever lies much nearer to a flaw than any good item does, is shown for
review. It can add a review, never a pass, and no defect either: no bound is stated for it.

Undoing a lesson is going back to the parent.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from contracts.errors import BadInputError
from contracts.geometry import Region
from contracts.inspection import DefectKind
from vision.defects.bank import distances
from vision.defects.facts import HeadFacts, Lesson, ProfileFacts
from vision.defects.flaws import STRANGEST, Head, kept_items, learn_head, named_kinds, strangest
from vision.defects.packing import packed, unpacked
from vision.defects.places import cells, widened
from vision.defects.profile import Profile

ROWS_OF_A_FALSE_ALARM = 32
ROWS_OF_A_MISS = STRANGEST
MOST_FALSE_ALARMS = 10
MOST_MISSES = 20

Rows = NDArray[np.float32]


def taught(
    profile: Profile,
    patches: Rows,
    *,
    kind: Literal["miss", "false_alarm"],
    defect: str = "",
    picture: str = "",
    where: Region | None = None,
) -> Profile:
    """A new profile with the lesson of one picture's (r, c, 152) patches.

    `defect`: the class of a miss (contracts.inspection.DefectKind), `picture`: the SHA-256 of the
    picture's file, `where`: the box of the frame that the flaw is in, where somebody pointed at it.

    Raises BadInputError for an unknown class, for a class of a false alarm, and when the profile
    has learned as much as a profile may.
    """
    facts = profile.facts
    _check_defect(kind, defect)
    _check_room(profile, kind)
    rows, columns, width = patches.shape
    flat = patches.reshape(-1, width)
    far = distances(flat, profile.bank)
    bank, flaws, spread, kinds = profile.bank, profile.flaws, profile.spread, facts.flaw_kinds
    if kind == "false_alarm":
        order = np.argsort(-far, kind="stable")[:ROWS_OF_A_FALSE_ALARM]
        bank = np.concatenate([bank, _kept(flat[order])])
        spread = widened(cells(patches), profile.usual, spread)
    else:
        if where is not None:
            far = np.where(_inside(where, facts, (rows, columns)), far, np.float32(-1.0))
        new = _kept(flat[strangest(far, (rows, columns), most=ROWS_OF_A_MISS)])
        flaws, kinds = np.concatenate([flaws, new]), (*kinds, *[defect] * len(new))
    lessons = (*facts.lessons, Lesson(kind, defect, picture))
    return _learned(
        profile,
        replace(facts, parent=profile.digest, lessons=lessons, flaw_kinds=kinds),
        bank=bank,
        flaws=flaws,
        spread=spread,
    )


def head_of(profile: Profile) -> Head | None:
    """What the profile learned from its taught flaws; None where nothing was taught."""
    facts = profile.facts
    if facts.head is None:
        return None
    flaws = profile.flaws.reshape(-1, ROWS_OF_A_MISS, profile.flaws.shape[1])
    return Head(facts.head, profile.head, flaws, named_kinds(facts.flaw_kinds))


def _learned(
    profile: Profile, facts: ProfileFacts, *, bank: Rows, flaws: Rows, spread: Rows
) -> Profile:
    head, numbers = _head(facts, bank, flaws, profile.strange)
    return profile.but(
        replace(facts, head=head), bank=bank, flaws=flaws, spread=spread, head=numbers
    )


def _head(
    facts: ProfileFacts, bank: Rows, flaws: Rows, strange: Rows
) -> tuple[HeadFacts | None, Rows]:
    if not len(flaws):
        return None, np.empty((0, 0), np.float32)
    allowed = _false_alarms(facts) * ROWS_OF_A_FALSE_ALARM
    enrolled = len(bank) - allowed
    share = enrolled // facts.good_items
    owners = np.full(len(bank), -1, np.intp)
    for number, item in enumerate(kept_items(facts.good_items)):
        owners[item * share : (item + 1) * share] = number
    return learn_head(
        flaws.reshape(-1, ROWS_OF_A_MISS, flaws.shape[1]),
        facts.flaw_kinds[::ROWS_OF_A_MISS],
        bank=bank,
        owners=owners,
        good=strange,
        allowed=np.split(bank[enrolled:], _false_alarms(facts)) if allowed else (),
    )


def _false_alarms(facts: ProfileFacts) -> int:
    return sum(lesson.kind == "false_alarm" for lesson in facts.lessons)


def _kept(rows: Rows) -> Rows:
    """As the profile's file will hold them, so that what is learned does not depend on when."""
    return unpacked(packed(rows))


def _inside(where: Region, facts: ProfileFacts, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """(n,) which patches of a grid touch the box."""
    rows, columns = shape
    down = facts.height_px / rows
    across = facts.width_px / columns
    row, column = np.divmod(np.arange(rows * columns), columns)
    inside: NDArray[np.bool_] = (
        ((row + 1) * down > where.y_px)
        & (row * down < where.y_px + where.height_px)
        & ((column + 1) * across > where.x_px)
        & (column * across < where.x_px + where.width_px)
    )
    return inside


def _check_defect(kind: str, defect: str) -> None:
    known = [one.value for one in DefectKind]
    if defect and (kind != "miss" or defect not in known):
        raise BadInputError(
            f"{defect!r} is no class of a {kind.replace('_', ' ')}",
            mend=f"A miss may be one of {', '.join(known)}; a false alarm has none",
        )


def _check_room(profile: Profile, kind: Literal["miss", "false_alarm"]) -> None:
    most = MOST_MISSES if kind == "miss" else MOST_FALSE_ALARMS
    if sum(lesson.kind == kind for lesson in profile.facts.lessons) >= most:
        raise BadInputError(
            f"The profile of {profile.product} has learned {most} such mistakes, no more fit",
            mend="Enrol the product anew with the pictures collected since",
        )
