"""A new box waits until a person compared its key and said yes."""

from __future__ import annotations

from datetime import timedelta

import httpx
import msgspec
import pytest

from appliance.identity.admission.records import AwaitingApprovalError, OtherMachineError, WaitKind
from appliance.identity.facts import Claim
from appliance.identity.registry import ClaimRefusedError
from contracts.errors import ConflictError, ForbiddenError, NotFoundError

BY = "jo (shell)"


def claims(site, box, token):
    return site.registry.claim(box.device, token, box.csr_pem(), address="192.0.2.7")


def test_a_box_is_certified_once_a_person_said_yes_to_its_key(site):
    box = site.box()
    token = site.registry.new_claim("dock-1", approve=True)
    with pytest.raises(AwaitingApprovalError, match=box.key_id):
        claims(site, box, token)
    (asks,) = site.registry.waiting()
    assert (asks.device, asks.kind, asks.key_id) == ("dock-1", WaitKind.NEW, box.key_id)
    assert (asks.serial, asks.address) == ("BOX-0042", "192.0.2.7")
    assert site.registry.device("dock-1") is None, "it is no device yet"
    site.registry.approve("dock-1", box.key_id, by=BY)
    box.keep(claims(site, box, token))
    assert box.is_enrolled
    assert site.registry.waiting() == []
    assert site.registry.device("dock-1").serial == "BOX-0042"
    story = [(deed.what, deed.by) for deed in reversed(site.registry.story("dock-1"))]
    assert story == [("claimed", ""), ("asked:new", ""), ("approved", BY), ("enrolled", "")]


def test_asking_again_while_waiting_makes_one_line_in_the_list(site):
    box, token = site.box(), site.registry.new_claim("dock-1", approve=True)
    for _ in range(3):
        with pytest.raises(AwaitingApprovalError):
            claims(site, box, token)
    assert len(site.registry.waiting()) == 1
    assert len(site.registry.story("dock-1")) == 2


def test_a_person_may_take_longer_than_the_token_lives(site):
    box, token = site.box(), site.registry.new_claim("dock-1", approve=True, hours=1)
    with pytest.raises(AwaitingApprovalError):
        claims(site, box, token)
    site.clock.at += timedelta(days=3)
    site.registry.approve("dock-1", box.key_id, by=BY)
    assert claims(site, box, token).certificate_pem


def test_a_stolen_token_gets_a_line_with_another_key_and_never_a_certificate_by_itself(site):
    """The thief is faster than the box: its key is not the one on the box's display."""
    box, thief = site.box(), site.box(place="thief")
    token = site.registry.new_claim("dock-1", approve=True)
    with pytest.raises(AwaitingApprovalError):
        claims(site, thief, token)
    with pytest.raises(ConflictError, match=thief.key_id):
        site.registry.approve("dock-1", box.key_id, by=BY)
    site.registry.refuse("dock-1", thief.key_id, by=BY, why="not the digits of the box")
    with pytest.raises(ForbiddenError, match="not the digits"):
        claims(site, thief, token)
    with pytest.raises(ClaimRefusedError):
        claims(site, box, token)
    again = site.registry.new_claim("dock-1", approve=True)
    with pytest.raises(AwaitingApprovalError):
        claims(site, box, again)
    with pytest.raises(ClaimRefusedError):
        claims(site, thief, token)


def test_a_refusal_may_be_taken_back(site):
    box, token = site.box(), site.registry.new_claim("dock-1", approve=True)
    with pytest.raises(AwaitingApprovalError):
        claims(site, box, token)
    site.registry.refuse("dock-1", box.key_id, by=BY, why="who is that?")
    assert [asks.why for asks in site.registry.waiting()] == ["who is that?"]
    site.registry.approve("dock-1", box.key_id, by=BY)
    assert claims(site, box, token).certificate_pem


def test_nobody_is_approved_who_does_not_ask(site):
    with pytest.raises(NotFoundError):
        site.registry.approve("dock-1", "0" * 16, by=BY)
    box, token = site.box(), site.registry.new_claim("dock-1", approve=True)
    with pytest.raises(AwaitingApprovalError):
        claims(site, box, token)
    site.registry.approve("dock-1", box.key_id, by=BY)
    with pytest.raises(NotFoundError):
        site.registry.approve("dock-1", box.key_id, by=BY)


def test_a_claim_for_one_machine_is_no_good_on_another(site):
    token = site.registry.new_claim("dock-1", serial="BOX-0042")
    with pytest.raises(ClaimRefusedError):
        claims(site, site.box(serial="BOX-0666", place="elsewhere"), token)
    with pytest.raises(ClaimRefusedError):
        claims(site, site.box(serial=" BOX-0042", place="nearly"), token)
    assert claims(site, site.box(), token).certificate_pem


def test_a_spent_token_brings_nobody_back_after_the_certificate_ran_out(site):
    box = site.box()
    token = site.registry.new_claim("dock-1", hours=720)
    claims(site, box, token)
    assert claims(site, box, token), "the first answer may have been lost"
    site.clock.at += timedelta(days=30)
    with pytest.raises(ClaimRefusedError):
        claims(site, box, token)


def test_a_yes_for_one_machine_is_none_for_another(site):
    box = site.enrolled()
    site.clock.at += timedelta(days=31)
    copied = site.box(serial="BOX-0666")
    with pytest.raises(AwaitingApprovalError):
        site.registry.recover("dock-1", copied.serial)
    with pytest.raises(OtherMachineError, match="BOX-0666"):
        site.registry.approve("dock-1", box.key_id, by=BY)
    with pytest.raises(AwaitingApprovalError):
        site.registry.recover("dock-1", box.serial)
    site.registry.approve("dock-1", box.key_id, by=BY)
    with pytest.raises(AwaitingApprovalError):
        site.registry.recover("dock-1", copied.serial)
    assert site.registry.device("dock-1").expires_at < site.clock.now()


async def guess(site, address: str, right: str | None = None) -> str:
    box = site.box()
    body = msgspec.json.encode(Claim("dock-1", right or "wrong", box.csr_pem()))
    transport = httpx.ASGITransport(app=site.app, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="https://hub") as http:
        answer = await http.post("/device/v1/claim", content=body)
        return "certified" if answer.status_code == 200 else answer.json()["detail"]


async def test_wrong_tokens_are_counted_by_whom_one_can_tell_apart(site):
    """An IPv6 customer has 2**64 addresses: they count as one. Others go on meanwhile."""
    token = site.registry.new_claim("dock-1")
    for number in range(10):
        assert "not good" in await guess(site, f"2001:db8:0:7::{number + 1:x}")
    assert "Too many" in await guess(site, "2001:db8:0:7:ffff::1", token)
    assert "not good" in await guess(site, "2001:db8:0:8::1")
    assert await guess(site, "192.0.2.7", token) == "certified"
    site.clock.at += timedelta(minutes=10)
    assert "not good" in await guess(site, "2001:db8:0:7::1")
