"""The exchange page without an ERP, and for people who may not mend."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from appliance.web.app import create_app
from appliance.web.exchange import exchange_router
from appliance.web.ports import Viewer
from contracts.clock import FixedClock
from erp_link.service.core import Core
from erp_link.service.erp.desk import Announced, ErpDesk
from tests.support.pages import CSRF, FakeGate


class Talk:
    def __init__(self, core: Core, system: str) -> None:
        self.desk = ErpDesk(core, system=system)
        self.announced = Announced((), ())
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1


@pytest.fixture
def core(core_url: str, clock: FixedClock) -> Core:
    return Core(core_url, clock=clock)


@pytest.fixture(params=["", "Tryton"])
def talk(request: pytest.FixtureRequest, core: Core) -> Talk:
    return Talk(core, request.param)


@pytest.fixture
def gate() -> FakeGate:
    return FakeGate(Viewer("mara", frozenset({"ops"}), CSRF))


@pytest.fixture
async def client(talk: Talk, gate: FakeGate, core: Core) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app("Tallyman")
    app.include_router(exchange_router(talk, gate))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
        yield client
    core.close()


async def test_a_house_without_an_erp_is_told_how_to_connect_one(
    client: httpx.AsyncClient, talk: Talk
) -> None:
    text = (await client.get("/exchange")).text
    assert ("No ERP is connected" in text) is (talk.desk.overview().system == "")
    assert ("was not asked yet" in text) is (talk.desk.overview().system == "Tryton")


async def test_names_are_kept_and_the_worker_looks_at_once(
    client: httpx.AsyncClient, talk: Talk
) -> None:
    named = {"csrf_token": CSRF, "kind": "partner", "ours": "ACME", "theirs": "Acme Ltd"}
    assert (await client.post("/exchange/names", data=named)).status_code == 303
    assert [(x.ours, x.theirs) for x in talk.desk.names()] == [("ACME", "Acme Ltd")]
    assert talk.woken == 1
    gone = {"csrf_token": CSRF, "kind": "partner", "ours": "ACME"}
    assert (await client.post("/exchange/names/drop", data=gone)).status_code == 303
    assert (await client.post("/exchange/names/drop", data=gone)).status_code == 404
    wrong = named | {"kind": "colour"}
    assert (await client.post("/exchange/names", data=wrong)).status_code == 422


async def test_operators_look_and_do_not_mend(client: httpx.AsyncClient, gate: FakeGate) -> None:
    gate.who = Viewer("otto", frozenset({"operator"}), CSRF)
    page = await client.get("/exchange")
    assert page.status_code == 200
    assert "Keep the name" not in page.text
    named = {"csrf_token": CSRF, "kind": "partner", "ours": "ACME", "theirs": "Acme Ltd"}
    assert (await client.post("/exchange/names", data=named)).status_code == 403
