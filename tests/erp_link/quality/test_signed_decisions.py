"""A usage decision is signed over everything that it rests on, the holds seen among it (I1)."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from contracts.canonical import canonical
from contracts.errors import (
    BadInputError,
    ConflictError,
    ForbiddenError,
    HeldError,
    NotFoundError,
)
from contracts.reason import Reason
from contracts.stock import HoldKind, TicketState, UsageDecision
from erp_link.domain.quality.statement import (
    SignatureRefusedError,
    StaleSignatureError,
    read_statement,
)
from erp_link.service.quality.desk import DecisionPolicy, Quality
from tests.erp_link.story import JUICE, WATER
from tests.support.signing import Pen

RELEASE, RETURN = UsageDecision.RELEASE, UsageDecision.RETURN
SMELL = Reason("held_by_hand", {"note": "smell"})


def _ask(desk, pen, ticket, decision=RELEASE, **more):
    more.setdefault("reason", "opened and looked")
    return desk.statement(
        ticket, decision, signer=pen.person, role="quality", key=pen.key_id, **more
    )


@pytest.fixture
def ticket(station) -> str:
    """Three cartons of water; the last one dented: its batch is on hold."""
    station.receives()
    station.accepts("C-1")
    station.accepts("C-2")
    station.finds_defect("C-3")
    return station.core.tickets()[0].ticket_id


def test_a_signed_release_lifts_the_hold_and_stays_on_record(core, desk, mara, ticket) -> None:
    with pytest.raises(HeldError):
        core.reserve("SO-1", WATER, 1, by="op")
    made = mara.decides(desk, ticket, RELEASE)
    assert core.reserve("SO-1", WATER, 1, by="op")
    assert (made.state, made.holds_seen) == ("in_force", core.ticket(ticket).hold_ids)
    (signature,) = made.signatures
    assert signature.holds
    said = read_statement(signature.statement)
    assert (said.signer, said.ticket, said.batch) == ("mara", ticket, WATER)
    assert core.ticket(ticket).state is TicketState.DECIDED


def test_a_hold_that_came_meanwhile_makes_the_signature_stale(core, desk, mara, ticket) -> None:
    text = _ask(desk, mara, ticket).text()
    newer = core.add_hold(HoldKind.BATCH, batch=WATER, reason=SMELL, by="op")
    with pytest.raises(StaleSignatureError) as refused:
        desk.decide(text, mara.signs(text), by="mara", role="quality")
    assert refused.value.data["new_holds"] == [newer.hold_id]
    assert core.ticket(ticket).decision is None
    mara.decides(desk, ticket, RELEASE)
    with pytest.raises(HeldError):
        core.reserve("SO-1", WATER, 1, by="op")


def test_every_kind_of_hold_on_these_goods_counts(core, desk, mara, ticket) -> None:
    kinds: list[dict[str, object]] = [
        {"kind": HoldKind.SUPPLIER, "supplier": "ACME"},
        {"kind": HoldKind.CARTONS, "cartons": ["C-1"]},
    ]
    for raised in kinds:
        text = _ask(desk, mara, ticket).text()
        core.add_hold(reason=SMELL, by="op", **raised)
        with pytest.raises(StaleSignatureError):
            desk.decide(text, mara.signs(text), by="mara", role="quality")


def test_a_hold_on_other_goods_does_not(core, station, desk, mara, ticket) -> None:
    station.accepts("C-9", JUICE)
    text = _ask(desk, mara, ticket).text()
    core.add_hold(HoldKind.BATCH, batch=JUICE, reason=SMELL, by="op")
    assert desk.decide(text, mara.signs(text), by="mara", role="quality").state == "in_force"


def test_the_same_signature_again_gives_the_first_outcome(desk, mara, ticket) -> None:
    text = _ask(desk, mara, ticket).text()
    first = desk.decide(text, mara.signs(text), by="mara", role="quality")
    assert desk.decide(text, mara.signs(text), by="mara", role="quality") == first
    assert len(desk.decisions(ticket)) == 1


def test_what_is_not_signed_by_its_signer_changes_nothing(core, desk, mara, jun, ticket) -> None:
    text = _ask(desk, mara, ticket).text()
    forged = canonical(json.loads(text) | {"decision": "scrap"}).decode()
    tries = [
        (text, jun.signs(text), "mara", SignatureRefusedError),
        (text, mara.signs(text), "jun", ForbiddenError),
        (forged, mara.signs(text), "mara", SignatureRefusedError),
        (text, mara.signs(text).upper(), "mara", SignatureRefusedError),
        (text, "00" * 64, "mara", SignatureRefusedError),
        (text, "no hex", "mara", SignatureRefusedError),
        (text.replace('"v":1', '"v": 1'), mara.signs(text), "mara", BadInputError),
        (canonical(json.loads(text) | {"x": 1}).decode(), "", "mara", BadInputError),
        (canonical(json.loads(text) | {"v": True}).decode(), "", "mara", BadInputError),
        ("[]", "", "mara", BadInputError),
    ]
    for said, signature, by, refusal in tries:
        with pytest.raises(refusal):
            desk.decide(said, signature, by=by, role="quality")
    assert core.ticket(ticket).decision is None
    with pytest.raises(ForbiddenError):
        desk.decide(text, mara.signs(text), by="mara", role="operator")


def test_a_key_signs_for_its_person_only_and_not_after_it_was_revoked(desk, mara, ticket) -> None:
    stranger = Pen("mara")
    with pytest.raises(SignatureRefusedError):
        stranger.decides(desk, ticket, RELEASE)
    with pytest.raises(SignatureRefusedError):
        desk.register_key("jun", stranger.pem, label="x", proof=stranger.proof(), by="jun")
    text = _ask(desk, mara, ticket).text()
    with pytest.raises(NotFoundError):
        desk.revoke_key(mara.key_id, by="jun", person="jun")
    desk.revoke_key(mara.key_id, by="mara", person="mara")
    with pytest.raises(SignatureRefusedError):
        desk.decide(text, mara.signs(text), by="mara", role="quality")
    with pytest.raises(ConflictError):
        mara.registers(desk)


def test_what_is_no_key_is_refused(desk) -> None:
    for key in ("", "-----BEGIN PUBLIC KEY-----\nx", "00ff", "z", "A" * 5000):
        with pytest.raises(BadInputError):
            desk.register_key("mara", key, label="x", proof="", by="mara")


def test_nothing_is_given_out_to_sign_for_a_key_that_is_not_there(desk, mara, jun, ticket) -> None:
    for key in ("nobody's", jun.key_id):
        with pytest.raises(SignatureRefusedError):
            desk.statement(ticket, RELEASE, reason="dry", signer="mara", role="quality", key=key)


def test_no_signature_is_kept_in_store(clock, desk, mara, ticket) -> None:
    for minutes in (-20, 20):
        text = _ask(desk, mara, ticket).text()
        clock.at += timedelta(minutes=minutes)
        with pytest.raises(ConflictError):
            desk.decide(text, mara.signs(text), by="mara", role="quality")


def test_two_people_sign_where_the_site_wants_it(core, mara, jun, ticket) -> None:
    desk = Quality(core, DecisionPolicy(two_people=frozenset({RELEASE})))
    first = mara.decides(desk, ticket, RELEASE)
    assert (first.state, core.ticket(ticket).decision) == ("waiting", None)
    with pytest.raises(HeldError):
        core.reserve("SO-1", WATER, 1, by="op")
    with pytest.raises(ForbiddenError):
        mara.decides(desk, ticket, RELEASE)
    with pytest.raises(ConflictError):
        jun.decides(desk, ticket, UsageDecision.SCRAP)
    both = jun.decides(desk, ticket, RELEASE)
    assert [each.person for each in both.signatures] == ["mara", "jun"]
    assert core.reserve("SO-1", WATER, 1, by="op")


def test_a_hold_between_the_two_signatures_makes_the_first_stale(core, mara, jun, ticket) -> None:
    desk = Quality(core, DecisionPolicy(two_people=frozenset({RELEASE})))
    waiting = mara.decides(desk, ticket, RELEASE)
    core.add_hold(HoldKind.BATCH, batch=WATER, reason=SMELL, by="op")
    with pytest.raises(StaleSignatureError):
        jun.decides(desk, ticket, RELEASE)
    desk.withdraw(waiting.decision_id, by="jun", role="quality")
    mara.decides(desk, ticket, RELEASE)
    assert jun.decides(desk, ticket, RELEASE).state == "in_force"
    with pytest.raises(ConflictError):
        desk.withdraw(waiting.decision_id, by="jun", role="quality")


def test_a_site_may_do_without_signatures(core, desk, ticket) -> None:
    told = {"reason": "tasted", "by": "ann", "role": "quality"}
    with pytest.raises(ForbiddenError):
        desk.decide_unsigned(ticket, RELEASE, **told)
    free = Quality(core, DecisionPolicy(signed=False))
    with pytest.raises(ForbiddenError):
        free.decide_unsigned(ticket, RELEASE, **told | {"role": "operator"})
    made = free.decide_unsigned(ticket, RELEASE, **told)
    assert (made.made_by, made.signatures) == ("ann", ())
    assert core.reserve("SO-1", WATER, 1, by="op")


def test_a_decided_ticket_is_not_decided_again(desk, mara, ticket) -> None:
    again = _ask(desk, mara, ticket, RETURN).text()
    mara.decides(desk, ticket, RELEASE)
    with pytest.raises(ConflictError):
        desk.decide(again, mara.signs(again), by="mara", role="quality")
    with pytest.raises(ConflictError):
        _ask(desk, mara, ticket, RETURN)
