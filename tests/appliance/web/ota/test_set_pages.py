"""Model sets: lineage, figures, a second person, publishing with the lane's key, withdrawing."""

from __future__ import annotations

import httpx

from appliance.web.ports import Viewer
from contracts.reason import Reason
from ota.registry.records import SetState
from tests.support.pages import CSRF, FakeGate
from tests.support.updates import BACKBONE_NEW, READER_BAD, READER_NEW, READER_NEXT, Updates

FORM = {"csrf_token": CSRF}


def at(digest: str) -> str:
    return f"/ota/sets/{digest.removeprefix('sha256:')}"


async def test_the_drawing_links_every_set_and_says_its_state(client: httpx.AsyncClient) -> None:
    text = (await client.get("/ota/sets?lang=en")).text
    assert text.count('class="ota-node ') == 7
    assert text.count('class="ota-edge"') == 4
    assert "runs on 17" in text
    assert "reads 8 for B on thermal labels" in text
    only = (await client.get("/ota/sets?show=withdrawn&lang=en")).text
    assert only.count('class="ota-setrow"') == 1
    assert (await client.get("/ota/sets?q=crack&lane=cracks")).text.count('class="ota-setrow"') == 1


async def test_a_page_shows_what_keeps_a_set_from_being_published(
    client: httpx.AsyncClient,
) -> None:
    text = (await client.get(f"{at(BACKBONE_NEW)}?lang=en")).text
    for words in (
        "It is not proven on openvino-cpu",
        "cookies.auroc_5.mean is 0.97",
        "AGPL-3.0",
        "594 of 600",
        "A second person has yet to approve",
    ):
        assert words in text, words
    assert f"{at(BACKBONE_NEW)}/publish" not in text
    assert "Accept its licence" in text


async def test_a_second_person_approves_and_the_passphrase_publishes(
    client: httpx.AsyncClient, gate: FakeGate, updates: Updates
) -> None:
    page = at(READER_NEXT)
    gate.who = Viewer("learning", frozenset({"ops", "quality"}), CSRF)
    own = await client.post(f"{page}/approve", data=FORM | {"why": "mine"})
    assert own.status_code == 409, "whoever proposed it does not approve it"
    gate.who = Viewer("mara", frozenset({"ops", "quality"}), CSRF)
    assert (await client.post(f"{page}/approve", data=FORM)).status_code == 409, "without a reason"
    assert (await client.post(f"{page}/approve", data=FORM | {"why": "ok"})).status_code == 303
    shown = (await client.get(f"{page}?lang=en")).text
    assert "Nothing speaks against publishing it" in shown
    assert 'type="password"' in shown
    wrong = await client.post(f"{page}/publish?lang=en", data=FORM | {"passphrase": "guess"})
    assert wrong.status_code == 409
    assert "guess" not in wrong.text
    assert updates.set_desk.get(READER_NEXT).state is SetState.PROPOSED
    done = await client.post(f"{page}/publish", data=FORM | {"passphrase": "correct horse"})
    assert done.status_code == 303
    assert updates.set_desk.get(READER_NEXT).published_by == "mara"
    assert f"candidate={READER_NEXT}" in (await client.get(page)).text


async def test_a_key_that_is_elsewhere_shows_the_command(
    client: httpx.AsyncClient, updates: Updates
) -> None:
    await client.post(f"{at(READER_NEXT)}/approve", data=FORM | {"why": "ok"})
    updates.set_desk.key = "elsewhere"
    text = (await client.get(f"{at(READER_NEXT)}?lang=en")).text
    assert "tallyman ota publish label_reader@1.3.0" in text
    updates.set_desk.key = "none"
    assert "tallyman ota init" in (await client.get(at(READER_NEXT))).text
    updates.set_desk.told = (Reason("ota_no_keys"),)
    assert "no keys for model sets yet" in (await client.get("/ota/sets?lang=en")).text


async def test_a_set_is_withdrawn_with_a_reason_and_never_comes_back(
    client: httpx.AsyncClient, updates: Updates
) -> None:
    page = at(READER_NEW)
    assert "It runs on 1 boxes now" in (await client.get(f"{page}?lang=en")).text
    assert (await client.post(f"{page}/withdraw", data=FORM)).status_code == 409
    await client.post(f"{page}/withdraw", data=FORM | {"why": "reads 8 for B"})
    assert updates.set_desk.get(READER_NEW).state is SetState.WITHDRAWN
    gone = (await client.get(f"{page}?lang=en")).text
    assert "Withdrawn by mara." in gone
    assert "The signed list still names it" in gone
    assert f"{page}/withdraw" not in gone
    assert READER_NEW not in (await client.get("/ota/rollouts/new")).text
    again = await client.post(f"{at(READER_BAD)}/withdraw", data=FORM | {"why": "again"})
    assert again.status_code == 409


async def test_only_quality_accepts_a_licence(
    client: httpx.AsyncClient, gate: FakeGate, updates: Updates
) -> None:
    page = at(BACKBONE_NEW)
    gate.who = Viewer("olga", frozenset({"ops"}), CSRF)
    assert (await client.post(f"{page}/licence", data=FORM | {"why": "x"})).status_code == 403
    gate.who = Viewer("quentin", frozenset({"quality"}), CSRF)
    assert (await client.post(f"{page}/publish", data=FORM)).status_code == 403
    await client.post(f"{page}/licence", data=FORM | {"why": "we publish our changes"})
    text = (await client.get(f"{page}?lang=en")).text
    assert "accepted by quentin: we publish our changes" in text


async def test_what_is_no_digest_is_not_found(client: httpx.AsyncClient) -> None:
    assert (await client.get("/ota/sets/latest")).status_code == 404
    assert (await client.get(f"/ota/sets/{'0' * 64}")).status_code == 404
    assert (await client.post(f"{at(READER_NEW)}/burn", data=FORM)).status_code == 404
