"""One frame of the label camera -> what state the carton's outside is in.

The order of a judgement: which enrolled sides are in view (align), are they seen well enough to be
compared, how far outside the good cartons' band do they lie (band), is that beyond the limit, and
what kind of change is it (cues). Damaged only beyond a limit with a stated bound; whatever cannot
be answered is a review with its reason (I7). No network takes part; a profile holds all there is.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from contracts.condition import CartonCondition, ConditionFinding
from contracts.errors import BadInputError
from contracts.geometry import Quad, Region
from contracts.inspection import InspectDecision
from contracts.reason import Reason
from vision.condition.align import Placed, look_over, place
from vision.condition.appearance import MARGIN, Bytes, look_at
from vision.condition.band import OUTLINE, Changes, Grid, changes
from vision.condition.cues import MOST_PLACES, Place, joined, places_around, places_on
from vision.condition.enrolment import Shown, enrol_side, score_of, sharpness_of
from vision.condition.ignored import polygons
from vision.condition.profile import ConditionProfile, Side
from vision.defects.conformal import BOUNDS_PERCENT, needed_items

# How much worse than the good cartons a side may be seen. Light and colour are taken out, so only
# what is lost for good counts: too dark, too bright, too blurred or too slanted to compare.
_DARKER, _BRIGHTER = 0.5, 1.5
_BLURRED = 0.6
_SLANTED = 0.6


@dataclass(frozen=True, slots=True)
class _Compared:
    findings: tuple[ConditionFinding, ...]
    damaged: bool
    unsure: tuple[Reason, ...]


class ConditionInspector:
    """Holds nothing; safe to call from several threads at once."""

    def enrol(self, shown: Sequence[Shown], *, product: str) -> ConditionProfile:
        """Learn the reference sides of a supplier's carton from pictures of good ones.

        Raises BadInputError (no picture, a side that is not found, cartons of several kinds).
        """
        if not shown:
            raise BadInputError("No picture of a good carton", mend="Name at least one")
        names = dict.fromkeys(one.side for one in shown)
        return ConditionProfile.of(
            product, tuple(enrol_side([one for one in shown if one.side == name]) for name in names)
        )

    def check(
        self, frame: Bytes, profile: ConditionProfile, *, labels: Sequence[Quad] = ()
    ) -> CartonCondition:
        """Judge one (h, w, 3) BGR frame. `labels`: corners, in frame px, of what differs by nature."""
        started = time.perf_counter()
        seen = seen_sides(frame, profile)
        compared = [compare(side, placed, frame, labels) for side, placed in seen]
        bounds = [side.facts.bound_percent for side, _ in seen]
        findings = tuple(
            sorted((f for one in compared for f in one.findings), key=lambda found: -found.score)
        )
        decision, reasons = _decided(profile, compared, findings)
        return CartonCondition(
            findings=findings[:MOST_PLACES],
            compared=any(not one.unsure or one.findings for one in compared),
            decision=decision,
            reasons=reasons,
            bound_percent=None if not bounds or None in bounds else sum(b for b in bounds if b),
            profile=profile.digest,
            elapsed_ms=round((time.perf_counter() - started) * 1000, 3),
        )


def seen_sides(frame: Bytes, profile: ConditionProfile) -> list[tuple[Side, Placed]]:
    """The enrolled sides in view: those that show their print, and by its outline at most the one
    that looks most like its reference, when no print speaks for another.
    """
    view = look_over(frame)
    placed = [(side, place(view, side.reference)) for side in profile.sides]
    found = [(side, one) for side, one in placed if one is not None]
    found.sort(key=lambda one: -one[1].likeness)
    return [(side, one) for n, (side, one) in enumerate(found) if n == 0 or not one.by_outline]


def compare(side: Side, placed: Placed, frame: Bytes, labels: Sequence[Quad]) -> _Compared:
    """One side of the carton against its reference."""
    unsure = _badly_seen(side, placed)
    if unsure:
        return _Compared((), damaged=False, unsure=unsure)
    facts = side.facts
    height, width = side.reference.detail.shape
    ignored = side.ignored | polygons([(labels, placed.to_frame)], height, width)
    found = changes(look_at(placed.side, placed.solid, side.anchor), side.band, ignored=ignored)
    score = score_of(found, facts.scales)
    limit = facts.shown_from if facts.threshold is None else facts.threshold
    findings: tuple[ConditionFinding, ...] = ()
    if score > limit:
        findings = tuple(
            _finding(place, side, placed, frame) for place in _places(side, found, limit)
        )
    if OUTLINE in facts.scales and placed.solid is None:
        lost = Reason("outline_lost", {"side": facts.name})
        return _Compared(findings, damaged=bool(facts.threshold and findings), unsure=(lost,))
    if facts.threshold is None:
        few = Reason(
            "few_good_cartons",
            {
                "side": facts.name,
                "cartons": facts.good_cartons,
                "needed": needed_items(BOUNDS_PERCENT[-1]) + 1,
            },
        )
        return _Compared(findings, damaged=False, unsure=(few,))
    return _Compared(findings, damaged=score > limit, unsure=())


def _badly_seen(side: Side, placed: Placed) -> tuple[Reason, ...]:
    facts = side.facts
    light, sharp = float(placed.side.mean()), sharpness_of(placed.side)
    if placed.resolution < _SLANTED * facts.resolution_low:
        return (Reason("side_slanted", {"side": facts.name}),)
    if light < _DARKER * facts.brightness_low:
        return (
            Reason("view_darker", {"percent": round(100 * (1 - light / facts.brightness_low))}),
        )
    if light > _BRIGHTER * facts.brightness_high:
        more = round(100 * (light / facts.brightness_high - 1))
        return (Reason("view_brighter", {"percent": more}),)
    if sharp < _BLURRED * facts.sharpness_low:
        return (
            Reason("view_blurred", {"percent": round(100 * (1 - sharp / facts.sharpness_low))}),
        )
    return ()


def _places(side: Side, found: Changes, limit: float) -> list[Place]:
    scales, grids = side.facts.scales, found.grids()
    strongest: Grid = np.maximum.reduce([scales[name].over(grid) for name, grid in grids.items()])
    places = places_on(strongest, found, limit)
    if OUTLINE in scales and found.lacking is not None and found.extra is not None:
        height, width = side.reference.detail.shape
        scale = scales[OUTLINE]
        around = places_around(
            scale.over(found.lacking),
            scale.over(found.extra),
            limit,
            (MARGIN * width, MARGIN * height),
        )
        return joined(places, around)
    return places


def _finding(place: Place, side: Side, placed: Placed, frame: Bytes) -> ConditionFinding:
    x, y, wide, high = place.box
    corners = np.array([[(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)]], np.float64)
    in_frame = cv2.perspectiveTransform(corners, placed.to_frame)[0]
    height, width = frame.shape[:2]
    left, right = (int(v) for v in np.clip((in_frame[:, 0].min(), in_frame[:, 0].max()), 0, width))
    top, bottom = (int(v) for v in np.clip((in_frame[:, 1].min(), in_frame[:, 1].max()), 0, height))
    score, limit = round(place.score, 2), side.facts.threshold
    return ConditionFinding(
        kind=place.kind,
        side=side.facts.name,
        score=score,
        limit=None if limit is None else round(limit, 2),
        region=Region(left, top, right - left, bottom - top, score, place.kind.value),
    )


def _decided(
    profile: ConditionProfile,
    compared: Sequence[_Compared],
    findings: Sequence[ConditionFinding],
) -> tuple[InspectDecision, tuple[Reason, ...]]:
    if not compared:
        return InspectDecision.REVIEW, (
            Reason("side_not_found", {"product": profile.facts.product}),
        )
    told: dict[tuple[str, str], Reason] = {}
    for found in findings:
        params: dict[str, str | int | float] = {"side": found.side, "score": round(found.score, 1)}
        told.setdefault((found.kind, found.side), Reason(f"carton_{found.kind.value}", params))
    unsure = [reason for one in compared for reason in one.unsure]
    reasons = (*told.values(), *unsure)
    if any(one.damaged for one in compared):
        return InspectDecision.DEFECT, reasons
    return (InspectDecision.REVIEW if unsure else InspectDecision.PASS), reasons
