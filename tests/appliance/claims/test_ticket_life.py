"""A ticket's life on its page: planned, contained, photographed, decided, carried out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.accounts.store import Accounts
from appliance.accounts.web import COOKIE
from appliance.config import QualityConfig
from appliance.evidence import EvidenceStore
from appliance.web.app import create_app
from appliance.web.core_records import CoreRecords
from appliance.web.gate import AccountsGate
from appliance.web.quality import quality_router
from appliance.web.quality.core_desk import CoreDesk, decision_policy
from contracts.clock import FixedClock
from contracts.reason import Reason
from contracts.stock import BatchKey, HoldKind, TicketState, UsageDecision
from erp_link.service.core import Core
from erp_link.service.quality.desk import Quality
from tests.support.pages import goods_jpeg

PASSWORD = "a long pass phrase of the dock"  # noqa: S105 -- the story's password
SHANGHAI = ZoneInfo("Asia/Shanghai")
WATER = BatchKey("ACME", "06933132577789", "8842-740")


@pytest.fixture
def ticket(core: Core) -> str:
    core.receive(WATER, 10, location="A-01-1", by="op")
    smell = Reason("held_by_hand", {"note": "smell"})
    hold = core.add_hold(HoldKind.BATCH, batch=WATER, reason=smell, by="op")
    assert hold.ticket_id is not None
    return hold.ticket_id


@pytest.fixture
def quality(core: Core) -> Quality:
    """A site that signs nothing: what forms do is the same with a signature."""
    return Quality(core, decision_policy(QualityConfig(signed=False)))


@pytest.fixture
async def browser(
    tmp_path: Path, core: Core, clock: FixedClock, quality: Quality
) -> AsyncIterator[httpx.AsyncClient]:
    accounts = Accounts.open(
        tmp_path / "accounts.db",
        clock=clock,
        session_key=Ed25519PrivateKey.generate(),
        hasher=PasswordHasher(time_cost=1, memory_cost=64, parallelism=1),
    )
    accounts.add_user("mara", PASSWORD, ["quality"])
    app = create_app("Tallyman", clock=clock, zone=SHANGHAI)
    app.state.sessions = accounts
    evidence = EvidenceStore(tmp_path / "evidence")
    desk = CoreDesk(quality, accounts)
    app.include_router(quality_router(CoreRecords(core), AccountsGate(), desk, evidence))
    token = accounts.sign_in("mara", PASSWORD, address="here")
    user = accounts.read(token)
    assert user is not None
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://hub.test",
        headers={"accept": "text/html", "origin": "http://hub.test", "x-csrf-token": user.csrf},
        cookies={COOKIE: token},
    ) as client:
        yield client
    accounts.close()


async def test_a_ticket_is_planned_contained_and_closed(browser, core, ticket) -> None:
    path = f"/tickets/{ticket}"
    assert "Owner and due time" in (await browser.get(path)).text
    plan = {"owner": "jun", "due": "2026-11-24T08:00"}
    assert (await browser.post(f"{path}/plan", data=plan)).status_code == 303
    found = core.ticket(ticket)
    assert (found.owner, found.due_at) == ("jun", datetime(2026, 11, 24, 8, tzinfo=SHANGHAI))
    assert 'value="2026-11-24T08:00"' in (await browser.get(path)).text
    assert (await browser.post(f"{path}/plan", data={"due": "soon"})).status_code == 422
    assert (await browser.post(f"{path}/contain", data={"note": "cage 3"})).status_code == 303
    assert core.ticket(ticket).state is TicketState.CONTAINED
    assert (await browser.post(f"{path}/close", data={})).status_code == 409
    form = {"decision": "release", "reason": "aired"}
    assert (await browser.post(f"{path}/decision", data=form)).status_code == 303
    assert (await browser.post(f"{path}/close", data={"note": "told sales"})).status_code == 303
    closed = core.ticket(ticket)
    assert (closed.state, closed.history[-1].note) == (TicketState.CLOSED, "told sales")
    assert "told sales" in (await browser.get(path)).text


async def test_a_part_is_scrapped_by_number_and_carried_out(browser, core, quality, ticket) -> None:
    path = f"/tickets/{ticket}"
    form = {"decision": "release", "reason": "six are sound", "part": "part", "quantity": "6"}
    assert (
        await browser.post(f"{path}/decision", data=form | {"quantity": "x"})
    ).status_code == 422
    assert (await browser.post(f"{path}/decision", data=form | {"quantity": ""})).status_code == 422
    assert (await browser.post(f"{path}/decision", data=form)).status_code == 303
    (made,) = quality.decisions(ticket)
    rest = f"/tickets/{made.child_ticket}"
    assert f'href="{rest}"' in (await browser.get(path)).text
    scrap = {"decision": "scrap", "reason": "leak"}
    assert (await browser.post(f"{rest}/decision", data=scrap)).status_code == 303
    assert "Goods are scrapped" in (await browser.get(rest)).text
    assert (await browser.post(f"{rest}/carry-out", data={})).status_code == 303
    (batch,) = core.batches()
    assert (batch.on_hand, batch.unrestricted) == (6, 6)
    assert core.ticket(made.child_ticket).decision is UsageDecision.SCRAP


async def test_photos_are_evidence(browser, core, ticket) -> None:
    path = f"/tickets/{ticket}"
    good = ("dent.jpg", goods_jpeg(dent=True), "image/jpeg")
    for _ in range(2):
        sent = await browser.post(f"{path}/evidence", files=[("file", good)])
        assert sent.status_code == 303
    (found,) = core.ticket(ticket).evidence
    assert (found.kind, found.width_px, found.height_px) == ("photo", 960, 720)
    assert f"/evidence/{found.sha256}" in (await browser.get(path)).text
    for bad in (b"GIF89a", b"\xff\xd8\xff cut", b""):
        sent = await browser.post(f"{path}/evidence", files=[("file", ("x.jpg", bad))])
        assert sent.status_code == 422
    assert len(core.ticket(ticket).evidence) == 1
