"""The webhooks page: add one, see its secret once, pause it, try again what was given up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from appliance.web.app import create_app
from appliance.web.ports import Viewer
from appliance.web.webhooks import webhooks_router
from contracts.clock import FixedClock
from contracts.stock import BatchKey
from erp_link.adapters import exchange_tables as x
from erp_link.adapters.sealing import Seal
from erp_link.service.core import Core
from erp_link.service.exchange.webhooks import Webhooks
from erp_link.webhooks.addresses import Addresses
from tests.support.pages import CSRF, FakeGate

HERE = "/exchange/webhooks"
FORM = {"csrf_token": CSRF}


@pytest.fixture
def core(core_url: str, clock: FixedClock) -> Core:
    return Core(core_url, clock=clock)


@pytest.fixture
def desk(core: Core, tmp_path: Path) -> Webhooks:
    return Webhooks(core, addresses=Addresses(), seal=Seal.open_or_create(tmp_path / "key"))


@pytest.fixture
def gate() -> FakeGate:
    return FakeGate(Viewer("ivo", frozenset({"integrator"}), CSRF))


@pytest.fixture
async def client(desk: Webhooks, gate: FakeGate, core: Core) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app("Tallyman")
    app.include_router(webhooks_router(desk, gate))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
        yield client
    core.close()


async def test_a_webhook_from_its_first_day_to_its_last(
    client: httpx.AsyncClient, desk: Webhooks, core: Core
) -> None:
    assert "Nobody is told yet" in (await client.get(HERE)).text
    wanted = {**FORM, "url": "https://wms.example.com/hook", "topics": "held, received"}
    added = await client.post(HERE, data=wanted)
    assert "whsec_" in added.text
    assert "wms.example.com" in added.text
    shown = await client.get(HERE)
    assert "whsec_" not in shown.text
    (webhook,) = desk.webhooks()
    assert webhook.topics == ("held", "received")
    core.receive(BatchKey("ACME", "1", "L"), 1, location="A-01-1", by="op")
    while desk.project():
        pass
    dead = update(x.webhook_message).values(state="dead", last_status=503, last_error="full")
    core.write(lambda work: work.connection.execute(dead), by="-")
    text = (await client.get(HERE)).text
    assert "HTTP 503 full" in text
    (message,) = desk.messages(webhook.webhook_id)
    mine = f"{HERE}/{webhook.webhook_id}"
    again = await client.post(f"{mine}/retry", data={**FORM, "message": str(message.message_id)})
    assert again.status_code == 303
    assert desk.webhook(webhook.webhook_id).waiting == 1
    assert "whsec_" in (await client.post(f"{mine}/secret", data=FORM)).text
    await client.post(f"{mine}/state", data={**FORM, "state": "paused"})
    assert "Paused" in (await client.get(HERE)).text
    gone = update(x.webhook).values(state="gone", why="the receiver answered 410 Gone")
    core.write(lambda work: work.connection.execute(gone), by="-")
    assert "接收方答复已永久停用" in (await client.get(f"{HERE}?lang=zh")).text
    await client.post(f"{mine}/state", data={**FORM, "state": "removed"})
    assert desk.webhooks() == []


async def test_others_may_not(client: httpx.AsyncClient, gate: FakeGate) -> None:
    gate.who = Viewer("otto", frozenset({"operator"}), CSRF)
    assert (await client.get(HERE)).status_code == 403
