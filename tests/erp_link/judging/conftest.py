"""A house with two boxes, an old and a new judge, and goods that pass under one of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from contracts.clock import FixedClock
from contracts.events import CartonJudged, CartonRejudged
from contracts.inspection import InspectDecision, Inspection
from contracts.judging import Pin, Watermark, judge_digest, parts_of
from contracts.reason import Reason
from contracts.stock import BatchKey, Evidence
from contracts.verdict import Decision, Verdict
from erp_link.service.core import Applied, Core
from erp_link.service.judging.desk import Judging
from tests.erp_link.story import LATER, WATER, Station

OLD = {"inspect": "sha256:" + "0" * 64, "profile": "p1"}
NEW = {"inspect": "sha256:" + "1" * 64, "profile": "p1"}
BAD = {"inspect": "sha256:" + "b" * 64, "profile": "p1"}
PASS, DEFECT, REVIEW = InspectDecision.PASS, InspectDecision.DEFECT, InspectDecision.REVIEW
_VERDICTS = {PASS: Decision.ACCEPT, DEFECT: Decision.HOLD, REVIEW: Decision.REVIEW}


def seen(parts: dict[str, str], decision: InspectDecision) -> Inspection:
    return Inspection(
        image="ab" * 32,
        score=0.3,
        threshold=0.5,
        decision=decision,
        reasons=(),
        regions=(),
        model_set=parts["inspect"],
        elapsed_ms=9.0,
        profile=parts.get("profile", ""),
    )


@dataclass
class Box(Station):
    """A station whose results say whose they are. `parts` are the sets that judge there."""

    parts: dict[str, str] = field(default_factory=lambda: dict(OLD))
    frames: int = 0

    def looks(
        self,
        carton: str,
        decision: InspectDecision = PASS,
        *,
        batch: BatchKey | None = WATER,
        under: Watermark | None = None,
        marked: bool = True,
        line: int | None = 1,
        verdict: Decision | None = None,
        picture: bool = True,
        freezes: bool = False,
        reasons: tuple[Reason, ...] = (),
    ) -> Applied:
        """One carton under this box's sets; generation 1 and not provisional unless `under` says."""
        self.frames += 1
        mark = under or Watermark(judge_digest(self.parts))
        shown = Evidence("inspect", f"{self.frames:064x}", camera="inspect")
        return self.sends(
            CartonJudged(
                carton_id=carton,
                station=self.name,
                session=self.session,
                opened_at=self.clock.now(),
                opened_by="replay",
                verdict=Verdict(
                    verdict or _VERDICTS[decision],
                    reasons or (Reason("defect_seen", {"score": 0.9}),),
                    batch=batch,
                    expiry=LATER.isoformat(),
                    asn_line=line,
                    freezes=batch if freezes else None,
                ),
                reading=None,
                inspection=seen(self.parts, decision),
                evidence=(shown,) if picture else (),
                model_sets={"read": "sha256:reader", "inspect": self.parts["inspect"]},
                variant="cpu",
                under=mark if marked else None,
            )
        )

    def offline(self) -> Watermark:
        """The watermark of results that nobody could be asked about."""
        return Watermark(judge_digest(self.parts), provisional=True)

    def rejudges(
        self,
        carton: str,
        decision: InspectDecision = PASS,
        *,
        pin: Pin,
        gone: bool = False,
        batch: BatchKey = WATER,
        parts: dict[str, str] | None = None,
    ) -> Applied:
        """The answer to a task, by the pin's sets unless `parts` says; `gone`: no frame any more."""
        by = parts or pin.parts
        return self.sends(
            CartonRejudged(
                carton_id=carton,
                station=self.name,
                batch=batch,
                under=Watermark(judge_digest(parts_of(by)), pin.generation),
                decision=REVIEW if gone else decision,
                reasons=(Reason("defect_seen", {"score": 0.9}),),
                inspection=None if gone else seen(by, decision),
                picture="ab" * 32,
                model_sets={} if gone else {"inspect": by["inspect"]},
                variant="cpu",
            )
        )


@pytest.fixture
def judging(core: Core) -> Judging:
    return Judging(core)


@pytest.fixture
def box(core: Core, clock: FixedClock) -> Box:
    made = Box(core, clock, parts=dict(OLD))
    made.receives(water=50)
    return made


@pytest.fixture
def other(core: Core, clock: FixedClock, box: Box) -> Box:
    """A second box at the same delivery, with a newer set."""
    return Box(core, clock, device="edge-2", name="dock-2", session=box.session, parts=dict(NEW))
