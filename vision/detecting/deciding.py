"""What a detector's answer is worth beside what the product's profile says (I7).

A detector knows only the kinds of defects it was shown, and nothing of hands, lamps or other
products. So the profile is asked first: what it will not judge, stays a review; what it calls
defective, stays so. Where it has nothing against the goods, or merely too few good pictures for a
limit of its own, the detector decides, by two limits: beyond the one, few good items come; below
the other, few defective ones. Between them, and while either is not known, it abstains.
"""

from __future__ import annotations

from contracts.inspection import InspectDecision, Inspection
from contracts.reason import Reason
from vision.detecting.facts import DetectorFacts, needed

_TOO_FEW = "few_good_items"


def judged(score: float, facts: DetectorFacts) -> tuple[InspectDecision, tuple[Reason, ...]]:
    """The detector's own decision on a picture whose surest box has `score` (0: no box)."""
    if facts.limit is None or facts.sound is None:
        short = []
        if facts.limit is None:
            short.append(Reason(_TOO_FEW, {"items": len(facts.good_scores), "needed": needed()}))
        if facts.sound is None:
            short.append(
                Reason(
                    "few_defective_items",
                    {"items": len(facts.bad_scores), "needed": needed()},
                )
            )
        return InspectDecision.REVIEW, tuple(short)
    if score > facts.limit:
        return InspectDecision.DEFECT, (
            Reason(
                "defect_beyond",
                {
                    "score": round(score, 2),
                    "limit": round(facts.limit, 2),
                    "percent": facts.bound_percent or 0,
                },
            ),
        )
    if score < facts.sound:
        return InspectDecision.PASS, ()
    return InspectDecision.REVIEW, (
        Reason(
            "detector_unsure",
            {
                "score": round(score, 2),
                "sound": round(facts.sound, 2),
                "limit": round(facts.limit, 2),
            },
        ),
    )


def has_the_word(inspection: Inspection) -> bool:
    """Whether the profile leaves the decision to the detector."""
    if inspection.decision is InspectDecision.PASS:
        return True
    return inspection.decision is InspectDecision.REVIEW and all(
        reason.code == _TOO_FEW for reason in inspection.reasons
    )
