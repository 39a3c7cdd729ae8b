"""What people answered about cartons that a candidate judged too, and what the gate makes of it."""

from __future__ import annotations

import pytest

from appliance.ota.evidence import CoreEvidence
from contracts.events import ShadowJudged
from contracts.verdict import Decision
from erp_link.service.core import Core
from erp_link.service.judging.answers import answers_to
from erp_link.service.judging.desk import Judging
from ota.gates.evidence import Counts
from ota.gates.gate import Signal
from ota.rollout.events import Role
from ota.rollout.plan import Plan
from ota.rollout.state import Rollout
from tests.erp_link.judging.conftest import NEW, OLD, Box

STATE = Rollout("RO-1", Plan("inspect", NEW["inspect"]))


def shadow(box: Box, carton: str, said: str, *, harmful: bool = False) -> None:
    box.sends(
        ShadowJudged(
            station=box.name,
            carton_id=carton,
            rollout="RO-1",
            lane="inspect",
            model_set=NEW["inspect"],
            running=OLD["inspect"],
            said=said,
            stood="review",
            harmful=harmful,
            late=False,
        )
    )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_settled_carton_that_goes_against_the_candidate_is_an_override(
    core: Core, box: Box
) -> None:
    for carton, said in (("C1", "pass"), ("C2", "pass"), ("C3", "defect"), ("C4", "review")):
        box.judges(carton, Decision.REVIEW)
        shadow(box, carton, said)
    box.settles("C1", "refused", None, line=None)
    box.settles("C2", "keyed")
    box.settles("C3", "candidate")
    answers = {each.carton_id: each.answer for each in answers_to(core, "RO-1")}
    assert answers == {"C1": "refused", "C2": "keyed", "C3": "candidate"}
    evidence = CoreEvidence(Judging(core).shadow_tallies, lambda name: answers_to(core, name))
    shown = evidence.shown(STATE)[Role.SHADOW][box.device]
    assert shown[Signal.OVERRIDE] == Counts(4, 2), "C1 was refused, C3 was good"
    assert shown[Signal.HARM] == Counts(4, 0)
    assert evidence.shown(Rollout("RO-2", STATE.plan)) == {Role.SHADOW: {}, Role.WATCH: {}}
