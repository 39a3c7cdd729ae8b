"""A phone from its invitation to the day it is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.accounts.session import SessionVerifier
from appliance.accounts.web import COOKIE
from contracts.clock import FixedClock
from contracts.device_log import GENESIS, LogEntry
from contracts.errors import UnavailableError
from tests.support.phones import Client, Site


@pytest.fixture
def site(tmp_path: Path, clock: FixedClock) -> Iterator[Site]:
    made = Site(tmp_path, clock)
    yield made
    made.close()


async def enrolled(site: Site, person: str = "mei", role: str = "operator") -> Client:
    token = await site.client(person).invite(role, name="the blue one")
    phone = site.client()
    assert (await phone.enrol(token)).status_code == 201
    return phone


def entry(device: str, signature: str = "own") -> dict[str, object]:
    made = LogEntry(device, 1, 1, "mei", "flagged", {"flag": "torn"}, GENESIS, "0" * 64, signature)
    return {name: getattr(made, name) for name in LogEntry.__slots__}


async def test_a_phone_is_invited_enrolled_and_acts_for_its_person_in_one_role(site: Site) -> None:
    mara = site.client("mara")
    token = await mara.invite("operator")
    phone = site.client()
    told = (await phone.post("phones/invitations/seen", {"token": token})).json()
    assert (told["owner"], told["role"], told["site"]) == ("mara", "operator", "Dock")
    answer = await phone.enrol(token, name="Mara's phone")
    assert "Secure" in answer.headers["set-cookie"]
    me = (await phone.me()).json()
    assert (me["name"], me["roles"], me["phone_name"]) == ("mara", ["operator"], "Mara's phone")
    assert me["offline_until_us"] - me["now_us"] == 36 * 3600 * 1_000_000
    assert site.roster.enrolled == {phone.phone: ["mara", "operator"]}
    mine = (await mara.me()).json()
    assert (mine["phone"], mine["offline_until_us"]) == ("", 0)


async def test_a_link_enrols_one_phone_and_the_same_phone_twice(site: Site) -> None:
    token = await site.client("mei").invite()
    first, second = site.client(), site.client()
    assert (await first.enrol(token)).status_code == 201
    assert (await first.enrol(token)).status_code == 201, "the answer was lost on its way"
    refused = await second.enrol(token)
    assert (refused.status_code, refused.json()["code"]) == (410, "invitation_spent")
    assert (await second.post("phones/invitations/seen", {"token": token})).status_code == 410
    assert len(site.phones.phones()) == 1


async def test_a_link_is_good_for_a_quarter_of_an_hour_and_until_a_newer_one(site: Site) -> None:
    mei = site.client("mei")
    mei.headers["Idempotency-Key"] = "one-press-of-the-button"
    first, second = await mei.invite(), await mei.invite()
    assert (await site.client().enrol(first)).status_code == 410
    site.clock.at += timedelta(minutes=16)
    assert (await site.client().enrol(second)).status_code == 410


async def test_nobody_is_given_a_role_that_they_do_not_have(site: Site) -> None:
    mei, ops = site.client("mei"), site.client("ops")
    assert (await mei.post("phones/invitations", {"role": "quality"})).status_code == 422
    others = {"role": "operator", "owner": "mara"}
    assert (await mei.post("phones/invitations", others)).status_code == 403
    assert (await ops.post("phones/invitations", others)).status_code == 201
    assert (await ops.post("phones/invitations", {"role": "device"})).status_code == 422


async def test_whoever_is_signed_in_enrols_the_phone_in_their_hand(site: Site) -> None:
    phone = site.client("mei")
    before = phone._http.cookies[COOKIE]
    assert (await phone.enrol(role="operator", name="mine")).status_code == 201
    assert site.accounts.read(before) is None, "the person's own session ended"
    assert (await phone.me()).json()["phone"] == phone.phone
    phone.key = site.client().key
    assert (await phone.enrol(role="operator")).status_code == 403, "a phone enrols no other"
    refused = await phone.post("phones/invitations", {"role": "operator"})
    assert refused.status_code == 403, "nor makes it a link for one, which its thief would keep"


async def test_a_phone_comes_back_by_its_key_after_a_day_without_the_hub(site: Site) -> None:
    phone = await enrolled(site)
    site.clock.at += timedelta(hours=30)
    assert (await phone.me()).status_code == 401
    assert (await phone.come_back()).json()["name"] == "mei"
    assert (await phone.me()).status_code == 200


async def test_a_proof_is_of_this_phone_now_and_once(site: Site) -> None:
    phone, other = await enrolled(site), await enrolled(site, "mara")
    proof = await phone.proof()
    session = f"phones/{phone.phone}/session"
    assert (await phone.post(f"phones/{other.phone}/session", proof)).status_code == 401
    assert (await phone.post(session, proof)).status_code == 200
    assert (await phone.post(session, proof)).json()["code"] == "bad_proof"
    late = await phone.proof()
    site.clock.at += timedelta(minutes=3)
    assert (await phone.post(session, late)).status_code == 401
    assert (await phone.post(session, proof | {"challenge": "0.a.b"})).status_code == 401
    stranger = site.client()
    assert (await stranger.get(f"phones/{stranger.phone}/challenge")).status_code == 404


async def test_a_lost_phone_hears_that_it_is_revoked_wherever_it_knocks(site: Site) -> None:
    phone, ops = await enrolled(site), site.client("ops")
    revoke = f"phones/{phone.phone}/revoke"
    assert (await ops.post(revoke, {"reason": " "})).status_code == 422
    assert (await ops.post(revoke, {"reason": "left in a taxi"})).json()["state"] == "revoked"
    for answer in (await phone.me(), await phone.get("phones"), await phone.come_back()):
        told = answer.json()
        assert (answer.status_code, told["code"], told["wipe"]) == (410, "phone_revoked", True)
    phone.headers.pop("tallyman-phone")
    assert (await phone.me()).status_code == 401, "its cookie is good for nothing"
    assert site.roster.revoked == {phone.phone: "left in a taxi"}
    assert (await phone.enrol(await site.client("mei").invite())).status_code == 410


async def test_a_revoked_phone_leaves_its_last_words_and_says_that_it_is_wiped(site: Site) -> None:
    phone, mei = await enrolled(site), site.client("mei")
    last = {"entries": [entry(phone.phone)]}
    words = f"phones/{phone.phone}/last-words"
    assert (await phone.post(words, last)).status_code == 422, "it may still send its log"
    await mei.post(f"phones/{phone.phone}/revoke", {"reason": "fell into the lake"})
    assert (await phone.post(words, last)).json() == {"kept": 1}
    assert [each.device for each in site.roster.kept] == [phone.phone]
    assert (await phone.post(f"phones/{phone.phone}/wiped", await phone.proof())).status_code == 204
    (told,) = (await mei.get("phones")).json()
    assert (told["state"], told["wiped_us"] > 0) == ("wiped", True)
    assert [each.what for each in site.phones.events(phone.phone)] == [
        "wiped",
        "last_words",
        "revoked",
        "enrolled",
    ]


async def test_an_earlier_name_of_a_revoked_phone_is_revoked_with_it(site: Site) -> None:
    phone, earlier, strange = await enrolled(site), await enrolled(site), await enrolled(site)
    site.phones.revoke(phone.phone, reason="lost", by="ops")
    words = f"phones/{phone.phone}/last-words"
    both = [entry(phone.phone), entry(earlier.phone)]
    assert (await phone.post(words, {"entries": both})).json() == {"kept": 2}
    assert site.phones.phone(earlier.phone).state == "revoked"
    forged = [entry(strange.phone, "somebody else's")]
    assert (await phone.post(words, {"entries": forged})).status_code == 422
    assert site.phones.phone(strange.phone).state == "active"


async def test_whoever_has_no_signature_of_a_revoked_phone_leaves_nothing_in_its_name(
    site: Site,
) -> None:
    phone = await enrolled(site)
    site.phones.revoke(phone.phone, reason="lost", by="ops")
    words, forged = f"phones/{phone.phone}/last-words", entry(phone.phone, "forged")
    assert (await site.client().post(words, {"entries": [forged]})).status_code == 422
    assert site.roster.kept == []
    damaged = {"entries": [forged, entry(phone.phone)]}
    assert (await phone.post(words, damaged)).json() == {"kept": 2}, "what is damaged is kept too"


async def test_a_revocation_that_the_core_did_not_hear_of_is_said_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone, ops = await enrolled(site), site.client("ops")
    revoke = f"phones/{phone.phone}/revoke", {"reason": "lost"}

    def away(*_: object, **__: object) -> None:
        raise UnavailableError("The core is away", mend="Try again")

    with monkeypatch.context() as patch:
        patch.setattr(site.roster, "revoke", away)
        assert (await ops.post(*revoke)).status_code == 503
    assert site.roster.revoked == {}
    assert (await ops.post(*revoke)).status_code == 200
    assert site.roster.revoked == {phone.phone: "lost"}


async def test_people_look_after_their_own_phones_and_ops_after_all(site: Site) -> None:
    meis, maras = await enrolled(site), await enrolled(site, "mara", "quality")
    mei, ops = site.client("mei"), site.client("ops")
    assert [each["phone"] for each in (await mei.get("phones")).json()] == [meis.phone]
    assert {each["phone"] for each in (await ops.get("phones")).json()} == {meis.phone, maras.phone}
    name = {"name": "  the  red one "}
    assert (await mei.post(f"phones/{maras.phone}/name", name)).status_code == 403
    assert (await mei.post(f"phones/{meis.phone}/name", name)).json()["name"] == "the red one"
    refused = await mei.post(f"phones/{maras.phone}/revoke", {"reason": "spite"})
    assert refused.status_code == 403


@pytest.mark.parametrize("change", ["disabled", "another role"])
async def test_a_phone_whose_person_left_is_revoked_at_its_next_contact(
    site: Site, change: str
) -> None:
    phone = await enrolled(site)
    if change == "disabled":
        site.accounts.disable("mei")
    else:
        site.accounts.set_roles("mei", ["viewer"])
    assert (await phone.me()).status_code == 401
    assert (await phone.come_back()).status_code == 410
    site.accounts.enable("mei")
    assert (await phone.come_back()).status_code == 410, "what was wiped is enrolled anew"


async def test_an_edge_without_the_hub_refuses_a_revoked_phone_too(site: Site) -> None:
    phone = await enrolled(site)
    token = phone._http.cookies[COOKIE]
    edge = SessionVerifier(site.accounts.facts, clock=site.clock)
    assert edge.read(token) is not None
    site.phones.revoke(phone.phone, reason="lost", by="ops")
    assert edge.read(token) is None


async def test_a_hub_that_was_killed_between_its_files_shuts_the_phone_out_at_its_start(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = await enrolled(site)
    monkeypatch.setattr(site.accounts, "shut_out_phone", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        site.phones.revoke(phone.phone, reason="lost", by="ops")
    monkeypatch.undo()
    assert site.roster.revoked == {}
    site.phones.close()
    site.open()
    assert site.roster.revoked == {phone.phone: "lost"}
    assert site.accounts.facts().revoked_phones == {phone.phone}


async def test_a_page_of_another_site_enrols_and_lets_in_nobody(site: Site) -> None:
    phone = await enrolled(site)
    phone.headers["origin"] = "https://elsewhere.example"
    assert (await phone.come_back()).status_code == 403
    token = await site.client("mei").invite()
    assert (await phone.enrol(token)).status_code == 403
