"""A site without signatures may still want two people: neither of them frees goods alone (I1)."""

from __future__ import annotations

import pytest

from contracts.errors import BadInputError, ConflictError, ForbiddenError, HeldError
from contracts.reason import Reason
from contracts.stock import HoldKind, UsageDecision
from erp_link.domain.quality.statement import StaleSignatureError
from erp_link.service.core import Core
from erp_link.service.quality.desk import DecisionPolicy, DecisionRecord, Quality
from tests.erp_link.story import WATER
from tests.support.signing import Pen

RELEASE = UsageDecision.RELEASE
SMELL = Reason("held_by_hand", {"note": "smell"})
TWO = frozenset({RELEASE})


@pytest.fixture
def desk(core: Core) -> Quality:
    return Quality(core, DecisionPolicy(signed=False, two_people=TWO))


@pytest.fixture
def ticket(core: Core) -> str:
    core.receive(WATER, 10, location="A-01-1", by="op")
    hold = core.add_hold(HoldKind.BATCH, batch=WATER, reason=SMELL, by="op")
    assert hold.ticket_id is not None
    return hold.ticket_id


def decides(desk: Quality, ticket: str, by: str, **more: object) -> DecisionRecord:
    told = {"decision": RELEASE, "reason": f"{by} tasted", "role": "quality", **more}
    return desk.decide_unsigned(ticket, by=by, **told)


def test_the_first_persons_release_waits_for_the_second(
    core: Core, desk: Quality, ticket: str
) -> None:
    first = decides(desk, ticket, "ann")
    assert (first.state, core.ticket(ticket).decision) == ("waiting", None)
    with pytest.raises(HeldError):
        core.reserve("SO-1", WATER, 1, by="op")
    with pytest.raises(ForbiddenError):
        decides(desk, ticket, "ann")
    with pytest.raises(ConflictError):
        decides(desk, ticket, "bob", decision=UsageDecision.SCRAP)
    with pytest.raises(ConflictError):
        decides(desk, ticket, "bob", quantity=2)
    both = decides(desk, ticket, "bob")
    assert (both.decision_id, both.state) == (first.decision_id, "in_force")
    assert core.reserve("SO-1", WATER, 1, by="op")
    story = [(event.what, event.by) for event in core.ticket(ticket).history]
    assert ("decided_first", "ann") in story
    assert ("decided_second", "bob") in story


def test_a_hold_that_came_between_the_two_is_looked_at_first(
    core: Core, desk: Quality, ticket: str
) -> None:
    waiting = decides(desk, ticket, "ann")
    core.add_hold(HoldKind.BATCH, batch=WATER, reason=SMELL, by="op")
    with pytest.raises(StaleSignatureError):
        decides(desk, ticket, "bob")
    desk.withdraw(waiting.decision_id, by="bob", role="quality")
    decides(desk, ticket, "bob")
    assert decides(desk, ticket, "ann").state == "in_force"


def test_a_part_that_is_not_there_waits_for_nobody(desk: Quality, ticket: str) -> None:
    with pytest.raises((BadInputError, ConflictError)):
        decides(desk, ticket, "ann", quantity=11)
    assert desk.waiting(ticket) is None


def test_the_second_person_may_sign_what_the_first_did_not(
    core: Core, desk: Quality, ticket: str
) -> None:
    decides(desk, ticket, "mara")
    mara, jun = (Pen(name).registers(desk) for name in ("mara", "jun"))
    with pytest.raises(ForbiddenError):
        mara.decides(desk, ticket, RELEASE)
    both = jun.decides(desk, ticket, RELEASE)
    assert both.state == "in_force"
    assert [each.person for each in both.signatures] == ["jun"]
    assert core.reserve("SO-1", WATER, 1, by="op")
