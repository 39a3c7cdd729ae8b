"""The page of conflicts over real books: both sides shown, counted again, confirmed, readmitted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import httpx
import pytest

from appliance.web.app import create_app
from appliance.web.conflicts import conflicts_router
from appliance.web.ports import Viewer
from contracts.clock import FixedClock
from contracts.device_log import Held, Released, Shipped
from contracts.stock import HoldKind
from erp_link.service.core import Core
from erp_link.service.merge.desk import OfflineLogs
from tests.erp_link.merge.logs import Phone
from tests.erp_link.story import WATER
from tests.support.pages import CSRF, FakeGate

SHELF = "A-01-1"
GOODS = {
    "csrf_token": CSRF,
    "supplier": WATER.supplier,
    "gtin": WATER.gtin,
    "lot": WATER.lot,
    "location": SHELF,
}


@pytest.fixture
def desk(core_url: str, clock: FixedClock) -> Iterator[OfflineLogs]:
    core = Core(core_url, clock=clock)
    core.receive(WATER, 10, location=SHELF, by="op")
    yield OfflineLogs(core)
    core.close()


@pytest.fixture
def gate() -> FakeGate:
    return FakeGate(Viewer("mara", frozenset({"operator", "quality"}), CSRF))


@pytest.fixture
async def client(
    desk: OfflineLogs, gate: FakeGate, clock: FixedClock
) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app("Tallyman", clock=clock)
    app.include_router(conflicts_router(desk, gate))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://hub.test", headers={"accept": "text/html"}
    ) as opened:
        yield opened


def phone(desk: OfflineLogs, name: str, by: str) -> Phone:
    made = Phone(name, by=by)
    desk.enrol(name, made.public_key, roles=["operator"], by=by)
    return made


async def test_no_conflicts_is_good_news_in_both_languages(client: httpx.AsyncClient) -> None:
    assert "No conflicts" in (await client.get("/tickets/conflicts")).text
    assert "没有冲突" in (await client.get("/tickets/conflicts?lang=zh")).text


async def test_both_counts_are_shown_and_a_recount_settles_them(
    client: httpx.AsyncClient, desk: OfflineLogs
) -> None:
    mei, li = phone(desk, "phone-1", "Mei"), phone(desk, "phone-2", "Li")
    mei.counts(WATER, 8, of=10)
    li.counts(WATER, 7, of=10)
    desk.upload([*mei.entries, *li.entries], by="op")
    page = (await client.get("/tickets/conflicts")).text
    assert "Counted 8, the device showed 10" in page
    assert "Counted 7, the device showed 10" in page
    assert "Mei" in page
    wrong = await client.post("/tickets/conflicts/recount", data={**GOODS, "counted": "some"})
    assert wrong.status_code == 422
    done = await client.post("/tickets/conflicts/recount", data={**GOODS, "counted": "8"})
    assert done.status_code == 303
    page = (await client.get("/tickets/conflicts")).text
    assert "No conflicts" in page
    assert "1 unit" in page
    assert (await client.post("/tickets/conflicts/confirm", data=GOODS)).status_code == 303
    assert "Nothing waits to be confirmed" in (await client.get("/tickets/conflicts")).text


async def test_a_doubtful_device_is_readmitted_by_quality_only(
    client: httpx.AsyncClient, desk: OfflineLogs, gate: FakeGate
) -> None:
    mei = phone(desk, "phone-1", "Mei")
    held = mei.writes(Held(HoldKind.BATCH, "wet", WATER))
    mei.writes(Released((mei.hold_id(held), "H-of-nobody"), "fine"))
    mei.writes(Shipped(WATER, 2, "Q-none", location=SHELF))
    mei.adjusts(WATER, -20)
    broken = replace(mei.adjusts(WATER, -1), by="somebody else")
    desk.upload([*mei.entries[:-1], broken], by="op")
    for language in ("en", "zh"):
        page = (await client.get(f"/tickets/conflicts?lang={language}")).text
        assert "side_" not in page
    page = (await client.get("/tickets/conflicts?lang=en")).text
    assert "An entry was changed after it was written" in page
    assert "1 refused and kept" in page
    form = {"csrf_token": CSRF, "device": "phone-1", "reason": "Only a bad cable"}
    gate.who = Viewer("ann", frozenset({"operator"}), CSRF)
    assert (await client.post("/tickets/conflicts/readmit", data=form)).status_code == 403
    gate.who = Viewer("mara", frozenset({"quality"}), CSRF)
    assert (await client.post("/tickets/conflicts/readmit", data=form)).status_code == 303
    assert "An entry was changed" not in (await client.get("/tickets/conflicts")).text
