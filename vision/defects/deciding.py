"""From what was seen to pass, defect or review, with the reasons (I7)."""

from __future__ import annotations

from contracts.inspection import InspectDecision
from contracts.reason import Reason
from vision.defects.conformal import BOUNDS_PERCENT, needed_items
from vision.defects.profile import ProfileFacts


def limit_of(facts: ProfileFacts) -> float:
    """What heat and boxes are told by: the threshold, or the strangest good item while there is
    none.
    """
    return max(facts.scores) if facts.threshold is None else facts.threshold


def decide(
    score: float,
    facts: ProfileFacts,
    *,
    changed: tuple[Reason, ...],
    like_a_miss: bool,
    crack_suspected: bool = False,
) -> tuple[InspectDecision, tuple[Reason, ...]]:
    """The decision and why. `score` is in deviations; `changed` is what the gate found."""
    if changed:
        return InspectDecision.REVIEW, changed
    if facts.threshold is None:
        needed = needed_items(BOUNDS_PERCENT[-1])
        return InspectDecision.REVIEW, (
            Reason("few_good_items", {"items": facts.good_items, "needed": needed}),
        )
    if score > facts.threshold:
        return InspectDecision.DEFECT, (
            Reason(
                "defect_beyond",
                {
                    "score": round(score, 1),
                    "limit": round(facts.threshold, 1),
                    "percent": facts.bound_percent or 0,
                },
            ),
        )
    doubts = []
    if facts.review_limit is not None and score > facts.review_limit:
        odd = {"score": round(score, 1), "limit": round(facts.review_limit, 1)}
        doubts.append(Reason("beyond_all_but_odd", {**odd, "items": len(facts.enrolled.odd)}))
    if like_a_miss:
        doubts.append(Reason("like_taught_defect"))
    if crack_suspected:
        doubts.append(Reason("crack_suspected"))
    return (InspectDecision.REVIEW if doubts else InspectDecision.PASS), tuple(doubts)


def of_camera(camera: str, facts: ProfileFacts) -> tuple[Reason, ...]:
    """A reason where the picture is from another camera than the good ones, both being known."""
    if not camera or not facts.camera or camera == facts.camera:
        return ()
    return (Reason("view_camera", {"got": camera, "wanted": facts.camera}),)
